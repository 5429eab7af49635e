//! How long one turn takes, with few and with many flows, and what a flow costs.
//!
//! `cargo run --release -p flow --example turn [flows ...]`; without numbers: 1, one million, four million.
//! Each run makes its flows by handshakes, then sends rounds of data and acknowledgments over all of them in an order
//! that no cache likes, then a flood of SYN. Times are per packet; the longest single call is told for each part, by the
//! clock on the wall and by the thread's own: what the first has more is somebody else's.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing
)]

use decode::tcp_flags::{ACK, PSH, SYN};
use decode::{Address, Ip, Network, Packet, Tcp, Transport};
use flow::{Moment, Settings, Side, Table};
use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

const PAYLOAD: [u8; 512] = [b'x'; 512];

fn main() {
    let asked: Vec<u32> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let runs = if asked.is_empty() { vec![1, 1_000_000, 4_000_000] } else { asked };
    for flows in runs {
        run(flows);
    }
}

/// Both clocks of a call: on the wall, and of this thread. Where they differ, somebody else had the processor.
struct Call {
    wall: Instant,
    thread: Duration,
}

impl Call {
    fn begin() -> Self {
        Self { thread: thread_time(), wall: Instant::now() }
    }

    fn end(self) -> (Duration, Duration) {
        let wall = self.wall.elapsed();
        (wall, thread_time().saturating_sub(self.thread))
    }
}

/// What is measured of one part. Every eighth packet is timed on its own; the mean is processor time over all.
#[derive(Default)]
struct Part {
    packets: u64,
    started: u64,
    /// Page faults before it.
    faults: i64,
    /// Longest call by the clock on the wall, and by the thread's own.
    longest: Duration,
    busiest: Duration,
    /// Calls that took more than a millisecond, by either.
    late: [u64; 2],
}

impl Part {
    fn begin() -> Self {
        Self { started: processor_nanos(), faults: faults(), ..Self::default() }
    }

    fn took(&mut self, call: Option<Call>) {
        self.packets += 1;
        let Some((wall, thread)) = call.map(Call::end) else { return };
        self.longest = self.longest.max(wall);
        self.busiest = self.busiest.max(thread);
        let [by_wall, by_thread] = &mut self.late;
        *by_wall += u64::from(wall > LATE);
        *by_thread += u64::from(thread > LATE);
    }

    fn tell(&self, name: &str) {
        let each = (processor_nanos() - self.started) as f64 / self.packets.max(1) as f64;
        let (longest, busiest) = (self.longest.as_micros(), self.busiest.as_micros());
        let [by_wall, by_thread] = self.late;
        println!(
            "  {name:<6}{:>10} packets {each:>7.1} ns each, longest call {longest} us, {busiest} us of them ours; \
             over 1 ms: {by_wall}, ours {by_thread}; {} page faults",
            self.packets,
            faults() - self.faults
        );
    }
}

/// No call is to take longer.
const LATE: Duration = Duration::from_millis(1);

/// What this thread has spent on a processor, to the nanosecond.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Pages that were not there when they were touched.
fn faults() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.minor_page_faults())
}

/// Nanoseconds that this thread was on a processor.
fn processor_nanos() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

struct World {
    table: Table<u64>,
    number: u64,
    skew: u64,
    read: u64,
}

impl World {
    fn turn(&mut self, packet: &Packet, payload: &[u8], part: &mut Part) {
        self.number += 1;
        let time = self.time();
        let call = self.number.is_multiple_of(8).then(Call::begin);
        let turn = self.table.turn(packet, payload, Moment { time, number: self.number }, 0);
        if let Ok(turn) = turn {
            for side in [turn.side.other(), turn.side] {
                if turn.readable[side.index()] {
                    self.read(turn.flow, side);
                }
            }
            if turn.ended || self.number.is_multiple_of(1_000_000) {
                while let Some((flow, _)) = self.table.pop_ended(time) {
                    self.table.remove(flow);
                }
            }
        }
        part.took(call);
    }

    /// Five minutes in which some flows say something once a minute, and each second asks what has ended; the mean
    /// includes ending and removing the silent ones.
    fn idle(&mut self, flows: u32) {
        let mut part = Part::begin();
        let mut ended = 0;
        let mut asked = Part::begin();
        let most = flows.min(200_000);
        for second in 0..300u64 {
            self.skew += 1_000_000_000;
            loop {
                let call = Call::begin();
                let next = self.table.pop_ended(self.time());
                asked.took(Some(call));
                let Some((flow, _)) = next else { break };
                self.table.remove(flow);
                ended += 1;
            }
            for n in (0..most).filter(|n| u64::from(*n) % 60 == second % 60) {
                self.turn(&packet(n, Side::ToClient, ACK, 200, 100, &[]), &[], &mut part);
            }
        }
        part.tell("idle");
        asked.tell("asked");
        println!("  of them {ended} gave a flow");
    }

    fn time(&self) -> frame::Timestamp {
        frame::Timestamp::from_nanos(1_000_000_000_000 + self.number * 1_000 + self.skew)
    }

    fn read(&mut self, flow: flow::FlowRef, side: Side) {
        while let Some((chunk, a)) = self.table.readable(flow, side) {
            let n = chunk.data.len();
            *a += n as u64;
            self.read += n as u64;
            self.table.eaten(flow, side, n);
        }
    }
}

fn packet(flow: u32, side: Side, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Packet {
    let client = (Address::v4((0x0a00_0000 + flow).to_be_bytes()), 1_024 + (flow % 60_000) as u16);
    let server = (Address::v4([192, 168, 0, 1]), 443);
    let (src, dst) = if side == Side::ToServer { (client, server) } else { (server, client) };
    let ip = Ip { version: 4, protocol: 6, ttl: 64, src: src.0, dst: dst.0, ..Ip::default() };
    let tcp = Tcp { src_port: src.1, dst_port: dst.1, seq, ack, flags, window: 60_000, ..Tcp::default() };
    Packet {
        network: Network::Ip(ip),
        transport: Transport::Tcp(tcp),
        payload_len: payload.len() as u32,
        length: 54 + payload.len() as u32,
        ..Packet::default()
    }
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4_096
}

fn run(flows: u32) {
    let before = resident();
    let memory = (flows as usize * 340).max(1 << 20);
    let settings = Settings { memory, depth: 0, ..Settings::default() };
    let mut world = World { table: Table::new(&settings), number: 0, skew: 0, read: 0 };
    let most = world.table.memory().most;
    println!("{flows} flows (room for {most}), budget {} MiB", memory >> 20);
    let mut open = Part::begin();
    for n in 0..flows {
        world.turn(&packet(n, Side::ToServer, SYN, 99, 0, &[]), &[], &mut open);
        world.turn(&packet(n, Side::ToClient, SYN | ACK, 199, 100, &[]), &[], &mut open);
        world.turn(&packet(n, Side::ToServer, ACK, 100, 200, &[]), &[], &mut open);
    }
    open.tell("open");
    let each = (resident() - before) / flows as usize;
    println!("  resident after opening: {each} bytes a flow");
    let mut data = Part::begin();
    let rounds = (4_000_000 / flows).clamp(1, 50_000);
    for round in 0..rounds {
        let seq = 100 + round * PAYLOAD.len() as u32;
        for n in 0..flows {
            // A walk that never meets its neighbour.
            let n = (u64::from(n) * 2_654_435_761 % u64::from(flows)) as u32;
            world.turn(&packet(n, Side::ToServer, PSH | ACK, seq, 200, &PAYLOAD), &PAYLOAD, &mut data);
            let ack = seq + PAYLOAD.len() as u32;
            world.turn(&packet(n, Side::ToClient, ACK, 200, ack, &[]), &[], &mut data);
        }
    }
    data.tell("data");
    world.idle(flows);
    let mut flood = Part::begin();
    for n in 0..1_000_000 {
        world.turn(&packet(0x7000_0000 + n, Side::ToServer, SYN, n, 0, &[]), &[], &mut flood);
    }
    flood.tell("flood");
    let c = world.table.counters();
    let memory = world.table.memory();
    assert!(world.read == c.delivered && world.read + memory.stored == c.payload, "{c:?}");
    println!(
        "  read {} MiB, evicted {}, refused {}",
        world.read >> 20,
        c.evicted_new + c.evicted_half,
        c.table_full
    );
}
