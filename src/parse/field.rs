//! Fields: one catalogue entry serves EVE, IPFIX, the store's columns and the documentation.

use std::net::IpAddr;

/// An IPFIX information element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Element {
    /// Private enterprise number; 0 for IANA's own registry.
    pub enterprise: u32,
    /// Element id.
    pub id: u16,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object with fields of its own.
    Object,
    /// A list of whatever follows.
    List,
    /// Bytes that are mostly text; not necessarily UTF-8.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// An IP address.
    Address,
    /// A moment.
    Time,
    /// A moment told to the second and without a zone, as certificates have it.
    Second,
    /// Raw bytes, written as hexadecimal.
    Hex,
}

/// One field, described once. Made by [`fields!`](crate::fields).
#[derive(Debug)]
pub struct Field {
    /// Full dotted path: `http.hostname`.
    pub path: &'static str,
    /// Its JSON key, quoted, between the comma before it and its colon: `,"hostname":`. List items have an empty one.
    pub json: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// IPFIX element, where there is one.
    pub element: Option<Element>,
    /// One sentence for the reference.
    pub text: &'static str,
}

/// Declares fields and, as `ALL`, the list of them.
///
/// ```
/// mod f {
///     parse::fields! {
///         /// Everything about one ping.
///         PING: Object("", "ping") "one ping and its answer";
///         /// Its number.
///         NUMBER: Number("ping.", "number") "sequence number", element(0, 245);
///     }
/// }
/// assert_eq!(f::NUMBER.path, "ping.number");
/// assert_eq!(f::NUMBER.json, ",\"number\":");
/// assert_eq!(f::ALL.len(), 2);
/// ```
#[macro_export]
macro_rules! fields {
    ($($(#[$meta:meta])* $name:ident : $kind:ident ($parent:literal, $key:literal) $text:literal
        $(, element($pen:literal, $id:literal))? ;)*) => {
        $($(#[$meta])* pub static $name: $crate::Field = $crate::Field {
            path: concat!($parent, $key),
            json: concat!(",\"", $key, "\":"),
            kind: $crate::Kind::$kind,
            element: $crate::fields!(@element $($pen, $id)?),
            text: $text,
        };)*
        /// Every field of this catalogue.
        pub static ALL: &[&$crate::Field] = &[$(&$name),*];
    };
    (@element) => { None };
    (@element $pen:literal, $id:literal) => { Some($crate::Element { enterprise: $pen, id: $id }) };
}

/// Whoever wants to see fields: the event tape, a test, a rule.
///
/// Objects and lists are opened and closed; what comes between belongs to them. Inside a list the field given with
/// each value is the list's own; an object inside a list is opened with [`Visitor::item`].
pub trait Visitor {
    /// Opens an object.
    fn object(&mut self, field: &'static Field);
    /// Opens a list.
    fn list(&mut self, field: &'static Field);
    /// Opens an object as the next item of the open list.
    fn item(&mut self);
    /// Closes what was opened last.
    fn close(&mut self);
    /// Untrusted bytes, mostly text.
    fn text(&mut self, field: &'static Field, value: &[u8]);
    /// A word of our own.
    fn word(&mut self, field: &'static Field, value: &'static str);
    /// A number.
    fn number(&mut self, field: &'static Field, value: u64);
    /// A number that may be negative.
    fn signed(&mut self, field: &'static Field, value: i64);
    /// Yes or no.
    fn flag(&mut self, field: &'static Field, value: bool);
    /// An IP address.
    fn address(&mut self, field: &'static Field, value: IpAddr);
    /// A moment, in microseconds since 1970, which may lie before (certificates do).
    fn time(&mut self, field: &'static Field, micros: i64);
    /// Nothing: the field is there and has no value. What needs none is simply not shown.
    fn none(&mut self, field: &'static Field) {
        let _ = field;
    }
    /// Bytes as lower-case hexadecimal with `separator` between them (empty for none).
    fn hex(&mut self, field: &'static Field, value: &[u8], separator: &'static str);
}
