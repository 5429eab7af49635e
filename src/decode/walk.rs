//! The walk over one packet's bytes: what every layer needs at hand, and where it leaves what it found.

use frame::{Checksum, Frame, TapId, Timestamp};

use crate::dedupe::Memory;
use crate::fragment::Fragments;
use crate::mirror::{Tap, Tenants};
use crate::{Counters, Ether, Event, Origin, Packet, Settings, Source, Vlans};

/// Headers that are followed inside one another, tunnels and tags alike.
pub(crate) const MOST_LAYERS: u8 = 16;
/// Events that one packet may raise; the rest say nothing new.
const MOST_EVENTS: u8 = 15;
/// Packets that one frame may give.
const MOST_PACKETS: usize = 64;

/// What stands at the first byte of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Link(frame::LinkType),
    Ethernet,
    Ethertype(u16),
    Llc,
    Ip4,
    Ip6,
    Ppp,
    Erspan2,
    Erspan3,
}

/// A packet still to be walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) start: Start,
    pub(crate) source: Source,
    pub(crate) origin: Origin,
    pub(crate) depth: u8,
    pub(crate) layers: u8,
    /// The sender of this copy may have kept only its beginning: a length that goes too far is no anomaly.
    pub(crate) clipped: bool,
    /// It came by a mirror whose wrapping was taken off: nothing is odd about what lacks its end.
    pub(crate) mirrored: bool,
    /// The mirror session that wraps its copies once more: VXLAN is to be found inside.
    pub(crate) carrier: Option<usize>,
    pub(crate) vlans: Vlans,
    pub(crate) tenant: u32,
    pub(crate) ether: Option<Ether>,
    /// First byte, in the bytes of `source`.
    pub(crate) at: usize,
    /// Where it ended on the wire; beyond the bytes when the capture was cut.
    pub(crate) end: usize,
    /// What counters take for its length.
    pub(crate) length: u32,
}

/// Everything that outlives one packet's walk.
#[derive(Debug)]
pub(crate) struct Out {
    pub(crate) events: Vec<(u8, Event)>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) rebuilt: Vec<Vec<u8>>,
    pub(crate) rebuilt_used: usize,
    pub(crate) fragments: Fragments,
    pub(crate) counters: Counters,
    pub(crate) held: bool,
    pub(crate) evicted: bool,
    /// Whether the outermost packet broke off before its network layer was known.
    pub(crate) unread: bool,
    pub(crate) tenants: Tenants,
    /// The mirror that this frame came by.
    pub(crate) tap: Option<Tap>,
    /// There was no room for one more tenant.
    pub(crate) crowded: bool,
    /// Packets seen, when copies are searched for.
    pub(crate) memory: Option<Box<Memory>>,
}

/// Why a packet is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// A mirror wrapped what comes next in it.
    Wrapping,
    /// It is a copy of one that was seen before.
    Copy,
}

/// One packet being walked.
pub(crate) struct Walk<'w> {
    pub(crate) bytes: &'w [u8],
    pub(crate) settings: &'w Settings,
    pub(crate) out: &'w mut Out,
    pub(crate) time: Timestamp,
    pub(crate) checksum: Checksum,
    pub(crate) tap: TapId,
    pub(crate) task: &'w Task,
    /// A length that goes beyond the packet is no anomaly: whoever copied it kept only its beginning.
    pub(crate) clipped: bool,
    /// Index of this packet.
    pub(crate) index: u8,
    pub(crate) layers: u8,
    /// A header was impossible, or lay in what the capture lacks.
    pub(crate) broken: bool,
    /// It is no packet of its own: a mirror's wrapping, or a copy of what was seen before.
    pub(crate) dropped: Option<Dropped>,
    raised: u8,
}

impl<'w> Walk<'w> {
    /// A walk over `bytes`, before its first step.
    #[inline]
    pub(crate) fn new(
        bytes: &'w [u8],
        settings: &'w Settings,
        out: &'w mut Out,
        frame: &Frame<'_>,
        task: &'w Task,
        index: u8,
    ) -> Self {
        Self {
            bytes,
            settings,
            out,
            time: frame.time,
            checksum: if task.mirrored { Checksum::Partial } else { frame.checksum },
            tap: frame.tap,
            task,
            clipped: task.clipped,
            index,
            layers: task.layers,
            broken: false,
            dropped: None,
            raised: 0,
        }
    }

    /// The next `N` bytes. `None` when the packet ends before (and says so) or the capture does (and says nothing).
    #[inline]
    pub(crate) fn header<const N: usize>(
        &mut self,
        at: usize,
        end: usize,
        short: Event,
    ) -> Option<&'w [u8; N]> {
        let got = self.peek(at, end);
        if got.is_none() {
            self.too_short(at + N > end, short);
        }
        got
    }

    /// The next `N` bytes, if they are there.
    #[inline]
    pub(crate) fn peek<const N: usize>(&self, at: usize, end: usize) -> Option<&'w [u8; N]> {
        if at + N > end {
            return None;
        }
        self.bytes.get(at..)?.first_chunk()
    }

    #[cold]
    fn too_short(&mut self, on_the_wire: bool, short: Event) {
        self.broken = true;
        if on_the_wire && !self.task.mirrored {
            self.fail(short);
        }
    }

    /// The bytes between `at` and `end`, as far as the capture has them.
    pub(crate) fn span(&self, at: usize, end: usize) -> &'w [u8] {
        let last = end.min(self.bytes.len());
        self.bytes.get(at..last).unwrap_or_default()
    }

    /// Notes something odd that does not stop the walk.
    #[cold]
    pub(crate) fn raise(&mut self, event: Event) {
        if self.raised < MOST_EVENTS {
            self.raised += 1;
            self.out.events.push((self.index, event));
        }
    }

    /// Notes something that makes the rest of the packet unusable.
    #[cold]
    pub(crate) fn fail(&mut self, event: Event) {
        if !self.broken {
            self.out.counters.malformed += 1;
        }
        self.broken = true;
        self.raise(event);
    }

    /// Counts one more header inside the others; false when there are too many.
    #[inline]
    pub(crate) fn deeper(&mut self) -> bool {
        self.layers += 1;
        if self.layers >= MOST_LAYERS {
            self.too_many();
            return false;
        }
        true
    }

    #[cold]
    pub(crate) fn too_many(&mut self) {
        self.out.counters.too_many_layers += 1;
        self.fail(Event::TooManyLayers);
    }

    /// Sets the payload to what lies between `at` and `end`.
    #[inline]
    pub(crate) fn payload(&self, p: &mut Packet, at: usize, end: usize) {
        let have = end.min(self.bytes.len()).saturating_sub(at);
        p.payload = short(at);
        p.payload_len = short(have);
        p.missing = short(end.saturating_sub(at + have));
    }

    /// Queues what a tunnel carries, to be walked after this packet.
    pub(crate) fn inner(
        &mut self,
        p: &Packet,
        origin: Origin,
        start: Start,
        at: usize,
        end: usize,
    ) -> Option<&mut Task> {
        if p.depth >= self.settings.tunnel_depth || self.layers + 1 >= MOST_LAYERS {
            self.too_many();
            return None;
        }
        let task = Task {
            start,
            source: self.task.source,
            origin,
            depth: p.depth + 1,
            layers: self.layers + 1,
            clipped: self.clipped,
            mirrored: self.task.mirrored,
            carrier: None,
            vlans: Vlans::default(),
            tenant: p.tenant,
            ether: None,
            at,
            end,
            length: short(end.saturating_sub(at)),
        };
        self.queue(task)
    }

    /// Queues a packet, unless the frame has given more than any honest one does.
    pub(crate) fn queue(&mut self, task: Task) -> Option<&mut Task> {
        if self.out.tasks.len() >= MOST_PACKETS {
            return None;
        }
        self.out.tasks.push(task);
        self.out.tasks.last_mut()
    }
}

/// An offset as packets store it. Frames are far below 4 GiB; a forged length saturates.
#[inline]
pub(crate) fn short(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Adds a VLAN id; false when there is no room for it.
#[inline]
pub(crate) fn push_vlan(vlans: &mut Vlans, tci: u16) -> bool {
    match vlans.ids.get_mut(usize::from(vlans.count)) {
        Some(slot) => {
            *slot = tci & 0x0fff;
            vlans.count += 1;
            true
        }
        None => false,
    }
}
