//! What parsers can be told: limits first, then switches.

/// Limits and switches for every parser. Composed by the sensor from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Most bytes of one side that wait to be eaten before the parser is told of a gap.
    pub carry: usize,
    /// Most bytes of one line or one header field.
    pub line: usize,
    /// Most header fields of one message.
    pub headers: usize,
    /// Most transactions open at once in one flow.
    pub transactions: usize,
    /// Most bytes of one body that are decoded and handed on, each side.
    pub body: u64,
    /// Most layers of compression taken off one body.
    pub decompress_layers: u32,
    /// Most bytes that one body may grow to by decompression.
    pub decompress: u64,
    /// Whether JA3, JA3S and JA4 are computed.
    pub fingerprints: bool,
    /// Whether HASSH is computed.
    pub hassh: bool,
    /// Whether whole header lists are kept for the record (`request_headers`).
    pub all_headers: bool,
    /// Whether certificates are kept whole for the record (`certificate`, `chain`).
    pub certificates: bool,
    /// Whether every DHCP message is recorded in full, not only acknowledgements with what maps a MAC address to an
    /// IP address.
    pub dhcp_extended: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            carry: 256 * 1024,
            line: 16 * 1024,
            headers: 1024,
            transactions: 512,
            body: u64::MAX,
            decompress_layers: 2,
            decompress: 8 * 1024 * 1024,
            fingerprints: true,
            hassh: true,
            all_headers: false,
            certificates: false,
            dhcp_extended: false,
        }
    }
}
