//! Streams as transactions: begun, ended and told; so many at once and no more.

use super::body::Body;
use super::exchange::Exchange;
use super::head::Bounds;
use super::{anomaly, buffers, doh};
use crate::http::HTTP_RECORD;
use parse::{Settings, Side, Sink};

/// Streams whose memory is kept for later ones.
const SPARE: usize = 16;
/// Times the longest line that the fields of one side may be.
const MOST_LINES: usize = 8;
/// Bytes of fields that all open streams hold together.
const MOST_KEPT: usize = 8 * 1024 * 1024;

/// A stream: its transaction and the bodies of both sides.
pub(super) struct Stream {
    pub(super) tx: Exchange,
    bodies: [Body; 2],
    /// Either side gave it up: it goes first when there are too many.
    pub(super) reset: bool,
    /// Bytes of its fields, as counted among all.
    kept: usize,
}

impl Stream {
    fn new(settings: &Settings) -> Self {
        let bodies = [Body::new(Side::ToServer, settings), Body::new(Side::ToClient, settings)];
        Self { tx: Exchange::default(), bodies, reset: false, kept: 0 }
    }

    fn renew(&mut self, id: u64, number: u32) {
        self.tx.renew(id, number);
        self.bodies.iter_mut().for_each(Body::renew);
        (self.reset, self.kept) = (false, 0);
    }

    /// The body of a side, and the transaction.
    pub(super) fn body(&mut self, side: Side) -> (&mut Body, &Exchange) {
        let [client, server] = &mut self.bodies;
        (if side == Side::ToServer { client } else { server }, &self.tx)
    }

    /// A side is over: its body, its DNS message and its last phases are told.
    fn end(&mut self, side: Side, whole: bool, sink: &mut dyn Sink) {
        if std::mem::replace(&mut self.tx.half_mut(side).ended, true) {
            return;
        }
        let (body, tx) = self.body(side);
        let message = body.finish(whole, tx, sink);
        if body.is_any() {
            sink.progress(tx, side, buffers::BODY);
        }
        if let Some(message) = message {
            doh::tell(tx, side, &message, sink);
        }
        sink.progress(tx, side, buffers::COMPLETE);
    }
}

/// The streams of one connection.
#[allow(clippy::vec_box, reason = "one taken out of the middle moves the others, which are large")]
pub(super) struct Streams {
    settings: Settings,
    open: Vec<Box<Stream>>,
    /// Their numbers, in the same order: this is what is searched.
    numbers: Vec<u32>,
    spare: Vec<Box<Stream>>,
    /// Where frames of the connection itself become transactions.
    connection: Exchange,
    /// Number of the next transaction.
    next: u64,
    /// Highest stream begun by headers, even and odd ones apart.
    highest: [u32; 2],
    /// Bytes of fields held by all.
    kept: usize,
    crowded: bool,
}

impl Streams {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            open: Vec::new(),
            numbers: Vec::new(),
            spare: Vec::new(),
            connection: Exchange::default(),
            next: 0,
            highest: [0; 2],
            kept: 0,
            crowded: false,
        }
    }

    /// Where a stream stands among the open ones.
    pub(super) fn find(&self, number: u32) -> Option<usize> {
        self.numbers.iter().rposition(|&open| open == number)
    }

    pub(super) fn get(&self, at: usize) -> Option<&Stream> {
        self.open.get(at).map(|stream| &**stream)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Stream> {
        self.open.get_mut(at).map(|stream| &mut **stream)
    }

    /// The body of one side of a stream, and its transaction.
    pub(super) fn body(&mut self, number: u32, side: Side) -> Option<(&mut Body, &Exchange)> {
        let at = self.find(number)?;
        self.get_mut(at).map(|stream| stream.body(side))
    }

    fn highest(&mut self, number: u32) -> &mut u32 {
        let [even, odd] = &mut self.highest;
        if number & 1 == 0 { even } else { odd }
    }

    /// The stream of a frame that is none of headers; `None` when that stream is over.
    pub(super) fn find_or_begin(&mut self, number: u32, side: Side, sink: &mut dyn Sink) -> Option<usize> {
        let found = self.find(number);
        if found.is_some() || number <= *self.highest(number) {
            return found;
        }
        self.begin(number, side, sink)
    }

    /// Whether nothing more may come on a side of a stream.
    pub(super) fn is_over(&self, at: Option<usize>, side: Side) -> bool {
        at.and_then(|at| self.get(at)).is_none_or(|stream| stream.tx.half(side).ended)
    }

    /// The stream that headers belong to, and whether its number was used before.
    pub(super) fn of_headers(
        &mut self,
        number: u32,
        side: Side,
        sink: &mut dyn Sink,
    ) -> (Option<usize>, bool) {
        let highest = self.highest(number);
        let used = number <= *highest;
        *highest = number.max(*highest);
        match self.find(number) {
            Some(at) => (Some(at), self.is_over(Some(at), side)),
            None => (self.begin(number, side, sink), used),
        }
    }

    fn begin(&mut self, number: u32, side: Side, sink: &mut dyn Sink) -> Option<usize> {
        if self.open.len() >= self.settings.transactions {
            self.make_room(side, sink);
        }
        let mut stream = self.spare.pop().unwrap_or_else(|| Box::new(Stream::new(&self.settings)));
        stream.renew(self.next, number);
        self.next += 1;
        self.open.push(stream);
        self.numbers.push(number);
        self.open.len().checked_sub(1)
    }

    /// Ends a stream before its time: the oldest one that was given up, or the oldest of all.
    fn make_room(&mut self, side: Side, sink: &mut dyn Sink) {
        let at = self.open.iter().position(|stream| stream.reset).unwrap_or(0);
        let crowded = self.get(at).is_some_and(|stream| !stream.reset);
        if crowded && !std::mem::replace(&mut self.crowded, true) {
            let tx = self.get(at).map(|stream| &stream.tx as &dyn parse::Transaction);
            sink.anomaly(tx, side, &anomaly::TOO_MANY_STREAMS);
        }
        self.end(at, false, sink);
    }

    /// Bounds on the fields of one more header block.
    pub(super) fn bounds(&self) -> Bounds {
        let room = MOST_KEPT.saturating_sub(self.kept);
        let bytes = self.settings.line.saturating_mul(MOST_LINES).min(room);
        Bounds { bytes, fields: if room == 0 { 0 } else { self.settings.headers } }
    }

    /// Counts what the fields of a stream hold.
    pub(super) fn weigh(&mut self, at: usize) {
        let Some(stream) = self.get_mut(at) else { return };
        let before = std::mem::replace(&mut stream.kept, stream.tx.size());
        let now = stream.kept;
        self.kept = self.kept.saturating_sub(before) + now;
    }

    /// A side of a stream is over, and the stream with it when the other side is over, too.
    pub(super) fn end_side(&mut self, at: usize, side: Side, whole: bool, sink: &mut dyn Sink) {
        let Some(stream) = self.get_mut(at) else { return };
        stream.end(side, whole, sink);
        if stream.tx.half(side.other()).ended {
            self.end(at, true, sink);
        }
    }

    /// A stream is over.
    fn end(&mut self, at: usize, whole: bool, sink: &mut dyn Sink) {
        if at >= self.open.len() {
            return;
        }
        let mut stream = self.open.remove(at);
        self.numbers.remove(at);
        self.kept = self.kept.saturating_sub(stream.kept);
        for side in Side::BOTH {
            stream.end(side, whole, sink);
        }
        if stream.tx.says_something() {
            sink.record(&stream.tx, Side::ToServer, &HTTP_RECORD);
        }
        if self.spare.len() < SPARE {
            self.spare.push(stream);
        }
    }

    /// A transaction of the connection itself, which `fill` makes what it is.
    pub(super) fn global(&mut self, sink: &mut dyn Sink, fill: impl FnOnce(&mut Exchange, &mut dyn Sink)) {
        let mut tx = std::mem::take(&mut self.connection);
        tx.renew(self.next, 0);
        self.next += 1;
        fill(&mut tx, sink);
        for side in Side::BOTH {
            for phase in [buffers::LINE, buffers::HEADERS, buffers::COMPLETE] {
                sink.progress(&tx, side, phase);
            }
        }
        if tx.says_something() {
            sink.record(&tx, Side::ToServer, &HTTP_RECORD);
        }
        self.connection = tx;
    }

    /// Everything is over.
    pub(super) fn close(&mut self, sink: &mut dyn Sink) {
        while !self.open.is_empty() {
            self.end(0, false, sink);
        }
    }

    /// Transactions begun so far.
    pub(super) const fn begun(&self) -> u64 {
        self.next
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        let one = |stream: &Stream| {
            size_of::<Stream>() + stream.tx.held() + stream.bodies.iter().map(Body::held).sum::<usize>()
        };
        self.connection.held() + self.open.iter().chain(&self.spare).map(|stream| one(stream)).sum::<usize>()
    }
}
