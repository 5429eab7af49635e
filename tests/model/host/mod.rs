//! A model at work in real time: a clock, a socket for its driver, frames from captures or a generator, and orders from
//! whoever runs it. The only part of the crate that looks at a clock.

mod control;
mod feed;
mod generator;
mod hosted;
mod orders;
mod play;

pub use control::Control;
pub use feed::{Fed, Feed};
pub use generator::Generator;
pub use hosted::{Hosted, Shared, keep_time};
pub use orders::Order;
pub use play::Capture;
