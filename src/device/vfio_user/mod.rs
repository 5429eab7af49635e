//! A function behind a vfio-user socket: the driver's end ([`VfioUser`]) and the model's ([`Server`]).
//!
//! Messages are those of the crate `vfio_user`; what it lacks is made up for in `link.rs` (the client) and `server.rs`.

mod client;
#[expect(unsafe_code, reason = "the socket that the client of the crate keeps to itself")]
mod link;
mod memory;
mod server;

pub use client::VfioUser;
pub use server::Server;

/// PCI regions of VFIO (linux/vfio.h): BARs 0 to 5, ROM, configuration space, VGA.
mod region {
    pub(super) const BAR0: u32 = 0;
    pub(super) const BAR3: u32 = 3;
    pub(super) const CONFIG: u32 = 7;
    pub(super) const COUNT: u32 = 9;
}

/// Interrupt indexes of VFIO: INTx, MSI, MSI-X, error, request.
mod index {
    pub(super) const MSIX: u32 = 2;
    pub(super) const COUNT: u32 = 5;
}

#[cfg(test)]
mod tests;
