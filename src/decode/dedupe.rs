//! Copies of packets that were copied twice: at both ends of a mirrored conversation, at both taps of a bridge, going
//! in and coming out of a mirrored switch.
//!
//! Two packets are copies of one when everything that no hop changes is the same: tenant, addresses, IPv4 id, transport
//! header, lengths and payload; not the TTL, checksums, VLANs and Ethernet addresses. What was sent twice is no copy:
//! a packet without an IPv4 id (IPv6, or id 0) that comes again by the same mirror, with the same TTL, VLANs and Ethernet
//! addresses, was sent again.
//!
//! The memory is a table of fixed size in sets of four; in a full set the oldest goes. Packets that every worker decodes
//! and packets that one alone decodes are remembered apart, and those by share: what is found depends on the packets
//! alone, never on the number of workers.

use std::hash::{DefaultHasher, Hash, Hasher};

use frame::{TapId, Timestamp};

use crate::mirror::{Dedupe, Direction, Tap};
use crate::walk::{Out, short};
use crate::{Address, Ip, Packet, Transport};

/// Places that one packet may be remembered at.
const WAYS: usize = 4;
/// Bytes of payload that a cut copy is compared by.
const PREFIX: usize = 64;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not seen before.
    New,
    /// Seen before, as long as this or longer, or of no use twice.
    Copy,
    /// Seen before, cut shorter: a stream can use what that copy lacked.
    Longer,
}

/// One packet, by what no hop changes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Print {
    headers: u64,
    /// Hash of the whole payload; 0 when the copy lacks some of it.
    whole: u64,
    prefix: u32,
    have: u32,
    /// The packet has an id that its sender gives to no other one soon.
    has_id: bool,
    /// Whoever reads it can use more of it when more comes.
    is_stream: bool,
}

/// A packet seen. Without `headers` the place is free.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    headers: u64,
    whole: u64,
    nanos: u64,
    prefix: u32,
    have: u32,
    taps: [u16; 3],
}

/// The packets of the last moments.
#[derive(Debug)]
pub(crate) struct Memory {
    window: u64,
    seed: u64,
    /// Sets in each lane.
    sets: usize,
    /// Made when they are first needed.
    lanes: Vec<Vec<[Seen; WAYS]>>,
    lane: usize,
    /// Packets that went while they might still have been asked for.
    pub(crate) crowded: u64,
}

impl Memory {
    pub(crate) fn new(settings: &Dedupe, lanes: usize) -> Self {
        let lanes = lanes.max(1);
        Self {
            window: u64::try_from(settings.window.as_nanos()).unwrap_or(u64::MAX),
            seed: settings.seed,
            sets: (settings.memory / lanes / size_of::<[Seen; WAYS]>()).max(16),
            lanes: vec![Vec::new(); lanes],
            lane: 0,
            crowded: 0,
        }
    }

    /// Where the next packets are looked for.
    pub(crate) fn enter(&mut self, lane: usize) {
        self.lane = lane;
    }

    /// What identifies a packet: its headers, and `payload` as far as the copy has it. `extra` tells fragments apart.
    pub(crate) fn print(
        &self,
        p: &Packet,
        ip: &Ip,
        id: u16,
        payload: &[u8],
        missing: u32,
        extra: u64,
    ) -> Print {
        let [src0, src1] = halves(ip.src);
        let [dst0, dst1] = halves(ip.dst);
        let kind = pack(0, id, ip.protocol.into(), ip.version.into());
        let length = u64::from(missing) + payload.len() as u64;
        let [t0, t1, t2, t3] = transport(&p.transport);
        let tenant = p.tenant.into();
        let words = [self.seed, tenant, kind, src0, src1, dst0, dst1, length, extra, t0, t1, t2, t3];
        let (first, rest) = payload.split_at_checked(PREFIX).unwrap_or((payload, &[]));
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher.write(first);
        let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
        let mut whole = 0;
        if missing == 0 {
            hasher.write(rest);
            whole = hasher.finish().max(1);
        }
        Print {
            headers: hash(&words).max(1),
            whole,
            prefix: u32::from_be_bytes([a, b, c, d]),
            have: short(payload.len()),
            has_id: id != 0,
            is_stream: matches!(p.transport, Transport::Tcp(_)),
        }
    }

    /// Looks for a packet that came by `tap`, and remembers it.
    pub(crate) fn look(&mut self, print: &Print, time: Timestamp, tap: u16) -> Verdict {
        let (now, window) = (time.nanos(), self.window);
        let sets = self.sets;
        let Some(lane) = self.lanes.get_mut(self.lane) else { return Verdict::New };
        if lane.is_empty() {
            lane.resize(sets, [Seen::default(); WAYS]);
        }
        let at = usize::try_from(print.headers % sets as u64).unwrap_or(0);
        let Some(set) = lane.get_mut(at) else { return Verdict::New };
        let near = |seen: &Seen| seen.nanos.abs_diff(now) <= window;
        if let Some(seen) =
            set.iter_mut().find(|s| s.headers == print.headers && near(s) && s.is_alike(print))
        {
            return seen.again(print, now, tap);
        }
        let Some(place) = set.iter_mut().min_by_key(|s| if s.headers == 0 { 0 } else { s.nanos }) else {
            return Verdict::New;
        };
        self.crowded += u64::from(place.headers != 0 && near(place));
        *place = Seen::of(print, now, tap);
        Verdict::New
    }
}

impl Seen {
    const fn of(print: &Print, nanos: u64, tap: u16) -> Self {
        let &Print { headers, whole, prefix, have, .. } = print;
        Self { headers, whole, nanos, prefix, have, taps: [tap, 0, 0] }
    }

    /// Whether the payload is the same, as far as both copies have it.
    const fn is_alike(&self, print: &Print) -> bool {
        if self.whole != 0 && print.whole != 0 {
            return self.whole == print.whole;
        }
        // Beginnings of different length cannot be compared: the headers must do.
        let comparable =
            self.have as usize >= PREFIX && print.have as usize >= PREFIX || self.have == print.have;
        !comparable || self.prefix == print.prefix
    }

    /// The same packet once more.
    fn again(&mut self, print: &Print, now: u64, tap: u16) -> Verdict {
        if self.taps.contains(&tap) {
            if !print.has_id {
                *self = Self::of(print, now, tap);
                return Verdict::New;
            }
        } else if let Some(free) = self.taps.iter_mut().find(|known| **known == 0) {
            *free = tap;
        }
        if print.have <= self.have {
            return Verdict::Copy;
        }
        (self.have, self.whole, self.prefix) = (print.have, print.whole, print.prefix);
        if print.is_stream { Verdict::Longer } else { Verdict::Copy }
    }
}

impl Out {
    /// Whether a packet, or a fragment at `place`, is a copy of one seen before that brings nothing new.
    pub(crate) fn is_copy(
        &mut self,
        p: &Packet,
        ip: &Ip,
        id: u16,
        payload: &[u8],
        place: u64,
        (time, tap): (Timestamp, TapId),
    ) -> bool {
        let Some(memory) = &mut self.memory else { return false };
        let missing = if place == 0 { p.missing } else { 0 };
        let print = memory.print(p, ip, id, payload, missing, place);
        let crowded = memory.crowded;
        let verdict = memory.look(&print, time, tag(p, ip, tap, self.tap.as_ref()));
        self.counters.copies_crowded += memory.crowded - crowded;
        self.counters.copies += u64::from(verdict == Verdict::Copy);
        self.counters.copies_longer += u64::from(verdict == Verdict::Longer);
        verdict == Verdict::Copy
    }
}

/// A number for the place where a copy was taken, by mirror, and by what hops change; two of them are alike only by
/// chance. Never 0.
fn tag(p: &Packet, ip: &Ip, tap: TapId, mirror: Option<&Tap>) -> u16 {
    let mac = |[a, b, c, d, e, f]: [u8; 6]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let [src, dst] = p.ether.map_or([0; 2], |ether| [mac(ether.src), mac(ether.dst)]);
    let [v0, v1, v2] = p.vlans.ids;
    let mut words = [
        src | u64::from(tap.0) << 48,
        dst | u64::from(ip.ttl) << 48,
        pack(p.vlans.count.into(), v0, v1, v2),
        0,
    ];
    if let (Some(mirror), [.., around]) = (mirror, &mut words) {
        let mut hasher = DefaultHasher::new();
        (mirror.ids, mirror.direction.map(Direction::name)).hash(&mut hasher);
        *around = hasher.finish();
    }
    let [a, b, ..] = hash(&words).to_be_bytes();
    u16::from_be_bytes([a, b]).max(1)
}

/// What no hop changes of a transport header: numbers, flags and times, neither checksum nor options that hops rewrite.
fn transport(transport: &Transport) -> [u64; 4] {
    match transport {
        Transport::Tcp(t) => {
            let (sent, echoed) = t.timestamp.unwrap_or_default();
            let has_time = u16::from(t.timestamp.is_some());
            [
                u64::from(t.seq) << 32 | u64::from(t.ack),
                pack(t.flags.into(), t.src_port, t.dst_port, t.window),
                u64::from(sent) << 32 | u64::from(echoed),
                pack(0, t.urgent, has_time, 0),
            ]
        }
        Transport::Udp(src, dst) | Transport::Sctp(src, dst) => [pack(0, *src, *dst, 0), 0, 0, 0],
        Transport::Icmp { kind, code, echo, .. } => {
            let (id, number) = echo.unwrap_or_default();
            let has_echo = u16::from(echo.is_some());
            [pack(0, (*kind).into(), (*code).into(), has_echo), pack(0, id, number, 0), 0, 0]
        }
        Transport::Esp(spi) => [(*spi).into(), 0, 0, 0],
        Transport::None | Transport::Gre => [0; 4],
    }
}

/// One number of four.
fn pack(a: u16, b: u16, c: u16, d: u16) -> u64 {
    u64::from(a) << 48 | u64::from(b) << 32 | u64::from(c) << 16 | u64::from(d)
}

fn halves(address: Address) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address.0;
    [u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes([i, j, k, l, m, n, o, p])]
}

/// One write is several times faster than one for each number.
fn hash<const N: usize>(words: &[u64; N]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut bytes = [[0; 8]; N];
    bytes.iter_mut().zip(words).for_each(|(place, word)| *place = word.to_le_bytes());
    hasher.write(bytes.as_flattened());
    hasher.finish()
}

/// The id of an IPv4 header, 0 for IPv6.
pub(crate) fn ip_id(ip: &Ip, bytes: &[u8]) -> u16 {
    if ip.version != 4 {
        return 0;
    }
    let at = ip.offset as usize + 4;
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |id| u16::from_be_bytes(*id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Network, Tcp};
    use std::time::Duration;

    const MS: u64 = 1_000_000;

    fn memory(bytes: usize) -> Memory {
        let settings = Dedupe { window: Duration::from_millis(50), memory: bytes, ..Dedupe::default() };
        Memory::new(&settings, 1)
    }

    fn print(memory: &Memory, tenant: u32, id: u16, seq: u32, payload: &[u8], missing: u32) -> Print {
        let ip = Ip {
            version: 4,
            protocol: 6,
            src: Address::v4([10, 0, 0, 1]),
            dst: Address::v4([10, 0, 0, 2]),
            ..Ip::default()
        };
        let packet = Packet {
            tenant,
            network: Network::Ip(ip),
            transport: Transport::Tcp(Tcp { seq, ..Tcp::default() }),
            ..Packet::default()
        };
        memory.print(&packet, &ip, id, payload, missing, 0)
    }

    /// Looks for `payload` with this id, at this millisecond, by this tap.
    fn ask(memory: &mut Memory, id: u16, payload: &[u8], ms: u64, tap: u16) -> Verdict {
        let print = print(memory, 1, id, 7, payload, 0);
        memory.look(&print, Timestamp::from_nanos(ms * MS), tap)
    }

    #[test]
    fn a_copy_from_elsewhere_is_found_within_the_window() {
        let mut memory = memory(1 << 16);
        assert_eq!(ask(&mut memory, 9, b"hello", 100, 1), Verdict::New);
        assert_eq!(ask(&mut memory, 9, b"hello", 105, 2), Verdict::Copy);
        assert_eq!(ask(&mut memory, 9, b"hello", 95, 3), Verdict::Copy, "mirrors change the order");
        assert_eq!(ask(&mut memory, 9, b"hello", 151, 2), Verdict::New, "too late");
        assert_eq!(ask(&mut memory, 9, b"jello", 100, 2), Verdict::New, "another payload");
        assert_eq!(ask(&mut memory, 8, b"hello", 100, 2), Verdict::New, "another id: sent again");
    }

    #[test]
    fn what_has_an_id_is_a_copy_even_by_the_same_way() {
        let mut memory = memory(1 << 16);
        assert_eq!(ask(&mut memory, 9, b"hello", 100, 1), Verdict::New);
        assert_eq!(ask(&mut memory, 9, b"hello", 101, 1), Verdict::Copy);
    }

    #[test]
    fn what_has_none_was_sent_again_when_it_comes_the_same_way() {
        let mut memory = memory(1 << 16);
        assert_eq!(ask(&mut memory, 0, b"hello", 100, 1), Verdict::New);
        assert_eq!(ask(&mut memory, 0, b"hello", 101, 2), Verdict::Copy);
        assert_eq!(ask(&mut memory, 0, b"hello", 110, 1), Verdict::New, "retransmitted");
        assert_eq!(ask(&mut memory, 0, b"hello", 111, 2), Verdict::Copy, "and copied at the other end again");
    }

    #[test]
    fn a_longer_copy_of_a_segment_is_of_use() {
        let mut memory = memory(1 << 16);
        let long = [7; 200];
        let now = Timestamp::from_nanos(100 * MS);
        let cut = print(&memory, 1, 9, 7, &long[..80], 120);
        assert_eq!(memory.look(&cut, now, 1), Verdict::New);
        let whole = print(&memory, 1, 9, 7, &long, 0);
        assert_eq!(memory.look(&whole, now, 2), Verdict::Longer);
        assert_eq!(memory.look(&cut, now, 3), Verdict::Copy);
        assert_eq!(memory.look(&whole, now, 4), Verdict::Copy);
    }

    #[test]
    fn tenants_and_numbers_tell_packets_apart() {
        let mut memory = memory(1 << 16);
        let now = Timestamp::from_nanos(MS);
        for (tenant, seq) in [(1, 7), (2, 7), (1, 8)] {
            let print = print(&memory, tenant, 9, seq, b"x", 0);
            assert_eq!(memory.look(&print, now, 1), Verdict::New);
        }
    }

    #[test]
    fn a_full_memory_forgets_the_oldest_and_says_so() {
        let mut memory = memory(0);
        for id in 1..1000 {
            assert_eq!(ask(&mut memory, id, b"x", 100, 1), Verdict::New);
        }
        assert_eq!(memory.crowded, 999 - 16 * 4);
        assert_eq!(ask(&mut memory, 999, b"x", 101, 2), Verdict::Copy);
    }
}
