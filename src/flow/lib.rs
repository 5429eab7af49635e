//! Flow: which connection a packet belongs to, and which bytes of it are newly in order.
//!
//! Gives: [`Table`] and its [`Turn`], [`Flow`], [`Key`], stream [`Chunk`]s, [`StreamEvent`]s, [`community_id`].
//! Depends on: `frame`, `decode`'s packet. Time is an argument; the run repeats itself byte for byte.
//! Will never know: protocols above TCP, rules, events that leave, what the sensor hangs on a flow.

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

mod community;
mod counters;
mod event;
mod flow;
mod index;
mod key;
mod moment;
mod rings;
#[cfg(test)]
mod scenarios;
mod settings;
mod stream;
mod table;
mod tcp;
mod turn;

pub use community::{community_hash, community_id};
pub use counters::Counters;
pub use event::{EventList, StreamEvent};
pub use flow::{Flow, Phase, Ttl};
pub use key::{Key, Pair, Side, icmp_ports};
pub use moment::Moment;
pub use settings::{Policy, Settings, Spans, Timeouts, UrgentPolicy};
pub use table::{AHEAD, MANY, Memory, Table, look_ahead};
pub use tcp::{Peer, Tcp, TcpState};
pub use turn::{Chunk, End, FlowRef, Refused, Turn};
