//! What a device says about checksums, and what that is worth.

use crate::ptype::{Layers, Transport, Tunnel};

/// The checksum bits of a write-back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Checks {
    /// L3L4P: checksums were looked at. Without it the others mean nothing.
    pub evaluated: bool,
    /// IPV6EXADD: an extension header changes the address, the transport's checksum was not verified.
    pub ipv6_extension: bool,
    /// IPE: the IPv4 header is bad.
    pub ip_bad: bool,
    /// L4E: TCP, UDP or SCTP is bad.
    pub transport_bad: bool,
    /// EIPE: the outer IPv4 header of a tunnel is bad.
    pub outer_ip_bad: bool,
    /// EUDPE: the outer UDP header of a tunnel is bad. Flexible formats alone.
    pub outer_udp_bad: bool,
}

/// Which headers failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Headers {
    /// IPv4.
    pub ip: bool,
    /// TCP, UDP or SCTP.
    pub transport: bool,
    /// IPv4 around a tunnel.
    pub outer_ip: bool,
    /// UDP around a tunnel.
    pub outer_udp: bool,
}

/// What the device found. An annotation, never a reason to drop: the 700 series errs on some encapsulations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Not evaluated, or not all of it.
    Unknown,
    /// Every checksum that was evaluated is right.
    Good,
    /// These are wrong.
    Bad(Headers),
}

impl Checks {
    /// Everything looked at, nothing wrong.
    pub const GOOD: Self = Self {
        evaluated: true,
        ipv6_extension: false,
        ip_bad: false,
        transport_bad: false,
        outer_ip_bad: false,
        outer_udp_bad: false,
    };

    /// What they come to.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        if !self.evaluated {
            return Verdict::Unknown;
        }
        let bad = Headers {
            ip: self.ip_bad,
            transport: self.transport_bad && !self.ipv6_extension,
            outer_ip: self.outer_ip_bad,
            outer_udp: self.outer_udp_bad,
        };
        if bad.ip || bad.transport || bad.outer_ip || bad.outer_udp {
            Verdict::Bad(bad)
        } else if self.ipv6_extension {
            Verdict::Unknown
        } else {
            Verdict::Good
        }
    }

    /// Whether the outermost transport's checksum need not be verified again: it is right, it was there to be verified
    /// (no fragment, a protocol that has one), and it is not that of an inner packet.
    #[must_use]
    pub fn transport_is_good(self, layers: &Layers) -> bool {
        let has_one = matches!(layers.transport, Transport::Tcp | Transport::Udp | Transport::Sctp);
        self.verdict() == Verdict::Good && has_one && !layers.fragment && layers.tunnel == Tunnel::None
    }
}
