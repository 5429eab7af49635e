//! World: a seeded world of traffic for tests.
//!
//! Gives: [`Builder`] for frames made by hand, [`Conversation`] for whole TCP connections, [`Source`]s that make floods
//! and crowds by the million, [`PcapWriter`], and [`Transmit`] onto an interface of a test's own namespace.
//! May depend on: nothing of the sensor. Will never know: what the sensor makes of its frames.
//!
//! The same seed gives the same bytes. Addresses are those that documentation and private networks own (RFC 1918,
//! RFC 5737, RFC 3849), except where a flood spoofs its sources, and those come from 198.18.0.0/15 (RFC 2544) or 10/8.

#![forbid(unsafe_code)]

mod builder;
mod checksum;
mod conversation;
mod crowd;
mod dice;
mod flood;
mod fragment;
mod header;
mod pcap;
mod source;
mod speech;
mod transmit;

pub use builder::Builder;
pub use checksum::{crc32c, internet};
pub use conversation::{Conversation, Side};
pub use crowd::{Crowd, CrowdKind, Talk};
pub use dice::Dice;
pub use flood::{Fragments, Overlap, SynFlood, Tunnels};
pub use fragment::{fragment_ipv4, fragment_ipv6};
pub use header::{Ipv4, Ipv6, Tcp, TcpFlags};
pub use pcap::{PcapReader, PcapWriter};
pub use source::{Among, Replay, Source};
pub use speech::{dns_answer, dns_query, http_get, http_response, tls_client_hello, tls_server_flight};
pub use transmit::{Pace, Sent, Transmit, TransmitError};
