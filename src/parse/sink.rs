//! The sink: whom a parser tells what it found. The worker implements it; tests record with it.

use crate::{Buffer, Side, Transaction};

/// A kind of event that a protocol's transactions become.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// EVE's `event_type`.
    pub event_type: &'static str,
    /// One sentence for the reference.
    pub text: &'static str,
}

/// Something a conforming peer would not have sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// Upper-case event name, Suricata's where it has one.
    pub name: &'static str,
    /// One sentence for the reference.
    pub text: &'static str,
}

/// A kind of protocol data unit that rules can be written about.
#[derive(Debug, PartialEq, Eq)]
pub struct FrameKind {
    /// Name: `tls.hdr`.
    pub name: &'static str,
    /// One sentence for the reference.
    pub text: &'static str,
}

/// One protocol data unit, by its place in the stream.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// What it is.
    pub kind: &'static FrameKind,
    /// Whose.
    pub side: Side,
    /// First byte, as a stream offset (for UDP, an offset into the datagram).
    pub offset: u64,
    /// Length, when it is known yet.
    pub len: Option<u64>,
    /// Transaction it belongs to, if any.
    pub tx: Option<u64>,
}

/// A piece of a streaming buffer.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Place of `data[0]` in the buffer.
    pub offset: u64,
    /// The bytes.
    pub data: &'a [u8],
    /// Nothing follows.
    pub last: bool,
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileEnd {
    /// Whole.
    Closed,
    /// Cut: by a gap, a limit, or the flow's end.
    Truncated,
    /// Could not be read (bad compression, bad framing).
    Error,
}

/// What happens to a file carried by a transaction. A file's events come in order and end with `Close`.
#[derive(Clone, Copy, Debug)]
pub enum FileEvent<'a> {
    /// A file begins.
    Open {
        /// Its name, as sent; may be a path or empty.
        name: &'a [u8],
        /// Byte range, when only a part of the file is sent: first, last, whole size if known.
        range: Option<(u64, u64, Option<u64>)>,
    },
    /// Its next bytes, decoded (after chunking, compression, base64).
    Data(&'a [u8]),
    /// Bytes of it that were lost.
    Gap(u64),
    /// It ends.
    Close(FileEnd),
}

/// A message of one protocol within a transaction of another.
#[derive(Clone, Copy, Debug)]
pub struct Inner<'a> {
    /// Name of its protocol: `dns`.
    pub protocol: &'static str,
    /// What the flow is called when this really is such a message: `doh2`.
    pub together: &'static str,
    /// The message.
    pub data: &'a [u8],
}

/// Whom a parser tells. Every call borrows; nothing is kept by reference.
pub trait Sink {
    /// Recognition found the protocol whose parser speaks from now on.
    fn speaks(&mut self, protocol: &'static crate::Protocol) {
        let _ = protocol;
    }

    /// A transaction reached a phase on one side: its buffers of that phase are complete. Rules look now.
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8);

    /// The next piece of a streaming buffer.
    fn stream(&mut self, tx: &dyn Transaction, buffer: &'static Buffer, piece: Piece<'_>);

    /// A protocol data unit was delimited.
    fn frame(&mut self, frame: Frame);

    /// Something about a file. At most one file is open per transaction and side at a time.
    fn file(&mut self, tx: &dyn Transaction, side: Side, event: FileEvent<'_>);

    /// An anomaly, in the transaction if it belongs to one.
    fn anomaly(&mut self, tx: Option<&dyn Transaction>, side: Side, what: &'static Anomaly);

    /// An anomaly of recognition, which no parser saw.
    fn recognition(&mut self, side: Side, what: &'static Anomaly) {
        let _ = (side, what);
    }

    /// The transaction has everything this record needs: write the event. `side` gives its orientation (source is
    /// the client for to-server).
    fn record(&mut self, tx: &dyn Transaction, side: Side, record: &'static Record);

    /// A transaction carries a whole message of another protocol, as DNS over HTTP has it. Nothing need be done.
    fn carries(&mut self, tx: &dyn Transaction, side: Side, inner: Inner<'_>) {
        let _ = (tx, side, inner);
    }

    /// A host name that says which service is spoken to (HTTP Host, SNI, DNS question): for the service label.
    fn host(&mut self, name: &[u8]);
}
