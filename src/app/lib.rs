//! App: which protocol a flow speaks, and its parser at work.
//!
//! Gives: [`Engine`] (recognition and parsing, one a worker), [`State`] (what hangs on a flow), the catalogue of
//! [`protocols`] and [`services`]. Depends on: `parse` and the family crates. Will never know: packets, flows, rules,
//! events. How recognition decides: `docs/decisions/0005-recognition.md`.

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

pub mod accord;
mod catalogue;
mod engine;
pub mod labels;
mod recognise;
mod services;
mod state;

pub use catalogue::{by_name, protocols};
pub use engine::{Engine, Given, Taken};
pub use services::{Service, services};
pub use state::{Confidence, Label, State};
