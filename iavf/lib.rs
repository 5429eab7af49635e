//! iavf: the driver for virtual functions of Intel X710, XL710, XXV710 and X722.
//!
//! Gives: bring-up, receive queues as [`frame::RxQueue`], transmit, resets and recovery of one virtual function.
//! Depends on: `frame`, `device`, `avf`.
//! Will never know: how the function is reached (VFIO, socket, model), what a clock is, flows or settings files.
//!
//! Sources: Intel Ethernet Adaptive Virtual Function Specification 1.0; virtchnl as the i40e PF driver serves it.
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

mod bringup;
mod control;
mod error;
mod gate;
mod mail;
mod pace;
mod rx;
mod settings;
mod tally;
mod tx;
pub mod verify;

pub use bringup::{Negotiated, Polling, Step};
pub use control::{Control, ControlCounters, DEVICES, Outage, Standing, Turn};
pub use error::VfError;
pub use pace::{Clock, Ticker};
pub use rx::{Counters, Queue};
pub use settings::{MOST_QUEUES, Settings};
pub use tx::{Sender, Unsent};
