//! What the flow table and the stream engine can be told.

/// How long a flow of one protocol may be silent, in seconds, by its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// Nobody answered yet.
    pub new: u32,
    /// Both sides spoke; for TCP the handshake is complete.
    pub established: u32,
    /// TCP only: closed by both sides or reset.
    pub closed: u32,
    /// Packets are only counted.
    pub bypassed: u32,
}

/// Timeouts of one mode, by protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP.
    pub tcp: Spans,
    /// UDP.
    pub udp: Spans,
    /// ICMP and ICMPv6.
    pub icmp: Spans,
    /// Everything else.
    pub other: Spans,
}

impl Timeouts {
    /// As long as there is room.
    pub const NORMAL: Self = Self {
        tcp: Spans { new: 60, established: 600, closed: 60, bypassed: 100 },
        udp: Spans { new: 30, established: 300, closed: 0, bypassed: 100 },
        icmp: Spans { new: 30, established: 300, closed: 0, bypassed: 100 },
        other: Spans { new: 30, established: 300, closed: 0, bypassed: 100 },
    };
    /// When the table is nearly full.
    pub const EMERGENCY: Self = Self {
        tcp: Spans { new: 5, established: 100, closed: 10, bypassed: 50 },
        udp: Spans { new: 10, established: 100, closed: 0, bypassed: 50 },
        icmp: Spans { new: 10, established: 100, closed: 0, bypassed: 50 },
        other: Spans { new: 10, established: 100, closed: 0, bypassed: 50 },
    };
}

/// Whose TCP stack is imitated where stacks differ: overlapping segments, timestamps, resets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// 4.4BSD and its children (`bsd-right` too).
    Bsd,
    /// Linux up to 2.2.
    OldLinux,
    /// Linux since 2.4.
    Linux,
    /// Solaris (`old-solaris` too).
    Solaris,
    /// HP-UX 10.
    Hpux10,
    /// HP-UX 11.
    Hpux11,
    /// IRIX.
    Irix,
    /// Mac OS X.
    Macos,
    /// Windows up to XP.
    #[default]
    Windows,
    /// Windows Vista and later.
    Vista,
    /// Windows Server 2003.
    Windows2k3,
    /// The first copy of a byte always wins.
    First,
    /// The last copy of a byte always wins.
    Last,
}

impl Policy {
    /// Every policy, in catalogue order.
    pub const ALL: [Self; 13] = [
        Self::Bsd,
        Self::OldLinux,
        Self::Linux,
        Self::Solaris,
        Self::Hpux10,
        Self::Hpux11,
        Self::Irix,
        Self::Macos,
        Self::Windows,
        Self::Vista,
        Self::Windows2k3,
        Self::First,
        Self::Last,
    ];

    /// Name, as a configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bsd => "bsd",
            Self::OldLinux => "old-linux",
            Self::Linux => "linux",
            Self::Solaris => "solaris",
            Self::Hpux10 => "hpux10",
            Self::Hpux11 => "hpux11",
            Self::Irix => "irix",
            Self::Macos => "macos",
            Self::Windows => "windows",
            Self::Vista => "vista",
            Self::Windows2k3 => "windows2k3",
            Self::First => "first",
            Self::Last => "last",
        }
    }

    /// The policy that goes by this name in a configuration; old and right-handed variants fold into their family.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "bsd" | "bsd-right" => Self::Bsd,
            "old-linux" => Self::OldLinux,
            "linux" => Self::Linux,
            "solaris" | "old-solaris" => Self::Solaris,
            "hpux10" => Self::Hpux10,
            "hpux11" => Self::Hpux11,
            "irix" => Self::Irix,
            "macos" => Self::Macos,
            "windows" => Self::Windows,
            "vista" => Self::Vista,
            "windows2k3" => Self::Windows2k3,
            "first" => Self::First,
            "last" => Self::Last,
            _ => return None,
        })
    }
}

/// What becomes of the byte that a TCP urgent pointer points behind (RFC 6093).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UrgentPolicy {
    /// It travels out of band: taken out of the stream.
    #[default]
    Oob,
    /// Packets with an urgent pointer are not used at all.
    Drop,
    /// It is a byte like any other.
    Inline,
    /// It is a gap of one byte.
    Gap,
}

/// Everything that can be told. The defaults are those of Suricata's shipped configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes for the table: records and index. The number of flows follows from it.
    pub memory: usize,
    /// Timeouts as long as there is room.
    pub timeouts: Timeouts,
    /// Timeouts when the table is nearly full.
    pub emergency: Timeouts,
    /// Pick up TCP sessions whose handshake was not seen.
    pub midstream: bool,
    /// Follow TCP sessions of which only one side is seen.
    pub async_oneside: bool,
    /// Deliver without waiting for the receiver's acknowledgment; the first copy of a byte wins.
    pub inline: bool,
    /// Bytes of each side that are read; 0 for all.
    pub depth: u64,
    /// Bytes for all stream buffers together.
    pub reassembly_memory: usize,
    /// Most bytes that one side of one stream may hold.
    pub stream_memory: usize,
    /// Most separate stretches of stored data on one side; 0 for no limit but memory.
    pub regions: u8,
    /// Whose stack decides about overlaps, timestamps and resets.
    pub policy: Policy,
    /// Compare overlapping bytes, and report where they differ.
    pub check_overlap: bool,
    /// What becomes of urgent data.
    pub urgent: UrgentPolicy,
    /// Most urgent bytes on one side that are taken out of band; those that follow are dropped with their packet.
    pub urgent_limit: u16,
    /// VLAN ids are part of the key.
    pub use_vlan: bool,
    /// The tap a packet came from is part of the key.
    pub use_tap: bool,
    /// Packets of transport protocols that we do not read (OSPF, ...) have flows too. IP in IP has them always.
    pub every_protocol: bool,
    /// Most different SYN remembered in a handshake.
    pub max_syn_queued: u8,
    /// Most different SYN/ACK remembered in a handshake.
    pub max_synack_queued: u8,
    /// Check timestamps as leniently as Linux, whatever the policy.
    pub liberal_timestamps: bool,
    /// Payload of TCP packets with a wrong checksum is not used, and they do not move the state.
    pub checksum: bool,
    /// Secret of the index. It never shows in the output; live sensors draw one so that nobody can aim at one chain.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            memory: 128 << 20,
            timeouts: Timeouts::NORMAL,
            emergency: Timeouts::EMERGENCY,
            midstream: false,
            async_oneside: false,
            inline: false,
            depth: 1 << 20,
            reassembly_memory: 256 << 20,
            stream_memory: 8 << 20,
            regions: 8,
            policy: Policy::default(),
            check_overlap: false,
            urgent: UrgentPolicy::default(),
            urgent_limit: u16::MAX,
            use_vlan: true,
            use_tap: true,
            every_protocol: true,
            max_syn_queued: 10,
            max_synack_queued: 5,
            liberal_timestamps: false,
            checksum: true,
            seed: 0x9e37_79b9_7f4a_7c15,
        }
    }
}
