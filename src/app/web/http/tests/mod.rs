//! The parser as a whole: bytes in, calls out.

mod anomalies;
mod bodies;
mod corpora;
mod cuts;
mod exchanges;
pub(crate) mod recorder;
