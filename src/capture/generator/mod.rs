//! A generator and a cable of its own, to measure what this machine can take.
//!
//! The cable is a veth pair in a network namespace made for it, so nothing that is sent here can reach a network; it is
//! gone when the thread that made it has ended. Frames are UDP in IPv4 between addresses set aside for benchmarks
//! (RFC 2544, 198.18.0.0/15), both directions of every conversation.

mod cable;
mod frames;
mod inject;
mod send;

pub use cable::Cable;
pub use frames::Shape;
pub use inject::Injector;
pub use send::{Sent, send};
