//! The parser: lines of both sides and messages in, exchanges out. Messages pass through; lines and lists are bounded.

use super::exchange::{Exchange, short};
use super::fields::{anomaly, buffer, frame, phase};
use super::wire::{self, Reply, Verb};
use crate::message::{Message, Tell, Told};
use parse::{
    Anomaly, Close, FileEvent, Frame, FrameKind, Input, Parser, Piece, Settings, Side, Sink, Step,
    Transaction,
};
use std::collections::VecDeque;

/// Longest line of either side; the rest of a longer one is passed over.
const LONGEST_LINE: usize = 4096;
/// Commands that may wait for their replies.
const MOST_COMMANDS: usize = 1024;

/// What comes next from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A command.
    Command,
    /// A message, up to a line with nothing but a dot.
    Data {
        /// The next byte begins a line.
        fresh: bool,
    },
    /// So many bytes of a message.
    Chunk { left: u64, last: bool },
}

/// One flow's parser.
#[derive(Debug)]
pub(super) struct Smtp {
    mode: Mode,
    /// The rest of a line that was too long or is missing in part, each side.
    lost: [bool; 2],
    /// Commands that no reply has come to.
    waiting: VecDeque<Verb>,
    /// The server has spoken.
    greeted: bool,
    /// The server takes commands without answering each.
    pipelining: bool,
    helo: Option<Vec<u8>>,
    tx: Option<Exchange>,
    next: u64,
    most_body: u64,
    /// Bytes of the message at hand.
    read: u64,
}

impl Smtp {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            mode: Mode::Command,
            lost: [false; 2],
            waiting: VecDeque::new(),
            greeted: false,
            pipelining: false,
            helo: None,
            tx: None,
            next: 0,
            most_body: settings.body,
            read: 0,
        }
    }

    fn tell(&self, side: Side, what: &'static Anomaly, sink: &mut dyn Sink) {
        sink.anomaly(self.tx.as_ref().map(|tx| tx as &dyn Transaction), side, what);
    }

    fn lost(&mut self, side: Side) -> &mut bool {
        let [client, server] = &mut self.lost;
        if side == Side::ToServer { client } else { server }
    }

    fn frame(
        &self,
        kind: &'static FrameKind,
        side: Side,
        offset: u64,
        len: Option<u64>,
        sink: &mut dyn Sink,
    ) {
        sink.frame(Frame { kind, side, offset, len, tx: self.tx.as_ref().map(|tx| tx.id) });
    }

    /// The next line, and how many bytes are done with before it is read: all of the rest of a lost one.
    fn line<'a>(&mut self, side: Side, rest: &'a [u8], sink: &mut dyn Sink) -> Line<'a> {
        match wire::first_line(rest) {
            Some((_, eaten)) if std::mem::take(self.lost(side)) => Line::Passed(eaten),
            Some((line, eaten)) if line.len() <= LONGEST_LINE => Line::Whole(line, eaten),
            None if !*self.lost(side) && rest.len() <= LONGEST_LINE => Line::Short,
            found => {
                let already = std::mem::replace(self.lost(side), found.is_none());
                if !already {
                    self.tell(side, &anomaly::TRUNCATED_LINE, sink);
                }
                Line::Passed(found.map_or(rest.len(), |(_, eaten)| eaten))
            }
        }
    }

    /// One step of the client's side.
    fn client(&mut self, rest: &[u8], offset: u64, sink: &mut dyn Sink) -> Turn {
        match self.mode {
            Mode::Command => match self.line(Side::ToServer, rest, sink) {
                Line::Whole(line, eaten) => {
                    self.command(line, sink);
                    self.frame(&frame::COMMAND, Side::ToServer, offset, Some(eaten as u64), sink);
                    Turn::Ate(eaten)
                }
                Line::Passed(eaten) => Turn::Ate(eaten),
                Line::Short => Turn::Wait,
            },
            Mode::Data { fresh } => self.data(rest, fresh, sink),
            Mode::Chunk { left, last } => self.chunk(rest, left, last, sink),
        }
    }

    /// Begins a transaction where there is none, or the one before is over.
    fn transaction(&mut self) -> &mut Exchange {
        if self.tx.is_none() {
            self.next += 1;
        }
        let (id, helo) = (self.next.saturating_sub(1), self.helo.as_ref());
        self.tx.get_or_insert_with(|| Exchange::new(id, helo))
    }

    fn command(&mut self, line: &[u8], sink: &mut dyn Sink) {
        let (verb, word) = Verb::of(line);
        let goes_on = matches!(verb, Verb::Reset | Verb::Quit) && self.next > 0;
        if !goes_on {
            self.transaction();
        }
        if !self.greeted {
            self.tell(Side::ToServer, &anomaly::NO_SERVER_WELCOME_MESSAGE, sink);
        }
        match verb {
            Verb::Hello => self.hello(word, sink),
            Verb::Mail => self.mail(word, sink),
            Verb::Recipient => self.transaction().recipient(word),
            Verb::Data => self.begin_data(sink),
            Verb::Chunk => self.begin_chunk(line, sink),
            Verb::Reset | Verb::Tls | Verb::Quit | Verb::Other => {}
        }
        if self.waiting.back().is_some_and(|verb| verb.is_last()) {
            self.tell(Side::ToServer, &anomaly::INVALID_PIPELINED_SEQUENCE, sink);
        }
        if self.waiting.len() < MOST_COMMANDS {
            self.waiting.push_back(verb);
        }
    }

    fn hello(&mut self, word: &[u8], sink: &mut dyn Sink) {
        if self.helo.is_some() {
            return self.tell(Side::ToServer, &anomaly::DUPLICATE_FIELDS, sink);
        }
        self.helo = Some(short(word));
        let helo = self.helo.clone();
        self.transaction().helo = helo;
        sink.host(word);
    }

    fn mail(&mut self, word: &[u8], sink: &mut dyn Sink) {
        let tx = self.transaction();
        if tx.from.is_some() {
            return self.tell(Side::ToServer, &anomaly::DUPLICATE_FIELDS, sink);
        }
        tx.from = Some(short(word));
    }

    fn begin_data(&mut self, sink: &mut dyn Sink) {
        if self.tx.as_ref().is_some_and(|tx| tx.message.is_some()) {
            self.tell(Side::ToServer, &anomaly::UNPARSABLE_CONTENT, sink);
            self.message(sink, |message, tell| message.break_off(tell));
            self.end_file(sink);
        }
        self.begin_message(sink);
        if self.pipelining {
            self.mode = Mode::Data { fresh: true };
        }
    }

    fn begin_message(&mut self, sink: &mut dyn Sink) {
        self.read = 0;
        let tx = self.transaction();
        tx.message = Some(Box::default());
        sink.progress(tx, Side::ToServer, phase::ENVELOPE);
    }

    fn begin_chunk(&mut self, line: &[u8], sink: &mut dyn Sink) {
        let Some((left, last)) = wire::chunk(line) else {
            return self.tell(Side::ToServer, &anomaly::INVALID_BDAT, sink);
        };
        if self.tx.as_ref().is_none_or(|tx| tx.message.is_none()) {
            self.begin_message(sink);
        }
        self.mode = Mode::Chunk { left, last };
        if left == 0 {
            self.end_chunk(last, sink);
        }
    }

    /// Bytes of a message up to its dot; lines that begin with one have it doubled (RFC 5321, 4.5.2).
    fn data(&mut self, rest: &[u8], fresh: bool, sink: &mut dyn Sink) -> Turn {
        let Some((line, eaten)) = wire::first_line(rest) else {
            if fresh && rest.len() <= 2 {
                return Turn::Wait;
            }
            self.feed(unstuffed(rest, fresh), sink);
            self.mode = Mode::Data { fresh: false };
            return Turn::Ate(rest.len());
        };
        if fresh && line == b"." {
            self.mode = Mode::Command;
            self.end_message(sink);
            return Turn::Ate(eaten);
        }
        self.feed(unstuffed(rest.get(..eaten).unwrap_or(rest), fresh), sink);
        self.mode = Mode::Data { fresh: true };
        Turn::Ate(eaten)
    }

    fn chunk(&mut self, rest: &[u8], left: u64, last: bool, sink: &mut dyn Sink) -> Turn {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        self.feed(rest.get(..here).unwrap_or(rest), sink);
        let left = left.saturating_sub(here as u64);
        self.mode = Mode::Chunk { left, last };
        if left == 0 {
            self.end_chunk(last, sink);
        }
        Turn::Ate(here)
    }

    fn end_chunk(&mut self, last: bool, sink: &mut dyn Sink) {
        self.mode = Mode::Command;
        if last {
            self.end_message(sink);
        }
    }

    fn feed(&mut self, data: &[u8], sink: &mut dyn Sink) {
        let room = usize::try_from(self.most_body.saturating_sub(self.read)).unwrap_or(usize::MAX);
        let (data, cut) = data.split_at(room.min(data.len()));
        self.read = self.read.saturating_add(data.len() as u64);
        let mut rest = data;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |lf| lf + 1);
            let (line, behind) = rest.split_at(end);
            self.message(sink, |message, tell| message.feed(line, tell));
            rest = behind;
        }
        if !cut.is_empty() {
            self.message(sink, |message, tell| message.gap(cut.len() as u64, tell));
        }
    }

    /// Has the message at hand do something with no more than one line, and passes on what it tells. A file begins behind
    /// that line, for its event has the message in it.
    fn message(&mut self, sink: &mut dyn Sink, act: impl FnOnce(&mut Message, Tell<'_>)) {
        let Some(tx) = &mut self.tx else { return };
        let Some(mut message) = tx.message.take() else { return };
        let mut begun = None;
        act(&mut message, &mut |told| match told {
            Told::Open(name) => begun = Some(name.to_vec()),
            told => pass_on(tx, told, sink),
        });
        tx.message = Some(message);
        if let Some(name) = begun {
            self.end_file(sink);
            self.begin_file(&name, sink);
        }
    }

    fn begin_file(&mut self, name: &[u8], sink: &mut dyn Sink) {
        if let Some(tx) = &mut self.tx {
            tx.in_file = 0;
            sink.file(tx, Side::ToServer, FileEvent::Open { name, range: None });
        }
    }

    /// Tells how the last attachment ended.
    fn end_file(&mut self, sink: &mut dyn Sink) {
        let Some(tx) = &mut self.tx else { return };
        let Some(end) = tx.ended.take() else { return };
        sink.stream(tx, &buffer::FILE_DATA, Piece { offset: tx.in_file, data: &[], last: true });
        sink.file(tx, Side::ToServer, FileEvent::Close(end));
    }

    fn end_message(&mut self, sink: &mut dyn Sink) {
        self.message(sink, |message, tell| message.finish(tell));
        self.complete(sink);
    }

    /// Nothing of the transaction at hand will follow.
    fn complete(&mut self, sink: &mut dyn Sink) {
        self.end_file(sink);
        if let Some(tx) = self.tx.take() {
            sink.progress(&tx, Side::ToServer, phase::COMPLETE);
            sink.progress(&tx, Side::ToClient, phase::COMPLETE);
            sink.record(&tx, Side::ToServer, &super::RECORD);
        }
    }

    /// One step of the server's side.
    fn server(&mut self, rest: &[u8], offset: u64, sink: &mut dyn Sink) -> Turn {
        match self.line(Side::ToClient, rest, sink) {
            Line::Whole(line, eaten) => {
                self.frame(&frame::RESPONSE, Side::ToClient, offset, Some(eaten as u64), sink);
                self.reply(line, eaten, sink)
            }
            Line::Passed(eaten) => Turn::Ate(eaten),
            Line::Short => Turn::Wait,
        }
    }

    fn reply(&mut self, line: &[u8], eaten: usize, sink: &mut dyn Sink) -> Turn {
        if line.is_empty() {
            return Turn::Ate(eaten);
        }
        let Some(reply) = Reply::of(line) else {
            self.tell(Side::ToClient, &anomaly::INVALID_REPLY, sink);
            return Turn::Fail;
        };
        let Some(verb) = self.waiting.front().copied() else {
            return self.unasked(reply, eaten, sink);
        };
        if !reply.more {
            self.waiting.pop_front();
        } else if self.greeted && line.get(4..).is_some_and(|text| text.eq_ignore_ascii_case(b"pipelining")) {
            self.pipelining = true;
        }
        self.answer(verb, reply, eaten, sink)
    }

    /// A reply to nothing: the welcome, or one that is not awaited.
    fn unasked(&mut self, reply: Reply, eaten: usize, sink: &mut dyn Sink) -> Turn {
        if !self.greeted {
            self.greeted = !reply.more;
            if reply.code != 220 {
                self.tell(Side::ToClient, &anomaly::INVALID_REPLY, sink);
            }
        }
        Turn::Ate(eaten)
    }

    fn answer(&mut self, verb: Verb, reply: Reply, eaten: usize, sink: &mut dyn Sink) -> Turn {
        match (verb, reply.code) {
            (Verb::Tls, 220) if !reply.more => return self.change(eaten, sink),
            (Verb::Tls, code) if code != 220 => self.tell(Side::ToClient, &anomaly::TLS_REJECTED, sink),
            (Verb::Data, 354) if self.mode == Mode::Command => self.mode = Mode::Data { fresh: true },
            (Verb::Data, 354) => {}
            (Verb::Data, _) => self.refused(sink),
            (Verb::Reset, 250) if !reply.more => self.complete(sink),
            _ => {}
        }
        Turn::Ate(eaten)
    }

    fn refused(&mut self, sink: &mut dyn Sink) {
        self.tell(Side::ToClient, &anomaly::DATA_COMMAND_REJECTED, sink);
        if matches!(self.mode, Mode::Data { .. }) {
            self.mode = Mode::Command;
        }
    }

    /// From here on both sides speak TLS.
    fn change(&mut self, eaten: usize, sink: &mut dyn Sink) -> Turn {
        if !self.waiting.is_empty() {
            self.tell(Side::ToClient, &anomaly::FAILED_PROTOCOL_CHANGE, sink);
        }
        self.complete(sink);
        Turn::Switch(eaten)
    }
}

/// What one look for a line gave.
enum Line<'a> {
    Whole(&'a [u8], usize),
    /// So many bytes are passed over.
    Passed(usize),
    /// Its end has not come.
    Short,
}

/// What one look at the input gave.
enum Turn {
    Ate(usize),
    Wait,
    Switch(usize),
    Fail,
}

/// A line of a message without the dot that was put before it.
fn unstuffed(line: &[u8], fresh: bool) -> &[u8] {
    line.strip_prefix(b".").filter(|_| fresh).unwrap_or(line)
}

/// What a message tells, told of its transaction.
fn pass_on(tx: &mut Exchange, told: Told<'_>, sink: &mut dyn Sink) {
    match told {
        Told::Open(_) => {}
        Told::Data(data) => {
            sink.stream(tx, &buffer::FILE_DATA, Piece { offset: tx.in_file, data, last: false });
            sink.file(tx, Side::ToServer, FileEvent::Data(data));
            tx.in_file = tx.in_file.saturating_add(data.len() as u64);
        }
        Told::Gap(missing) => {
            tx.in_file = tx.in_file.saturating_add(missing);
            sink.file(tx, Side::ToServer, FileEvent::Gap(missing));
        }
        Told::Close(end) => tx.ended = Some(end),
        Told::Flaw(what) => sink.anomaly(Some(tx), Side::ToServer, what),
    }
}

impl Parser for Smtp {
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let mut at = 0;
        loop {
            let rest = input.data.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Step::All;
            }
            let offset = input.offset.saturating_add(at as u64);
            let turn = match input.side {
                Side::ToServer => self.client(rest, offset, sink),
                Side::ToClient => self.server(rest, offset, sink),
            };
            match turn {
                Turn::Ate(eaten) => at += eaten,
                Turn::Wait if input.last => return Step::All,
                Turn::Wait => return Step::Wait { eaten: at, want: rest.len() + 1 },
                Turn::Switch(eaten) => return Step::Switch { eaten: at + eaten, to: Some("tls") },
                Turn::Fail => return Step::Fail,
            }
        }
    }

    fn gap(&mut self, side: Side, missing: u64, sink: &mut dyn Sink) -> Step {
        match (side, self.mode) {
            (Side::ToClient, _) => {
                // Which command the next reply belongs to is not known any more.
                self.waiting.clear();
                *self.lost(side) = true;
            }
            (Side::ToServer, Mode::Command) => *self.lost(side) = true,
            (Side::ToServer, Mode::Data { .. }) => {
                self.mode = Mode::Data { fresh: false };
                self.message(sink, |message, tell| message.gap(missing, tell));
            }
            (Side::ToServer, Mode::Chunk { left, last }) => {
                let here = left.min(missing);
                self.message(sink, |message, tell| message.gap(here, tell));
                self.mode = Mode::Chunk { left: left - here, last };
                if left == here {
                    self.end_chunk(last, sink);
                    *self.lost(side) = missing > left;
                }
            }
        }
        Step::All
    }

    fn close(&mut self, _why: Close, sink: &mut dyn Sink) {
        self.message(sink, |message, tell| message.break_off(tell));
        self.complete(sink);
    }

    fn transactions(&self) -> u64 {
        self.next
    }

    fn held(&self) -> usize {
        size_of::<Self>()
            + self.waiting.capacity() * size_of::<Verb>()
            + self.helo.as_ref().map_or(0, Vec::capacity)
            + self.tx.as_ref().map_or(0, Exchange::held)
    }
}
