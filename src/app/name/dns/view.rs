//! A message as a transaction: every request and every response is one of its own, as in Suricata.

use super::message::{Entry, Message, Section};
use super::unpack::Name;
use super::{Variant, export, show};
use parse::{Buffer, Side, Transaction, Visitor};
use std::cell::Cell;

/// One message, borrowed while its sink is told of it.
pub(crate) struct View<'a> {
    pub(crate) variant: Variant,
    pub(crate) id: u64,
    pub(crate) side: Side,
    /// Whether it is taken for a response; the bit in its header may say otherwise.
    pub(crate) response: bool,
    pub(crate) message: &'a Message,
    pub(crate) wire: &'a [u8],
    /// Where the walk over `dns.response.rrname` stands: the next index and its place.
    walk: Cell<(usize, usize)>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        (variant, id, side): (Variant, u64, Side),
        response: bool,
        message: &'a Message,
        wire: &'a [u8],
    ) -> Self {
        Self { variant, id, side, response, message, wire, walk: Cell::new((0, 0)) }
    }

    /// The bytes of a name.
    pub(crate) fn name(&self, name: Name) -> &'a [u8] {
        self.message.names.get(name)
    }

    /// The name that is asked for first.
    pub(crate) fn question(&self) -> Option<&'a [u8]> {
        self.message.section(Section::Questions).first().map(|q| self.name(q.name))
    }

    /// Owner of the `index`-th entry of a section.
    fn owner(&self, section: Section, index: usize) -> Option<&'a [u8]> {
        let entry = self.message.section(section).get(index)?;
        Some(self.name(entry.name)).filter(|name| !name.is_empty())
    }

    /// Type of the `index`-th question.
    fn rrtype(&self, index: usize) -> Option<&'a [u8]> {
        self.message.section(Section::Questions).get(index).map(|e| &e.rrtype[..])
    }

    /// The `index`-th of all names in a response that are not empty: owners and what records name. Whoever counts up
    /// goes on where the last call ended.
    fn any_name(&self, index: usize) -> Option<&'a [u8]> {
        let entries = self.message.entries();
        let (mut at, mut place) = self.walk.get();
        if index < at {
            (at, place) = (0, 0);
        }
        loop {
            let entry = entries.get(place / 2)?;
            let name = if place % 2 == 0 { Some(entry.name) } else { entry.target() };
            place += 1;
            let Some(name) = name.map(|n| self.name(n)).filter(|n| !n.is_empty()) else { continue };
            at += 1;
            if at > index {
                self.walk.set((at, place));
                return Some(name);
            }
        }
    }
}

impl Transaction for View<'_> {
    fn id(&self) -> u64 {
        self.id
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        if side != self.side {
            return None;
        }
        let b = self.variant.buffers();
        let is = |buffer: &'static Buffer| std::ptr::eq(which, buffer);
        if is(b.queries) || (is(&super::QUERY) && !self.response) {
            self.owner(Section::Questions, index)
        } else if is(b.answers) {
            self.owner(Section::Answers, index)
        } else if is(b.authorities) && self.response {
            self.owner(Section::Authorities, index)
        } else if is(b.additionals) && self.response {
            self.owner(Section::Additionals, index)
        } else if is(b.response) && self.response {
            self.any_name(index)
        } else if is(&super::RRTYPE) {
            self.rrtype(index)
        } else if is(&super::OPCODE) && index == 0 {
            Some(&self.message.codes.0)
        } else if is(&super::RCODE) && index == 0 {
            Some(&self.message.codes.1)
        } else {
            None
        }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        match self.variant {
            Variant::Unicast => show::message(self, visitor),
            Variant::Multicast => crate::mdns::show::message(self, visitor),
        }
    }

    fn elements(&self, visitor: &mut dyn Visitor) {
        export::message(self, visitor);
    }
}

/// The strings of a TXT record.
pub(crate) fn texts<'a>(entry: &Entry, wire: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let mut c = parse::Cursor::new(entry.rdata(wire));
    std::iter::from_fn(move || c.counted8())
}

/// The options of an OPT record: code and value.
pub(crate) fn options<'a>(entry: &Entry, wire: &'a [u8]) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
    let mut c = parse::Cursor::new(entry.rdata(wire));
    std::iter::from_fn(move || Some((c.u16()?, c.counted16()?)))
}
