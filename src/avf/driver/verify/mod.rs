//! What a function says and what is so: promiscuity and symmetry, proven by traffic.

mod promiscuity;
mod spreading;
mod tunnels;

pub(crate) use promiscuity::Evidence;
pub use promiscuity::{Promiscuity, is_foreign};
pub use spreading::{Spreading, Symmetry};
pub use tunnels::Tunnels;
