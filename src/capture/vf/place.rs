//! Where a virtual function is: on the PCI bus, or behind a vfio-user socket.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use device::pci::{PciAddress, System};
use device::vfio::Vfio;
use device::vfio_user::VfioUser;
use device::{Device, DeviceError};

const SOCKET: &str = "vfio-user:";

/// A function's place, as people write it: `0000:03:02.0`, or `vfio-user:/run/nic.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the bus, bound to vfio-pci.
    Pci(PciAddress),
    /// Behind a socket that a device process listens on.
    Socket(PathBuf),
}

impl Place {
    /// Opens the function, which is reset by that.
    ///
    /// # Errors
    /// When it is not there or not ours to open; the text says what to do.
    pub fn open(&self) -> Result<Box<dyn Device>, DeviceError> {
        Ok(match self {
            Self::Pci(address) => Box::new(Vfio::open(&System::live(), *address)?),
            Self::Socket(path) => Box::new(VfioUser::connect(path)?),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pci(address) => write!(f, "{address}"),
            Self::Socket(path) => write!(f, "{SOCKET}{}", path.display()),
        }
    }
}

impl FromStr for Place {
    type Err = <PciAddress as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix(SOCKET) {
            Some(path) => Ok(Self::Socket(path.into())),
            None => text.parse().map(Self::Pci),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_they_are_written() {
        for text in ["0000:03:02.0", "vfio-user:/run/nic.sock"] {
            assert_eq!(text.parse::<Place>().expect("a place").to_string(), text);
        }
        assert!("eth0".parse::<Place>().is_err());
    }
}
