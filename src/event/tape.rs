//! The tape: fields of an event's body in the order in which they were shown, borrowed bytes copied once.
//!
//! A tape is a flat list of tokens beside one arena of bytes, both kept and reused by the worker: writing an event
//! allocates nothing once they have grown to size. Each output reads it in its own way: EVE writes JSON keys, IPFIX
//! picks the fields that have an element, the store picks columns.

use parse::{Field, Visitor};
use std::net::IpAddr;

/// A stretch of a tape, such as one event's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First token.
    pub from: usize,
    /// One past the last.
    pub to: usize,
}

/// One value, or the beginning or end of something that holds values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// An object begins.
    Object,
    /// A list begins.
    List,
    /// An object begins as an item of the open list.
    Item,
    /// What was opened last ends.
    Close,
    /// Untrusted bytes, mostly text: start and length in the arena.
    Text(u32, u32),
    /// A word of our own.
    Word(&'static str),
    /// A number.
    Number(u64),
    /// A number with a sign.
    Signed(i64),
    /// No value.
    Null,
    /// Yes or no.
    Flag(bool),
    /// An address.
    Address(IpAddr),
    /// Microseconds since 1970.
    Time(i64),
    /// Bytes for base64: start and length in the arena.
    Base64(u32, u32),
    /// Bytes for hexadecimal, start and length in the arena, and what stands between.
    Hex(u32, u32, &'static str),
}

/// One entry of the tape.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Which field; items and ends carry the catalogue's anonymous one.
    pub field: &'static Field,
    /// Its value.
    pub value: Value,
}

/// Fields, written once, read by every output.
#[derive(Debug, Default)]
pub struct Tape {
    tokens: Vec<Token>,
    bytes: Vec<u8>,
}

/// Stands where a token has no field of its own.
static ANONYMOUS: Field =
    Field { path: "", json: "", kind: parse::Kind::Object, element: None, text: "an item or an end" };

impl Tape {
    /// Where the next token will stand.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.tokens.len()
    }

    /// The tokens of a span.
    #[must_use]
    pub fn tokens(&self, span: Span) -> &[Token] {
        self.tokens.get(span.from..span.to).unwrap_or_default()
    }

    /// Bytes in the arena.
    #[must_use]
    pub fn bytes(&self, start: u32, len: u32) -> &[u8] {
        let start = start as usize;
        self.bytes.get(start..start + len as usize).unwrap_or_default()
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.tokens.clear();
        self.bytes.clear();
    }

    /// Copies a span of another tape to the end of this one.
    pub fn append(&mut self, other: &Self, span: Span) {
        for token in other.tokens(span) {
            match token.value {
                Value::Text(start, len) => self.text(token.field, other.bytes(start, len)),
                Value::Base64(start, len) => self.base64(token.field, other.bytes(start, len)),
                Value::Hex(start, len, between) => self.hex(token.field, other.bytes(start, len), between),
                value => self.push(token.field, value),
            }
        }
    }

    /// Bytes that a text output writes in base64 (RFC 4648, section 4).
    pub fn base64(&mut self, field: &'static Field, value: &[u8]) {
        let (start, len) = self.store(value);
        self.push(field, Value::Base64(start, len));
    }

    /// Heap bytes held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.tokens.capacity() * size_of::<Token>() + self.bytes.capacity()
    }

    fn push(&mut self, field: &'static Field, value: Value) {
        self.tokens.push(Token { field, value });
    }

    /// Puts bytes into the arena; more than 4 GiB a batch cannot be, batches end long before.
    fn store(&mut self, value: &[u8]) -> (u32, u32) {
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(value.len()).unwrap_or(0);
        self.bytes.extend_from_slice(value);
        (start, len)
    }
}

impl Visitor for Tape {
    fn object(&mut self, field: &'static Field) {
        self.push(field, Value::Object);
    }

    fn list(&mut self, field: &'static Field) {
        self.push(field, Value::List);
    }

    fn item(&mut self) {
        self.push(&ANONYMOUS, Value::Item);
    }

    fn close(&mut self) {
        self.push(&ANONYMOUS, Value::Close);
    }

    fn text(&mut self, field: &'static Field, value: &[u8]) {
        let (start, len) = self.store(value);
        self.push(field, Value::Text(start, len));
    }

    fn word(&mut self, field: &'static Field, value: &'static str) {
        self.push(field, Value::Word(value));
    }

    fn number(&mut self, field: &'static Field, value: u64) {
        self.push(field, Value::Number(value));
    }

    fn signed(&mut self, field: &'static Field, value: i64) {
        self.push(field, Value::Signed(value));
    }

    fn flag(&mut self, field: &'static Field, value: bool) {
        self.push(field, Value::Flag(value));
    }

    fn none(&mut self, field: &'static Field) {
        self.push(field, Value::Null);
    }

    fn address(&mut self, field: &'static Field, value: IpAddr) {
        self.push(field, Value::Address(value));
    }

    fn time(&mut self, field: &'static Field, micros: i64) {
        self.push(field, Value::Time(micros));
    }

    fn hex(&mut self, field: &'static Field, value: &[u8], separator: &'static str) {
        let (start, len) = self.store(value);
        self.push(field, Value::Hex(start, len, separator));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NAME: Field =
        Field { path: "a.name", json: ",\"name\":", kind: parse::Kind::Text, element: None, text: "" };

    #[test]
    fn what_is_appended_reads_the_same() {
        let mut one = Tape::default();
        one.text(&NAME, b"first");
        let from = one.mark();
        one.text(&NAME, b"second");
        one.hex(&NAME, &[1, 2], ":");
        let span = Span { from, to: one.mark() };
        let mut two = Tape::default();
        two.append(&one, span);
        let all = Span { from: 0, to: two.mark() };
        let Value::Text(start, len) = two.tokens(all)[0].value else { panic!("a text") };
        assert_eq!(two.bytes(start, len), b"second");
        assert_eq!(two.tokens(all).len(), 2);
    }
}
