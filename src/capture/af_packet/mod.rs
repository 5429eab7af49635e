//! Live frames from a Linux interface, by AF_PACKET with a TPACKET_V3 ring: one socket and one ring a worker.
//!
//! The kernel fills blocks of a ring that it shares with us, and hands over one block after the other. A burst lends
//! frames where they lie; the block goes back to the kernel at the burst after the one that lent its last frame, which
//! is why two bursts cannot be held at once:
//!
//! ```compile_fail,E0499
//! fn hoard(queue: &mut dyn frame::RxQueue) -> usize {
//!     let first = queue.burst().unwrap();
//!     let second = queue.burst().unwrap();
//!     first.frames.len() + second.frames.len()
//! }
//! ```
//!
//! With several workers the kernel deals frames out by fanout, both directions of a flow to the same worker. Fragments
//! are not put together by the kernel and nothing rolls over to another worker: both would hide what was on the wire,
//! or tear flows apart.
//!
//! The ledger: received is what was lent, plus what the kernel had no room for. Frames that lie in the ring when a
//! queue is dropped were neither, so stop first ([`frame::RxQueue::stop`]): no frame comes in any more, and the bursts
//! until [`frame::RxStatus::End`] lend everything that is there.

mod block;
mod dropping;
mod error;
mod outlet;
mod queue;
mod ring;
mod setup;
mod socket;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use frame::RxQueue;

use crate::ebpf::{Steering, Tunnels, Xdp};

pub use error::OpenError;
pub use outlet::Outlet;
pub(crate) use socket::memory;

/// How frames are dealt out to several workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fanout {
    /// By the innermost address pair, found through VLAN tags and tunnels by a program in the kernel ([`crate::ebpf`]).
    #[default]
    Inner,
    /// By the same rule, in this process: one ring is opened, for [`crate::deal`].
    Here,
    /// By a symmetric hash over addresses and ports: any interface. It does not look into tunnels.
    Hash,
    /// By the CPU that took the frame in: only where the NIC spreads symmetrically and interrupts are pinned.
    Cpu,
    /// By the NIC's receive queue: only where the NIC spreads symmetrically.
    QueueMapping,
    /// Not at all: one worker.
    None,
}

/// How frames of bypassed flows are dropped before they reach a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropSettings {
    /// At the interface, where nobody else has use for its frames; otherwise at the socket.
    pub xdp: Xdp,
    /// Most halves of IPv4 flows; a flow has two at least.
    pub ipv4: u32,
    /// Most halves of IPv6 flows.
    pub ipv6: u32,
    /// Tunnels in one another that are looked through, as far as the decoder opens them.
    pub levels: u8,
}

/// Whose time frames bear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The kernel's, when it takes a frame from its driver.
    #[default]
    Arrival,
    /// The NIC's own, where a frame has one: the NIC must be told to stamp them, and its clock be kept in step.
    Nic,
}

/// What rings are sized for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Up to about 1 Gb/s, events a few milliseconds after their cause.
    Latency,
    /// A cloud sensor: about 50 ms of 10 Gb/s a worker.
    #[default]
    Standard,
    /// 25 Gb/s in bursts: pauses of about a tenth of a second.
    Burst,
}

impl Profile {
    /// Bytes of a block, blocks, and milliseconds after which one is handed over that is not full.
    #[must_use]
    pub const fn ring(self) -> (u32, u32, u32) {
        match self {
            Self::Latency => (256 << 10, 64, 4),
            Self::Standard => (1 << 20, 64, 10),
            Self::Burst => (4 << 20, 64, 20),
        }
    }
}

/// How an interface is captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSettings {
    /// Name of the interface.
    pub interface: String,
    /// Network namespace that it is in: a name below `/run/netns`, or a path; empty for this thread's own.
    pub namespace: String,
    /// Queues to open, one a worker: 1 to 256.
    pub workers: usize,
    /// Bytes of a block: a multiple of 64 KiB, 128 KiB at least. Frames longer than a block are cut.
    pub block_size: u32,
    /// Blocks of each worker's ring.
    pub blocks: u32,
    /// Milliseconds after which a block is handed over that is not full.
    pub retire_ms: u32,
    /// Whose time frames bear.
    pub clock: Clock,
    /// Whether frames for other stations are wanted too.
    pub promiscuous: bool,
    /// How frames are dealt out.
    pub fanout: Fanout,
    /// What the program in the kernel takes for tunnels.
    pub tunnels: Tunnels,
    /// Whether frames that this machine sends are left out. On the loopback interface, where every frame is both sent
    /// and received, it should be.
    pub ignore_outgoing: bool,
    /// How frames of bypassed flows are dropped, if they are.
    pub drops: Option<DropSettings>,
    /// Longest wait of a burst, in milliseconds.
    pub wait_ms: u32,
    /// How long an interface may be absent before the queue gives up, in milliseconds.
    pub patience_ms: u32,
    /// Most frames lent in one burst.
    pub burst: usize,
    /// Number of this interface among the sensor's taps.
    pub tap: frame::TapId,
}

impl LiveSettings {
    /// The settings of a cloud sensor for one interface: one worker, 64 blocks of 1 MiB.
    #[must_use]
    pub fn new(interface: &str) -> Self {
        let (block_size, blocks, retire_ms) = Profile::Standard.ring();
        Self {
            interface: interface.to_owned(),
            namespace: String::new(),
            workers: 1,
            block_size,
            blocks,
            retire_ms,
            clock: Clock::default(),
            promiscuous: true,
            fanout: Fanout::default(),
            tunnels: Tunnels::default(),
            ignore_outgoing: false,
            drops: None,
            wait_ms: 100,
            patience_ms: 30_000,
            burst: 256,
            tap: frame::TapId(0),
        }
    }
}

/// Opens an interface: one queue a worker, all of which begin to receive when all are ready. To be called in the
/// network namespace of the interface, by threads of which the queues stay.
///
/// # Errors
/// When the settings make no sense, the interface does not exist, or the kernel refuses; the text says which
/// capability is missing.
pub fn open(settings: &LiveSettings) -> Result<Vec<Box<dyn RxQueue>>, OpenError> {
    setup::check(settings)?;
    let steering = match settings.fanout {
        Fanout::Inner if settings.workers > 1 => {
            Some(Steering::load(&settings.tunnels).map_err(OpenError::Steering)?)
        }
        _ => None,
    };
    let group = Arc::new(setup::Group::new(steering));
    let settings = Arc::new(settings.clone());
    let mut queues = Vec::with_capacity(settings.workers);
    for _ in 0..settings.workers {
        queues.push(queue::Queue::open(Arc::clone(&settings), Arc::clone(&group))?);
    }
    if let Some(wanted) = &settings.drops {
        dropping::prepare(&mut queues, &settings, wanted);
    }
    for queue in &mut queues {
        queue.begin()?;
    }
    Ok(queues.into_iter().map(|queue| Box::new(queue) as Box<dyn RxQueue>).collect())
}
