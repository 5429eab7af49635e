//! iavf: the driver for virtual functions of Intel X710, XL710, XXV710 and X722.
//!
//! Gives: the dialect of the 700 series, and a function's controller that speaks it.
//! Depends on: `avf-driver`, `avf`, `device`.
//! Will never know: `vf-ice`, how the function is reached (VFIO, socket, model), what a clock is, flows or settings files.
//!
//! Sources: Intel Ethernet Adaptive Virtual Function Specification 1.0; virtchnl as the i40e PF driver serves it.
//!
//! What a function's life is made of stands in `avf-driver`; here is what is the 700 series' own: which messages its PF
//! serves and in which order, which of its classes of packets are hashed, and that its descriptors have one format.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::panic
    )
)]

mod bringup;

use std::time::Duration;

use avf::virtchnl::{Caps, Resources};
use avf_driver::{Choice, Control, Dialect, Settings, VfError};
use device::Device;

pub use bringup::X710;

/// What is asked for: what a polling receiver on the 700 series can use, and nothing else.
#[must_use]
pub fn wanted(_settings: &Settings) -> Caps {
    bringup::WANTED
}

/// The dialect of the 700 series, whatever was granted.
#[must_use]
pub fn dialect(_resources: &Resources, _settings: &Settings) -> Box<dyn Dialect> {
    Box::new(X710)
}

/// Takes a function over. Nothing is asked of it before the first [`Control::step`].
///
/// # Errors
/// When settings make no sense, the function is none of Intel's, or the device cannot be used.
pub fn open(device: Box<dyn Device>, settings: Settings, now: Duration) -> Result<Control, VfError> {
    Control::open(device, Choice { wanted, pick: dialect }, settings, now)
}
