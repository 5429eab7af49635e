//! How strictly and how quickly a model behaves; what its host may set.

use std::time::Duration;

use avf::virtchnl::{Caps, PtpPlace};

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
    /// Capabilities that the host lets the PF grant beyond those of its persona, when they are asked for.
    pub grants: Caps,
    /// Capabilities that it does not grant, whatever its persona grants.
    pub refuses: Caps,
    /// Receive descriptor formats, a bit each; none is the persona's.
    pub rxdids: Option<u64>,
    /// Entries of the RSS table that the host gives the function: 64, 512 or 2048.
    pub lut: u16,
    /// Whether patterns that ask for headers inside a tunnel are taken by their word: the package on the device, and the
    /// PF, know them.
    pub inner_patterns: bool,
    /// Where the PF has the bits of the clock's capabilities.
    pub clock_bits: PtpPlace,
    /// What the device's clock says when the model begins, in nanoseconds.
    pub clock: u64,
    /// Traffic classes of the port, 1 to 8.
    pub classes: u8,
    /// Which length of MAP_QUEUE_VECTOR the PF insists on.
    pub vector_map: VectorMapLength,
    /// Link speed in Mbit/s; none is the persona's.
    pub link_mbps: Option<u32>,
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
    /// UDP ports that the PF has registered for GENEVE.
    pub geneve: Vec<u16>,
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

/// How long MAP_QUEUE_VECTOR is: PFs disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorMapLength {
    /// 8 + 16n bytes.
    Short,
    /// 24 + 16n bytes.
    Long,
    /// Whatever comes.
    Either,
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
            grants: Caps::empty(),
            refuses: Caps::empty(),
            rxdids: None,
            lut: 64,
            inner_patterns: false,
            clock_bits: PtpPlace::Both,
            clock: 1_700_000_000_000_000_000,
            classes: 1,
            vector_map: VectorMapLength::Short,
            link_mbps: None,
            link_up: true,
            resets_malicious: false,
            loopback: Loopback::Off,
            zero_tail: true,
            double_vlan: false,
            vxlan: Vec::new(),
            geneve: Vec::new(),
            vectors: None,
            reset: ResetTiming::default(),
        }
    }
}

impl Options {
    /// Settings under which nothing waits and little is refused.
    #[must_use]
    pub fn lenient() -> Self {
        Self {
            write_back: WriteBack::Immediate,
            strict: false,
            vector_map: VectorMapLength::Either,
            ..Self::default()
        }
    }
}
