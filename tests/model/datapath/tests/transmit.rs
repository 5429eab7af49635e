use avf::tx::{Context, Data, HeaderLengths, IpOffload, Segmentation, TransportOffload, Violation};
use avf::virtchnl::Opcode;

use super::{tcp, udp};
use crate::datapath::sight::{Ports, look};
use crate::datapath::{Malice, flush, sums};
use crate::rig::{OWN, Rig, Setting};
use crate::vf::Direction;
use crate::{Options, Persona};

/// A frame that the function sends.
fn from_us(mut frame: Vec<u8>) -> Vec<u8> {
    let (destination, source) = frame.split_at_mut(6);
    destination.swap_with_slice(&mut source[..6]);
    frame
}

#[test]
fn a_frame_leaves_as_it_was_posted() {
    let mut rig = Rig::lenient();
    let frame = from_us(udp(300));
    rig.transmit(1, &frame);
    assert_eq!(rig.model.wire.take(), Some(frame.clone()));
    assert_eq!(rig.reported(1), [0]);
    let statistics = rig.statistics();
    assert_eq!((statistics.tx_unicast, statistics.tx_bytes), (1, frame.len() as u64));
}

#[test]
fn buffers_are_joined_and_frames_padded() {
    let mut rig = Rig::lenient();
    let frame = from_us(udp(200));
    let buffer = rig.stage(0, &frame);
    let part = |from: u64, size: u16, last: bool| {
        Data { buffer: buffer + from, size, last, report: last, crc: true, ..Data::default() }.emit()
    };
    rig.post_tx(0, &[part(0, 14, false), part(14, 100, false), part(114, frame.len() as u16 - 114, true)]);
    assert_eq!(rig.model.wire.take(), Some(frame));
    assert_eq!(rig.reported(0), [2]);
    rig.transmit(0, &from_us(udp(1))[..43]);
    assert_eq!(rig.model.wire.take().map(|frame| frame.len()), Some(60));
}

#[test]
fn a_frame_waits_for_its_end() {
    let mut rig = Rig::lenient();
    let frame = from_us(udp(100));
    let buffer = rig.stage(0, &frame);
    let mut first = Data::frame(buffer, 60, false);
    first.last = false;
    rig.post_tx(0, &[first.emit()]);
    assert!(rig.model.wire.is_empty() && rig.model.malice.is_none());
    rig.post_tx(0, &[Data::frame(buffer + 60, frame.len() as u16 - 60, true).emit()]);
    assert_eq!(rig.model.wire.take(), Some(frame));
}

#[test]
fn reports_wait_for_their_line() {
    let mut rig = Rig::running(Persona::i40e(), Options::default(), Setting::default());
    let frame = from_us(udp(20));
    for _ in 0..3 {
        rig.transmit(0, &frame);
        assert!(rig.reported(0).is_empty());
    }
    rig.transmit(0, &frame);
    assert_eq!(rig.reported(0), [0, 1, 2, 3]);
    rig.transmit(0, &frame);
    assert_eq!(rig.reported(0).len(), 4);
    assert!(flush(&mut rig.model, Direction::Tx, 0));
    assert_eq!(rig.reported(0).len(), 5);
}

#[test]
fn the_ring_goes_round() {
    let mut rig = Rig::lenient();
    for n in 0..200 {
        rig.transmit(3, &from_us(udp(n)));
    }
    assert_eq!(rig.model.wire.len(), 200);
    assert_eq!(rig.reported(3).len(), 64);
}

/// What a driver leaves in the field: the sum of the pseudo header, not complemented.
fn seed(frame: &mut [u8], field: usize, protocol: u8, length: usize) {
    let sum = !sums::of_segment(sums::pseudo(&frame[26..34], protocol, length), &[]);
    frame[field..field + 2].copy_from_slice(&sum.to_be_bytes());
}

fn offload(frame: &[u8], buffer: u64, transport: TransportOffload, header: u16) -> Data {
    Data {
        ip: IpOffload::V4Checksum,
        transport,
        headers: HeaderLengths { mac: 14, ip: 20, transport: header },
        ..Data::frame(buffer, frame.len() as u16, true)
    }
}

#[test]
fn checksums_are_written() {
    let mut rig = Rig::lenient();
    for (whole, transport, header, field, protocol) in [
        (from_us(udp(77)), TransportOffload::Udp, 8, 40, 17),
        (from_us(tcp(b"hello", |tcp| tcp)), TransportOffload::Tcp, 20, 50, 6),
    ] {
        let mut frame = whole.clone();
        frame[24..26].fill(0xEE);
        let length = frame.len() - 34;
        seed(&mut frame, field, protocol, length);
        let buffer = rig.stage(0, &frame);
        rig.post_tx(0, &[offload(&frame, buffer, transport, header).emit()]);
        let mut expected = whole;
        expected.resize(expected.len().max(60), 0);
        assert_eq!(rig.model.wire.take(), Some(expected));
    }
}

#[test]
fn a_wrong_seed_makes_a_wrong_checksum() {
    let mut rig = Rig::lenient();
    let mut frame = from_us(udp(77));
    frame[40..42].fill(0);
    let buffer = rig.stage(0, &frame);
    rig.post_tx(0, &[offload(&frame, buffer, TransportOffload::Udp, 8).emit()]);
    assert!(look(&rig.model.wire.take().unwrap(), Ports::default()).checks.transport_bad);
}

#[test]
fn segments_are_cut() {
    let mut rig = Rig::lenient();
    let payload: Vec<u8> = (0..10_000_u32).map(|n| (n % 253) as u8).collect();
    let mut frame = from_us(tcp(&payload, |mut tcp| {
        (tcp.ack, tcp.psh, tcp.fin, tcp.cwr) = (true, true, true, true);
        tcp
    }));
    seed(&mut frame, 50, 6, 0);
    let buffer = rig.stage(0, &frame);
    let segment = Some(Segmentation { payload: payload.len() as u32, mss: 1448 });
    let context = Context { segment, ..Context::default() };
    let whole = offload(&frame, buffer, TransportOffload::Tcp, 20);
    rig.post_tx(0, &[context.emit(), whole.emit()]);
    assert_eq!(rig.model.malice, None);
    let mut sent = Vec::new();
    while let Some(frame) = rig.model.wire.take() {
        let checks = look(&frame, Ports::default()).checks;
        assert!(checks.evaluated && !checks.ip_bad && !checks.transport_bad);
        let at = sent.len();
        assert_eq!(frame[38..42], (7 + at as u32).to_be_bytes());
        let last = at + frame.len() - 54 == payload.len();
        assert_eq!(frame[47] & 0x09 != 0, last);
        assert_eq!(frame[47] & 0x80 != 0, at == 0);
        sent.extend_from_slice(&frame[54..]);
    }
    assert_eq!(sent, payload);
    assert_eq!(rig.statistics().tx_unicast, 7);
}

#[test]
fn tags_are_inserted() {
    let mut rig = Rig::lenient();
    let frame = from_us(udp(100));
    let buffer = rig.stage(0, &frame);
    rig.post_tx(0, &[Data { tag: Some(0x2005), ..Data::frame(buffer, frame.len() as u16, true) }.emit()]);
    let sent = rig.model.wire.take().unwrap();
    assert_eq!(sent, super::tagged(&frame, 0x8100, 0x2005));
}

#[test]
fn malice_disables_the_function() {
    let frame = from_us(udp(100));
    let data = Data::frame(0, 60, true);
    let cases: [(Vec<[u64; 2]>, Violation); 6] = [
        (vec![Data { size: 0, ..data }.emit()], Violation::ZeroLength),
        (vec![Data { size: 16, ..data }.emit()], Violation::TooShort(16)),
        (vec![Data { size: 9729, ..data }.emit()], Violation::TooLong(9729)),
        (vec![[0, 8]], Violation::WrongKind(8)),
        ((0..9).map(|n| Data { last: n == 8, ..data }.emit()).collect(), Violation::TooManyBuffers(9)),
        (
            vec![
                Context { segment: Some(Segmentation { payload: 100, mss: 64 }), ..Context::default() }
                    .emit(),
                Data {
                    transport: TransportOffload::Tcp,
                    ip: IpOffload::V4,
                    headers: HeaderLengths { mac: 14, ip: 20, transport: 20 },
                    size: 154,
                    ..data
                }
                .emit(),
            ],
            Violation::SegmentSize(64),
        ),
    ];
    for (descriptors, violation) in cases {
        let mut rig = Rig::lenient();
        rig.stage(0, &frame);
        rig.post_tx(0, &descriptors);
        assert_eq!(rig.model.malice, Some(Malice::Transmit { queue: 0, violation }));
        assert!(rig.model.wire.is_empty());
        assert_eq!(rig.send(Opcode::GET_STATS, &[26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), vec![], "silence");
        rig.transmit(1, &frame);
        assert!(rig.model.wire.is_empty(), "all queues stop");
        rig.model.function.forget();
        assert!(!rig.model.function.host.disabled);
    }
}

#[test]
fn a_tail_outside_of_the_ring_is_malice() {
    let mut rig = Rig::lenient();
    crate::datapath::tail_written(&mut rig.model, Direction::Tx, 1, 64);
    let violation = Violation::TailOutside { tail: 64, ring: 64 };
    assert_eq!(rig.model.malice, Some(Malice::Transmit { queue: 1, violation }));
}

#[test]
fn a_buffer_outside_of_memory_stops_the_queue() {
    let mut rig = Rig::lenient();
    rig.post_tx(0, &[Data::frame(0x1000, 60, true).emit()]);
    assert_eq!(rig.model.memory.strays()[0].doing, "transmit buffer");
    assert!(rig.model.wire.is_empty() && rig.model.malice.is_none());
}

#[test]
fn somebody_elses_address_is_not_sent_where_that_is_checked() {
    for spoof_check in [false, true] {
        let options = Options { spoof_check, ..Options::lenient() };
        let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
        rig.transmit(0, &udp(100));
        assert_eq!(rig.model.wire.len(), usize::from(!spoof_check));
        assert_eq!(rig.statistics().tx_errors, u64::from(spoof_check));
        let own = from_us(udp(100));
        assert_eq!(own[6..12], OWN);
        rig.transmit(0, &own);
        assert_eq!(rig.model.wire.len(), 1 + usize::from(!spoof_check));
    }
}

/// As `mdd-auto-reset-vf` makes it.
#[test]
fn a_host_may_reset_whoever_was_malicious() {
    let options = Options { resets_malicious: true, ..Options::lenient() };
    let mut rig = Rig::running(Persona::i40e(), options, Setting::default());
    rig.post_tx(0, &[[0, 8]]);
    assert!(rig.model.is_resetting(), "{}", rig.model.notes);
    assert!(!rig.model.function.host.disabled);
    assert!(rig.model.notes.to_string().contains("transmit queue 0: descriptor of kind 0x8"));
}
