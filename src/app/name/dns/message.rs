//! One message, parsed into an arena that the next message of the flow uses again.

use super::rrtype;
use super::unpack::{Name, Names, Trouble};
use super::wire::{HEADER, Header};
use parse::Cursor;

/// The body is not a message: a length, a count or a name in it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One of the four sections (RFC 1035 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Questions,
    Answers,
    Authorities,
    Additionals,
}

/// A question, or a resource record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Whose.
    pub(crate) name: Name,
    /// Type, in network order, as rules look at it.
    pub(crate) rrtype: [u8; 2],
    /// Class.
    pub(crate) class: u16,
    /// Seconds that it may be kept.
    pub(crate) ttl: u32,
    /// Place of its data in the message.
    place: (u32, u16),
    /// What names its data holds.
    pub(crate) data: Data,
}

/// The data of a record, as far as it had to be unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data {
    /// None: a question.
    None,
    /// To be read from the message.
    Raw,
    /// A name: NS, CNAME, PTR, and MX behind its preference.
    Target(Name),
    /// Start of authority (RFC 1035 section 3.3.13): two names and, where these end, five numbers.
    Soa(Name, Name, u32),
    /// A service's host (RFC 2782).
    Srv(Name),
}

impl Entry {
    /// Its type.
    pub(crate) fn rrtype(&self) -> u16 {
        u16::from_be_bytes(self.rrtype)
    }

    /// Its data, out of the message that it came from.
    pub(crate) fn rdata<'a>(&self, wire: &'a [u8]) -> &'a [u8] {
        let start = self.place.0 as usize;
        wire.get(start..start + usize::from(self.place.1)).unwrap_or_default()
    }

    /// The name that its data holds, where that says who is meant.
    pub(crate) fn target(&self) -> Option<Name> {
        match self.data {
            Data::Target(name) | Data::Soa(name, _, _) => Some(name),
            Data::None | Data::Raw | Data::Srv(_) => None,
        }
    }
}

/// A parsed message.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// Its header.
    pub(crate) header: Header,
    /// Opcode and rcode, as rules look at them.
    pub(crate) codes: ([u8; 1], [u8; 1]),
    /// Every name of it.
    pub(crate) names: Names,
    entries: Vec<Entry>,
    /// Where questions, answers and authorities end in `entries`.
    ends: [usize; 3],
    /// The authority section could not be read; neither was what follows.
    pub(crate) invalid_authorities: bool,
    /// The additional section could not be read.
    pub(crate) invalid_additionals: bool,
}

impl Message {
    /// Parses `wire`, whose header has been found plausible. A broken question or answer spoils the message; broken
    /// authorities or additionals are noted and left out.
    pub(crate) fn parse(&mut self, wire: &[u8], header: Header) -> Result<(), Malformed> {
        self.clear();
        self.header = header;
        self.codes = ([header.opcode()], [header.rcode()]);
        let mut at = HEADER;
        for _ in 0..header.questions {
            at = self.question(wire, at).ok_or(Malformed)?;
        }
        let questions = self.entries.len();
        self.ends = [questions; 3];
        at = self.records(wire, at, header.answers).ok_or(Malformed)?;
        let answers = self.entries.len();
        self.ends = [questions, answers, answers];
        let Some(at) = self.records(wire, at, header.authorities) else {
            self.invalid_authorities = true;
            self.entries.truncate(answers);
            return Ok(());
        };
        let authorities = self.entries.len();
        self.ends = [questions, answers, authorities];
        if self.records(wire, at, header.additionals).is_none() {
            self.invalid_additionals = true;
            self.entries.truncate(authorities);
        }
        Ok(())
    }

    /// The entries of one section.
    pub(crate) fn section(&self, which: Section) -> &[Entry] {
        let [questions, answers, authorities] = self.ends;
        let range = match which {
            Section::Questions => 0..questions,
            Section::Answers => questions..answers,
            Section::Authorities => answers..authorities,
            Section::Additionals => authorities..self.entries.len(),
        };
        self.entries.get(range).unwrap_or_default()
    }

    /// Every entry, in the order of the message.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was wrong with its names.
    pub(crate) fn trouble(&self) -> Trouble {
        self.names.trouble
    }

    /// Heap bytes held.
    pub(crate) fn held(&self) -> usize {
        self.names.held() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Makes room for the next message; what an unusually large one took is given back.
    fn clear(&mut self) {
        self.names.clear();
        self.entries.clear();
        if self.entries.capacity() > 256 {
            self.entries = Vec::new();
        }
        self.ends = [0; 3];
        self.invalid_authorities = false;
        self.invalid_additionals = false;
    }

    /// One question (RFC 1035 section 4.1.2); answers the place behind it.
    fn question(&mut self, wire: &[u8], at: usize) -> Option<usize> {
        let (name, at) = self.names.unpack(wire, at)?;
        let mut c = Cursor::new(wire.get(at..)?);
        let (rrtype, class) = (c.array()?, c.u16()?);
        self.entries.push(Entry { name, rrtype, class, ttl: 0, place: (0, 0), data: Data::None });
        Some(at + 4)
    }

    /// `count` records; answers the place behind them.
    fn records(&mut self, wire: &[u8], mut at: usize, count: u16) -> Option<usize> {
        for _ in 0..count {
            at = self.record(wire, at)?;
        }
        Some(at)
    }

    /// One record (RFC 1035 section 4.1.3); answers the place behind it.
    fn record(&mut self, wire: &[u8], at: usize) -> Option<usize> {
        let (name, at) = self.names.unpack(wire, at)?;
        let mut c = Cursor::new(wire.get(at..)?);
        let (rrtype, class, ttl) = (c.array()?, c.u16()?, c.u32()?);
        let len = c.u16()?;
        c.skip(usize::from(len))?;
        let start = at + 10;
        let end = start + usize::from(len);
        let data = self.data(wire, u16::from_be_bytes(rrtype), start, end)?;
        let place = (u32::try_from(start).ok()?, len);
        self.entries.push(Entry { name, rrtype, class, ttl, place, data });
        Some(end)
    }

    /// The data between `start` and `end`. `None` when it is not what its type asks for.
    fn data(&mut self, wire: &[u8], rrtype: u16, start: usize, end: usize) -> Option<Data> {
        // Names are read within the record's data, but their pointers lead anywhere in the message.
        let within = wire.get(..end)?;
        match rrtype {
            rrtype::NS | rrtype::CNAME | rrtype::PTR => {
                self.target(wire, within, start).map(|(name, _)| Data::Target(name))
            }
            rrtype::MX => {
                within.get(start..start + 2)?;
                self.target(wire, within, start + 2).map(|(name, _)| Data::Target(name))
            }
            rrtype::SRV => {
                within.get(start..start + 6)?;
                self.target(wire, within, start + 6).map(|(name, _)| Data::Srv(name))
            }
            rrtype::SOA => {
                let (mname, at) = self.target(wire, within, start)?;
                let (rname, at) = self.target(wire, within, at)?;
                within.get(at..at + 20)?;
                Some(Data::Soa(mname, rname, u32::try_from(at).ok()?))
            }
            rrtype::TXT => all_counted8(within.get(start..)?).then_some(Data::Raw),
            rrtype::OPT => all_options(within.get(start..)?).then_some(Data::Raw),
            rrtype::SSHFP => within.get(start..start + 2).map(|_| Data::Raw),
            _ => Some(Data::Raw),
        }
    }

    /// A name in a record's data: its own labels must lie within the data.
    fn target(&mut self, wire: &[u8], within: &[u8], at: usize) -> Option<(Name, usize)> {
        let before = self.names.trouble;
        match self.names.unpack(wire, at) {
            Some((name, behind)) if behind <= within.len() => return Some((name, behind)),
            _ => self.names.trouble = before,
        }
        // It runs over: read again as far as the data goes, as a name that its end cuts off.
        self.names.unpack(within, at)
    }
}

/// Whether bytes are nothing but strings behind one-byte lengths (RFC 1035 section 3.3.14).
fn all_counted8(data: &[u8]) -> bool {
    let mut c = Cursor::new(data);
    while !c.is_empty() {
        if c.counted8().is_none() {
            return false;
        }
    }
    true
}

/// Whether bytes are nothing but options: code, length, value (RFC 6891 section 6.1.2).
fn all_options(data: &[u8]) -> bool {
    let mut c = Cursor::new(data);
    while !c.is_empty() {
        if c.skip(2).and_then(|()| c.counted16()).is_none() {
            return false;
        }
    }
    true
}
