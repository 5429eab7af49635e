//! AVF: the adaptive virtual function as its specification describes it, for drivers and for the model that tests them.
//!
//! Gives: registers, receive and transmit descriptors, packet types, the admin queue's descriptors, virtchnl messages,
//! RSS arithmetic, and the mailbox as a pure state machine.
//! Depends on: nothing of this workspace.
//! Will never know: how a register is reached, where memory lies, what time it is, or who is driver and who is model.

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

pub mod adminq;
mod bits;
mod code;
pub mod mailbox;
pub mod ptype;
pub mod register;
pub mod rss;
pub mod rx;
pub mod tx;
pub mod virtchnl;
