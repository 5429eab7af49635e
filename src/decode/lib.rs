//! Decode: bytes to layers, by offsets, from the link layer to the transport, through tunnels and fragments.
//!
//! Gives: [`Decoder`], [`Decoded`], [`Packet`], [`Event`], [`Settings`], [`Counters`], [`steer`], [`sight`], [`spread`], [`half`]
//! and [`pair_hash`].
//! May depend on: `frame` alone.
//! Will never know: flows, protocols above the transport, a clock, or which worker it runs in.
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

mod checksum;
mod counters;
mod decoder;
mod dedupe;
mod event;
pub mod fragment;
mod half;
mod link;
pub mod mirror;
mod net;
mod packet;
mod settings;
mod spread;
mod steer;
mod transport;
mod tunnel;
mod walk;

pub use counters::Counters;
pub use decoder::{Decoded, Decoder};
pub use event::Event;
pub use half::{Found, half, levels};
pub use packet::{
    Address, Arp, Embedded, Ether, Ip, Network, Origin, Packet, Source, Tcp, Transport, Vlans, tcp_flags,
};
pub use settings::Settings;
pub use spread::spread;
pub use steer::{Sight, Steer, pair_hash, sight, steer};
