//! Capture: where frames come from.
//!
//! Gives: capture files ([`pcap`]), live interfaces ([`af_packet`]), and what virtual switches and
//! machines transmit ([`vhost_user`]), as [`frame::RxQueue`]s, one a worker.
//! Depends on: `frame` (and the drivers, for the sources that need one).
//! Will never know: what is inside a frame, flows, settings files, or who reads the frames.

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

pub mod af_packet;
pub mod bypass;
pub mod deal;
pub mod ebpf;
pub mod generator;
pub mod pcap;
pub mod record;
pub mod vf;
pub mod vhost_user;
