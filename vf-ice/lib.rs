//! vf-ice: the driver for virtual functions of Intel E810, E82x and E830.
//!
//! Gives: the dialect of the 800 series, and a function's controller that speaks it.
//! Depends on: `avf-driver`, `avf`, `device`, `frame`.
//! Will never know: `iavf`, how the function is reached (VFIO, socket, model), what a clock is, flows or settings files.
//!
//! Sources: Intel Ethernet Adaptive Virtual Function Specification 1.0; virtchnl as the ice PF driver serves it, in Linux and
//! in Intel's own version of it.
//!
//! What differs from the X710:
//!
//! | | 700 series | 800 series |
//! |---|---|---|
//! | which card it is | device id 154c, 1571, 37cd | 1889 is no proof: what the PF grants is ([`is_spoken_by`]) |
//! | messages | all of them served, or refused with -60 | nothing but VERSION, RESET_VF and GET_VF_RESOURCES before capabilities are agreed on, then what they unlock; everything else is -64 |
//! | too many messages | nothing happens | 64 in one snapshot of the PF's mailbox, and the function is ignored until it is reset: one question at a time |
//! | descriptors | one format | several, by what the NIC's package offers (GET_SUPPORTED_RXDIDS); the format is one byte of each queue's set-up |
//! | packet types | 8 bits | 10 bits, and rows of its own for tunnels of mobile networks |
//! | lone descriptors | posted by vector 0's interval | WB_ON_ITR on vector 1; vector 0 takes no queues |
//! | tail | any | the three low bits are ignored |
//! | both directions on one queue | by a symmetric key | by the hash function, over header patterns (ADD_RSS_CFG); the symmetric key makes its hash zero, so another key goes with it |
//! | VLAN tags | one; adding a VLAN turns stripping on | one or two, each with its own place in the descriptor; stripping is a setting of its own |
//! | queues | 4, up to 16 when asked | 16, up to 256 with Intel's PF and a larger table (LARGE_NUM_QPAIRS) |
//! | link | told as it is | down until queues run; in Mbit/s |
//! | single flows | cannot be told apart | flow director: recognised by the NIC, and counted without being looked at |
//! | time | none | the NIC's clock in each descriptor, where the PF grants it |

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
mod clock;
mod descriptor;
mod large;
mod rss;
mod steer;
mod subscribe;
mod vlan;

use std::time::Duration;

use avf::virtchnl::{Caps, Resources};
use avf_driver::{Choice, Control, Dialect, Settings, VfError};
use device::Device;

pub use bringup::E810;

/// What is asked for: what a polling receiver on the 800 series can use, and nothing else.
#[must_use]
pub fn wanted(settings: &Settings) -> Caps {
    bringup::wanted(settings)
}

/// Whether a PF that grants this is one of the 800 series: formats, patterns or tags of the second form are.
#[must_use]
pub fn is_spoken_by(resources: &Resources) -> bool {
    resources.caps.intersects(Caps::RX_FLEX_DESC | Caps::ADV_RSS_PF | Caps::VLAN_V2)
}

/// The dialect of the 800 series, whatever was granted.
#[must_use]
pub fn dialect(_resources: &Resources, settings: &Settings) -> Box<dyn Dialect> {
    Box::new(E810::new(settings))
}

/// Takes a function over. Nothing is asked of it before the first [`Control::step`].
///
/// # Errors
/// When settings make no sense, the function is none of Intel's, or the device cannot be used.
pub fn open(device: Box<dyn Device>, settings: Settings, now: Duration) -> Result<Control, VfError> {
    Control::open(device, Choice { wanted, pick: dialect }, settings, now)
}
