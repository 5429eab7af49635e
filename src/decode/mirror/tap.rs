//! What is known of the mirror that a packet came by.

use super::Ids;

/// What a mirror wraps its copies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// VXLAN: AWS to an interface or a network load balancer, Azure, Open vSwitch, forwarders of one's own.
    Vxlan,
    /// GENEVE: Google Cloud, NSX, gateway load balancers in line.
    Geneve,
    /// VXLAN inside GENEVE: AWS through a gateway load balancer.
    GeneveVxlan,
    /// ERSPAN I, II or III: switches, vSphere, Open vSwitch.
    Erspan,
    /// GRE: Open vSwitch, vSphere.
    Gre,
}

impl Kind {
    /// Every kind, in catalogue order.
    pub const ALL: [Self; 5] = [Self::Vxlan, Self::Geneve, Self::GeneveVxlan, Self::Erspan, Self::Gre];

    /// The word that settings and events use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::GeneveVxlan => "geneve+vxlan",
            Self::Erspan => "erspan",
            Self::Gre => "gre",
        }
    }
}

/// Which way the packet went, as seen by the port that was mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards it.
    Ingress,
    /// From it.
    Egress,
}

impl Direction {
    /// The word that events use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// What a mirror's headers say of a packet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) ids: Ids,
    pub(crate) direction: Option<Direction>,
    /// The mirror says that it cut the packet short.
    pub(crate) truncated: bool,
}

/// The mirror that a frame came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// What it was wrapped in.
    pub kind: Kind,
    /// Number of the tenant; [`crate::Decoder::tenants`] has the text, at [`super::index`].
    pub tenant: u32,
    /// Every id that the headers had; the source is who sent the copy.
    pub ids: Ids,
    /// Which way the packet went, where the mirror says so.
    pub direction: Option<Direction>,
    /// The mirror says that it cut the packet short. Lengths may say so, too: see [`crate::Packet::missing`].
    pub truncated: bool,
}
