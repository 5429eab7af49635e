//! VERSION.

use std::fmt;

use super::wire::layout;

/// A version, 8 bytes; asked and answered alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1.
    pub major: u32,
    /// 1; 0 from functions and for functions that do not negotiate capabilities.
    pub minor: u32,
}

impl Version {
    /// Capabilities are negotiated.
    pub const V1_1: Self = Self { major: 1, minor: 1 };
    /// They are not: GET_VF_RESOURCES carries nothing.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
}

layout! { Version {
    major: u32;
    minor: u32;
} }

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
