//! Which worker a frame is for, where every frame goes to exactly one.
//!
//! The same walk as `src/capture/ebpf/steer.bpf.c`, which the kernel runs: through VLAN tags and tunnels to the innermost
//! address pair, whose hash is mixed with the number of the virtual network around it, unless mirror sessions are stripped. A test of `capture` holds one
//! against the other. [`crate::steer`] is another answer to another question: there every worker sees every frame.

use frame::{Frame, LinkType};

use crate::link::ethertype;
use crate::{Address, Settings, pair_hash};

/// Headers that are looked at: as many as the program in the kernel takes steps.
const STEPS: usize = 28;
const TEREDO: u16 = 3544;

/// What the walk stands in front of.
#[derive(Clone, Copy, Debug)]
enum At {
    Ethernet,
    Version,
    Type(u16),
    Ip(u8),
    GtpExtension,
}

/// A number for `frame` that is the same for both directions of a conversation, its fragments and what belongs to its
/// hosts; take it modulo the number of workers. Zero for what has no addresses.
#[must_use]
pub fn spread(settings: &Settings, frame: &Frame<'_>) -> u32 {
    let mut walk = Walk { data: frame.data, settings, at: 0, tenant: 0, hash: 0 };
    let mut next = walk.begin(frame.link);
    for _ in 0..STEPS {
        let Some(kind) = next else { break };
        next = walk.step(kind);
    }
    walk.hash & 0x7fff_ffff
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().map(|b| u16::from_be_bytes(*b))
}

struct Walk<'a> {
    data: &'a [u8],
    settings: &'a Settings,
    at: usize,
    tenant: u32,
    hash: u32,
}

impl<'a> Walk<'a> {
    fn peek<const N: usize>(&self, at: usize) -> Option<&'a [u8; N]> {
        self.data.get(at..)?.first_chunk()
    }

    fn begin(&mut self, link: LinkType) -> Option<At> {
        match link {
            LinkType::ETHERNET => Some(At::Ethernet),
            LinkType::LINUX_SLL => self.vlan_like(14),
            LinkType::LINUX_SLL2 => {
                self.at = 20;
                be16(self.data, 0).map(At::Type)
            }
            LinkType::NULL | LinkType::LOOP => {
                self.at = 4;
                self.version()
            }
            _ => self.version(),
        }
    }

    /// Reads one header: what comes next, or nothing when there is nothing further in.
    fn step(&mut self, kind: At) -> Option<At> {
        match kind {
            At::Ethernet => self.vlan_like(12),
            At::Type(ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_OLD) => self.vlan_like(2),
            At::Type(ethertype::IPV4) | At::Ip(4) => self.ipv4(),
            At::Type(ethertype::IPV6) | At::Ip(41) => self.ipv6(),
            At::Ip(0 | 43 | 60 | 135) => self.extension(8, 1),
            At::Ip(51) => self.extension(4, 2),
            At::Ip(17) => self.udp(),
            At::Ip(47) => self.gre(),
            At::Version => self.version(),
            At::GtpExtension => self.gtp_extension(),
            At::Type(_) | At::Ip(_) => None,
        }
    }

    /// An ethertype `before` bytes from here, and what it names behind it.
    fn vlan_like(&mut self, before: usize) -> Option<At> {
        let kind = be16(self.data, self.at + before)?;
        self.at += before + 2;
        Some(At::Type(kind))
    }

    fn version(&self) -> Option<At> {
        match self.peek::<1>(self.at)?.first()? >> 4 {
            4 => Some(At::Type(ethertype::IPV4)),
            6 => Some(At::Type(ethertype::IPV6)),
            _ => None,
        }
    }

    fn ipv4(&mut self) -> Option<At> {
        let [first, _, _, _, _, _, f0, f1, _, next, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
            *self.peek(self.at)?;
        if first >> 4 != 4 || first & 15 < 5 {
            return None;
        }
        self.found(&Address::v4([s0, s1, s2, s3]), &Address::v4([d0, d1, d2, d3]));
        self.at += usize::from(first & 15) * 4;
        // A fragment's addresses are all that its siblings share.
        ((f0 & 0x3f) | f1 == 0).then_some(At::Ip(next))
    }

    fn ipv6(&mut self) -> Option<At> {
        let [first, _, _, _, _, _, next, _, addresses @ ..] = self.peek::<40>(self.at)?;
        if first >> 4 != 6 {
            return None;
        }
        let (from, to) = addresses.split_first_chunk::<16>()?;
        self.found(&Address(*from), &Address(*to.first_chunk()?));
        self.at += 40;
        Some(At::Ip(*next))
    }

    fn found(&mut self, from: &Address, to: &Address) {
        // The two directions of a mirrored conversation, and the copies of both its ends, may bear different numbers.
        let tenant = if self.settings.mirror.strips() { 0 } else { self.tenant };
        self.hash = pair_hash(from, to) ^ tenant.wrapping_mul(0x9e37_79b1);
    }

    fn extension(&mut self, unit: usize, plus: usize) -> Option<At> {
        let [next, length] = *self.peek(self.at)?;
        self.at += (usize::from(length) + plus) * unit;
        Some(At::Ip(next))
    }

    fn enter(&mut self, vni: [u8; 3]) {
        let [a, b, c] = vni;
        let vni = u32::from_be_bytes([0, a, b, c]);
        if vni != 0 {
            self.tenant = vni;
        }
    }

    fn gre(&mut self) -> Option<At> {
        let [flags, version, k0, k1] = *self.peek(self.at)?;
        if version & 7 != 0 || flags & 0x40 != 0 {
            return None;
        }
        let kind = u16::from_be_bytes([k0, k1]);
        self.at += if flags & 0x80 != 0 { 8 } else { 4 };
        self.at += if flags & 0x20 != 0 { 4 } else { 0 };
        let sequenced = flags & 0x10 != 0;
        self.at += if sequenced { 4 } else { 0 };
        match kind {
            0x88be if !sequenced => self.settings.erspan_type1.then_some(At::Ethernet),
            0x88be => self.erspan2(),
            0x22eb => self.erspan3(),
            ethertype::BRIDGE => Some(At::Ethernet),
            _ => Some(At::Type(kind)),
        }
    }

    fn erspan2(&mut self) -> Option<At> {
        // Sessions are no tenants: a switch may have one for each direction of a port.
        let [version, ..] = *self.peek::<8>(self.at)?;
        self.at += 8;
        (version >> 4 == 1).then_some(At::Ethernet)
    }

    fn erspan3(&mut self) -> Option<At> {
        let [version, .., kind, platform] = *self.peek::<12>(self.at)?;
        if version >> 4 != 2 {
            return None;
        }
        self.at += if platform & 1 == 1 { 20 } else { 12 };
        Some(if kind >> 2 & 0x1f == 0 { At::Ethernet } else { At::Version })
    }

    fn udp(&mut self) -> Option<At> {
        let [f0, f1, t0, t1] = *self.peek(self.at)?;
        let (from, to) = (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([t0, t1]));
        let settings = self.settings;
        self.at += 8;
        if settings.vxlan_ports.contains(&to) {
            self.vxlan()
        } else if settings.geneve_ports.contains(&to) {
            self.geneve()
        } else if settings.gtp_ports.contains(&to) || settings.gtp_ports.contains(&from) {
            self.gtp()
        } else if settings.teredo && (from == TEREDO || to == TEREDO) {
            self.version().filter(|at| matches!(at, At::Type(ethertype::IPV6)))
        } else {
            None
        }
    }

    fn vxlan(&mut self) -> Option<At> {
        let [flags, _, _, next, a, b, c, reserved] = *self.peek(self.at)?;
        if flags & 8 == 0 || reserved != 0 {
            return None;
        }
        let inner = match if flags & 4 != 0 { next } else { 3 } {
            1 => At::Type(ethertype::IPV4),
            2 => At::Type(ethertype::IPV6),
            3 => At::Ethernet,
            _ => return None,
        };
        self.enter([a, b, c]);
        self.at += 8;
        Some(inner)
    }

    fn geneve(&mut self) -> Option<At> {
        let [first, _, k0, k1, a, b, c, _] = *self.peek(self.at)?;
        if first >> 6 != 0 {
            return None;
        }
        self.enter([a, b, c]);
        self.at += 8 + usize::from(first & 0x3f) * 4;
        match u16::from_be_bytes([k0, k1]) {
            ethertype::BRIDGE => Some(At::Ethernet),
            kind => Some(At::Type(kind)),
        }
    }

    fn gtp(&mut self) -> Option<At> {
        let [flags, message, ..] = *self.peek::<8>(self.at)?;
        if flags & 0xf0 != 0x30 || message != 255 {
            return None;
        }
        if flags & 7 == 0 {
            self.at += 8;
            return Some(At::Version);
        }
        let [.., next] = *self.peek::<12>(self.at)?;
        self.at += 12;
        Some(if flags & 4 != 0 && next != 0 { At::GtpExtension } else { At::Version })
    }

    fn gtp_extension(&mut self) -> Option<At> {
        let [length] = *self.peek(self.at)?;
        if length == 0 {
            return None;
        }
        self.at += usize::from(length) * 4;
        let [next] = *self.peek(self.at - 1)?;
        Some(if next != 0 { At::GtpExtension } else { At::Version })
    }
}
