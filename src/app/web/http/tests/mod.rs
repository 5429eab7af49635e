//! The parser as a whole: bytes in, calls out.

mod anomalies;
mod bodies;
pub(crate) mod corpora;
mod cuts;
mod exchanges;
pub(crate) mod recorder;
