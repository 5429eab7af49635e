//! How frames are spread over queues.

use crate::Host;

/// Key, lookup table and hashed classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rss {
    /// Hash key.
    pub key: [u8; 52],
    /// Queue of each hash value, modulo 64.
    pub lut: [u8; 64],
    /// Classes that are hashed (section 6.1).
    pub hena: u64,
}

impl Rss {
    pub(crate) fn new(_host: &Host) -> Self {
        Self { key: [0; 52], lut: [0; 64], hena: 0 }
    }
}
