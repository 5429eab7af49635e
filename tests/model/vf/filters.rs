//! What a function wants to receive.

use std::collections::BTreeSet;

use crate::Host;

/// Addresses and VLANs a function receives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// MAC addresses, unicast and multicast.
    pub macs: BTreeSet<[u8; 6]>,
    /// VLANs; none is "do not look".
    pub vlans: BTreeSet<u16>,
    /// All unicast, whoever it is for: set for a trusted function alone.
    pub unicast: bool,
    /// All multicast.
    pub multicast: bool,
}

impl Filters {
    pub(crate) fn new(host: &Host) -> Self {
        Self { macs: host.mac.into_iter().collect(), ..Self::default() }
    }
}
