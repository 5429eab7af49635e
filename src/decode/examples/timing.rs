//! Prints what decoding one plain TCP frame costs: `cargo run --release -p decode --example timing`.

use std::hint::black_box;
use std::time::Instant;

use decode::{Decoder, Settings, steer};
use frame::{Checksum, Frame, LinkType, TapId, Timestamp};

const ROUNDS: u32 = 20_000_000;

/// Ethernet, IPv4, TCP with a timestamp option, 100 bytes of payload.
fn plain_tcp() -> Vec<u8> {
    let mut data =
        vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 152, 0, 1, 0x40, 0, 64, 6, 0, 0];
    data.extend([192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x80, 0x18, 1, 0]);
    data.extend([0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    data.resize(data.len() + 100, 7);
    data
}

fn report(what: &str, start: Instant) {
    let nanos = start.elapsed().as_nanos() as f64 / f64::from(ROUNDS);
    #[allow(clippy::print_stdout)] // printing is what this example is for
    {
        println!("{what:>8}: {nanos:.1} ns a frame");
    }
}

fn main() {
    let data = plain_tcp();
    let frame = Frame {
        data: &data,
        wire_len: 166,
        time: Timestamp::ZERO,
        number: 1,
        link: LinkType::ETHERNET,
        vlan: None,
        checksum: Checksum::Unknown,
        tap: TapId(0),
    };
    let settings = Settings::default();
    let mut decoder = Decoder::new(&settings);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(decoder.decode(black_box(&frame)));
    }
    report("decode", start);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(steer(&settings, black_box(&frame)));
    }
    report("steer", start);
}
