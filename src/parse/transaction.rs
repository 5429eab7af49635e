//! A transaction as the outside sees it: borrowed views, computed when asked for.

use crate::Visitor;

/// How a buffer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Complete when its phase is reached; read through [`Transaction::buffer`].
    Final,
    /// In pieces, through [`Sink::stream`](crate::Sink::stream).
    Stream,
}

/// A named buffer that rules look into: `http.uri`, `http.uri.raw`, `file.data`.
#[derive(Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Name, as rules write it.
    pub name: &'static str,
    /// How it comes.
    pub feed: Feed,
    /// Whether a transaction can have several of it, one after the other by index.
    pub many: bool,
    /// Side whose bytes it holds (index as in [`Side`](crate::Side)), and the phase at which it is complete.
    pub ready: &'static [(crate::Side, u8)],
    /// One sentence for the reference.
    pub text: &'static str,
}

/// One transaction: a question and its answer, a handshake, a message.
pub trait Transaction {
    /// Counts from 0 within the flow.
    fn id(&self) -> u64;

    /// The `index`-th value of a final buffer of one side; `None` when there is none (yet).
    fn buffer(&self, which: &'static Buffer, side: crate::Side, index: usize) -> Option<&[u8]>;

    /// Shows its fields, beginning with the object of its own name.
    fn fields(&self, visitor: &mut dyn Visitor);

    /// Shows what flow export (IPFIX) takes: values by fields that carry an element. The same as its fields, unless
    /// the export wants values that an event does not have, such as codes where the event has names.
    fn elements(&self, visitor: &mut dyn Visitor) {
        self.fields(visitor);
    }
}
