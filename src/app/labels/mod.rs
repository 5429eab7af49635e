//! Protocols known by name only: one catalogue a purpose, and a probe a protocol. A probe reads lengths, versions,
//! checksums and magic words; where a sign is weak it says `Unsure` and recognition waits for it to come again.
//!
//! Every row carries a sample, so that each label is tested against its own bytes and against everybody else's.

mod bytes;
mod chat;
mod crypto;
mod data;
mod directory;
mod file;
mod game;
mod industry;
mod infra;
mod iot;
mod ip;
mod mail;
mod media;
mod message;
mod monitor;
mod peer;
mod remote;
mod routing;
mod voice;
mod vpn;

use parse::{Probe, Protocol, Transport};

/// Every label, the particular before the general.
pub fn all() -> impl Iterator<Item = &'static &'static Protocol> {
    CATALOGUES.iter().flat_map(|catalogue| catalogue.iter())
}

static CATALOGUES: &[&[&Protocol]] = &[
    ip::ALL,
    industry::ALL,
    iot::ALL,
    vpn::ALL,
    routing::ALL,
    directory::ALL,
    infra::ALL,
    monitor::ALL,
    mail::ALL,
    file::ALL,
    remote::ALL,
    data::ALL,
    message::ALL,
    chat::ALL,
    peer::ALL,
    crypto::ALL,
    game::ALL,
    media::ALL,
    voice::ALL,
];

const TCP: &[Transport] = &[Transport::Tcp];
const UDP: &[Transport] = &[Transport::Udp];
const TCP_UDP: &[Transport] = &[Transport::Tcp, Transport::Udp];
const UDP_TCP: &[Transport] = &[Transport::Udp, Transport::Tcp];

const fn tcp(port: u16) -> (Transport, u16) {
    (Transport::Tcp, port)
}

const fn udp(port: u16) -> (Transport, u16) {
    (Transport::Udp, port)
}

/// A probe's answer; `None`, as a read past the end gives it, is no.
type Answer = Option<Probe>;

/// Nothing else looks like this.
fn sure(is: bool) -> Answer {
    is.then_some(Probe::Yes { swapped: false })
}

/// Something else may look like this.
fn weak(is: bool) -> Answer {
    is.then_some(Probe::Unsure)
}

/// A sign that is enough at the usual port, and weak elsewhere.
fn at_home(is: bool, home: bool) -> Answer {
    if home { sure(is) } else { weak(is) }
}

/// A catalogue: rows of name, title, nDPI's names, transports, ports, probe, sample (and what the other side had sent).
macro_rules! labels {
    ($category:ident; $($name:literal, $title:literal, [$($ndpi:literal),*], $transports:expr, [$($port:expr),*],
        $probe:expr, $sample:expr $(, after $other:expr)?;)*) => {
        pub(super) static ALL: &[&parse::Protocol] = &[$(&parse::Protocol {
            name: $name,
            title: $title,
            category: parse::Category::$category,
            ndpi: &[$($ndpi),*],
            transports: $transports,
            ports: &[$($port),*],
            probe: Some(|look| $probe(look).unwrap_or(parse::Probe::No)),
            ..parse::Protocol::LABEL
        }),*];

        #[cfg(test)]
        pub(super) static SAMPLES: &[super::tests::Sample] = &[$(super::tests::Sample {
            name: $name,
            data: $sample,
            other: {
                let given: &[&[u8]] = &[$($other,)? b""];
                given[0]
            },
        }),*];
    };
}
use labels;

#[cfg(test)]
mod tests;
