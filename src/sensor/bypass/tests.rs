//! The kernel, the walk in Rust and the decoder find the same flow in a frame; and what becomes of flows that are asked for.

use crate::source::tests::{frame, frames_below};
use crate::source::tunnels;
use capture::ebpf::{At, FilterError, FilterSettings, Show, ask};
use decode::{Decoder, Network, Settings, Transport};
use frame::Frame;
use frame::bypass::{Half, Kind};
use std::path::Path;

fn filter(settings: &Settings) -> FilterSettings {
    let levels = decode::levels(settings);
    FilterSettings { tunnels: tunnels(settings), levels, raw_link: false, ipv4: 64, ipv6: 64 }
}

fn stripping() -> Settings {
    let mut settings = Settings::default();
    settings.mirror.strip = true;
    settings.mirror.sessions =
        ["vxlan to any tenant vni", "geneve to any tenant endpoint", "erspan to any tenant session"]
            .map(|line| line.parse().expect("a session"))
            .to_vec();
    settings
}

/// How often each of them found something.
#[derive(Debug, Default)]
struct Found {
    frames: u32,
    halves: u32,
    in_tunnels: u32,
    /// Frames that the kernel was asked about.
    asked: u32,
    /// TCP and UDP that the decoder gave and the walk did not: fragments, ends of connections, doubtful headers.
    passed: u32,
}

/// Shows every frame of the bundled captures and the corpora, and of both with a byte changed here and there.
fn frames(look: &mut dyn FnMut(&[u8])) {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/bundled");
    let corpora = std::env::var_os("VIGIE_CORPORA").map(|c| Path::new(&c).join("tcpdump/pcaps"));
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for folder in [Some(bundled), corpora].into_iter().flatten() {
        frames_below(&folder, 300, &mut |data| {
            look(data);
            let mut damaged = data.to_vec();
            for _ in 0..2 {
                random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                let at = usize::try_from(random >> 33).expect("31 bits") % damaged.len().clamp(1, 120);
                if let Some(byte) = damaged.get_mut(at) {
                    *byte ^= u8::try_from(random >> 20 & 0xff).expect("8 bits");
                }
            }
            look(&damaged);
        });
    }
}

/// What the decoder's innermost packet says is what the half says.
fn decoder_agrees(decoder: &mut Decoder, frame: &Frame<'_>, half: &Half) -> bool {
    let decoded = decoder.decode(frame);
    let Some(packet) = decoded.packets.last() else { return false };
    let Network::Ip(ip) = &packet.network else { return false };
    let ports = match packet.transport {
        Transport::Tcp(tcp) => [tcp.src_port, tcp.dst_port],
        Transport::Udp(src, dst) | Transport::Sctp(src, dst) => [src, dst],
        _ => return false,
    };
    let bytes = |address: decode::Address| match (ip.version, address.0) {
        (4, [.., a, b, c, d]) => [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        (_, all) => all,
    };
    (half.ends.src, half.ends.dst, half.ends.ports) == (bytes(ip.src), bytes(ip.dst), ports)
        && (half.protocol, half.version) == (ip.protocol, ip.version)
        && half.ends.vlans == packet.vlans.ids
}

fn compare(settings: &Settings, show: Option<&Show<'_>>) -> Found {
    let mut counts = Found::default();
    frames(&mut |data| {
        let seen = frame(data);
        let found = decode::half(settings, &seen);
        // What is shorter than an Ethernet header and a byte, the kernel does not run a program on.
        if let (Some(show), true) = (show, data.len() > 14) {
            let alike = show.agrees(data, found.as_ref().map(|f| (&f.half, f.inner)));
            // It runs none on frames of more than a page either.
            counts.asked += u32::from(alike.is_ok());
            assert!(!matches!(alike, Ok(false)), "{found:?} {data:02x?}");
        }
        counts.frames += 1;
        let mut decoder = Decoder::new(settings);
        match found {
            Some(found) => {
                counts.halves += 1;
                counts.in_tunnels += u32::from(found.half.around.levels[0].kind != Kind::None);
                assert!(decoder_agrees(&mut decoder, &seen, &found.half), "{found:?} {data:02x?}");
            }
            None => {
                let transport = decoder.decode(&seen).packets.last().map(|packet| packet.transport);
                counts.passed += u32::from(matches!(transport, Some(Transport::Tcp(_) | Transport::Udp(..))));
            }
        }
    });
    counts
}

#[test]
fn the_kernel_and_we_find_the_same_halves() {
    for settings in [Settings::default(), stripping()] {
        for at in [At::Socket, At::Interface] {
            let ran = ask(&filter(&settings), at, |show| {
                let counts = compare(&settings, Some(show));
                assert!(counts.asked > counts.frames / 10 * 9, "{counts:?}");
            });
            match ran {
                Ok(()) => {}
                Err(FilterError::Trial(what)) => panic!("{what}"),
                Err(why) => {
                    assert!(why.to_string().contains("Operation not permitted"), "{why}");
                    eprintln!("skipped: {why}");
                }
            }
        }
    }
}

#[test]
fn what_the_walk_finds_the_decoder_finds() {
    for settings in [Settings::default(), stripping()] {
        let counts = compare(&settings, None);
        eprintln!("{counts:?}");
        assert!(counts.frames > 2_000 && counts.in_tunnels > 20, "{counts:?}");
        assert!(counts.halves > counts.passed, "{counts:?}");
    }
}
