//! The parser: records of both sides, in any cut, into one session.

use parse::{Anomaly, Close, Done, Frame, FrameKind, Input, Parser, Settings, Side, Sink, Step};

use super::catalogue::{self as of, client, server};
use super::handshake::{Next, Partial, Told};
use super::heartbeat::Heartbeat;
use super::session::Session;
use super::sslv2::Old;
use super::wire::{Content, HEADER, Header, LONGEST, SSL2, Short, TLS12, is_version};

/// Least bytes that a record can have.
const SMALLEST: usize = 6;

/// How a record was taken.
pub(super) enum Taken {
    /// These many bytes are done with.
    Bytes(usize),
    /// So many are needed, counted from the record's first.
    Want(usize),
    /// Everything here and these many more are done with.
    Beyond(usize),
    /// An anomaly was raised; nothing more can be read.
    Bad,
}

/// One flow's parser.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) session: Session,
    partial: [Partial; 2],
    heartbeat: Heartbeat,
    pub(super) old: Old,
    /// Where an application record ends whose end has not come yet.
    until: [u64; 2],
    /// Bytes were lost inside that record.
    torn: [bool; 2],
    cut_header: bool,
    recorded: bool,
    ended: bool,
    fingerprints: bool,
    limit: usize,
}

impl Tls {
    pub(super) fn open(settings: &Settings) -> Box<dyn Parser> {
        Box::new(Self {
            session: Session::new(settings.certificates),
            partial: Default::default(),
            heartbeat: Heartbeat::default(),
            old: Old::default(),
            until: [0; 2],
            torn: [false; 2],
            cut_header: false,
            recorded: false,
            ended: false,
            fingerprints: settings.fingerprints,
            limit: settings.carry,
        })
    }

    pub(super) fn told<'a>(&'a mut self, side: Side, sink: &'a mut dyn Sink) -> Told<'a> {
        Told { session: &mut self.session, side, sink }
    }

    fn records(&mut self, input: &Input<'_>, sink: &mut dyn Sink) -> Step {
        let side = input.side;
        let mut eaten = match self.inside(input) {
            Ok(eaten) => eaten,
            Err(step) => return step,
        };
        let mut left = (input.data.len() / SMALLEST).max(1) + 1;
        while let Some(rest) = input.data.get(eaten..).filter(|rest| !rest.is_empty()) {
            if left == 0 {
                self.told(side, sink).anomaly(&of::TOO_MANY_RECORDS_IN_PACKET);
                return Step::Fail;
            }
            left -= 1;
            let at = input.offset.saturating_add(eaten as u64);
            match self.record(side, rest, at, sink) {
                Taken::Bytes(n) => eaten += n,
                Taken::Want(want) => return Step::Wait { eaten, want },
                Taken::Beyond(n) => {
                    let end = input.offset.saturating_add(input.data.len() as u64).saturating_add(n as u64);
                    self.set_until(side, end);
                    self.settle(sink);
                    return Step::Skip(n as u64);
                }
                Taken::Bad => return Step::Fail,
            }
        }
        self.settle(sink);
        Step::All
    }

    /// Passes over what is left of an application record: the bytes done with, or the step that says all are.
    fn inside(&mut self, input: &Input<'_>) -> Result<usize, Step> {
        let torn = self.torn.get_mut(input.side.index()).is_some_and(std::mem::take);
        let until = self.until.get(input.side.index()).copied().unwrap_or(0);
        if torn && input.offset > until {
            return Err(Step::Fail);
        }
        let left = until.saturating_sub(input.offset);
        let here = input.data.len() as u64;
        if left > here {
            return Err(Step::Skip(left - here));
        }
        Ok(usize::try_from(left).unwrap_or(input.data.len()))
    }

    fn set_until(&mut self, side: Side, end: u64) {
        if let Some(until) = self.until.get_mut(side.index()) {
            *until = end;
        }
    }

    fn record(&mut self, side: Side, rest: &[u8], at: u64, sink: &mut dyn Sink) -> Taken {
        if rest.first().is_some_and(|&byte| Short::begins(byte)) {
            return self.old_record(side, rest, at, sink);
        }
        let Some(header) = Header::parse(rest) else { return Taken::Want(HEADER) };
        let peer = self.session.peer_mut(side);
        let before = if peer.version() == SSL2 { 0 } else { peer.version() };
        // once a hello has named the version, records no longer do
        if !peer.hello || before == 0 {
            peer.set_version(header.version);
        }
        let version = peer.version();
        if header.content == Content::Unknown {
            self.told(side, sink).anomaly(&of::INVALID_RECORD_TYPE);
            // some of the old versions' implementations are known to send their own types
            return if matches!(before, 0x0301 | 0x0302) {
                self.session.peer_mut(side).set_version(before);
                Taken::Bytes(rest.len())
            } else {
                Taken::Bad
            };
        }
        if let Some(what) = header_anomaly(&header, version) {
            self.told(side, sink).anomaly(what);
            return Taken::Bad;
        }
        let whole = HEADER + header.length;
        let Some(body) = rest.get(HEADER..whole) else {
            // an application record is never looked into: its first byte is enough
            if header.content == Content::Application && rest.len() > HEADER {
                frames(side, at, &header, sink);
                self.application(side, sink);
                return Taken::Beyond(whole - rest.len());
            }
            return Taken::Want(if header.content == Content::Application { HEADER + 1 } else { whole });
        };
        frames(side, at, &header, sink);
        if self.content(side, &header, body, at, sink) { Taken::Bytes(whole) } else { Taken::Bad }
    }

    /// Whether reading can go on.
    fn content(&mut self, side: Side, header: &Header, body: &[u8], at: u64, sink: &mut dyn Sink) -> bool {
        match header.content {
            Content::CipherChange => self.cipher_change(side, sink),
            Content::Alert => return self.alert(side, body, sink),
            Content::Handshake if self.is_readable() => {
                frame(side, &of::HANDSHAKE, at, HEADER, body.len(), sink);
                self.handshake(side, body, sink);
            }
            Content::Application => self.application(side, sink),
            Content::Heartbeat => {
                let encrypted = self.session.cipher_changed();
                if let Err(what) = self.heartbeat.take(side, body, encrypted) {
                    self.told(side, sink).anomaly(what);
                    return false;
                }
            }
            Content::Handshake | Content::Unknown => {}
        }
        true
    }

    /// Handshake records are readable until keys change. In TLS 1.3 that message means nothing before the server's
    /// hello (RFC 8446 appendix D.4).
    fn is_readable(&self) -> bool {
        let client = self.session.peer(Side::ToServer);
        !self.session.cipher_changed()
            || client.hello && client.version() > TLS12 && !self.session.peer(Side::ToClient).hello
    }

    fn cipher_change(&mut self, side: Side, sink: &mut dyn Sink) {
        self.session.peer_mut(side).cipher_changed = true;
        if side == Side::ToServer {
            self.told(side, sink).reach(side, client::HANDSHAKE_DONE);
        }
    }

    fn alert(&mut self, side: Side, body: &[u8], sink: &mut dyn Sink) -> bool {
        match body {
            // fatal; longer ones are encrypted
            [2, _] => {
                self.ended = true;
                self.told(side, sink).reach_finished();
            }
            [] | [_] => {
                self.told(side, sink).anomaly(&of::INVALID_ALERT_MESSAGE);
                return false;
            }
            _ => {}
        }
        true
    }

    /// Data means that the handshake is over, except early data (RFC 8446 section 2.3).
    fn application(&mut self, side: Side, sink: &mut dyn Sink) {
        if self.session.early_data && !self.session.peer(Side::ToClient).hello {
            return;
        }
        self.session.peer_mut(side).application = true;
        let phase = match side {
            Side::ToServer => client::HANDSHAKE_DONE,
            Side::ToClient => server::HANDSHAKE_DONE,
        };
        self.told(side, sink).reach(side, phase);
    }

    fn handshake(&mut self, side: Side, mut bytes: &[u8], sink: &mut dyn Sink) {
        let [first, second] = &mut self.partial;
        let partial = if side == Side::ToServer { first } else { second };
        let mut told = Told { session: &mut self.session, side, sink };
        while !bytes.is_empty() {
            match partial.next(&mut bytes, self.limit) {
                Next::Message(kind, body) => told.message(kind, body, self.fingerprints),
                Next::Collected => {
                    if let Some((kind, body)) = partial.take() {
                        told.message(kind, &body, self.fingerprints);
                    }
                }
                Next::Unknown if !told.session.peer(side).cipher_changed => {
                    told.anomaly(&of::INVALID_HANDSHAKE_MESSAGE);
                }
                Next::CutHeader if !std::mem::replace(&mut self.cut_header, true) => {
                    told.anomaly(&of::INVALID_SSL_RECORD);
                }
                Next::Unknown | Next::CutHeader | Next::Kept => {}
            }
        }
    }

    /// A readable certificate of the side that has to show one is all that a handshake gives away.
    fn settle(&mut self, sink: &mut dyn Sink) {
        let deciding = if self.session.asks_client { Side::ToServer } else { Side::ToClient };
        if self.session.peer(deciding).certificate().is_some() {
            self.told(deciding, sink).reach_handshake_done();
        }
    }

    /// Writes the event once both sides are through.
    fn record_once(&mut self, sink: &mut dyn Sink) {
        let through = self.session.peer(Side::ToServer).phase >= client::HANDSHAKE_DONE
            && self.session.peer(Side::ToClient).phase >= server::HANDSHAKE_DONE;
        if !through || self.recorded {
            return;
        }
        self.recorded = true;
        if self.session.is_loggable() {
            sink.record(&self.session, Side::ToServer, &of::RECORD);
        }
        self.session.forget_chains();
    }

    /// Whether nothing that follows could be told.
    fn over(&self) -> Option<Done> {
        if self.recorded && self.ended {
            return Some(Done::Finished);
        }
        let both = Side::BOTH.into_iter().all(|side| self.session.peer(side).application);
        (self.recorded && both || self.old.is_encrypted()).then_some(Done::Encrypted)
    }
}

impl Parser for Tls {
    fn succeeds(&mut self, before: &'static str) {
        self.session.from_protocol = before;
    }

    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let step = self.records(&input, sink);
        if input.last && step == Step::All {
            let phase = if input.side == Side::ToServer { client::FINISHED } else { server::FINISHED };
            self.told(input.side, sink).reach(input.side, phase);
        }
        self.record_once(sink);
        match (step, self.over()) {
            (Step::All | Step::Skip(_), Some(done)) => Step::Done(done),
            _ => step,
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, _sink: &mut dyn Sink) -> Step {
        let until = self.until.get(side.index()).copied().unwrap_or(0);
        if until == 0 {
            return Step::Fail;
        }
        // where the next bytes stand tells whether they are still inside
        if let Some(torn) = self.torn.get_mut(side.index()) {
            *torn = true;
        }
        Step::All
    }

    fn close(&mut self, _why: Close, sink: &mut dyn Sink) {
        self.told(Side::ToServer, sink).reach_finished();
        self.record_once(sink);
    }

    fn transactions(&self) -> u64 {
        1
    }

    fn held(&self) -> usize {
        self.session.held() + self.partial.iter().map(Partial::held).sum::<usize>()
    }
}

fn header_anomaly(header: &Header, version: u16) -> Option<&'static Anomaly> {
    if header.length == 0 || header.length > LONGEST {
        return Some(&of::INVALID_RECORD_LENGTH);
    }
    (!is_version(version)).then_some(&of::INVALID_RECORD_VERSION)
}

fn frames(side: Side, at: u64, header: &Header, sink: &mut dyn Sink) {
    frame(side, &of::HDR, at, 0, HEADER, sink);
    frame(side, &of::PDU, at, 0, HEADER + header.length, sink);
    frame(side, &of::DATA, at, HEADER, header.length, sink);
    match header.content {
        Content::Alert => frame(side, &of::ALERT, at, HEADER, header.length, sink),
        Content::Heartbeat => frame(side, &of::HEARTBEAT, at, HEADER, header.length, sink),
        _ => {}
    }
}

/// `len` bytes, `skip` bytes behind `at`.
pub(super) fn frame(
    side: Side,
    kind: &'static FrameKind,
    at: u64,
    skip: usize,
    len: usize,
    sink: &mut dyn Sink,
) {
    let offset = at.saturating_add(skip as u64);
    sink.frame(Frame { kind, side, offset, len: Some(len as u64), tx: Some(0) });
}
