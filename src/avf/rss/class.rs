//! Classes of packets, as the bits of HENA number them.

use std::fmt;

use crate::ptype::{Ip, Layers, Transport};
use crate::rx::Cast;

/// Which device's numbering counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// X710, XL710, XXV710.
    X710,
    /// X722, which tells multicast UDP and the first segment of TCP apart.
    X722,
    /// E810 and relatives, whose PF takes the X722's bits as other names of the same classes.
    E810,
}

/// A class of packets: a bit of HENA. Open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u8);

/// What of a packet is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Source and destination address, source and destination port.
    FourTuple,
    /// Source and destination address.
    Addresses,
    /// The last EtherType.
    EtherType,
}

/// What decides a packet's class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The layers that count: of a tunnel, outer or inner ones as the device chooses.
    pub layers: Layers,
    /// How it was addressed.
    pub cast: Cast,
    /// TCP with SYN and without ACK.
    pub opens: bool,
}

/// One row of the table: bit, name, what is hashed, whether the X710 has it.
type Row = (u8, &'static str, Input, bool);

/// HENA, bit by bit.
const CLASSES: [Row; 17] = [
    (29, "IPv4 UDP unicast", Input::FourTuple, false),
    (30, "IPv4 UDP multicast", Input::FourTuple, false),
    (31, "IPv4 UDP", Input::FourTuple, true),
    (32, "IPv4 TCP SYN", Input::FourTuple, false),
    (33, "IPv4 TCP", Input::FourTuple, true),
    (34, "IPv4 SCTP", Input::FourTuple, true),
    (35, "IPv4 other", Input::Addresses, true),
    (36, "IPv4 fragment", Input::Addresses, true),
    (39, "IPv6 UDP unicast", Input::FourTuple, false),
    (40, "IPv6 UDP multicast", Input::FourTuple, false),
    (41, "IPv6 UDP", Input::FourTuple, true),
    (42, "IPv6 TCP SYN", Input::FourTuple, false),
    (43, "IPv6 TCP", Input::FourTuple, true),
    (44, "IPv6 SCTP", Input::FourTuple, true),
    (45, "IPv6 other", Input::Addresses, true),
    (46, "IPv6 fragment", Input::Addresses, true),
    (63, "L2 payload", Input::EtherType, true),
];

impl Class {
    /// The class without any header that is known.
    pub const L2_PAYLOAD: Self = Self(63);

    const UNICAST_UDP: u8 = 29;
    const MULTICAST_UDP: u8 = 30;
    const UDP: u8 = 31;
    const TCP_SYN: u8 = 32;
    const TCP: u8 = 33;
    const SCTP: u8 = 34;
    const OTHER: u8 = 35;
    const FRAGMENT: u8 = 36;
    /// From a class of IPv4 to that of IPv6.
    const IPV6: u8 = 10;

    /// Every class of a family.
    pub fn all(family: Family) -> impl Iterator<Item = Self> {
        let has = move |(bit, _, _, on_x710): &&Row| match family {
            Family::X710 => *on_x710,
            Family::X722 => true,
            Family::E810 => *bit != Self::L2_PAYLOAD.0,
        };
        CLASSES.iter().filter(has).map(|(bit, ..)| Self(*bit))
    }

    /// The class that a device puts a packet into.
    #[must_use]
    pub fn of(family: Family, seen: &Seen) -> Self {
        let layers = &seen.layers;
        let Some(ip) = layers.inner.or(layers.outer) else { return Self::L2_PAYLOAD };
        let fine = family == Family::X722;
        let v4 = match layers.transport {
            _ if layers.fragment => Self::FRAGMENT,
            Transport::Udp if fine && seen.cast == Cast::Multicast => Self::MULTICAST_UDP,
            Transport::Udp if fine => Self::UNICAST_UDP,
            Transport::Udp => Self::UDP,
            Transport::Tcp if fine && seen.opens => Self::TCP_SYN,
            Transport::Tcp => Self::TCP,
            Transport::Sctp => Self::SCTP,
            Transport::Icmp | Transport::Other => Self::OTHER,
        };
        Self(if ip == Ip::V4 { v4 } else { v4 + Self::IPV6 })
    }

    /// What of its packets is hashed; `None` for a bit without a class.
    #[must_use]
    pub fn input(self) -> Option<Input> {
        self.row().map(|(_, _, input, _)| *input)
    }

    fn row(self) -> Option<&'static Row> {
        CLASSES.iter().find(|(bit, ..)| *bit == self.0)
    }

    /// The bits that stand for the same packets on the E810.
    fn relatives(self) -> u64 {
        let v6 = self.0 > Self::FRAGMENT && self != Self::L2_PAYLOAD;
        let down = if v6 { Self::IPV6 } else { 0 };
        let bits = match self.0 - down {
            Self::UNICAST_UDP..=Self::UDP => 0b111 << Self::UNICAST_UDP,
            Self::TCP_SYN | Self::TCP => 0b11 << Self::TCP_SYN,
            other => 1_u64.checked_shl(u32::from(other)).unwrap_or(0),
        };
        bits << down
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some((_, name, ..)) => f.write_str(name),
            None => write!(f, "unknown ({})", self.0),
        }
    }
}

/// The classes that are hashed, as GET_RSS_HENA_CAPS and SET_RSS_HENA carry them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hena(pub u64);

impl Hena {
    /// What a family offers, and hashes by default.
    #[must_use]
    pub fn of(family: Family) -> Self {
        Class::all(family).fold(Self(0), Self::with)
    }

    /// With one class more.
    #[must_use]
    pub fn with(self, class: Class) -> Self {
        Self(self.0 | 1_u64.checked_shl(u32::from(class.0)).unwrap_or(0))
    }

    /// Whether a family's device hashes packets of a class.
    #[must_use]
    pub fn hashes(self, family: Family, class: Class) -> bool {
        let bits = if family == Family::E810 { class.relatives() } else { Self(0).with(class).0 };
        self.0 & bits != 0
    }

    /// The classes of it, unknown ones included.
    pub fn classes(self) -> impl Iterator<Item = Class> {
        (0..64).map(Class).filter(move |class| self.0 & Self(0).with(*class).0 != 0)
    }
}

impl fmt::Debug for Hena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.classes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ptype::Ptype;

    #[test]
    fn what_families_offer_is_what_their_drivers_do() {
        assert_eq!(Hena::of(Family::X710).0, 0x8000_7A1E_8000_0000);
        assert_eq!(Hena::of(Family::X722).0, 0x8000_7F9F_E000_0000);
        assert_eq!(Hena::of(Family::E810).0, 0x0000_7F9F_E000_0000);
    }

    fn seen(row: u16) -> Seen {
        Seen { layers: Ptype(row).layers().unwrap(), ..Seen::default() }
    }

    #[test]
    fn packets_fall_into_their_classes() {
        let cases = [
            (Family::X710, seen(26), 33),
            (Family::X710, Seen { opens: true, ..seen(26) }, 33),
            (Family::X722, Seen { opens: true, ..seen(26) }, 32),
            (Family::X710, Seen { cast: Cast::Multicast, ..seen(24) }, 31),
            (Family::X722, Seen { cast: Cast::Multicast, ..seen(24) }, 30),
            (Family::X722, seen(90), 39),
            (Family::E810, seen(90), 41),
            (Family::X710, seen(22), 36),
            (Family::X710, seen(88), 46),
            (Family::X710, seen(93), 44),
            (Family::X710, seen(28), 35),
            (Family::X710, seen(11), 63),
            // of a tunnel the inner packet counts: IPv6 UDP within IPv4
            (Family::X710, seen(38), 41),
        ];
        for (family, seen, bit) in cases {
            let class = Class::of(family, &seen);
            assert_eq!(class.0, bit, "{family:?} {seen:?}");
            assert!(Class::all(family).any(|one| one == class) || bit == 63);
        }
    }

    #[test]
    fn classes_say_what_is_hashed() {
        assert_eq!(Class(33).input(), Some(Input::FourTuple));
        assert_eq!(Class(46).input(), Some(Input::Addresses));
        assert_eq!(Class(63).input(), Some(Input::EtherType));
        assert_eq!(Class(5).input(), None);
        assert_eq!(format!("{:?}", Hena(1 << 33 | 1 << 5)), "{unknown (5), IPv4 TCP}");
    }

    #[test]
    fn the_e810_takes_any_of_the_names_of_a_class() {
        let multicast_udp = Hena(1 << 30);
        assert!(multicast_udp.hashes(Family::E810, Class(31)));
        assert!(!multicast_udp.hashes(Family::X710, Class(31)));
        assert!(!multicast_udp.hashes(Family::E810, Class(41)));
        assert!(Hena(1 << 42).hashes(Family::E810, Class(43)));
        assert!(Hena(1 << 63).hashes(Family::X710, Class::L2_PAYLOAD));
        for class in Class::all(Family::E810) {
            assert!(Hena(0).with(class).hashes(Family::E810, class), "{class:?}");
        }
    }
}
