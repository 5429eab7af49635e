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
    keeper::start(settings)
}
