//! What a function says and what is so: promiscuity and symmetry, proven by traffic.

mod promiscuity;
mod spreading;

pub(crate) use promiscuity::Evidence;
pub use promiscuity::{Promiscuity, is_foreign};
pub use spreading::{Spreading, Symmetry};
