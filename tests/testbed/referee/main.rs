//! Referees: drivers that this project did not write, and its own sensor over the kernel's vfio-pci, in guests with the
//! software NIC. They need root and the folder that `peers/guest.sh make` makes; without, each says so and passes.

mod dpdk;
mod linux;
mod role;
mod sensor;
mod stage;
