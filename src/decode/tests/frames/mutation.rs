//! Frames with random damage: nothing panics, and every promise about a result still holds.

use decode::{Decoder, Settings};
use frame::LinkType;

use crate::build::*;

/// Marsaglia's xorshift: the same damage in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }
}

fn seeds() -> Vec<(LinkType, Vec<u8>)> {
    let (ip, six) = (inner4(), ip6(0, &join(&[&[17, 0, 5, 2, 0, 0, 1, 0], &udp(1111, 2222, b"inner")])));
    let syn = ip4_with(6, 1, 0, &[148, 4, 0, 0, 1, 1, 1, 0], &tcp(&[2, 4, 5, 0xb4, 4, 2, 1, 1], b"GET /"));
    let frame = eth(0x0800, &syn);
    let vxlan = ip4(17, &udp(5555, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 42, 0], &frame])));
    let geneve = ip4(17, &udp(5555, 6081, &join(&[&[1, 0x40, 0x65, 0x58, 0, 0, 9, 0, 1, 8, 1, 0], &frame])));
    let gtp =
        ip4(17, &udp(2152, 2152, &join(&[&[0x34, 255, 0, 41, 0, 0, 0, 5, 0, 0, 0, 0x85, 1, 0, 0, 0], &ip])));
    let teredo = ip4(17, &udp(3544, 3544, &join(&[&[0, 0, 1, 2, 3, 4, 5, 6], &six])));
    let erspan = ip4(47, &join(&[&[0x10, 0, 0x88, 0xbe], &[0; 4], &[0x10, 23, 0, 1, 0, 0, 0, 0], &frame]));
    let pptp = ip4(47, &join(&[&[0x30, 0x81, 0x88, 0x0b], &[0; 12], &[0xff, 3, 0, 0x21], &ip]));
    let error = ip4(1, &join(&[&[3, 1, 0, 0, 0, 0, 0, 0], &syn]));
    let error6 = ip6(58, &join(&[&[1, 4, 0, 0, 0, 0, 0, 0], &six]));
    let piece = ip4_with(17, 9, 0x2000, &[], &udp(1111, 2222, &[7; 24]));
    let piece6 = ip6(44, &join(&[&[17, 0, 0, 8, 0, 0, 0, 1], &[7; 16]]));
    let llc = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip]);
    let wifi = join(&[
        &[0x88, 1, 0, 0],
        &[7; 18],
        &[0, 0, 0x80, 0],
        &[1; 12],
        &[0, 41],
        &llc,
        &[0; 3],
        &[1; 12],
        &[0, 41],
        &llc,
    ]);
    let mut all: Vec<(LinkType, Vec<u8>)> =
        [&syn, &vxlan, &geneve, &gtp, &teredo, &erspan, &pptp, &error, &piece]
            .map(|p| (LinkType::ETHERNET, eth(0x0800, p)))
            .into();
    all.extend([&six, &error6, &piece6].map(|p| (LinkType::ETHERNET, eth(0x86dd, p))));
    all.extend([
        (LinkType::ETHERNET, eth(0x88a8, &tag(1, 0x8100, &tag(2, 0x8847, &join(&[&[0, 1, 1, 64], &ip]))))),
        (LinkType::ETHERNET, eth(0x8864, &join(&[&[0x11, 0, 0, 1, 0, 35, 0, 0x21], &ip]))),
        (LinkType::ETHERNET, eth(0x8863, &[0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0])),
        (LinkType::ETHERNET, eth(0x894f, &join(&[&[0, 2, 2, 3], &[0; 4], &frame]))),
        (LinkType::ETHERNET, eth(0x22f3, &join(&[&[0, 0x40, 0, 1, 0, 2], &[0; 4], &frame]))),
        (LinkType::ETHERNET, eth(0x0806, &join(&[&[0, 1, 8, 0, 6, 4, 0, 1], &[1; 20]]))),
        (LinkType::IEEE802_11, wifi.clone()),
        (
            LinkType::IEEE802_11_RADIOTAP,
            join(&[&[0, 0, 17, 0, 3, 0, 0, 0], &[0; 8], &[0x10], &wifi, &[9; 4]]),
        ),
        (LinkType::LINUX_SLL, join(&[&[0; 14], &[8, 0], &ip])),
        (LinkType::LINUX_SLL2, join(&[&[0x86, 0xdd], &[0; 18], &six])),
        (LinkType::NULL, join(&[&[30, 0, 0, 0], &six])),
        (LinkType::PPP, join(&[&[0xff, 3, 0, 0x21], &ip])),
        (LinkType::PPP_ETHER, join(&[&[0x11, 0, 0, 1, 0, 35, 0, 0x21], &ip])),
        (LinkType::C_HDLC, join(&[&[0x0f, 0, 8, 0], &ip])),
        (LinkType::RAW, six.clone()),
    ]);
    all
}

#[test]
fn a_hundred_thousand_damaged_frames() {
    let seeds = seeds();
    let mut dice = Dice(0x0123_4567_89ab_cdef);
    let mut decoder = Decoder::new(&Settings { checksums: true, ..Settings::default() });
    for round in 0..100_000 {
        let (link, data) = &seeds[round % seeds.len()];
        let mut data = data.clone();
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(data.len());
            data[at] =
                [0, 0xff, u8::try_from(dice.roll(256)).unwrap(), data[at] ^ 1 << dice.roll(8)][dice.roll(4)];
        }
        if dice.roll(4) == 0 {
            data.truncate(dice.roll(data.len() + 1));
        }
        let mut frame = frame(*link, &data);
        frame.wire_len += u32::try_from(dice.roll(2) * dice.roll(2) * dice.roll(2000)).unwrap();
        frame.time = frame::Timestamp::from_nanos(1_000_000 * u64::try_from(round).unwrap());
        look_with(&mut decoder, &frame);
    }
    assert!(decoder.counters().reassembled > 0);
    assert!(decoder.counters().malformed > 1000);
}
