//! Sequences of packets of a few flows: each byte of a stream comes once and in order, and memory stays in its budget.

#![no_main]

use arbitrary::Arbitrary;
use decode::Decoder;
use flow::{Moment, Settings, Side, Table};
use frame::{Checksum, Frame, LinkType, TapId, Timestamp};
use libfuzzer_sys::fuzz_target;
use world::{Builder, Tcp, TcpFlags};

/// One step.
#[derive(Arbitrary, Debug)]
enum Step {
    /// A TCP segment.
    Tcp { flow: u8, from_server: bool, flags: u8, seq: u16, ack: u16, len: u8 },
    /// A datagram.
    Udp { flow: u8, from_server: bool, len: u8 },
    /// So many tenths of a second pass.
    Wait(u16),
    /// Readers eat at most so much at once from now on.
    Eat(u8),
    /// Readers of a flow want nothing any more.
    Stop { flow: u8 },
}

const LIMIT: usize = 1 << 20;

fuzz_target!(|steps: Vec<Step>| {
    let settings = Settings { memory: LIMIT, reassembly_memory: LIMIT, ..Settings::default() };
    let mut table: Table<u64> = Table::new(&settings);
    let mut decoder = Decoder::new(&decode::Settings::default());
    let (mut nanos, mut eat, mut stopped) = (0u64, 255u8, [false; 256]);
    for (number, step) in steps.iter().enumerate() {
        let bytes = match *step {
            Step::Wait(tenths) => {
                nanos += u64::from(tenths) * 100_000_000;
                None
            }
            Step::Eat(most) => {
                eat = most;
                None
            }
            Step::Stop { flow } => {
                stopped[usize::from(flow)] = true;
                None
            }
            Step::Tcp { flow, from_server, flags, seq, ack, len } => {
                let (from, to) = ports(flow, from_server);
                let header =
                    Tcp::new(from, to).flags(TcpFlags(flags)).seq(u32::from(seq)).ack(u32::from(ack));
                Some((flow, ends(from_server).tcp(header).payload(&vec![b'x'; usize::from(len)]).build()))
            }
            Step::Udp { flow, from_server, len } => {
                let (from, to) = ports(flow, from_server);
                Some((flow, ends(from_server).udp(from, to).payload(&vec![b'x'; usize::from(len)]).build()))
            }
        };
        let now = Moment { time: Timestamp::from_nanos(nanos), number: number as u64 + 1 };
        if let Some((flow, bytes)) = bytes {
            packet(&mut table, &mut decoder, &bytes, now, eat, stopped[usize::from(flow)]);
        }
        while let Some((at, _)) = table.pop_ended(now.time) {
            table.remove(at);
        }
        let memory = table.memory();
        assert!(memory.table + memory.reassembly <= 3 * LIMIT, "{memory:?}");
    }
    while let Some(at) = table.pop_any() {
        table.flush(at);
        table.remove(at);
    }
    assert_eq!(table.memory().flows, 0);
});

fn ports(flow: u8, from_server: bool) -> (u16, u16) {
    let client = 40_000 + u16::from(flow);
    if from_server { (80, client) } else { (client, 80) }
}

fn ends(from_server: bool) -> Builder {
    let (client, server) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let (from, to) = if from_server { (server, client) } else { (client, server) };
    Builder::ethernet().ipv4(from, to)
}

fn packet(table: &mut Table<u64>, decoder: &mut Decoder, data: &[u8], now: Moment, eat: u8, stop: bool) {
    let frame = Frame {
        data,
        wire_len: data.len() as u32,
        time: now.time,
        number: now.number,
        link: LinkType(1),
        vlan: None,
        checksum: Checksum::default(),
        tap: TapId::default(),
    };
    let decoded = decoder.decode(&frame);
    let Some(packet) = decoded.packets.first() else { return };
    let bytes = decoded.bytes(&frame, packet);
    let from = packet.payload as usize;
    let payload = &bytes[from..from + packet.payload_len as usize];
    let Ok(turn) = table.turn(packet, payload, now, 0) else { return };
    for side in Side::BOTH {
        if stop {
            table.stop(turn.flow, side);
        }
        let mut place = None;
        for _ in 0..300 {
            let Some((chunk, _)) = table.readable(turn.flow, side) else { break };
            assert!(chunk.data.iter().all(|b| *b == b'x'), "bytes that nobody sent");
            assert!(
                place.is_none_or(|p| p == chunk.offset || chunk.gap > 0),
                "a stream goes on where it was"
            );
            let n = chunk.data.len().min(usize::from(eat));
            place = Some(chunk.offset + n as u64);
            table.eaten(turn.flow, side, n);
            if n == 0 {
                break;
            }
        }
    }
}
