//! The parser as a whole: bytes in, calls out.

mod corpora;
mod cuts;
mod frames;
mod hostile;
mod make;
mod streams;
