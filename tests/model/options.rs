//! How strictly and how quickly a model behaves; what its host may set.

use std::time::Duration;

/// Settings of a model that no driver can see before it feels them.
#[derive(Clone, Debug)]
pub struct Options {
    /// When completed descriptors reach memory.
    pub write_back: WriteBack,
    /// Whether rules of the specification that real PFs let pass are enforced: LB on messages over 512 bytes, memory
    /// decode off makes BARs unreadable.
    pub strict: bool,
    /// How long the PF takes to answer a message.
    pub latency: Latency,
    /// Whether the host trusts the function.
    pub trusted: bool,
    /// Whether the host checks the source address of what is sent.
    pub spoof_check: bool,
    /// MAC address that the host set; none lets the function choose.
    pub mac: Option<[u8; 6]>,
    /// VLAN that the host put the port into.
    pub port_vlan: Option<u16>,
    /// Queue pairs that the function begins with; none is what the persona gives.
    pub pairs: Option<u16>,
    /// Queue pairs that the host has left for REQUEST_QUEUES, beyond those that it gave.
    pub pairs_left: u16,
    /// Link speed in Mbps.
    pub link_mbps: u32,
    /// Whether the link is up at first.
    pub link_up: bool,
    /// What becomes of frames that the driver sends.
    pub loopback: Loopback,
    /// How long a reset takes; none is the persona's shortest.
    pub reset: Option<Duration>,
}

/// When completed descriptors reach memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBack {
    /// In groups of four, and the rest when an interrupt or its throttle says so: what hardware does.
    Groups,
    /// At once.
    Immediate,
}

/// How long the PF takes to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// This long.
    After(Duration),
    /// For ever.
    Never,
}

/// What becomes of frames that the driver sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// They are kept for whoever asks for them.
    Off,
    /// They come back as they are.
    Echo,
    /// They come back with their MAC addresses exchanged.
    Swap,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            write_back: WriteBack::Groups,
            strict: true,
            latency: Latency::After(Duration::from_micros(100)),
            trusted: true,
            spoof_check: false,
            mac: Some([0x02, 0x56, 0x49, 0x47, 0x49, 0x45]),
            port_vlan: None,
            pairs: None,
            pairs_left: 64,
            link_mbps: 10_000,
            link_up: true,
            loopback: Loopback::Off,
            reset: None,
        }
    }
}

impl Options {
    /// Settings under which nothing waits and little is refused.
    #[must_use]
    pub fn lenient() -> Self {
        Self { write_back: WriteBack::Immediate, strict: false, ..Self::default() }
    }
}
