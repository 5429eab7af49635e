//! IP fragments put together again (RFC 791, RFC 8200 section 4.5), bounded in memory, trackers and time.

/// Bounds and overlap policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Most bytes that held fragments may take.
    pub memory: usize,
    /// Most datagrams that may be incomplete at a time.
    pub trackers: usize,
    /// Seconds of packet time after which an incomplete datagram is given up.
    pub timeout: u32,
    /// Whose copy wins where fragments overlap.
    pub policy: Policy,
}

impl Default for Settings {
    fn default() -> Self {
        Self { memory: 32 << 20, trackers: 65_535, timeout: 60, policy: Policy::default() }
    }
}

/// Whose copy of a byte wins where fragments overlap; named for the systems that behave so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// An earlier fragment that starts at or before the new one keeps its bytes.
    Bsd,
    /// The later copy wins unless it starts before the earlier one.
    BsdRight,
    /// As BSD, and a new fragment that covers an old one replaces it.
    Linux,
    /// New inside old is dropped, old strictly inside new is dropped, otherwise old keeps its bytes.
    #[default]
    Windows,
    /// Old keeps its bytes, unless it lies wholly in a new one that starts earlier.
    Solaris,
    /// The first copy of a byte wins.
    First,
    /// The last copy of a byte wins.
    Last,
}
