//! Guests: machines of QEMU's with Debian's kernels, in which drivers meet the software NIC.
//!
//! A test starts the [`Nic`], packs an [`Image`] and boots a [`Machine`] with both; from then on it alternates between
//! scripts inside the guest and orders to the NIC. Everything comes from the root folder that `peers/guest.sh` makes,
//! and lies in one folder a test, gone with it.

mod appliance;
mod image;
mod machine;
mod nic;
mod root;

pub use appliance::{Appliance, Board, Disk, Firmware, Made, Port};
pub use image::Image;
pub use machine::{Machine, Said, Shape};
pub use nic::Nic;
pub use root::{Kernel, NoGuests, Root};
