//! Event: what leaves the walk, before any output has formatted it.
//!
//! Gives: [`Header`] (what every event says), [`Tape`] (the fields of its body), [`Batch`] (a worker's events of one
//! stretch of packets), and the [`schema`] of the events that belong to no protocol. Depends on: `parse`, for the
//! field catalogue's type alone (`docs/decisions/0003-event-tape.md`). Will never know: flows, rules, formats, sinks.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

mod batch;
mod header;
pub mod schema;
mod tape;

pub use batch::{Batch, Event, Key};
pub use header::{Header, Ports};
pub use tape::{Span, Tape, Token, Value};
