//! avf-driver: what every driver of an adaptive virtual function does, whatever card it is a function of.
//!
//! Gives: the life of a function (bring-up, resets, recovery, return), its mailbox in memory, receive queues as
//! [`frame::RxQueue`], transmit. What differs from card to card is a [`Dialect`]: `iavf` has that of the X710, `vf-ice`
//! that of the E810.
//! Depends on: `frame`, `device`, `avf`.
//! Will never know: which messages a card's PF serves and how its descriptors are laid out, how a function is reached
//! (VFIO, socket, model), what a clock is, flows or settings files.
//!
//! Source: Intel Ethernet Adaptive Virtual Function Specification 1.0.
//!
//! A function has one [`Control`], which owns the device and its mailbox, and one [`Queue`] a worker. The controller is
//! called from time to time and says when to be called next; time is an argument, so the same code runs against a
//! software NIC under virtual time. A queue costs one atomic load a burst beside its ring. Between the two there is a
//! gate through which the ring passes: when the function is reset, the controller closes it, workers lend what is
//! finished and put their rings back, and get them again when queues run; so nobody touches a ring that is being rewound,
//! and memory is freed only after the device has stopped.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::panic
    )
)]

mod agreed;
pub mod classic;
mod control;
mod dialect;
mod error;
mod gate;
mod mail;
mod pace;
pub mod rx;
mod settings;
mod step;
mod tally;
mod tx;
pub mod verify;

pub use agreed::{Hashing, Negotiated, Polling};
pub use control::{Control, ControlCounters, DEVICES, Exchange, Outage, Reply, Standing, Turn};
pub use dialect::{Ask, Choice, Dialect, Refusal};
pub use error::VfError;
pub use pace::{Clock, Ticker};
pub use rx::{Counters, Queue};
pub use settings::{MOST_QUEUES, Settings, Subscription};
pub use step::Step;
pub use tx::{Sender, Unsent};
