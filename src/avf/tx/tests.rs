//! Emit and parse as inverses, and one frame for each rule.

use super::*;

const LIMITS: Limits = Limits { max_frame: 9706 };

fn data(size: u16, last: bool) -> Data {
    Data { buffer: 0x1000, size, last, crc: last, ..Data::default() }
}

fn frame(sizes: &[u16]) -> Vec<Descriptor> {
    let count = sizes.len();
    sizes.iter().enumerate().map(|(n, size)| Descriptor::Data(data(*size, n + 1 == count))).collect()
}

/// A TCP frame for segmentation: headers of 54 bytes in the first buffer.
fn segmented(sizes: &[u16], mss: u16) -> Vec<Descriptor> {
    let given: u32 = sizes.iter().map(|size| u32::from(*size)).sum();
    let segment = Segmentation { payload: given - 54, mss };
    let mut all = vec![Descriptor::Context(Context { segment: Some(segment), ..Context::default() })];
    all.extend(frame(sizes));
    if let Some(Descriptor::Data(first)) = all.get_mut(1) {
        first.headers = HeaderLengths { mac: 14, ip: 20, transport: 20 };
        first.ip = IpOffload::V4Checksum;
        first.transport = TransportOffload::Tcp;
    }
    all
}

#[test]
fn words_are_those_that_drivers_write() {
    // EOP | RS | ICRC: what the Linux driver posts for the end of a frame of 60 bytes
    let words = Data::frame(0xABCD_E000, 60, true).emit();
    assert_eq!(words, [0xABCD_E000, 60 << 34 | 0x7 << 4]);
    let tagged = Data { tag: Some(100), ..Data::frame(0, 60, false) };
    assert_eq!(tagged.emit()[1], 100 << 48 | 60 << 34 | 0xD << 4);
    let offload = Data {
        ip: IpOffload::V4Checksum,
        transport: TransportOffload::Udp,
        headers: HeaderLengths { mac: 14, ip: 20, transport: 8 },
        ..Data::frame(0, 100, false)
    };
    assert_eq!(offload.emit()[1], 100 << 34 | 2 << 30 | 5 << 23 | 7 << 16 | 0x365 << 4);
    let context = Context {
        segment: Some(Segmentation { payload: 0x2_0001, mss: 1448 }),
        tag: Some(7),
        ..Context::default()
    };
    assert_eq!(context.emit(), [7 << 32, 1448 << 50 | 0x2_0001 << 30 | 5 << 4 | 1]);
}

#[test]
fn every_word_that_parses_is_emitted_and_parsed_alike() {
    let mut state = 7_u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    };
    let mut kinds = [0; 4];
    for _ in 0..50_000 {
        let words = [word(), word()];
        let parsed = Descriptor::parse(&words);
        let (kind, again) = match parsed {
            Descriptor::Data(data) => (0, data.emit()),
            Descriptor::Context(context) => (1, context.emit()),
            Descriptor::Done => (2, [0, DONE]),
            Descriptor::Other(kind) => (3, [0, u64::from(kind)]),
        };
        kinds[kind] += 1;
        assert_eq!(Descriptor::parse(&again), parsed);
        assert_eq!(is_done(words[STATUS_WORD]), parsed == Descriptor::Done);
    }
    assert!(kinds.iter().all(|seen| *seen > 1000), "{kinds:?}");
}

#[test]
fn good_frames_pass() {
    for sizes in [&[17][..], &[60], &[9706], &[1213; 8]] {
        assert_eq!(check(&frame(sizes), LIMITS), Ok(()), "{sizes:?}");
    }
    assert_eq!(check(&segmented(&[54, 16_000, 16_000], 1448), LIMITS), Ok(()));
    assert_eq!(check(&segmented(&[1514], 1460), LIMITS), Ok(()));
    assert_eq!(check(&segmented(&[54, 12_000], 9652), LIMITS), Ok(()));
}

#[test]
fn each_rule_is_named() {
    let broken = [
        (frame(&[16]), Violation::TooShort(16)),
        (frame(&[9707]), Violation::TooLong(9707)),
        (frame(&[100; 9]), Violation::TooManyBuffers(9)),
        (frame(&[100, 0, 100]), Violation::ZeroLength),
        (vec![Descriptor::Data(data(60, false))], Violation::NotTerminated),
        (vec![Descriptor::Data(data(60, true)); 2], Violation::NotTerminated),
        (Vec::new(), Violation::NoData),
        (vec![Descriptor::Context(Context::default())], Violation::NoData),
        (vec![Descriptor::Context(Context::default()); 2], Violation::LateContext),
        (vec![Descriptor::Other(8)], Violation::WrongKind(8)),
        (vec![Descriptor::Done], Violation::WrongKind(0xF)),
    ];
    for (frame, violation) in broken {
        assert_eq!(check(&frame, LIMITS), Err(violation), "{violation}");
    }
    assert_eq!(check_tail(511, 512), Ok(()));
    assert_eq!(check_tail(512, 512), Err(Violation::TailOutside { tail: 512, ring: 512 }));
}

#[test]
fn offloads_need_their_lengths() {
    let lengths = HeaderLengths { mac: 14, ip: 20, transport: 8 };
    let udp = Data {
        ip: IpOffload::V4,
        transport: TransportOffload::Udp,
        headers: lengths,
        ..Data::frame(0, 60, true)
    };
    let check_one = |data: Data| check(&[Descriptor::Data(data)], LIMITS);
    assert_eq!(check_one(udp), Ok(()));
    for broken in [
        Data { headers: HeaderLengths::default(), ..udp },
        Data { headers: HeaderLengths { transport: 4, ..lengths }, ..udp },
        Data { ip: IpOffload::None, ..udp },
        Data { size: 41, ..udp },
    ] {
        assert_eq!(check_one(broken), Err(Violation::HeaderLengths), "{broken:?}");
    }
}

#[test]
fn segmentation_has_rules_of_its_own() {
    let broken = [
        (segmented(&[54, 4000], 255), Violation::SegmentSize(255)),
        (segmented(&[54, 12_000], 9669), Violation::SegmentSize(9669)),
        (segmented(&[54, 12_000], 9668), Violation::TooLong(9722)),
        // one segment of 1,460 bytes gathers the headers and eight pieces
        (segmented(&[54, 100, 100, 100, 100, 100, 100, 100, 760, 900], 1460), Violation::TooManyBuffers(9)),
    ];
    for (frame, violation) in broken {
        assert_eq!(check(&frame, LIMITS), Err(violation), "{violation}");
    }
    let mut wrong = segmented(&[54, 4000], 1448);
    wrong.truncate(1);
    wrong.extend(segmented(&[54, 3000], 1448).into_iter().skip(1));
    assert_eq!(check(&wrong, LIMITS), Err(Violation::SegmentLength { stated: 4054, given: 3054 }));
    // more than eight buffers are fine as long as no segment gathers more than eight
    assert_eq!(check(&segmented(&[54, 700, 700, 700, 700, 700, 700, 700, 700, 700], 1400), LIMITS), Ok(()));
}
