//! Image tool: from a raw disk to what each platform imports, and whether an image keeps its promises.
//!
//! Gives: writers ([`vmdk`], [`vhd`], [`gcp`], [`ova`], [`bios`]) whose output is the same bytes for the same input,
//! readers that check it without sharing code with them, and [`check`], the lists of what marketplaces demand.
//! Depends on: nobody. Will never know: how an image is made or booted; a network, an account, a clock.

#![forbid(unsafe_code)]

pub mod bios;
pub mod check;
pub mod disk;
pub mod gcp;
#[cfg(test)]
mod import;
pub mod ova;
pub mod vhd;
pub mod vmdk;

use std::fmt;
use std::io;

/// Why something could not be made, or is not what it should be.
#[derive(Debug)]
pub struct Fault(String);

impl Fault {
    /// In words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
