//! Hostile crowds: each is a [`Source`] of as many frames as it is told.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{Builder, Conversation, Dice, Ipv4, Side, Source, Tcp, TcpFlags, checksum, fragment_ipv4};

/// Spoofed SYN from all over 10/8 to the web servers of 192.0.2.0/24.
#[derive(Clone, Debug)]
pub struct SynFlood {
    left: u64,
    dice: Dice,
    frame: Vec<u8>,
    /// Sums over what never changes: the IPv4 header, then the segment with its pseudo-header.
    sums: (u32, u32),
}

impl SynFlood {
    /// `count` SYN, each from its own address and port.
    #[must_use]
    pub fn new(count: u64, seed: u64) -> Self {
        let mut frame = Builder::ethernet()
            .ipv4([10, 0, 0, 0], [192, 0, 2, 0])
            .tcp(Tcp::new(0, 80).flags(TcpFlags::SYN))
            .build();
        frame[24..26].fill(0);
        frame[50..52].fill(0);
        let pseudo = checksum::pseudo([10, 0, 0, 0].into(), [192, 0, 2, 0].into(), 6, frame.len() - 34);
        let sums = (checksum::add(0, &frame[14..34]), checksum::add(pseudo, &frame[34..]));
        Self { left: count, dice: Dice::new(seed), frame, sums }
    }
}

impl Source for SynFlood {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let (a, b) = (self.dice.roll().to_be_bytes(), self.dice.roll().to_be_bytes());
        // 24 bits of source address, 8 of target, port, sequence number, identification: all from two rolls
        let own = &mut self.frame;
        own[27..30].copy_from_slice(&a[..3]);
        own[33] = a[3];
        own[34..36].copy_from_slice(&a[4..6]);
        own[38..42].copy_from_slice(&b[..4]);
        own[18..20].copy_from_slice(&a[6..]);
        let changing = checksum::add(u32::from(a[0]), &[a[1], a[2]]) + u32::from(a[3]);
        let header = checksum::fold(checksum::add(self.sums.0 + changing, &a[6..]));
        let segment = checksum::add(checksum::add(self.sums.1 + changing, &a[4..6]), &b[..4]);
        own[24..26].copy_from_slice(&header.to_be_bytes());
        own[50..52].copy_from_slice(&checksum::fold(segment).to_be_bytes());
        frame.clear();
        frame.extend_from_slice(own);
        true
    }
}

/// Fragments that mostly never become packets: lone first and middle pieces, overlaps, tiny ones, ends beyond 65,535
/// bytes, in IPv4 and IPv6, and now and then a whole train.
#[derive(Clone, Debug)]
pub struct Fragments {
    left: u64,
    dice: Dice,
    /// Pieces of a whole train that wait for their turn, last first.
    waiting: Vec<Vec<u8>>,
    last: (Ipv4Addr, u16),
}

impl Fragments {
    /// `count` fragments.
    #[must_use]
    pub const fn new(count: u64, seed: u64) -> Self {
        Self {
            left: count,
            dice: Dice::new(seed),
            waiting: Vec::new(),
            last: (Ipv4Addr::new(10, 0, 0, 1), 0),
        }
    }

    fn piece4(&mut self, source: Ipv4Addr, id: u16, offset: u16, more: bool, len: usize) -> Vec<u8> {
        let mut header = Ipv4::new(source, Ipv4Addr::new(192, 0, 2, 7));
        header.id = id;
        header.dont_fragment = false;
        header.more_fragments = more;
        header.fragment_offset = offset;
        self.last = (source, id);
        let body = self.dice.bytes(len);
        Builder::ethernet().ipv4_header(header).raw(17, &body).build()
    }

    fn piece6(&mut self) -> Vec<u8> {
        let source = Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(self.dice.below(1 << 24)));
        let target = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 7);
        let (offset, len) = (self.dice.below(180) as u16, self.dice.between(1, 150) as usize * 8);
        let (id, more, body) =
            (self.dice.roll() as u32, !self.dice.roll().is_multiple_of(4), self.dice.bytes(len));
        Builder::ethernet().ipv6(source, target).ipv6_fragment(id, offset, more).raw(17, &body).build()
    }

    fn train(&mut self, source: Ipv4Addr, id: u16) -> Vec<u8> {
        let mut header = Ipv4::new(source, Ipv4Addr::new(192, 0, 2, 7));
        header.id = id;
        let body = self.dice.bytes(2600);
        let whole = Builder::ethernet().ipv4_header(header).udp(5000, 5001).payload(&body).build();
        self.waiting = fragment_ipv4(&whole, 14, 1000);
        self.waiting.reverse();
        self.waiting.pop().unwrap_or(whole)
    }
}

impl Source for Fragments {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        if let Some(next) = self.waiting.pop() {
            *frame = next;
            return true;
        }
        let source = Ipv4Addr::from(0x0a00_0000 | self.dice.below(1 << 24));
        let (id, (old_source, old_id)) = (self.dice.word(), self.last);
        let some = self.dice.between(1, 1000) as u16;
        *frame = match self.dice.below(16) {
            0..=5 => self.piece4(source, id, 0, true, 1400),
            6..=8 => self.piece4(source, id, some, true, 640),
            9 | 10 => self.piece4(old_source, old_id, some % 170, true, 480),
            11 => self.piece4(source, id, some, false, 8),
            12 => self.piece4(source, id, 8189, false, 1400),
            13 | 14 => self.piece6(),
            _ => self.train(source, id),
        };
        true
    }
}

/// Storms of overlapping segments: connections of ten thousand each, random place, length and content within a window
/// of 64 KiB, so that nearly every byte arrives many times and never twice the same.
#[derive(Clone, Debug)]
pub struct Overlap {
    left: u64,
    dice: Dice,
    number: u16,
    talk: Option<(Conversation, u32)>,
    waiting: Vec<Vec<u8>>,
}

impl Overlap {
    const STORM: u32 = 10_000;
    const WINDOW: u32 = 65_536;

    /// `count` segments with data; handshakes and ends come on top.
    #[must_use]
    pub const fn new(count: u64, seed: u64) -> Self {
        Self { left: count, dice: Dice::new(seed), number: 0, talk: None, waiting: Vec::new() }
    }

    fn begin(&mut self) -> (Conversation, u32) {
        self.number = self.number.wrapping_add(1);
        let client = SocketAddr::from(([203, 0, 113, 9], self.number | 0x8000));
        let mut talk = Conversation::new(client, SocketAddr::from(([192, 0, 2, 25], 25)));
        talk.open();
        (talk, Self::STORM)
    }

    fn go_on(&mut self) {
        let (mut talk, mut left) = self.talk.take().unwrap_or_else(|| self.begin());
        let (offset, len) = (self.dice.below(Self::WINDOW), self.dice.between(1, 1400));
        let bytes = self.dice.bytes(len.min(Self::WINDOW - offset).max(1) as usize);
        talk.say_at(Side::Client, offset, &bytes);
        self.left -= 1;
        left -= 1;
        if left == 0 || self.left == 0 {
            talk.skip(Side::Client, Self::WINDOW);
            talk.close();
        }
        self.waiting = talk.take_frames();
        self.waiting.reverse();
        self.talk = (left > 0).then_some((talk, left));
    }
}

impl Source for Overlap {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.waiting.is_empty() && self.left > 0 {
            self.go_on();
        }
        match self.waiting.pop() {
            Some(next) => {
                *frame = next;
                true
            }
            None => false,
        }
    }
}

/// Tunnels in tunnels, to a depth, of every kind that nests.
#[derive(Clone, Debug)]
pub struct Tunnels {
    left: u64,
    depth: u32,
    dice: Dice,
}

impl Tunnels {
    /// `count` frames, each with one to `depth` tunnels around a DNS query.
    #[must_use]
    pub const fn new(count: u64, depth: u32, seed: u64) -> Self {
        Self { left: count, depth, dice: Dice::new(seed) }
    }

    fn ipv4(&mut self, inside: Builder) -> Builder {
        inside.ipv4(Ipv4Addr::from(0x0a00_0000 | self.dice.below(1 << 24)), [192, 0, 2, 53])
    }

    fn ipv6(&mut self, inside: Builder) -> Builder {
        let source = Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(self.dice.below(1 << 24)));
        inside.ipv6(source, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53))
    }

    /// Adds one tunnel header behind the IP header that is innermost so far, and an IP header in it.
    fn dig(&mut self, outside: Builder) -> Builder {
        let key = self.dice.below(1 << 16);
        let port = self.dice.word() | 0x8000;
        let open = match self.dice.below(8) {
            0 | 1 => outside,
            2 => outside.gre(None),
            3 => outside.gre(Some(key)),
            4 => outside.gre(None).erspan2(key as u16, key).inner_ethernet(),
            5 => outside.udp(port, 4789).vxlan(key).inner_ethernet(),
            6 => outside.udp(port, 6081).geneve(key, &[1, 2, 3, 1, 9, 9, 9, 9]).inner_ethernet(),
            _ => outside.udp(port, 2152).gtpu(key),
        };
        if self.dice.below(3) == 0 { self.ipv6(open) } else { self.ipv4(open) }
    }
}

impl Source for Tunnels {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let mut builder = self.ipv4(Builder::ethernet());
        for _ in 0..self.dice.between(1, self.depth.max(1)) {
            builder = self.dig(builder);
        }
        let query = crate::dns_query(self.dice.word(), "deep.example");
        *frame = builder.udp(self.dice.word() | 0x8000, 53).payload(&query).build();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut source: impl Source) -> Vec<Vec<u8>> {
        let (mut frame, mut frames) = (Vec::new(), Vec::new());
        while source.fill(&mut frame) {
            frames.push(frame.clone());
        }
        frames
    }

    #[test]
    fn syn_differ_and_their_checksums_hold() {
        let frames = all(SynFlood::new(500, 3));
        let sources: std::collections::HashSet<_> = frames.iter().map(|f| f[26..36].to_vec()).collect();
        assert!(frames.len() == 500 && sources.len() > 490);
        for frame in &frames {
            assert_eq!(crate::internet(&frame[14..34]), 0);
            let at = |i: usize| std::net::IpAddr::from(<[u8; 4]>::try_from(&frame[i..i + 4]).unwrap());
            let sum = checksum::add(checksum::pseudo(at(26), at(30), 6, 20), &frame[34..]);
            assert_eq!(checksum::fold(sum), 0);
        }
    }

    #[test]
    fn a_seed_decides_every_flood() {
        assert_eq!(all(SynFlood::new(9, 1)), all(SynFlood::new(9, 1)));
        assert_ne!(all(Fragments::new(9, 1)), all(Fragments::new(9, 2)));
        assert_eq!(all(Tunnels::new(50, 9, 1)), all(Tunnels::new(50, 9, 1)));
    }

    #[test]
    fn fragments_are_fragments_and_as_many_as_asked() {
        let frames = all(Fragments::new(2000, 5));
        assert_eq!(frames.len(), 2000);
        for frame in frames {
            let is_fragment = match frame[14] >> 4 {
                4 => u16::from_be_bytes([frame[20], frame[21]]) & 0x3fff != 0,
                _ => frame[20] == 44,
            };
            assert!(is_fragment);
        }
    }

    #[test]
    fn a_storm_has_its_handshake_and_its_end() {
        let frames = all(Overlap::new(15_000, 5));
        assert_eq!(frames.len(), 15_000 + 2 * 6);
        assert_eq!(frames[0][47], TcpFlags::SYN.0);
        assert_eq!(frames.last().unwrap()[47], TcpFlags::ACK.0);
    }

    #[test]
    fn tunnels_keep_to_their_depth() {
        let shallow = all(Tunnels::new(200, 1, 4)).iter().map(Vec::len).max();
        let deep = all(Tunnels::new(200, 12, 4)).iter().map(Vec::len).max();
        assert!(deep > shallow.map(|n| n * 3), "{shallow:?} {deep:?}");
    }
}
