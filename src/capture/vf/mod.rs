//! Frames from a virtual function, driven from user space.

pub use device::{DeviceError, pci};
