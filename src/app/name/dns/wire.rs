//! DNS on the wire (RFC 1035 section 4): the header, and a skim over a whole message that unpacks nothing.

use parse::Cursor;

/// Bytes of a header (RFC 1035 section 4.1.1).
pub(crate) const HEADER: usize = 12;

/// The header of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The sender's number for question and answer.
    pub(crate) id: u16,
    /// QR, opcode, AA, TC, RD, RA, Z, AD, CD and rcode.
    pub(crate) flags: u16,
    /// Entries in the question section.
    pub(crate) questions: u16,
    /// Records in the answer section.
    pub(crate) answers: u16,
    /// Records in the authority section.
    pub(crate) authorities: u16,
    /// Records in the additional section.
    pub(crate) additionals: u16,
}

impl Header {
    /// Query or response.
    pub(crate) const QR: u16 = 0x8000;
    /// Authoritative answer.
    pub(crate) const AA: u16 = 0x0400;
    /// Truncated.
    pub(crate) const TC: u16 = 0x0200;
    /// Recursion desired.
    pub(crate) const RD: u16 = 0x0100;
    /// Recursion available.
    pub(crate) const RA: u16 = 0x0080;
    /// Reserved, must be zero.
    pub(crate) const Z: u16 = 0x0040;
    /// Authentic data (RFC 4035 section 3.2.3).
    pub(crate) const AD: u16 = 0x0020;
    /// Checking disabled (RFC 4035 section 3.2.2).
    pub(crate) const CD: u16 = 0x0010;

    /// Reads the header of a message.
    #[must_use]
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(message);
        Some(Self {
            id: c.u16()?,
            flags: c.u16()?,
            questions: c.u16()?,
            answers: c.u16()?,
            authorities: c.u16()?,
            additionals: c.u16()?,
        })
    }

    /// Whether a bit, or one of several, is set.
    #[must_use]
    pub(crate) const fn has(&self, bits: u16) -> bool {
        self.flags & bits != 0
    }

    /// The kind of query.
    #[must_use]
    pub(crate) const fn opcode(&self) -> u8 {
        (self.flags.to_be_bytes()[0] >> 3) & 0xf
    }

    /// The result, without what an OPT record adds.
    #[must_use]
    pub(crate) const fn rcode(&self) -> u8 {
        self.flags.to_be_bytes()[1] & 0xf
    }

    /// Whether these counts can be those of a message of `len` bytes: every record takes two bytes at least, a
    /// message without records is a bare header, and a query asks something.
    #[must_use]
    pub(crate) fn plausible(&self, len: usize) -> bool {
        let records = [self.questions, self.answers, self.authorities, self.additionals];
        let records: usize = records.into_iter().map(usize::from).sum();
        let asks = self.has(Self::QR) || self.questions > 0;
        2 * records <= len && (records > 0 || len <= HEADER) && asks
    }
}

/// What a skim learned of a message whose sections all fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skim {
    /// Its header.
    pub(crate) header: Header,
    /// Whether it ends exactly where the bytes do.
    pub(crate) whole: bool,
    /// Type of the first question.
    pub(crate) rrtype: u16,
    /// Class of the first question.
    pub(crate) class: u16,
    /// Whether the first question is a name of one label or more, all of visible ASCII.
    pub(crate) visible: bool,
}

/// Walks over questions and answers, and over the rest as far as it goes. `None` when it cannot be a message.
#[must_use]
pub(crate) fn skim(message: &[u8]) -> Option<Skim> {
    let header = Header::read(message)?;
    if !header.plausible(message.len()) {
        return None;
    }
    let mut c = Cursor::new(message);
    c.skip(HEADER)?;
    let mut skim = Skim { header, whole: false, rrtype: 0, class: 0, visible: false };
    for i in 0..header.questions {
        let visible = skip_name(&mut c)?;
        let (rrtype, class) = (c.u16()?, c.u16()?);
        if i == 0 {
            (skim.rrtype, skim.class, skim.visible) = (rrtype, class, visible);
        }
    }
    for _ in 0..header.answers {
        skip_record(&mut c)?;
    }
    let rest = u32::from(header.authorities) + u32::from(header.additionals);
    let tail = (0..rest).try_for_each(|_| skip_record(&mut c));
    skim.whole = tail.is_some() && c.is_empty();
    Some(skim)
}

/// Passes over one record (RFC 1035 section 4.1.3).
fn skip_record(c: &mut Cursor<'_>) -> Option<()> {
    skip_name(c)?;
    c.skip(8)?;
    c.counted16().map(|_| ())
}

/// Passes over a name without following its pointer; answers whether it has labels and all are visible.
fn skip_name(c: &mut Cursor<'_>) -> Option<bool> {
    let mut visible = false;
    let mut hidden = false;
    loop {
        match c.u8() {
            // A name that the end of the message cuts off is taken as it is, as Suricata does.
            None | Some(0) => return Some(visible && !hidden),
            Some(n) if n & 0xc0 == 0 => {
                visible = true;
                hidden |= c.take(usize::from(n))?.iter().any(|b| !b.is_ascii_graphic());
            }
            Some(n) if n & 0xc0 == 0xc0 => return c.u8().map(|_| visible && !hidden),
            Some(_) => return None,
        }
    }
}
