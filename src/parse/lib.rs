//! Parse: the contract between the walk and a protocol parser.
//!
//! Gives: [`Protocol`] (the catalogue entry), [`Parser`], [`Transaction`], [`Sink`], [`Field`] and its [`Visitor`],
//! [`Cursor`], and `template`, a living example to copy from. Depends on: nothing.
//! Will never know: flows, rules, events, outputs, clocks. `docs/decisions/0002-parser-contract.md` says why it is so.

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

mod cursor;
mod field;
mod parser;
mod protocol;
mod settings;
mod sink;
pub mod template;
mod transaction;

pub use cursor::Cursor;
pub use field::{Element, Field, Kind, Visitor};
pub use parser::{Close, Done, Input, Parser, Step};
pub use protocol::{Category, Depth, Look, Open, Pattern, Probe, Protocol, Side, Transport};
pub use settings::Settings;
pub use sink::{Anomaly, FileEnd, FileEvent, Frame, FrameKind, Inner, Piece, Record, Sink};
pub use transaction::{Buffer, Feed, Transaction};
