//! Device: what a PCI function is to a driver.
//!
//! Gives: the [`Device`] door (registers, DMA blocks, interrupts, reset), the [`Bus`] that the other side of it sees,
//! and its backings: kernel VFIO, a vfio-user socket, a model in this process.
//! Depends on: nothing of this workspace.
//! Will never know: what a register means, who makes the device, what a packet is.

#[expect(unsafe_code, reason = "memory that the device gave back, seen as bytes")]
mod buffers;
mod config;
#[expect(unsafe_code, reason = "memory shared with a device")]
mod dma;
mod door;
#[cfg(test)]
mod echo;
#[expect(unsafe_code, reason = "waiting on a descriptor that is borrowed")]
mod eventfd;
mod interrupt;
mod iova;
#[expect(unsafe_code, reason = "memory shared with a model")]
mod local;
#[expect(unsafe_code, reason = "mapped memory")]
mod pages;
pub mod pci;
mod peer;
mod strays;
pub mod vfio;
pub mod vfio_user;
mod words;

pub use buffers::{Buffers, Lent, prefetch};
pub use dma::Dma;
pub use door::{Bus, Device, DeviceError, Identity, Registers, Stray, Window};
pub use interrupt::Interrupt;
pub use local::{Local, Time, Witness};
pub use peer::{Peer, Region, Shape};
pub use strays::Strays;
