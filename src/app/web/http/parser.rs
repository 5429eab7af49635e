//! The parser of one flow: requests and responses read apart from each other and matched in order.

use super::anomaly;
use super::body::Body;
use super::buffers;
use super::bytes::{from, until};
use super::exchange::{Exchange, Stage};
use super::head::Added;
use super::header::{self, Next, Value, flag};
use super::{HTTP_RECORD, request, response};
use parse::{Anomaly, Close, Input, Parser, Settings, Side, Sink, Step};
use std::collections::VecDeque;

/// Anomalies told of one flow; a flow that has more is not worth the ink.
const MOST_ANOMALIES: u16 = 512;
/// Exchanges whose memory is kept for later ones.
const SPARE: usize = 2;

/// What a step of a side's state machine came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// So many bytes are done with; go on.
    Eat(usize),
    /// So many bytes, counted from here, are needed to go on.
    Want(usize),
    /// All there is was eaten, and so are the next bytes, unseen.
    Skip(u64),
    /// So many bytes are done with; behind them another protocol speaks.
    Switch(usize, Option<&'static str>),
    /// This is no HTTP any more.
    Fail,
}

/// State of one side.
pub(super) struct Half<S> {
    pub(super) state: S,
    /// Number of the exchange whose message is read.
    pub(super) id: u64,
    /// Bytes left of the body or of the chunk.
    pub(super) left: u64,
    pub(super) body: Body,
    /// The message has a body.
    pub(super) has_body: bool,
    /// Fields of this block so far, to know the first.
    pub(super) first_field: bool,
    /// Bytes were lost, and with them our place: what does not look like a message is passed over.
    pub(super) lost: bool,
    /// Bytes at hand in which no line end was found.
    scanned: usize,
}

impl<S> Half<S> {
    fn new(state: S, side: Side, settings: &Settings) -> Self {
        let body = Body::new(side, settings);
        Self { state, id: 0, left: 0, body, has_body: false, first_field: true, lost: false, scanned: 0 }
    }

    /// Length of the line at hand up to and with its LF; bytes seen before are not searched again.
    pub(super) fn line(&mut self, data: &[u8]) -> Option<usize> {
        let found = memchr::memchr(b'\n', from(data, self.scanned)).map(|at| self.scanned + at + 1);
        self.scanned = if found.is_some() { 0 } else { data.len() };
        found
    }
}

/// One flow's parser.
pub(super) struct Http {
    pub(super) settings: Settings,
    /// Exchanges that are not over, in order.
    open: VecDeque<Box<Exchange>>,
    #[allow(clippy::vec_box, reason = "they move between here and the open ones as they are")]
    spare: Vec<Box<Exchange>>,
    /// Number of the next exchange.
    pub(super) next: u64,
    pub(super) request: Half<request::State>,
    pub(super) response: Half<response::State>,
    unfolded: Vec<u8>,
    /// Lost bytes were told of, each side.
    gaps: [bool; 2],
    anomalies: u16,
    /// Parsing was given up: only what is open is still recorded.
    failed: bool,
    /// Head of the request that another protocol is going to answer.
    pub(super) bequest: Option<Box<[u8]>>,
}

impl Http {
    pub(super) fn open(settings: &Settings) -> Box<dyn Parser> {
        Box::new(Self {
            settings: settings.clone(),
            open: VecDeque::new(),
            spare: Vec::new(),
            next: 0,
            request: Half::new(request::State::Idle, Side::ToServer, settings),
            response: Half::new(response::State::Idle, Side::ToClient, settings),
            unfolded: Vec::new(),
            gaps: [false; 2],
            anomalies: 0,
            failed: false,
            bequest: None,
        })
    }

    /// The exchange that one side's message belongs to.
    pub(super) fn at(&mut self, side: Side) -> Option<&mut Exchange> {
        let id = match side {
            Side::ToServer => self.request.id,
            Side::ToClient => self.response.id,
        };
        self.find(id)
    }

    /// An exchange by its number.
    pub(super) fn find(&mut self, id: u64) -> Option<&mut Exchange> {
        let first = self.open.front()?.id;
        let index = usize::try_from(id.checked_sub(first)?).ok()?;
        self.open.get_mut(index).map(|tx| &mut **tx)
    }

    /// Begins an exchange; `None` when too many are open.
    pub(super) fn begin(&mut self) -> Option<&mut Exchange> {
        if self.open.len() >= self.settings.transactions {
            return None;
        }
        let mut tx = self.spare.pop().unwrap_or_default();
        tx.renew(self.next, self.settings.all_headers);
        self.next += 1;
        self.open.push_back(tx);
        self.open.back_mut().map(|tx| &mut **tx)
    }

    /// Tells an anomaly of the exchange at hand.
    pub(super) fn tell(&mut self, side: Side, what: &'static Anomaly, sink: &mut dyn Sink) {
        if let Some(what) = self.counted(what) {
            let tx = self.at(side).map(|tx| &*tx as &dyn parse::Transaction);
            sink.anomaly(tx, side, what);
        }
    }

    /// Tells that bytes were lost which the place of others depends on, once a side: of its exchange, or, where there was none
    /// at hand, of none.
    pub(super) fn tell_gap(&mut self, side: Side, at_hand: bool, sink: &mut dyn Sink) {
        let Some(told) = self.gaps.get_mut(side.index()) else { return };
        if std::mem::replace(told, true) {
            return;
        }
        if at_hand {
            self.tell(side, &anomaly::INVALID_GAP, sink);
        } else if let Some(what) = self.counted(&anomaly::INVALID_GAP) {
            sink.anomaly(None, side, what);
        }
    }

    /// What is told of so many anomalies: all, that there are too many, nothing any more.
    fn counted(&mut self, what: &'static Anomaly) -> Option<&'static Anomaly> {
        let what = match self.anomalies {
            n if n > MOST_ANOMALIES => return None,
            MOST_ANOMALIES => &anomaly::TOO_MANY_WARNINGS,
            _ => what,
        };
        self.anomalies += 1;
        Some(what)
    }

    /// Tells an anomaly and gives up.
    pub(super) fn fail(&mut self, side: Side, what: &'static Anomaly, sink: &mut dyn Sink) -> Turn {
        self.tell(side, what, sink);
        Turn::Fail
    }

    /// Tells that a side reached a phase.
    pub(super) fn progress(&mut self, side: Side, phase: u8, sink: &mut dyn Sink) {
        if let Some(tx) = self.at(side) {
            sink.progress(tx, side, phase);
        }
    }

    /// The body of a side and the exchange it belongs to.
    pub(super) fn body(&mut self, side: Side) -> Option<(&mut Body, &mut Exchange)> {
        let (id, body) = match side {
            Side::ToServer => (self.request.id, &mut self.request.body),
            Side::ToClient => (self.response.id, &mut self.response.body),
        };
        let index = usize::try_from(id.checked_sub(self.open.front()?.id)?).ok()?;
        self.open.get_mut(index).map(|tx| (body, &mut **tx))
    }

    /// Bytes of a body.
    pub(super) fn body_data(&mut self, side: Side, data: &[u8], sink: &mut dyn Sink) {
        if let Some((body, tx)) = self.body(side) {
            tx.count(side, u64::try_from(data.len()).unwrap_or(0));
            body.feed(data, tx, sink);
        }
    }

    /// Counts framing of a body.
    pub(super) fn count(&mut self, side: Side, bytes: usize) {
        if let Some(tx) = self.at(side) {
            tx.count(side, u64::try_from(bytes).unwrap_or(0));
        }
    }

    /// Ends a side of its exchange, and the exchange with it when the other side is over, too.
    pub(super) fn complete(&mut self, side: Side, sink: &mut dyn Sink) {
        if let Some((body, tx)) = self.body(side) {
            body.finish(tx, sink);
        }
        let has_body = match side {
            Side::ToServer => self.request.has_body,
            Side::ToClient => self.response.has_body,
        };
        if has_body {
            self.progress(side, buffers::BODY, sink);
        }
        if let Some(tx) = self.at(side) {
            tx.set_stage(side, Stage::Complete);
        }
        self.progress(side, buffers::COMPLETE, sink);
        while let Some(tx) = self.open.pop_front_if(|tx| tx.is_complete()) {
            self.record(tx, sink);
        }
    }

    fn record(&mut self, tx: Box<Exchange>, sink: &mut dyn Sink) {
        self.request.body.release(&tx, sink);
        if tx.is_known() {
            sink.record(&*tx, Side::ToServer, &HTTP_RECORD);
        }
        if self.spare.len() < SPARE {
            self.spare.push(tx);
        }
    }

    /// Reads the fields of a message, or its trailers: `Ok` with the bytes behind which the block is over.
    pub(super) fn fields(
        &mut self,
        side: Side,
        data: &[u8],
        last: bool,
        sink: &mut dyn Sink,
    ) -> Result<usize, Turn> {
        let mut at = 0;
        loop {
            let rest = from(data, at);
            let first = match side {
                Side::ToServer => &mut self.request.first_field,
                Side::ToClient => &mut self.response.first_field,
            };
            let mut unfolded = std::mem::take(&mut self.unfolded);
            let next = header::next(rest, side, std::mem::take(first), last, &mut unfolded);
            let turn = match next {
                Next::More => Err(self.more(side, rest, at, sink)),
                Next::End(len) => {
                    if let Some(tx) = self.at(side) {
                        tx.head_mut(side).push_raw(until(rest, len));
                    }
                    Ok(Some(len))
                }
                Next::Field { name, value, flags, len } => {
                    self.flaws(side, flags, sink);
                    let value = match value {
                        Value::Plain(value) => Ok(value),
                        Value::Unfolded => Err(super::bytes::trim(&unfolded)),
                    };
                    at += len;
                    self.add(side, until(rest, len), name, value, sink).map(|()| None)
                }
            };
            unfolded.shrink_to(4096);
            self.unfolded = unfolded;
            match turn {
                Ok(None) => {}
                Ok(Some(end)) => return Ok(at + end),
                Err(turn) => return Err(turn),
            }
        }
    }

    /// More bytes are needed for the field at hand, unless it is too long already.
    fn more(&mut self, side: Side, rest: &[u8], at: usize, sink: &mut dyn Sink) -> Turn {
        if at > 0 {
            return Turn::Eat(at);
        }
        if rest.len() > self.settings.line {
            return self.too_long(side, sink);
        }
        match side {
            Side::ToServer => self.request.first_field = self.is_first(side),
            Side::ToClient => self.response.first_field = self.is_first(side),
        }
        Turn::Want(rest.len() + 1)
    }

    /// Whether no field was read of the block at hand.
    fn is_first(&mut self, side: Side) -> bool {
        self.at(side).is_some_and(|tx| tx.head(side).block().is_empty())
    }

    /// A line or field is longer than is accepted.
    pub(super) fn too_long(&mut self, side: Side, sink: &mut dyn Sink) -> Turn {
        let what = match side {
            Side::ToServer => &anomaly::REQUEST_FIELD_TOO_LONG,
            Side::ToClient => &anomaly::RESPONSE_FIELD_TOO_LONG,
        };
        self.fail(side, what, sink)
    }

    fn add(
        &mut self,
        side: Side,
        raw: &[u8],
        name: &[u8],
        value: Result<&[u8], &[u8]>,
        sink: &mut dyn Sink,
    ) -> Result<(), Turn> {
        /// Times the longest line that a whole head may be.
        const MOST_LINES: usize = 64;
        let (most, largest) = (self.settings.headers, self.settings.line.saturating_mul(MOST_LINES));
        let added = match self.at(side).map(|tx| tx.head_mut(side)) {
            Some(head) if head.size() > largest => Added::TooMany,
            Some(head) => head.add(raw, name, value, most),
            None => Added::Quietly,
        };
        let [repeated, differs, many] = match side {
            Side::ToServer => [
                &anomaly::REQUEST_HEADER_REPETITION,
                &anomaly::DUPLICATE_CONTENT_LENGTH_FIELD_IN_REQUEST,
                &anomaly::REQUEST_TOO_MANY_HEADERS,
            ],
            Side::ToClient => [
                &anomaly::RESPONSE_HEADER_REPETITION,
                &anomaly::DUPLICATE_CONTENT_LENGTH_FIELD_IN_RESPONSE,
                &anomaly::RESPONSE_TOO_MANY_HEADERS,
            ],
        };
        match added {
            Added::Quietly => {}
            Added::Repeated => self.tell(side, repeated, sink),
            Added::RepeatedLength { differs: unlike } => {
                if unlike {
                    self.tell(side, differs, sink);
                }
                self.tell(side, repeated, sink);
            }
            Added::TooMany => return Err(self.fail(side, many, sink)),
        }
        Ok(())
    }

    /// Tells what is wrong with a field, each kind once a message.
    fn flaws(&mut self, side: Side, flags: u8, sink: &mut dyn Sink) {
        if flags == 0 {
            return;
        }
        let Some(tx) = self.at(side) else { return };
        let Some(told) = tx.told.get_mut(side.index()) else { return };
        let fresh = flags & !*told;
        *told |= flags;
        let kinds: [(u8, &'static Anomaly, &'static Anomaly); 6] = [
            (flag::DEFORMED_END, &anomaly::DEFORMED_EOL, &anomaly::DEFORMED_EOL),
            (
                flag::TRAILING_SPACE,
                &anomaly::REQUEST_INVALID_LWS_AFTER_NAME,
                &anomaly::RESPONSE_INVALID_LWS_AFTER_NAME,
            ),
            (
                flag::LEADING_SPACE,
                &anomaly::INVALID_REQUEST_FIELD_FOLDING,
                &anomaly::INVALID_RESPONSE_FIELD_FOLDING,
            ),
            (flag::NOT_TOKEN, &anomaly::REQUEST_HEADER_INVALID, &anomaly::RESPONSE_HEADER_NAME_NOT_TOKEN),
            (flag::NO_COLON, &anomaly::REQUEST_FIELD_MISSING_COLON, &anomaly::RESPONSE_FIELD_MISSING_COLON),
            (flag::EMPTY_NAME, &anomaly::REQUEST_INVALID_EMPTY_NAME, &anomaly::RESPONSE_INVALID_EMPTY_NAME),
        ];
        for (bit, in_request, in_response) in kinds {
            let hidden = bit == flag::EMPTY_NAME && flags & flag::NO_COLON != 0;
            if fresh & bit != 0 && !hidden && (bit != flag::DEFORMED_END || side == Side::ToClient) {
                self.tell(side, if side == Side::ToServer { in_request } else { in_response }, sink);
            }
        }
    }

    /// Runs the state machine of a side over what there is.
    fn run(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let mut at = 0;
        loop {
            let rest = from(input.data, at);
            let offset = input.offset.saturating_add(u64::try_from(at).unwrap_or(0));
            let turn = match input.side {
                Side::ToServer => self.request_turn(rest, offset, input.last, sink),
                Side::ToClient => self.response_turn(rest, offset, input.last, sink),
            };
            match turn {
                Turn::Eat(n) => {
                    at += n;
                    if n > 0 {
                        self.request.scanned =
                            if input.side == Side::ToServer { 0 } else { self.request.scanned };
                        self.response.scanned =
                            if input.side == Side::ToClient { 0 } else { self.response.scanned };
                    }
                }
                Turn::Want(_) if rest.is_empty() || input.last => return Step::All,
                Turn::Want(want) => return Step::Wait { eaten: at, want },
                Turn::Skip(n) => return Step::Skip(n),
                Turn::Switch(n, to) => return Step::Switch { eaten: at + n, to },
                Turn::Fail => return Step::Fail,
            }
        }
    }
}

impl Http {
    /// Some bytes of a body, or of a chunk of one, and whether that is over.
    pub(super) fn some_body(&mut self, side: Side, rest: &[u8], sink: &mut dyn Sink) -> (Turn, bool) {
        let left = self.left(side);
        let bytes = until(rest, usize::try_from(left).unwrap_or(usize::MAX));
        if bytes.is_empty() {
            return (Turn::Want(1), left == 0);
        }
        self.body_data(side, bytes, sink);
        let left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(0));
        // what nobody will look at need not be kept until it has come
        let full = self.body(side).is_some_and(|(body, _)| body.is_full());
        if full && left > 0 {
            if let Some(tx) = self.at(side) {
                tx.count(side, left);
            }
            self.set_left(side, 0);
            return (Turn::Skip(left), true);
        }
        self.set_left(side, left);
        (Turn::Eat(bytes.len()), left == 0)
    }

    /// Lost bytes of a body, or of a chunk of one: whether it is over with them. `left` is then as before the gap.
    pub(super) fn some_gap(&mut self, side: Side, missing: u64, sink: &mut dyn Sink) -> bool {
        let left = self.left(side);
        let lost = missing.min(left);
        if let Some((body, tx)) = self.body(side) {
            tx.count(side, lost);
            body.gap(lost, tx, sink);
        }
        if missing < left {
            self.set_left(side, left - lost);
        }
        missing >= left
    }

    fn left(&self, side: Side) -> u64 {
        match side {
            Side::ToServer => self.request.left,
            Side::ToClient => self.response.left,
        }
    }

    fn set_left(&mut self, side: Side, left: u64) {
        match side {
            Side::ToServer => self.request.left = left,
            Side::ToClient => self.response.left = left,
        }
    }

    /// Tells an anomaly that one message may show line after line.
    pub(super) fn tell_once(&mut self, side: Side, what: &'static Anomaly, sink: &mut dyn Sink) {
        const JUNK: u8 = 128;
        let Some(tx) = self.at(side) else { return };
        let Some(told) = tx.told.get_mut(side.index()) else { return };
        if *told & JUNK == 0 {
            *told |= JUNK;
            self.tell(side, what, sink);
        }
    }
}

impl Parser for Http {
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        if self.failed {
            return Step::Fail;
        }
        let step = self.run(input, sink);
        self.failed = step == Step::Fail;
        if input.last && !matches!(step, Step::Fail | Step::Switch { .. }) {
            self.end_side(input.side, sink);
        }
        step
    }

    fn gap(&mut self, side: Side, missing: u64, sink: &mut dyn Sink) -> Step {
        match side {
            _ if self.failed => Step::Fail,
            Side::ToServer => self.request_gap(missing, sink),
            Side::ToClient => self.response_gap(missing, sink),
        }
    }

    fn close(&mut self, _why: Close, sink: &mut dyn Sink) {
        if !self.failed {
            self.end_side(Side::ToServer, sink);
            self.end_side(Side::ToClient, sink);
        }
        for side in Side::BOTH {
            if let Some((body, tx)) = self.body(side) {
                body.break_off(tx, sink);
            }
        }
        while let Some(tx) = self.open.pop_front() {
            self.record(tx, sink);
        }
    }

    fn bequest(&mut self) -> Option<Box<[u8]>> {
        self.bequest.take()
    }

    fn transactions(&self) -> u64 {
        self.next
    }

    fn held(&self) -> usize {
        let heads = |tx: &Exchange| size_of::<Exchange>() + tx.request.held() + tx.response.held();
        let open: usize = self.open.iter().chain(&self.spare).map(|tx| heads(tx)).sum();
        size_of::<Self>()
            + open
            + self.request.body.held()
            + self.response.body.held()
            + self.unfolded.capacity()
    }
}

impl Http {
    /// No more bytes will come on a side.
    fn end_side(&mut self, side: Side, sink: &mut dyn Sink) {
        match side {
            Side::ToServer => self.end_request(sink),
            Side::ToClient => self.end_response(sink),
        }
    }
}
