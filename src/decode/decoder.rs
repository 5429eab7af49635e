//! The decoder: one frame in, its packets out.

use std::mem;
use std::num::NonZeroU8;
use std::sync::Arc;

use frame::{Frame, Loss};

use crate::dedupe::{self, Memory};
use crate::fragment::Fragments;
use crate::mirror::{Tap, Tenants};
use crate::walk::{Dropped, Out, Start, Task, Walk, push_vlan, short};
use crate::{Counters, Event, Network, Origin, Packet, Settings, Source, Vlans, link};

/// Decodes frames, one after the other, and holds the fragments between them.
#[derive(Debug)]
pub struct Decoder {
    settings: Settings,
    /// Kept from frame to frame and written in place; the first `used` belong to this one.
    packets: Vec<Packet>,
    used: usize,
    out: Out,
    aside: Counters,
    loss: Option<Loss>,
    /// A packet of this frame was dropped as a copy.
    copied: bool,
}

/// What one frame gave. Valid until the next frame is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'d> {
    /// Outermost first; inner and reassembled ones follow. A fragment is there itself, without a transport.
    pub packets: &'d [Packet],
    /// What is wrong: index of the packet, and the event.
    pub events: &'d [(u8, Event)],
    /// `None`: analysed. Otherwise nothing as far as the network layer could be read, or room for fragments ran out.
    pub loss: Option<Loss>,
    /// A fragment was kept back: it is analysed, its bytes come with the reassembled packet.
    pub held: bool,
    /// Every packet of the frame is a copy of one seen before: there are none here.
    pub copy: bool,
    /// The mirror that wrapped the packets, when there was one; those are marked.
    pub tap: Option<&'d Tap>,
    rebuilt: &'d [Vec<u8>],
}

impl<'d> Decoded<'d> {
    /// The bytes that the offsets of `packet` count in.
    #[must_use]
    pub fn bytes<'a>(&self, frame: &Frame<'a>, packet: &Packet) -> &'a [u8]
    where
        'd: 'a,
    {
        bytes_of(self.rebuilt, frame, packet)
    }
}

impl Decoder {
    /// A decoder with nothing held.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            packets: vec![Packet::default(); 4],
            used: 0,
            out: Out {
                events: Vec::with_capacity(16),
                tasks: Vec::with_capacity(16),
                rebuilt: Vec::new(),
                rebuilt_used: 0,
                fragments: Fragments::new(&settings.defrag),
                counters: Counters::default(),
                held: false,
                evicted: false,
                unread: false,
                tenants: Tenants::new(&settings.mirror.names),
                tap: None,
                crowded: false,
                memory: None,
            },
            aside: Counters::default(),
            loss: None,
            copied: false,
        }
        .with_lanes(1)
    }

    /// Remembers packets in so many lanes apart, each with its part of the memory; for workers that share a source.
    #[must_use]
    pub fn with_lanes(mut self, lanes: usize) -> Self {
        let settings = &self.settings.mirror.dedupe;
        self.out.memory = settings.is_on().then(|| Box::new(Memory::new(settings, lanes)));
        self
    }

    /// Says in which lane copies of the next frame's packets are looked for: the same for all copies.
    pub fn enter_lane(&mut self, lane: usize) {
        if let Some(memory) = &mut self.out.memory {
            memory.enter(lane);
        }
    }

    /// What the tenants of mirrors are called, by number: the first has the lowest.
    #[must_use]
    pub fn tenants(&self) -> &[Arc<str>] {
        self.out.tenants.labels()
    }

    /// Decodes one frame. The result is valid until the next call; [`Decoder::last`] gives it again.
    pub fn decode(&mut self, frame: &Frame<'_>) -> Decoded<'_> {
        self.reset();
        if !link::known(frame.link) {
            self.out.counters.unknown_link += 1;
            self.loss = Some(Loss::UnknownLink);
            return self.last();
        }
        self.out.counters.cut += u64::from(frame.is_cut());
        self.run(frame.data, frame, &outermost(frame));
        self.run_queued(frame);
        self.loss = self.out.unread.then_some(Loss::DecodeError);
        if self.out.crowded {
            self.loss = Some(Loss::TenantBudget);
        }
        if self.out.evicted {
            self.loss = Some(Loss::FragmentBudget);
        }
        self.last()
    }

    /// As [`Decoder::decode`], for a frame that another worker counts: the counters stay as they are.
    pub fn decode_uncounted(&mut self, frame: &Frame<'_>) -> Decoded<'_> {
        mem::swap(&mut self.out.counters, &mut self.aside);
        self.decode(frame);
        mem::swap(&mut self.out.counters, &mut self.aside);
        self.last()
    }

    /// What the last frame gave.
    #[must_use]
    pub fn last(&self) -> Decoded<'_> {
        Decoded {
            packets: self.packets.get(..self.used).unwrap_or_default(),
            events: &self.out.events,
            loss: self.loss,
            held: self.out.held,
            copy: self.copied && self.used == 0,
            tap: self.out.tap.as_ref(),
            rebuilt: &self.out.rebuilt,
        }
    }

    /// The bytes that the offsets of `packet` count in.
    #[must_use]
    pub fn bytes<'a>(&'a self, frame: &Frame<'a>, packet: &Packet) -> &'a [u8] {
        bytes_of(&self.out.rebuilt, frame, packet)
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.out.counters
    }

    fn reset(&mut self) {
        self.used = 0;
        self.out.events.clear();
        self.out.tasks.clear();
        self.out.rebuilt_used = 0;
        self.out.held = false;
        self.out.evicted = false;
        self.out.unread = false;
        self.out.tap = None;
        self.out.crowded = false;
        self.loss = None;
        self.copied = false;
    }

    /// Walks what tunnels and fragments left to do, in the order in which they left it.
    fn run_queued(&mut self, frame: &Frame<'_>) {
        let mut next = 0;
        while let Some(task) = self.out.tasks.get(next).copied() {
            next += 1;
            match task.source {
                Source::Frame => self.run(frame.data, frame, &task),
                Source::Reassembled(i) => {
                    let bytes = self.out.rebuilt.get_mut(slot_of(i)).map(mem::take).unwrap_or_default();
                    self.run(&bytes, frame, &task);
                    if let Some(slot) = self.out.rebuilt.get_mut(slot_of(i)) {
                        *slot = bytes;
                    }
                }
            }
        }
    }

    #[inline]
    fn run(&mut self, bytes: &[u8], frame: &Frame<'_>, task: &Task) {
        let Ok(index) = u8::try_from(self.used) else { return };
        if self.used == self.packets.len() {
            self.packets.push(Packet::default());
        }
        let Some(p) = self.packets.get_mut(self.used) else { return };
        self.used += 1;
        *p = Packet {
            source: task.source,
            origin: task.origin,
            depth: task.depth,
            vlans: task.vlans,
            tenant: task.tenant,
            length: task.length,
            mirrored: task.mirrored,
            ..Packet::default()
        };
        // Nearly never is there one yet; to copy the empty place costs more than to look.
        if task.ether.is_some() {
            p.ether = task.ether;
        }
        let (events, tasks) = (self.out.events.len(), self.out.tasks.len());
        let mut walk = Walk::new(bytes, &self.settings, &mut self.out, frame, task, index);
        walk.begin(p);
        let dropped = walk.dropped;
        if walk.broken && index == 0 {
            self.out.unread = p.network == Network::Other;
        }
        self.out.counters.packets += 1;
        self.out.counters.bad_checksum += u64::from(p.bad_checksum);
        if dropped.is_some() || self.out.memory.is_some() || task.mirrored {
            self.settle(bytes, frame, task, dropped, (events, tasks));
        }
    }

    /// Takes the packet that was just walked back when it is none; `before` is how many events and tasks there were.
    #[cold]
    fn settle(
        &mut self,
        bytes: &[u8],
        frame: &Frame<'_>,
        task: &Task,
        dropped: Option<Dropped>,
        before: (usize, usize),
    ) {
        let Some(p) = self.used.checked_sub(1).and_then(|at| self.packets.get_mut(at)) else { return };
        match dropped.or_else(|| look_for_copy(&mut self.out, p, bytes, frame, task)) {
            None => {
                if task.mirrored && p.depth == 0 {
                    let cut = p.missing > 0 || p.header_cut || self.out.tap.is_some_and(|tap| tap.truncated);
                    self.out.counters.mirror_cut += u64::from(cut);
                    // The wrapping tells the length of the copy, the packet its own.
                    p.length = p.length.saturating_add(p.missing);
                }
                return;
            }
            Some(Dropped::Wrapping) => self.out.counters.stripped += 1,
            Some(Dropped::Copy) => {
                self.copied = true;
                self.out.tasks.truncate(before.1);
            }
        }
        self.out.events.truncate(before.0);
        self.used -= 1;
    }
}

#[inline]
fn outermost(frame: &Frame<'_>) -> Task {
    let end = frame.data.len().max(frame.wire_len as usize);
    let mut vlans = Vlans::default();
    // A tag that travels beside the frame was on the wire, too.
    let mut length = end;
    if let Some(tag) = frame.vlan {
        push_vlan(&mut vlans, tag.tci);
        length += 4;
    }
    Task {
        start: Start::Link(frame.link),
        source: Source::Frame,
        origin: Origin::Wire,
        depth: 0,
        layers: 0,
        clipped: false,
        mirrored: false,
        carrier: None,
        vlans,
        tenant: 0,
        ether: None,
        at: 0,
        end,
        length: short(length),
    }
}

/// Where the first, the second reassembled packet lies.
fn slot_of(number: NonZeroU8) -> usize {
    usize::from(number.get()) - 1
}

/// Whether a packet is a copy of one seen before. What is inside another packet shares its fate, and fragments were
/// looked for when they came.
fn look_for_copy(out: &mut Out, p: &Packet, bytes: &[u8], frame: &Frame<'_>, task: &Task) -> Option<Dropped> {
    let Network::Ip(ip) = &p.network else { return None };
    if out.memory.is_none() || p.depth > 0 || ip.fragment || task.origin == Origin::Defragmented {
        return None;
    }
    let from = p.payload as usize;
    let payload = bytes.get(from..from + p.payload_len as usize).unwrap_or_default();
    let copied = out.is_copy(p, ip, dedupe::ip_id(ip, bytes), payload, 0, (frame.time, frame.tap));
    copied.then_some(Dropped::Copy)
}

fn bytes_of<'a>(rebuilt: &'a [Vec<u8>], frame: &Frame<'a>, packet: &Packet) -> &'a [u8] {
    match packet.source {
        Source::Frame => frame.data,
        Source::Reassembled(i) => rebuilt.get(slot_of(i)).map_or(&[], Vec::as_slice),
    }
}
