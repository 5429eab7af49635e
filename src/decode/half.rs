//! Which direction of which flow a frame belongs to, as far as a program in the kernel can tell it, too.
//!
//! The same walk as `src/capture/ebpf/bypass.bpf.c`: through VLAN tags and at most two tunnels to the innermost addresses
//! and ports. It is stricter than [`crate::spread`], and knows fewer headers than the decoder: what it finds in a frame, the
//! decoder finds there, too; of what it is not sure it says nothing. A test of the sensor holds all three together.

use frame::bypass::{Ends, Half, Kind, LEVELS, Level, OPTIONS};
use frame::{Frame, LinkType};

use crate::Settings;
use crate::link::ethertype;
use crate::net::{length_field, protocol};

/// Headers that are looked at: as many as the program in the kernel takes steps.
const STEPS: usize = 20;
const TEREDO: u16 = 3544;

/// A direction of a flow, found in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The direction.
    pub half: Half,
    /// Bytes of the innermost packet, from its IP header on, as that header says.
    pub inner: u32,
}

/// What the walk stands in front of.
#[derive(Clone, Copy, Debug)]
enum At {
    Ethernet,
    Version,
    Type(u16),
    Ip(u8),
    Erspan(u8),
    GtpExtension,
}

/// Finds the direction; nothing for fragments, for what has no ports, and for every header that is doubtful.
#[must_use]
pub fn half(settings: &Settings, frame: &Frame<'_>) -> Option<Found> {
    let mut walk = Walk {
        data: frame.data,
        settings,
        at: 0,
        end: frame.data.len().max(frame.wire_len as usize),
        ip: 0,
        clipped: false,
        depth: 0,
        vlans: 0,
        half: Half::default(),
    };
    if let Some(tag) = frame.vlan {
        walk.push_vlan(tag.tci)?;
    }
    let mut next = match frame.link {
        LinkType::ETHERNET => At::Ethernet,
        LinkType::RAW => At::Version,
        _ => return None,
    };
    for _ in 0..STEPS {
        match walk.step(next)? {
            Step::On(kind) => next = kind,
            Step::Found => {
                let inner = u32::try_from(walk.end - walk.ip).ok()?;
                return Some(Found { half: walk.half, inner });
            }
        }
    }
    None
}

/// How many tunnels the walk goes through, as the program in the kernel is told.
#[must_use]
pub fn levels(settings: &Settings) -> u8 {
    let most = if settings.mirror.strips() { u8::MAX } else { settings.tunnel_depth };
    most.min(u8::try_from(LEVELS).unwrap_or(u8::MAX))
}

enum Step {
    On(At),
    Found,
}

struct Walk<'a> {
    data: &'a [u8],
    settings: &'a Settings,
    at: usize,
    /// Of the packet that the walk is in.
    end: usize,
    /// Where the innermost IP header begins.
    ip: usize,
    clipped: bool,
    depth: usize,
    vlans: usize,
    half: Half,
}

impl<'a> Walk<'a> {
    fn peek<const N: usize>(&self, at: usize) -> Option<&'a [u8; N]> {
        self.data.get(at..)?.first_chunk()
    }

    fn step(&mut self, kind: At) -> Option<Step> {
        let next = match kind {
            At::Ethernet => self.ethernet(),
            At::Type(ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_OLD) => self.vlan(),
            At::Type(ethertype::IPV4) => self.ipv4(),
            At::Type(ethertype::IPV6) => self.ipv6(),
            At::Ip(protocol::IPV4) => self.enter(Kind::Ip, 0).map(|()| At::Type(ethertype::IPV4)),
            At::Ip(protocol::IPV6) => self.enter(Kind::Ip, 0).map(|()| At::Type(ethertype::IPV6)),
            At::Ip(protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION) => self.extension(),
            At::Ip(protocol::TCP) => return self.tcp(),
            At::Ip(protocol::UDP) => return self.udp(),
            At::Ip(protocol::SCTP) => return self.sctp(),
            At::Ip(protocol::GRE) => self.gre(),
            At::Erspan(version) => self.erspan(version),
            At::Version => self.version(),
            At::GtpExtension => self.gtp_extension(),
            At::Type(_) | At::Ip(_) => None,
        };
        next.map(Step::On)
    }

    fn push_vlan(&mut self, tci: u16) -> Option<()> {
        *self.half.ends.vlans.get_mut(self.vlans)? = tci & 0x0fff;
        self.vlans += 1;
        Some(())
    }

    /// What was read so far stands around something else.
    fn enter(&mut self, kind: Kind, id: u32) -> Option<()> {
        if self.depth >= usize::from(levels(self.settings)) {
            return None;
        }
        let strips = self.settings.mirror.strips();
        if self.depth == 0 && strips {
            let [from, _] = &mut self.half.ends.ports;
            *from = 0;
        }
        *self.half.around.levels.get_mut(self.depth)? = Level { ends: self.half.ends, id, kind };
        self.depth += 1;
        self.clipped |= strips || matches!(kind, Kind::Vxlan | Kind::Geneve);
        self.vlans = 0;
        self.half.ends = Ends::default();
        Some(())
    }

    fn ethernet(&mut self) -> Option<At> {
        let kind = u16::from_be_bytes(*self.peek(self.at + 12)?);
        self.at += 14;
        Some(At::Type(kind))
    }

    fn vlan(&mut self) -> Option<At> {
        let [t0, t1, k0, k1] = *self.peek(self.at)?;
        self.push_vlan(u16::from_be_bytes([t0, t1]))?;
        self.at += 4;
        Some(At::Type(u16::from_be_bytes([k0, k1])))
    }

    fn version(&self) -> Option<At> {
        let [first] = *self.peek(self.at)?;
        Some(At::Type(if first >> 4 == 4 { ethertype::IPV4 } else { ethertype::IPV6 }))
    }

    /// The packet ends `length` bytes from here: a copy may lack its end where whoever made it may have cut it.
    fn ends(&mut self, length: usize) -> Option<()> {
        let end = self.at + length;
        if end > self.end && !self.clipped {
            return None;
        }
        self.end = end;
        Some(())
    }

    fn ipv4(&mut self) -> Option<At> {
        let [first, _, l0, l1, _, _, f0, f1, _, next, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
            *self.peek(self.at)?;
        let head = usize::from(first & 15) * 4;
        let total = length_field([l0, l1], self.at, self.end);
        if first >> 4 != 4 || head < 20 || (f0 & 0x3f) | f1 != 0 || total < head {
            return None;
        }
        self.ip = self.at;
        self.ends(total)?;
        let four = |a, b, c, d| [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        (self.half.ends.src, self.half.ends.dst) = (four(s0, s1, s2, s3), four(d0, d1, d2, d3));
        self.half.version = 4;
        self.at += head;
        Some(At::Ip(next))
    }

    fn ipv6(&mut self) -> Option<At> {
        let [first, _, _, _, l0, l1, next, _, addresses @ ..] = self.peek::<40>(self.at)?;
        if first >> 4 != 6 {
            return None;
        }
        let (src, rest) = addresses.split_first_chunk::<16>()?;
        (self.half.ends.src, self.half.ends.dst) = (*src, *rest.first_chunk()?);
        self.half.version = 6;
        self.ip = self.at;
        self.at += 40;
        self.ends(length_field([*l0, *l1], self.at, self.end))?;
        Some(At::Ip(*next))
    }

    fn extension(&mut self) -> Option<At> {
        let [next, length] = *self.peek(self.at)?;
        self.at += (usize::from(length) + 1) * 8;
        (self.half.version == 6 && self.at <= self.end).then_some(At::Ip(next))
    }

    fn found(&mut self, number: u8, [a, b, c, d]: [u8; 4]) -> Option<Step> {
        self.half.ends.ports = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        self.half.protocol = number;
        Some(Step::Found)
    }

    /// Not what begins or ends a connection: that is always to be seen.
    fn tcp(&mut self) -> Option<Step> {
        let [p0, p1, p2, p3, _, _, _, _, _, _, _, _, offset, flags] = *self.peek(self.at)?;
        let head = usize::from(offset >> 4) * 4;
        if head < 20 || self.at + head > self.end || flags & 0x07 != 0 {
            return None;
        }
        self.found(protocol::TCP, [p0, p1, p2, p3])
    }

    fn sctp(&mut self) -> Option<Step> {
        let [p0, p1, p2, p3, ..] = *self.peek::<12>(self.at)?;
        if self.at + 12 > self.end { None } else { self.found(protocol::SCTP, [p0, p1, p2, p3]) }
    }

    fn udp(&mut self) -> Option<Step> {
        let [p0, p1, p2, p3, l0, l1, _, _] = *self.peek(self.at)?;
        let length = length_field([l0, l1], self.at, self.end);
        if length < 8 || self.at + length > self.end {
            return None;
        }
        let (src, dst) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([p2, p3]));
        self.half.ends.ports = [src, dst];
        let settings = self.settings;
        let is_tunnel = settings.is_tunnel_port(src, dst);
        if !is_tunnel {
            return self.found(protocol::UDP, [p0, p1, p2, p3]);
        }
        if settings.teredo && (src == TEREDO || dst == TEREDO) {
            // It may be Teredo, or VXLAN from that port: too rare to be told apart.
            return None;
        }
        self.end = self.at + length;
        self.at += 8;
        let inside = if settings.vxlan_ports.contains(&dst) {
            self.vxlan()
        } else if settings.geneve_ports.contains(&dst) {
            self.geneve()
        } else {
            self.gtp()
        };
        inside.map(Step::On)
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
        self.at += 8;
        self.enter(Kind::Vxlan, u32::from_be_bytes([0, a, b, c]))?;
        Some(inner)
    }

    /// Options say whose a packet is, in every cloud's own way; here they are bytes to be compared.
    fn geneve(&mut self) -> Option<At> {
        let [first, _, k0, k1, a, b, c, _] = *self.peek(self.at)?;
        let length = usize::from(first & 0x3f) * 4;
        if first >> 6 != 0 || length > OPTIONS || length > 0 && self.depth > 0 {
            return None;
        }
        let options = self.data.get(self.at + 8..)?.get(..length)?;
        let around = &mut self.half.around;
        around.options.get_mut(..length)?.copy_from_slice(options);
        around.options_len = u8::try_from(length).ok()?;
        self.at += 8 + length;
        if self.at > self.end {
            return None;
        }
        self.enter(Kind::Geneve, u32::from_be_bytes([0, a, b, c]))?;
        Some(bridged(u16::from_be_bytes([k0, k1])))
    }

    fn gre(&mut self) -> Option<At> {
        let [flags, version, k0, k1] = *self.peek(self.at)?;
        // Version 0, without routes, recursion and reserved bits.
        if flags & 0x47 != 0 || version != 0 {
            return None;
        }
        let kind = u16::from_be_bytes([k0, k1]);
        let mut at = self.at + if flags & 0x80 != 0 { 8 } else { 4 };
        let (has_key, sequenced) = (flags & 0x20 != 0, flags & 0x10 != 0);
        let key = if has_key { u32::from_be_bytes(*self.peek(at)?) } else { 0 };
        at += if has_key { 4 } else { 0 } + if sequenced { 4 } else { 0 };
        if at > self.end {
            return None;
        }
        self.at = at;
        match kind {
            0x88be | 0x22eb if has_key => None,
            0x88be if !sequenced && !self.settings.erspan_type1 => None,
            0x88be if !sequenced => self.enter(Kind::Erspan, 0).map(|()| At::Ethernet),
            0x88be => Some(At::Erspan(1)),
            0x22eb => Some(At::Erspan(2)),
            _ => {
                self.enter(if has_key { Kind::GreWithKey } else { Kind::Gre }, key)?;
                Some(bridged(kind))
            }
        }
    }

    fn erspan(&mut self, version: u8) -> Option<At> {
        let [v0, v1, t0, t1, ..] = *self.peek::<8>(self.at)?;
        if v0 >> 4 != version {
            return None;
        }
        let (length, inner) = if version == 2 {
            let [.., kind, platform] = *self.peek::<12>(self.at)?;
            let inner = if kind >> 2 & 0x1f == 0 { At::Ethernet } else { At::Version };
            (if platform & 1 == 1 { 20 } else { 12 }, inner)
        } else {
            (8, At::Ethernet)
        };
        // Version, VLAN and session; not the class of service, and not whether the copy was cut.
        self.enter(Kind::Erspan, u32::from_be_bytes([v0, v1, t0 & 3, t1]))?;
        self.clipped |= t0 & 4 != 0;
        self.at += length;
        let vlan = u16::from_be_bytes([v0 & 15, v1]);
        if vlan > 0 {
            self.push_vlan(vlan)?;
        }
        Some(inner)
    }

    fn gtp(&mut self) -> Option<At> {
        let [flags, message, l0, l1, id @ ..] = *self.peek::<8>(self.at)?;
        let end = self.at + 8 + usize::from(u16::from_be_bytes([l0, l1]));
        if flags & 0xf0 != 0x30 || message != 255 || end > self.end {
            return None;
        }
        let at = self.at;
        self.enter(Kind::Gtp, u32::from_be_bytes(id))?;
        self.end = end;
        if flags & 7 == 0 {
            self.at = at + 8;
            return Some(At::Version);
        }
        let [.., next] = *self.peek::<12>(at)?;
        self.at = at + 12;
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

/// What an ethertype inside a tunnel means.
const fn bridged(kind: u16) -> At {
    if kind == ethertype::BRIDGE { At::Ethernet } else { At::Type(kind) }
}
