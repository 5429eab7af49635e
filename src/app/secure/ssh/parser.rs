//! The walk over a connection: lines, banner, records, and the end of what can be read.

use parse::{Close, Done, Frame, Input, Parser, Settings, Side, Sink, Step};

use super::RECORD;
use super::connection::Connection;
use super::fields::{anomaly, frame, phase};
use super::wire::{Banner, KEXINIT, KeyExchange, Line, NEWKEYS, RECORD_HEADER, Record};

/// A banner has at most 255 bytes (RFC 4253 section 4.2).
const BANNER: usize = 256;
/// Bytes that a server may say before its banner.
const FOREWORD: usize = 16 * 1024;
/// Longest key exchange record that is read.
const KEX: usize = 65_535;

/// One connection.
pub(super) struct Ssh {
    hassh: bool,
    connection: Connection,
    states: (State, State),
    foreword: usize,
    recorded: bool,
}

/// Where one side is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before its banner.
    Start,
    /// Behind a banner that was too long, before the end of its line.
    WaitEol,
    /// At the beginning of a record.
    Records,
    /// At the beginning of the body of a key exchange, of which so many bytes are needed.
    Kex(usize),
    /// Encrypted from here on.
    Finished,
}

/// How a step inside one piece of input ended.
enum Move {
    /// So many bytes are done with; go on.
    On(usize),
    /// So many bytes are needed.
    Need(usize),
    /// All that is there is done with, and so are so many bytes more.
    Skip(u64),
    /// It cannot go on.
    Fail,
}

impl Ssh {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            hassh: settings.hassh,
            connection: Connection::default(),
            states: (State::Start, State::Start),
            foreword: 0,
            recorded: false,
        }
    }

    const fn state(&mut self, side: Side) -> &mut State {
        match side {
            Side::ToServer => &mut self.states.0,
            Side::ToClient => &mut self.states.1,
        }
    }

    /// One step: a line, a record header, the body of a key exchange.
    fn step(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Move {
        match *self.state(input.side) {
            State::Start => self.start(input, sink),
            State::WaitEol => self.rest_of_line(input, sink),
            State::Records => self.record(input, sink),
            State::Kex(length) => self.kex(length, input, sink),
            State::Finished => Move::On(input.data.len()),
        }
    }

    fn start(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Move {
        let Some(line) = Line::read(input.data, input.last) else {
            return self.unended(input, sink);
        };
        let Some(banner) = Banner::read(line.text) else {
            return self.foreword(input.side, line, sink);
        };
        self.connection.banner(input.side, &banner);
        if line.text.len() >= BANNER {
            sink.anomaly(Some(&self.connection), input.side, &anomaly::LONG_BANNER);
        }
        self.banner_done(input.side, sink);
        Move::On(line.len)
    }

    /// A server may say something before its banner (RFC 4253 section 4.2).
    fn foreword(&mut self, side: Side, line: Line<'_>, sink: &mut dyn Sink) -> Move {
        self.foreword += line.len;
        if side == Side::ToServer || line.text.starts_with(b"SSH-") || self.foreword > FOREWORD {
            sink.anomaly(Some(&self.connection), side, &anomaly::INVALID_BANNER);
            return Move::Fail;
        }
        Move::On(line.len)
    }

    /// A line that does not end yet.
    fn unended(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Move {
        let Input { side, data, .. } = input;
        if data.len() < BANNER {
            return Move::Need(data.len() + 1);
        }
        let Some(banner) = Banner::read(data) else {
            if side == Side::ToClient && !data.starts_with(b"SSH-") && data.len() <= FOREWORD {
                return Move::Need(data.len() + 1);
            }
            sink.anomaly(Some(&self.connection), side, &anomaly::INVALID_BANNER);
            return Move::Fail;
        };
        self.connection.banner(side, &banner);
        sink.anomaly(Some(&self.connection), side, &anomaly::LONG_BANNER);
        sink.progress(&self.connection, side, phase::BANNER_WAIT_EOL);
        *self.state(side) = State::WaitEol;
        Move::On(data.len())
    }

    fn rest_of_line(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Move {
        match Line::read(input.data, input.last) {
            Some(line) => {
                self.banner_done(input.side, sink);
                Move::On(line.len)
            }
            // a carriage return waits for what follows it
            None if input.data.ends_with(b"\r") => match input.data.len() {
                1 => Move::Need(2),
                len => Move::On(len - 1),
            },
            None => Move::On(input.data.len()),
        }
    }

    fn banner_done(&mut self, side: Side, sink: &mut dyn Sink) {
        // version 1 has records of its own, and nothing in them that we show
        let first_version = self.connection.peer(side).is_first_version();
        *self.state(side) = if first_version { State::Finished } else { State::Records };
        sink.progress(&self.connection, side, phase::BANNER_DONE);
        let both = Side::BOTH.iter().all(|&side| self.connection.peer(side).has_banner());
        if both && !self.hassh {
            self.write(sink);
        }
    }

    fn record(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Move {
        let Input { side, data, offset, .. } = input;
        let Some(record) = Record::read(data) else { return Move::Need(RECORD_HEADER) };
        let Some(body) = record.body() else {
            sink.anomaly(Some(&self.connection), side, &anomaly::INVALID_RECORD);
            return Move::Fail;
        };
        show(side, offset, u64::from(body), sink);
        let length = usize::try_from(body).unwrap_or(usize::MAX);
        match record.message {
            NEWKEYS => {
                self.finished(side, sink);
                return Move::On(data.len());
            }
            KEXINIT if self.hassh && length < KEX => {
                *self.state(side) = State::Kex(length);
                return Move::On(RECORD_HEADER);
            }
            KEXINIT if self.hassh => sink.anomaly(Some(&self.connection), side, &anomaly::LONG_KEX_RECORD),
            _ => {}
        }
        let there = data.len() - RECORD_HEADER;
        match length.checked_sub(there) {
            Some(missing @ 1..) => Move::Skip(u64::try_from(missing).unwrap_or(u64::MAX)),
            _ => Move::On(RECORD_HEADER + length),
        }
    }

    fn kex(&mut self, length: usize, input: Input<'_>, sink: &mut dyn Sink) -> Move {
        let Some(body) = input.data.get(..length) else { return Move::Need(length) };
        *self.state(input.side) = State::Records;
        if let Some(exchange) = KeyExchange::read(body) {
            self.connection.offer(input.side, &exchange);
            sink.progress(&self.connection, input.side, phase::KEX_DONE);
            if Side::BOTH.iter().all(|&side| self.connection.peer(side).has_offer()) {
                self.write(sink);
            }
        }
        Move::On(length)
    }

    fn finished(&mut self, side: Side, sink: &mut dyn Sink) {
        *self.state(side) = State::Finished;
        sink.progress(&self.connection, side, phase::FINISHED);
        if self.is_over() {
            self.write(sink);
        }
    }

    fn is_over(&self) -> bool {
        self.states == (State::Finished, State::Finished)
    }

    /// Whether both sides agreed on version 1.
    fn is_first_version(&self) -> bool {
        let [client, server] = Side::BOTH.map(|side| self.connection.peer(side));
        let both = client.has_banner() && server.has_banner();
        both && (client.is_first_version() || server.is_first_version())
    }

    fn write(&mut self, sink: &mut dyn Sink) {
        let something = Side::BOTH.iter().any(|&side| self.connection.peer(side).has_banner());
        if something && !std::mem::replace(&mut self.recorded, true) {
            sink.record(&self.connection, Side::ToServer, &RECORD);
        }
    }
}

/// Frames of a record whose header begins at `offset`.
fn show(side: Side, offset: u64, body: u64, sink: &mut dyn Sink) {
    const HEADER: u64 = RECORD_HEADER as u64;
    for (kind, from, len) in
        [(&frame::HEADER, 0, HEADER), (&frame::DATA, HEADER, body), (&frame::PDU, 0, HEADER + body)]
    {
        sink.frame(Frame { kind, side, offset: offset.saturating_add(from), len: Some(len), tx: Some(0) });
    }
}

impl Parser for Ssh {
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let mut eaten = 0;
        while let Some(rest) = input.data.get(eaten..).filter(|rest| !rest.is_empty()) {
            let offset = input.offset.saturating_add(u64::try_from(eaten).unwrap_or(u64::MAX));
            match self.step(Input { data: rest, offset, ..input }, sink) {
                Move::On(more) => eaten += more,
                Move::Need(want) => return Step::Wait { eaten, want },
                Move::Skip(more) => return Step::Skip(more),
                Move::Fail => {
                    self.write(sink);
                    return Step::Fail;
                }
            }
            if self.is_first_version() {
                self.write(sink);
                return Step::Done(Done::Finished);
            }
        }
        if self.is_over() { Step::Done(Done::Encrypted) } else { Step::All }
    }

    fn gap(&mut self, side: Side, _missing: u64, sink: &mut dyn Sink) -> Step {
        if *self.state(side) == State::Finished {
            return Step::All;
        }
        self.write(sink);
        Step::Fail
    }

    fn close(&mut self, _why: Close, sink: &mut dyn Sink) {
        self.write(sink);
    }

    fn transactions(&self) -> u64 {
        1
    }

    fn held(&self) -> usize {
        self.connection.held()
    }
}
