//! Parse and emit are inverses, whatever was said.

use super::*;

const ROUNDS: u32 = 20_000;

/// SplitMix64: the same numbers on every run.
struct Numbers(u64);

impl Numbers {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn words(&mut self) -> Words {
        std::array::from_fn(|_| self.word())
    }

    fn half(&mut self) -> u32 {
        (self.word() >> 32) as u32
    }

    fn quarter(&mut self) -> u16 {
        (self.word() >> 48) as u16
    }

    fn yes(&mut self) -> bool {
        self.word() >> 63 != 0
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.yes().then(|| value(self))
    }

    /// Anything that a device could say in this format.
    fn write_back(&mut self, format: Format) -> WriteBack {
        let legacy = format == Format::Legacy;
        WriteBack {
            length: self.quarter() & 0x3FFF,
            last: self.yes(),
            ptype: Ptype(self.quarter() & if legacy { 0xFF } else { 0x3FF }),
            hash: self.maybe(Self::half),
            tag1: self.maybe(Self::quarter),
            tag2: self.maybe(Self::quarter),
            cast: Cast::of(self.word()),
            checks: self.checks(legacy),
            error: self.yes(),
            oversize: legacy && self.yes(),
            crc: self.yes(),
            loopback: self.yes(),
            flow: self.flow(format),
            source: (format == Format::Nic2).then(|| self.quarter()),
            time: if matches!(format, Format::Legacy | Format::Comms) {
                None
            } else {
                self.maybe(Self::time)
            },
        }
    }

    fn checks(&mut self, legacy: bool) -> Checks {
        Checks {
            evaluated: self.yes(),
            ipv6_extension: self.yes(),
            ip_bad: self.yes(),
            transport_bad: self.yes(),
            outer_ip_bad: self.yes(),
            outer_udp_bad: !legacy && self.yes(),
        }
    }

    /// A flow id, never the one that stands for none.
    fn flow(&mut self, format: Format) -> Option<u32> {
        let mask = if format == Format::Nic2 { 0x7FFF } else { 0x7FFF_FFFF };
        self.maybe(|numbers| numbers.half() & mask)
    }

    fn time(&mut self) -> DeviceTime {
        DeviceTime { nanoseconds: self.half(), fraction: (self.quarter() & 0x7F) as u8 }
    }
}

/// One profile of each format.
const PROFILES: [u8; 7] = [1, 2, 6, 16, 18, 22, 23];

fn formats() -> impl Iterator<Item = (Rxdid, Format)> {
    PROFILES.into_iter().map(|id| (Rxdid(id), Format::of(Rxdid(id)).unwrap()))
}

#[test]
fn what_is_emitted_is_parsed() {
    let mut numbers = Numbers(1);
    for (rxdid, format) in formats() {
        for _ in 0..ROUNDS {
            let said = numbers.write_back(format);
            let words = format.emit(rxdid, &said);
            assert!(is_done(words[STATUS_WORD]));
            assert_eq!(is_last(words[STATUS_WORD]), said.last);
            assert_eq!(format.length(&words), said.length);
            assert_eq!(format.parse(&words), said, "{rxdid:?} {words:x?}");
        }
    }
}

#[test]
fn what_is_parsed_is_emitted_and_parsed_alike() {
    let mut numbers = Numbers(2);
    for (rxdid, format) in formats() {
        for _ in 0..ROUNDS {
            let said = format.parse(&numbers.words());
            assert_eq!(format.parse(&format.emit(rxdid, &said)), said, "{rxdid:?}");
        }
    }
}

#[test]
fn posting_takes_back_done() {
    let words = Read::post(0x1_2345_6780);
    assert!(!is_done(words[STATUS_WORD]));
    assert_eq!(Read::parse(&words), Read { buffer: 0x1_2345_6780, header: 0 });
    let mut numbers = Numbers(3);
    for _ in 0..ROUNDS {
        let read = Read { buffer: numbers.word(), header: numbers.word() };
        assert_eq!(Read::parse(&read.emit()), read);
    }
}

/// A legacy write-back put together by hand from the offsets of the specification.
#[test]
fn legacy_fields_lie_where_the_specification_draws_them() {
    let mut bytes = [0; BYTES];
    bytes[2..4].copy_from_slice(&0x2064_u16.to_le_bytes());
    bytes[4..8].copy_from_slice(&0xCAFE_F00D_u32.to_le_bytes());
    let status = 0b0011_0001_0000_1111_u64 | 1 << 23;
    let qword1 = status | 26 << 30 | 1514 << 38;
    bytes[8..16].copy_from_slice(&qword1.to_le_bytes());
    bytes[16] = 1;
    bytes[22..24].copy_from_slice(&7_u16.to_le_bytes());
    let said = Format::Legacy.parse(&words_of(bytes));
    assert_eq!((said.length, said.last, said.ptype), (1514, true, Ptype(26)));
    assert_eq!((said.hash, said.tag1, said.tag2), (Some(0xCAFE_F00D), Some(0x2064), Some(7)));
    let transport = Headers { transport: true, ..Headers::default() };
    assert_eq!(said.checks.verdict(), Verdict::Bad(transport));
    assert_eq!((said.flow, said.error, said.crc, said.cast), (None, false, false, Cast::Unicast));
}

/// The same frame in the profile that DPDK asks for.
#[test]
fn flexible_fields_lie_where_the_drivers_read_them() {
    let mut bytes = [0; BYTES];
    bytes[0] = 22;
    bytes[1] = 3 << 6;
    bytes[2..4].copy_from_slice(&0x011A_u16.to_le_bytes());
    bytes[4..6].copy_from_slice(&60_u16.to_le_bytes());
    bytes[8..10].copy_from_slice(&(1_u16 | 2 | 8 | 1 << 12 | 1 << 13).to_le_bytes());
    bytes[10..12].copy_from_slice(&100_u16.to_le_bytes());
    bytes[12..16].copy_from_slice(&[0xFF; 4]);
    bytes[16..18].copy_from_slice(&(1_u16 << 11).to_le_bytes());
    bytes[19] = 5 << 1 | 1;
    bytes[22..24].copy_from_slice(&200_u16.to_le_bytes());
    bytes[24..28].copy_from_slice(&0x1234_5678_u32.to_le_bytes());
    bytes[28..32].copy_from_slice(&999_u32.to_le_bytes());
    let said = Format::Ovs.parse(&words_of(bytes));
    let expected = WriteBack {
        length: 60,
        last: true,
        ptype: Ptype(0x11A),
        hash: Some(0x1234_5678),
        tag1: Some(100),
        tag2: Some(200),
        cast: Cast::Mirrored,
        checks: Checks::GOOD,
        time: Some(DeviceTime { nanoseconds: 999, fraction: 5 }),
        ..WriteBack::default()
    };
    assert_eq!(said, expected);
    assert_eq!(Flex(words_of(bytes)).rxdid(), Rxdid::OVS);
}

fn words_of(bytes: [u8; BYTES]) -> Words {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|n| u64::from_le_bytes(words[n]))
}

#[test]
fn hash_and_tags_need_their_bits() {
    let words = [u64::MAX, 1 | 1 << 12, 0, u64::MAX];
    let said = Format::Legacy.parse(&words);
    assert_eq!((said.hash, said.tag1, said.tag2, said.flow), (None, None, None, None));
    let words = [u64::MAX, 1, 0, u64::MAX];
    for (_, format) in formats() {
        let said = format.parse(&words);
        assert_eq!((said.hash, said.tag1, said.tag2, said.time), (None, None, None, None), "{format:?}");
    }
}

#[test]
fn verdicts_name_the_header() {
    let good = Checks::GOOD;
    assert_eq!(good.verdict(), Verdict::Good);
    assert_eq!(Checks { evaluated: false, ip_bad: true, ..good }.verdict(), Verdict::Unknown);
    let outer = Headers { outer_udp: true, ..Headers::default() };
    assert_eq!(Checks { outer_udp_bad: true, ..good }.verdict(), Verdict::Bad(outer));
    // behind such an extension header the device has not looked at the transport, whatever its bit says
    let extension = Checks { ipv6_extension: true, transport_bad: true, ..good };
    assert_eq!(extension.verdict(), Verdict::Unknown);
}

#[test]
fn a_transport_is_good_where_there_was_one_to_verify() {
    let tcp = Ptype(26).layers().unwrap();
    assert!(Checks::GOOD.transport_is_good(&tcp));
    assert!(!Checks { transport_bad: true, ..Checks::GOOD }.transport_is_good(&tcp));
    assert!(!Checks::default().transport_is_good(&tcp));
    // a fragment, IP alone, ICMP, TCP within a tunnel
    for row in [22, 23, 28, 33] {
        assert!(!Checks::GOOD.transport_is_good(&Ptype(row).layers().unwrap()), "{row}");
    }
}

/// The short answers of the status word alone are those of the whole.
#[test]
fn plain_frames_are_told_by_their_status() {
    let mut numbers = Numbers(4);
    let mut plain = 0;
    for round in 0..ROUNDS {
        let mut said = numbers.write_back(Format::Legacy);
        if round % 2 == 0 {
            (said.error, said.oversize) = (false, false);
            said.checks = Checks { ip_bad: false, outer_ip_bad: false, transport_bad: false, ..said.checks };
        }
        let status = Legacy::emit(&said).0[STATUS_WORD];
        let verdict = Checks { evaluated: true, ..said.checks }.verdict();
        let good = !said.checks.transport_bad && !matches!(verdict, Verdict::Bad(_));
        let expected = said.last && good && !said.error && !said.oversize;
        assert_eq!(Legacy::PLAIN.hold(status), expected, "{said:?}");
        assert_eq!(Legacy::is_tagged(status), said.tag1.is_some());
        assert_eq!(u16::from(Legacy::ptype_of(status)), said.ptype.0);
        if expected {
            plain += 1;
            assert_eq!(Legacy::is_verified(status), said.checks.verdict() == Verdict::Good);
        }
    }
    assert!(plain > ROUNDS / 8, "{plain}");
}

#[test]
fn plain_flexible_frames_are_told_by_their_status() {
    let mut numbers = Numbers(5);
    let mut seen = [0; 3];
    for round in 0..ROUNDS {
        let mut said = numbers.write_back(Format::Ovs);
        if round % 2 == 0 {
            (said.error, said.last) = (false, true);
            said.checks = Checks { evaluated: said.checks.evaluated, ..Checks::GOOD };
        }
        let status = Flex::emit(Format::Ovs, Rxdid::OVS, &said).0[STATUS_WORD];
        let verdict = Checks { evaluated: true, ipv6_extension: false, ..said.checks }.verdict();
        let plain = said.last && verdict == Verdict::Good && !said.error;
        assert_eq!(Flex::PLAIN.hold(status), plain, "{said:?}");
        assert_eq!(Flex::PLAIN_UNMARKED.hold(status), plain && said.flow.is_none(), "{said:?}");
        seen[usize::from(plain) + usize::from(plain && said.flow.is_none())] += 1;
    }
    assert!(seen.iter().all(|seen| *seen > ROUNDS / 8), "{seen:?}");
}

#[test]
fn the_best_profile_that_is_offered() {
    assert_eq!(Rxdid::best(0), Rxdid::LEGACY);
    assert_eq!(Rxdid::best(0b110), Rxdid::NIC);
    assert_eq!(Rxdid::best(0x00C7_0006), Rxdid::OVS);
    assert_eq!(Rxdid::best(1 << 16 | 0b110), Rxdid::COMMS);
    assert_eq!(
        Rxdid::best(1 << 9 | 1 << 21 | 0b10),
        Rxdid(21),
        "one that virtual functions have no format for"
    );
    assert!(Rxdid::PREFERRED.iter().all(|rxdid| Format::of(*rxdid).is_some()));
    assert_eq!(Format::of(Rxdid(7)), None);
}
