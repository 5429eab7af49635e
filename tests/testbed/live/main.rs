//! The real binary on a real interface. Needs root, for network namespaces of its own: without, each test says so.

mod bypass;
mod doors;
mod large;
mod link;
mod outputs;
mod signals;
mod stage;
mod steering;
mod traffic;
mod vhost;
mod weather;
