//! How strictly and how quickly a model behaves; what its host may set.

use std::time::Duration;

/// Settings of a model that no driver can see before it feels them.
#[derive(Clone, Debug)]
pub struct Options {
    /// When completed descriptors reach memory.
    pub write_back: WriteBack,
    /// Whether rules of the specification that some PFs let pass are enforced, such as RD and LB of sent messages.
    pub strict: bool,
    /// Whether BARs read as all ones while COMMAND bit 1 is off. Virtual functions do not have that bit, whoever holds
    /// them pretends it.
    pub memory_gate: bool,
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
    /// Whether the host resets a function that was disabled for malice, as it can be told to.
    pub resets_malicious: bool,
    /// What becomes of frames that the driver sends.
    pub loopback: Loopback,
    /// Whether a frame that fills its last buffer to the brim ends in a descriptor of no bytes, as when only the
    /// stripped check sequence went into it.
    pub zero_tail: bool,
    /// Whether the port is in double VLAN mode.
    pub double_vlan: bool,
    /// UDP ports that the PF has registered for VXLAN.
    pub vxlan: Vec<u16>,
    /// MSI-X vectors; none is one for each queue pair and the mailbox's.
    pub vectors: Option<u16>,
    /// How resets go.
    pub reset: ResetTiming,
}

/// How resets go.
#[derive(Clone, Debug)]
pub struct ResetTiming {
    /// How long one takes; none is the persona's shortest.
    pub takes: Option<Duration>,
    /// How long RSTAT still says "active" after the driver asked for one.
    pub stale: Duration,
    /// How long before a reset of the PF its functions are warned.
    pub warning: Duration,
    /// How long, from its beginning, registers read 0xDEADBEEF.
    pub dead_beef: Duration,
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
    /// A host is on the other side that answers ARP, neighbour discovery and pings, and sends TCP and UDP payloads back.
    Answer,
}

impl Default for ResetTiming {
    fn default() -> Self {
        Self {
            takes: None,
            stale: Duration::ZERO,
            warning: Duration::from_millis(10),
            dead_beef: Duration::ZERO,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            write_back: WriteBack::Groups,
            strict: true,
            memory_gate: false,
            latency: Latency::After(Duration::from_micros(100)),
            trusted: true,
            spoof_check: false,
            mac: Some([0x02, 0x56, 0x49, 0x47, 0x49, 0x45]),
            port_vlan: None,
            pairs: None,
            pairs_left: 64,
            link_mbps: 10_000,
            link_up: true,
            resets_malicious: false,
            loopback: Loopback::Off,
            zero_tail: true,
            double_vlan: false,
            vxlan: Vec::new(),
            vectors: None,
            reset: ResetTiming::default(),
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
