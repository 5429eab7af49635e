//! Frames from a virtual function, driven from user space: one queue a worker, lent where the NIC put them.
//!
//! Which driver it is follows from what the PF grants, and from nothing else: the controller agrees on a version and asks for
//! what either driver could use; the answer says which dialect is spoken from there on, before anything of the function is
//! set up. A device id is no proof: adaptive functions of other cards have the E810's.
//!
//! The driver's controller lives in a thread of its own, which has the clock; it ends when every queue has stopped or is
//! gone, and gives the function back as it was found.

mod choice;
mod keeper;
mod place;
mod report;

use std::fmt;
use std::time::Duration;

use avf_driver::VfError;
use frame::RxQueue;

use crate::af_packet::memory;

pub use avf_driver::verify::{Promiscuity, Spreading, Symmetry, Tunnels};
pub use avf_driver::{
    Exchange, Hashing, MOST_QUEUES, Negotiated, Polling, Reply, Settings as DriverSettings, Standing, Step,
    Subscription,
};
pub use choice::CHOICE;
pub use device::{DeviceError, pci};
pub use keeper::{Keeper, Look};
pub use place::Place;
pub use report::{VfCounters, VfReport, VfStats, polling_text};

/// How a function is captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VfSettings {
    /// Which function.
    pub place: Place,
    /// What is asked of it.
    pub driver: DriverSettings,
    /// How long it may take to come up.
    pub comes_up: Duration,
}

impl VfSettings {
    /// A sensor's settings for a function.
    #[must_use]
    pub fn new(place: Place, queues: u16) -> Self {
        Self { place, driver: DriverSettings::new(queues), comes_up: Duration::from_secs(15) }
    }
}

/// Why a function could not be captured. Each text says what to do about it.
#[derive(Debug)]
pub enum OpenError {
    /// It could not be opened.
    Device(Place, DeviceError),
    /// It could not be brought up.
    Driver(Place, VfError),
    /// The machine has no memory for rings of so many bytes: they may take half of it.
    Memory(Place, u64),
    /// It is still not up; how it stands and what it failed of last.
    Late(Place, Duration, VfError),
    /// The system gave no thread.
    Thread(std::io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(place, error) => write!(f, "{place}: {error}"),
            Self::Driver(place, error) => write!(f, "{place}: {error}"),
            Self::Memory(place, bytes) => write!(
                f,
                "{place}: rings of {bytes} bytes are more than this machine can give, which is half of its memory at most: \
                 ask for fewer queues, descriptors (vf.descriptors) or smaller buffers (vf.buffer)"
            ),
            Self::Late(place, after, how) => {
                write!(f, "{place} is not up after {} s: {how}", after.as_secs())
            }
            Self::Thread(error) => write!(f, "the operating system gave no thread: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// Brings a function up and gives its queues, which may be fewer than were asked for, and its keeper.
///
/// # Errors
/// When it cannot be opened or does not come up; whatever was begun is undone.
pub fn open(settings: &VfSettings) -> Result<(Vec<Box<dyn RxQueue>>, Keeper), OpenError> {
    let bytes = settings.driver.ring_bytes();
    if bytes > memory() / 2 {
        return Err(OpenError::Memory(settings.place.clone(), bytes));
    }
    keeper::start(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_that_leave_the_machine_nothing_are_refused_before_the_function_is_opened() {
        let place: Place = "vfio-user:/nowhere/at-all.sock".parse().expect("a place");
        let mut settings = VfSettings::new(place, 4);
        assert!(matches!(open(&settings), Err(OpenError::Device(..))), "8 MiB are not too many");
        settings.driver.queues = 256;
        settings.driver.descriptors = 4096;
        settings.driver.buffer = 16_256;
        settings.driver.max_frame = 9728;
        let refused = open(&settings).map(|_| ()).expect_err("17 GB");
        let small = memory() / 2 < settings.driver.ring_bytes();
        assert_eq!(matches!(refused, OpenError::Memory(..)), small, "{refused}");
        assert!(!small || refused.to_string().contains("17079205888 bytes"), "{refused}");
    }
}
