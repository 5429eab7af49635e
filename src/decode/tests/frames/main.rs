//! The decoder from outside: frames in, packets and events out.

mod build;
mod checksums;
mod corpora;
mod fragments;
mod links;
mod mirror;
mod mutation;
mod network;
mod transports;
mod tunnels;
