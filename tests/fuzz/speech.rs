use arbitrary::Arbitrary;
use parse::Side;

/// A conversation in pieces.
#[derive(Arbitrary, Debug)]
pub struct Speech {
    /// Which protocol, by its place in the list.
    pub choice: u8,
    /// Over UDP.
    pub datagrams: bool,
    /// Lowest bits of the server's port.
    pub port: u16,
    /// The beginning was missed.
    pub midstream: bool,
    /// What is said.
    pub parts: Vec<Part>,
}

/// One thing said.
#[derive(Arbitrary, Debug)]
pub struct Part {
    /// By the server.
    pub from_server: bool,
    /// Bytes lost before it, when it begins with 255.
    pub lost: u8,
    /// Nothing follows from this side.
    pub last: bool,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Part {
    /// Whose it is.
    #[must_use]
    pub const fn side(&self) -> Side {
        if self.from_server { Side::ToClient } else { Side::ToServer }
    }

    /// Bytes lost before it; mostly none.
    #[must_use]
    pub const fn gap(&self) -> u64 {
        match self.lost {
            0..=239 => 0,
            n => 1 << (n - 240),
        }
    }
}
