//! The catalogue against itself: every sample finds its label, no label takes another's, and noise finds nothing.

use super::*;
use crate::recognise::{Offer, Recogniser};
use parse::{Look, Side};

/// Bytes that a label knows.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) data: &'static [u8],
    pub(super) other: &'static [u8],
}

static SAMPLES: &[&[Sample]] = &[
    industry::SAMPLES,
    iot::SAMPLES,
    vpn::SAMPLES,
    routing::SAMPLES,
    directory::SAMPLES,
    infra::SAMPLES,
    monitor::SAMPLES,
    mail::SAMPLES,
    file::SAMPLES,
    remote::SAMPLES,
    data::SAMPLES,
    message::SAMPLES,
    chat::SAMPLES,
    peer::SAMPLES,
    crypto::SAMPLES,
    game::SAMPLES,
    media::SAMPLES,
    voice::SAMPLES,
];

fn samples() -> impl Iterator<Item = &'static Sample> {
    SAMPLES.iter().flat_map(|s| s.iter())
}

fn label(name: &str) -> &'static Protocol {
    all().find(|p| p.name == name).unwrap()
}

fn look<'a>(sample: &'a Sample, side: Side, port: u16) -> Look<'a> {
    let protocol = label(sample.name);
    Look {
        side,
        data: sample.data,
        other: sample.other,
        transport: protocol.transports[0],
        client_port: 40_001,
        server_port: port,
        packets: 2,
        midstream: false,
    }
}

/// The sample as its protocol's first port would carry it.
fn at_its_port<'a>(sample: &'a Sample, side: Side) -> Look<'a> {
    let protocol = label(sample.name);
    let carrier = protocol.transports[0];
    let port = protocol.ports.iter().find(|(t, _)| *t == carrier).map_or(40_002, |(_, port)| *port);
    look(sample, side, port)
}

fn found(recogniser: &Recogniser, look: &Look<'_>) -> Option<&'static str> {
    match recogniser.look(look) {
        Offer::Found { protocol, .. } => Some(protocol.name),
        Offer::Maybe(signs) => signs.weak.map(|(protocol, _)| protocol.name),
    }
}

#[test]
fn every_label_with_a_probe_has_a_sample() {
    for protocol in all().filter(|p| p.probe.is_some()) {
        assert!(samples().any(|s| s.name == protocol.name), "{}", protocol.name);
    }
}

#[test]
fn every_sample_finds_its_label_among_all_protocols() {
    let recogniser = Recogniser::new(crate::protocols());
    let mut wrong = Vec::new();
    for sample in samples() {
        let answers = Side::BOTH.map(|side| found(&recogniser, &at_its_port(sample, side)));
        if !answers.contains(&Some(sample.name)) {
            wrong.push((sample.name, answers));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn no_label_is_sure_of_anothers_sample() {
    let mut wrong = Vec::new();
    for sample in samples() {
        let ours = at_its_port(sample, Side::ToServer);
        for protocol in all().filter(|p| p.name != sample.name && p.transports.contains(&ours.transport)) {
            let Some(probe) = protocol.probe else { continue };
            if matches!(probe(&ours), Probe::Yes { .. }) && !are_relatives(protocol.name, sample.name) {
                wrong.push((protocol.name, sample.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Where one protocol is the other's particular case, the catalogue's order decides.
fn are_relatives(a: &str, b: &str) -> bool {
    [("sunrpc", "nfs"), ("pcp", "nat-pmp")].iter().any(|pair| *pair == (a, b) || *pair == (b, a))
}

/// A linear congruential generator (Knuth, MMIX): the same noise every time.
fn noise(state: &mut u64) -> u8 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 56) as u8
}

#[test]
fn noise_is_nothing() {
    let labels: Vec<_> = all().copied().collect();
    let recogniser = Recogniser::new(&labels);
    let mut state = 7;
    let (mut looks, mut wrong) = (0u32, Vec::new());
    for round in 0..20_000usize {
        let length =
            [4, 8, 12, 16, 20, 24, 28, 32, 48, 64, 92, 148, 172, 512, 1400][round % 15] + round % 7 / 6;
        let data: Vec<u8> = (0..length).map(|_| noise(&mut state)).collect();
        let other: Vec<u8> = (0..64).map(|_| noise(&mut state)).collect();
        for transport in [Transport::Tcp, Transport::Udp] {
            let side = if round % 2 == 0 { Side::ToServer } else { Side::ToClient };
            let look = Look {
                side,
                data: &data,
                other: &other,
                transport,
                client_port: 40_001,
                server_port: 40_002,
                packets: 3,
                midstream: false,
            };
            looks += 1;
            if let Offer::Found { protocol, .. } = recogniser.look(&look) {
                wrong.push(protocol.name);
            }
        }
    }
    assert!(wrong.len() * 20_000 <= looks as usize, "{} of {looks}: {wrong:?}", wrong.len());
}

#[test]
fn noise_on_usual_ports_is_rarely_anything() {
    let labels: Vec<_> = all().copied().collect();
    let recogniser = Recogniser::new(&labels);
    let mut state = 11;
    let (mut looks, mut wrong) = (0usize, Vec::new());
    for (transport, port) in labels.iter().flat_map(|p| p.ports.iter().copied()) {
        for round in 0..40usize {
            let data: Vec<u8> = (0..8 + round * 7).map(|_| noise(&mut state)).collect();
            let look = Look {
                side: Side::BOTH[round % 2],
                data: &data,
                other: b"",
                transport,
                client_port: 40_001,
                server_port: port,
                packets: 1,
                midstream: false,
            };
            looks += 1;
            if let Offer::Found { protocol, .. } = recogniser.look(&look) {
                wrong.push((protocol.name, port));
            }
        }
    }
    assert!(wrong.len() * 100 <= looks, "{} of {looks}: {wrong:?}", wrong.len());
}

#[test]
fn every_prefix_of_a_sample_can_be_looked_at() {
    for sample in samples() {
        for end in 0..sample.data.len().min(200) {
            let whole = at_its_port(sample, Side::ToServer);
            let cut = Look { data: &sample.data[..end], ..whole };
            for protocol in all() {
                if let Some(probe) = protocol.probe {
                    let _ = probe(&cut);
                }
            }
        }
    }
}
