//! Who tells a machine what it is: found by what its firmware says, before there is a network and after.
//!
//! Every text that is read here was written by somebody else. It is bounded, parsed by libraries that do not follow
//! references, and taken key by key.

pub mod azure;
mod cloud_config;
mod credential;
mod drive;
mod ec2;
mod gce;
mod guestinfo;
mod http;
mod network_config;
mod ovf;
mod platform;
mod user_text;

pub use cloud_config::cloud_config;
pub use http::Metadata;
pub use network_config::network_config;
pub use ovf::environment;
pub use platform::Platform;
pub use user_text::user_text;

use crate::document::Draft;
use crate::{Place, Problem};
use std::path::Path;
use std::time::Duration;

/// Most bytes of one text that a machine is given.
pub(crate) const MOST: u64 = 1 << 20;

/// What a source gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which source.
    pub source: &'static str,
    /// What it said.
    pub draft: Draft,
}

impl Found {
    fn some(source: &'static str, draft: Draft) -> Option<Self> {
        Some(Self { source, draft })
    }
}

/// What can be read without a network: the first that says anything counts. Credentials of the firmware come first, since
/// whoever sets them sets the machine up; then an OVF environment; then a NoCloud drive.
///
/// # Errors
/// When a source is there and cannot be read.
pub fn local(place: &Place, seed: Option<&Path>) -> Result<Option<Found>, Problem> {
    if let Some(draft) = credential::read(place)? {
        return Ok(Found::some("credential", draft));
    }
    if let Some(draft) = guestinfo::read(place)? {
        return Ok(Found::some("guestinfo", draft));
    }
    let Some(drive) = drive::open(place, seed)? else { return Ok(None) };
    drive.read()
}

/// What a cloud's metadata service says.
///
/// # Errors
/// When it is silent, or says what cannot be read.
pub fn cloud(platform: Platform, metadata: &Metadata, patience: Duration) -> Result<Option<Found>, Problem> {
    let (source, draft) = match platform {
        Platform::Ec2 => ("EC2 metadata", ec2::read(metadata, patience)),
        Platform::Gce => ("GCE metadata", gce::read(metadata, patience)),
        Platform::Azure => ("Azure metadata", azure::read(metadata, patience)),
        _ => return Ok(None),
    };
    let draft = draft.map_err(|e| Problem::whole(source, e.to_string()))?;
    Ok(Found::some(source, draft))
}

#[cfg(test)]
mod tests;
