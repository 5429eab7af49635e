//! Tunnels: what is found inside IP and UDP, and queued as a packet of its own.

mod geneve;
mod gre;
mod mirror;
mod udp;

use crate::walk::{Start, Walk};
use crate::{Origin, Packet};

impl Walk<'_> {
    /// IP directly inside IP (RFC 2003, 2473, 4213).
    pub(crate) fn ip_in_ip(&mut self, p: &Packet, origin: Origin, start: Start, at: usize, end: usize) {
        self.out.counters.ipip += 1;
        self.inner(p, origin, start, at, end);
    }
}
