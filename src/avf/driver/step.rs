//! The messages of a function's life, one step each.

use std::fmt;

/// A message of bring-up, of the time after it, or of the end. Which of them are asked, and in which order, is a
/// [`Dialect`](crate::Dialect)'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Agree on a version.
    Version,
    /// Ask what the function has.
    Resources,
    /// Ask which descriptor formats there are.
    Formats,
    /// Ask which VLAN filters and offloads there are.
    VlanCaps,
    /// Ask what the clock can do.
    ClockCaps,
    /// Ask for more queue pairs.
    RequestQueues,
    /// Ask how many queues RSS can reach.
    Region,
    /// Receive VLANs.
    Vlans,
    /// Leave tags in frames, or take them out.
    Stripping,
    /// Choose which headers are hashed, and the hash function.
    RssPatterns,
    /// Set the RSS key.
    RssKey,
    /// Set the RSS table.
    RssLut,
    /// Ask which classes can be hashed.
    HenaCaps,
    /// Set which classes are hashed.
    Hena,
    /// Read counters before the first frame.
    Baseline,
    /// Set up queues.
    ConfigQueues,
    /// Map queues to vectors.
    IrqMap,
    /// Receive for its own address and those wanted beside.
    Address,
    /// Start queues.
    Enable,
    /// Receive frames for others.
    Promiscuous,
    /// Receive copies of flows.
    Subscribe,
    /// While it runs: read counters.
    Stats,
    /// While it runs: read the clock.
    ClockTime,
    /// While it runs: steer a flow.
    AddRule,
    /// While it runs: no longer steer a flow.
    DelRule,
    /// At the end: receive nothing for others any more.
    NotPromiscuous,
    /// At the end: stop queues.
    Disable,
}

impl Step {
    /// Whether the function is of use without it.
    #[must_use]
    pub fn is_optional(self) -> bool {
        !matches!(self, Self::Version | Self::Resources | Self::ConfigQueues | Self::IrqMap | Self::Enable)
    }

    /// Whether queues run once this step is reached.
    pub(crate) fn is_after_start(self) -> bool {
        matches!(self, Self::Promiscuous | Self::Subscribe)
    }

    /// What to look at where the PF refused it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Version | Self::Resources => {
                "on the host, see its kernel log; reset the VF, or load the PF's driver anew"
            }
            Self::RequestQueues => "on the host, create fewer VFs: their queues come from one pool",
            Self::Region => "RSS is held to reach 16 queues; on the host, set rss_lut_vf_attr of the VF",
            Self::Vlans => {
                "on the host, see that the VF has no port VLAN (ip link set PF vf N vlan 0) and is trusted"
            }
            Self::Stripping => "the VF has a port VLAN: on the host, ip link set PF vf N vlan 0",
            Self::Formats => {
                "frames are received with the oldest descriptor format; on the host, load the DDP package"
            }
            Self::VlanCaps => "tags are left as the PF leaves them; on the host, update the PF's driver",
            Self::ClockCaps | Self::ClockTime => "frames get the time at which they are seen by this machine",
            Self::RssPatterns | Self::RssKey | Self::RssLut | Self::HenaCaps | Self::Hena => {
                "flows are spread as the PF likes; on the host, update the PF's driver"
            }
            Self::Address => {
                "the host has given the VF an address: on the host, ip link set PF vf N trust on"
            }
            Self::Promiscuous | Self::NotPromiscuous => {
                "on the host, ip link set PF vf N trust on; promiscuous VFs do not exist in switchdev mode"
            }
            Self::Subscribe => "on the host, ip link set PF vf N trust on, and Intel's own driver of the PF",
            Self::ConfigQueues | Self::IrqMap | Self::Enable | Self::Disable => {
                "on the host, see the kernel log for what it made of the VF's queues"
            }
            Self::Baseline | Self::Stats => "frames that the NIC drops cannot be counted",
            Self::AddRule | Self::DelRule => "flows are left out by this machine, not by the NIC",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "agree on a version",
            Self::Resources => "say what the function has",
            Self::Formats => "say which descriptors there are",
            Self::VlanCaps => "say what can be done with VLANs",
            Self::ClockCaps => "say what its clock can do",
            Self::RequestQueues => "give more queues",
            Self::Region => "say how many queues RSS reaches",
            Self::Vlans => "let VLANs in",
            Self::Stripping => "set VLAN stripping",
            Self::RssPatterns => "hash headers as wanted",
            Self::RssKey => "set the RSS key",
            Self::RssLut => "set the RSS table",
            Self::HenaCaps => "say what RSS can hash",
            Self::Hena => "set what RSS hashes",
            Self::Baseline | Self::Stats => "read counters",
            Self::ConfigQueues => "set up queues",
            Self::IrqMap => "map queues to vectors",
            Self::Address => "receive for the function's address",
            Self::Enable => "start queues",
            Self::Promiscuous => "receive frames for other stations",
            Self::Subscribe => "give copies of flows",
            Self::ClockTime => "tell the time",
            Self::AddRule => "steer a flow",
            Self::DelRule => "no longer steer a flow",
            Self::NotPromiscuous => "receive no frames for other stations any more",
            Self::Disable => "stop queues",
        })
    }
}
