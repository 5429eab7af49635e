//! Model: a software NIC, its physical function and a virtual function of it.
//!
//! Gives: configuration space, registers, mailbox, virtchnl, filters, RSS, receive and transmit, resets, and a plan of
//! faults, in virtual time or hosted in real time. Depends on: `device` (bus, peer, the socket's end), `avf`.
//! Will never know: a driver, a clock outside of `host` (time is an argument), or chance (a seed is an argument).

#![forbid(unsafe_code)]

mod config;
pub mod datapath;
pub mod fault;
mod function;
pub mod host;
mod interrupt;
mod mailbox;
mod memory;
mod model;
mod note;
mod options;
mod peer;
mod persona;
mod registers;
mod reset;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;
pub mod vf;
pub mod virtchnl;
mod wire;

pub use function::{Function, Host};
pub use memory::{Denied, Memory, Strayed};
pub use model::{Model, Tally};
pub use note::{Note, Notes};
pub use options::{Latency, Loopback, Options, ResetTiming, VectorMapLength, WriteBack};
pub use persona::{FilterLimits, LinkBefore, LutLimit, Persona, QueueRules};
pub use reset::Reset;
pub use vf::Vf;
pub use virtchnl::Action;
pub use wire::{Sent, Wire};
