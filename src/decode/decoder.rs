//! The decoder: one frame in, its packets out.

use std::mem;

use frame::{Frame, Loss};

use crate::fragment::Fragments;
use crate::walk::{Out, Start, Task, Walk, push_vlan, short};
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
            },
            aside: Counters::default(),
            loss: None,
        }
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
        self.loss = self.out.unread.then_some(Loss::DecodeError);
        self.run_queued(frame);
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
        self.loss = None;
    }

    /// Walks what tunnels and fragments left to do, in the order in which they left it.
    fn run_queued(&mut self, frame: &Frame<'_>) {
        let mut next = 0;
        while let Some(task) = self.out.tasks.get(next).copied() {
            next += 1;
            match task.source {
                Source::Frame => self.run(frame.data, frame, &task),
                Source::Reassembled(i) => {
                    let bytes = self.out.rebuilt.get_mut(usize::from(i)).map(mem::take).unwrap_or_default();
                    self.run(&bytes, frame, &task);
                    if let Some(slot) = self.out.rebuilt.get_mut(usize::from(i)) {
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
            ether: task.ether,
            vlans: task.vlans,
            tenant: task.tenant,
            length: task.length,
            ..Packet::default()
        };
        let mut walk = Walk::new(bytes, &self.settings, &mut self.out, frame, task, index);
        walk.begin(p);
        if walk.broken && index == 0 {
            self.out.unread = p.network == Network::Other;
        }
        self.out.counters.packets += 1;
        self.out.counters.bad_checksum += u64::from(p.bad_checksum);
    }
}

#[inline]
fn outermost(frame: &Frame<'_>) -> Task {
    let end = frame.data.len().max(frame.wire_len as usize);
    let mut vlans = Vlans::default();
    if let Some(tag) = frame.vlan {
        push_vlan(&mut vlans, tag.tci);
    }
    Task {
        start: Start::Link(frame.link),
        source: Source::Frame,
        origin: Origin::Wire,
        depth: 0,
        layers: 0,
        clipped: false,
        vlans,
        tenant: 0,
        ether: None,
        at: 0,
        end,
        length: short(end),
    }
}

fn bytes_of<'a>(rebuilt: &'a [Vec<u8>], frame: &Frame<'a>, packet: &Packet) -> &'a [u8] {
    match packet.source {
        Source::Frame => frame.data,
        Source::Reassembled(i) => rebuilt.get(usize::from(i)).map_or(&[], Vec::as_slice),
    }
}
