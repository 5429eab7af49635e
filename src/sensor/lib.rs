//! Sensor: the house. Puts the rooms together and walks packets through them.
//!
//! Gives: [`Settings`] (every room's own, composed, and the catalogue of configuration keys), [`Worker`] (the walk),
//! `read` and `run` in [`assemble`], [`capacity`], [`Summary`], the counters. Depends on: every room below it.
//! Will never know: command-line flags, terminals. Invariants: workers share nothing while they walk; a flow belongs
//! to one share of one worker; nothing here reads a clock except `supervise`,
//! `capacity` and `assemble::run`.

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

mod alarm;
pub mod assemble;
mod bypass;
pub mod capacity;
mod counters;
mod desk;
mod files;
mod halves;
mod listen;
mod notices;
mod out;
mod packets;
mod probe;
mod ranges;
mod record;
mod reload;
pub mod settings;
mod share;
mod source;
mod summary;
mod supervise;
mod tally;
mod tap;
mod watch;
mod who;
mod worker;

pub use alarm::Alarm;
pub use assemble::{Failure, Outcome, read, run};
pub use counters::Snapshot;
pub use files::Settings as FileSettings;
pub use halves::Noted;
pub use notices::Notices;
pub use out::{EventTypes, Out};
pub use packets::{Remembered, Settings as PacketSettings};
pub use probe::{Probe, probe};
pub use reload::{Change, reload};
pub use settings::Settings;
pub use source::function;
pub use summary::Summary;
pub use tally::{Network, Tally, Timeline, Volume};
pub use watch::Watch;
pub use worker::{Handover, Report, Worker, WorkerSettings};
