//! Frames that a virtual switch or a virtual machine transmits, by vhost-user: we are the back end of its network card.
//!
//! The front end owns the memory and the virtqueues that lie in it, and tells of them over a Unix socket (the vhost-user
//! protocol, <https://qemu-project.gitlab.io/qemu/interop/vhost-user.html>); what it transmits is what we capture. The
//! queues of the other direction are never filled.
//!
//! Everything in that memory is the front end's word, and changes under our eyes. A frame is copied once, out of chains
//! that are bounded in length and in steps, and only the copy is looked at. What no driver would do (an address outside
//! of the memory, a chain that does not end, an index that jumps) ends the connection; the next one finds a clean state.
//! A front end that goes away, killed or not, is waited for: the source lives on, and lends what was left in its rings.
//!
//! Rings are dealt to queues in turn. Which ring a frame travels by is the front end's choice, and it need not send both
//! directions of a flow by the same: with several workers open one queue, and deal its frames out by [`crate::deal`].
//!
//! The ledger: received is what was lent, plus what the front end had handed over and did not stand up to a look. A
//! frame that finds no room in the ring is counted by the front end alone, as a frame that it could not transmit.

mod bell;
mod chain;
mod early;
mod error;
mod fault;
mod memory;
mod place;
mod queue;
mod ring;
mod seat;
mod server;
mod session;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use frame::{RxQueue, TapId};

pub use error::OpenError;

/// Who makes the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// We listen, the front end connects.
    #[default]
    Server,
    /// The front end listens; we connect, again whenever the connection ends.
    Client,
}

/// How a front end is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VhostSettings {
    /// The socket.
    pub path: PathBuf,
    /// Who makes it.
    pub role: Role,
    /// Queues to open, one a worker: 1 to 128. The front end may have more rings, or fewer.
    pub queues: usize,
    /// Permissions of the socket, where we make it: whoever may write to it may be the front end.
    pub mode: u32,
    /// Longest wait of a burst, in milliseconds.
    pub wait_ms: u32,
    /// Most frames lent in one burst.
    pub burst: usize,
    /// Number of this source among the sensor's taps.
    pub tap: TapId,
}

impl VhostSettings {
    /// One queue behind a socket that we make, for owner and group.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            role: Role::default(),
            queues: 1,
            mode: 0o660,
            wait_ms: 100,
            burst: 256,
            tap: TapId(0),
        }
    }
}

/// Opens the source: one queue a worker, which are idle until a front end comes.
///
/// # Errors
/// When the settings make no sense, or the socket cannot be made.
pub fn open(settings: &VhostSettings) -> Result<Vec<Box<dyn RxQueue>>, OpenError> {
    check(settings)?;
    let door = place::Door::open(settings)?;
    let house = server::start(door, settings.queues)?;
    let queue = |index| Box::new(queue::Queue::new(settings, &house, index)) as Box<dyn RxQueue>;
    Ok((0..settings.queues).map(queue).collect())
}

fn check(settings: &VhostSettings) -> Result<(), OpenError> {
    let refuse = |text: String| Err(OpenError::Settings(text));
    if !(1..=session::PAIRS).contains(&settings.queues) {
        return refuse(format!("{} queues: 1 to {}", settings.queues, session::PAIRS));
    }
    if settings.burst == 0 {
        return refuse("a burst of 0 frames: 1 at least".to_owned());
    }
    if settings.mode & !0o777 != 0 {
        return refuse(format!("mode {:o} of a socket: 0 to 777", settings.mode));
    }
    Ok(())
}
