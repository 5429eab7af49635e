//! Frames as they stand on the wire (RFC 9113, 4.1 and 6).

use parse::Cursor;

/// What a client sends before its first frame (3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame's header.
pub(super) const HEADER: usize = 9;

/// Kinds of frames; others are extensions and passed over.
pub(super) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

const END_STREAM: u8 = 0x01;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) len: usize,
    pub(super) kind: u8,
    flags: u8,
    /// The first bit of the stream's number is set, which it must not be.
    pub(super) reserved: bool,
    pub(super) stream: u32,
}

impl Header {
    /// Reads the header at the beginning of `data`.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(data);
        let (len, kind, flags, stream) = (c.u24()?, c.u8()?, c.u8()?, c.u32()?);
        let len = usize::try_from(len).ok()?;
        Some(Self { len, kind, flags, reserved: stream >> 31 != 0, stream: stream & 0x7fff_ffff })
    }

    /// The header of a frame that came without one.
    pub(super) const fn of(kind: u8) -> Self {
        Self { len: 0, kind, flags: 0, reserved: false, stream: 0 }
    }

    /// Whether its stream is over with it.
    pub(super) const fn ends_stream(self) -> bool {
        self.flags & END_STREAM != 0 && matches!(self.kind, kind::DATA | kind::HEADERS)
    }

    /// Whether the header block is over with it.
    pub(super) const fn ends_block(self) -> bool {
        self.flags & END_HEADERS != 0
    }

    /// Whether padding stands behind the payload.
    pub(super) const fn is_padded(self) -> bool {
        self.flags & PADDED != 0
    }

    /// Whether only flags of an acknowledgement, or none, are set.
    pub(super) const fn has_plain_flags(self) -> bool {
        self.flags & 0xfe == 0
    }

    /// Takes padding off a payload that has been read whole (6.2); `None` when there is more of it than bytes.
    pub(super) fn unpadded(self, payload: &[u8]) -> Option<&[u8]> {
        if !self.is_padded() {
            return Some(payload);
        }
        let (&pad, rest) = payload.split_first()?;
        rest.get(..rest.len().checked_sub(usize::from(pad))?)
    }

    /// Takes the priority off the front of a HEADERS frame's payload: its weight as sent, and the rest.
    pub(super) fn weight(self, payload: &[u8]) -> Option<(Option<u8>, &[u8])> {
        if self.flags & PRIORITY == 0 {
            return Some((None, payload));
        }
        let mut c = Cursor::new(payload);
        c.u32()?;
        Some((Some(c.u8()?), c.rest()))
    }
}

/// Parameters of a SETTINGS frame, with the names that events give them (6.5.2, RFC 8441, RFC 9218).
const SETTINGS: [(u16, &str); 8] = [
    (1, "SETTINGSHEADERTABLESIZE"),
    (2, "SETTINGSENABLEPUSH"),
    (3, "SETTINGSMAXCONCURRENTSTREAMS"),
    (4, "SETTINGSINITIALWINDOWSIZE"),
    (5, "SETTINGSMAXFRAMESIZE"),
    (6, "SETTINGSMAXHEADERLISTSIZE"),
    (8, "SETTINGSENABLECONNECTPROTOCOL"),
    (9, "SETTINGSNORFC7540PRIORITIES"),
];

/// The number of the parameter that limits the other side's dynamic table.
pub(super) const HEADER_TABLE_SIZE: u16 = 1;

/// Name of a parameter.
pub(super) fn setting(id: u16) -> Option<&'static str> {
    SETTINGS.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

/// The parameters of a SETTINGS frame, up to the first that has no name.
pub(super) fn settings(payload: &[u8]) -> impl Iterator<Item = (u16, u32)> {
    let mut c = Cursor::new(payload);
    std::iter::from_fn(move || Some((c.u16()?, c.u32()?))).take_while(|(id, _)| setting(*id).is_some())
}

/// Names of error codes (7), as events give them.
const ERRORS: [&str; 14] = [
    "NOERROR",
    "PROTOCOLERROR",
    "INTERNALERROR",
    "FLOWCONTROLERROR",
    "SETTINGSTIMEOUT",
    "STREAMCLOSED",
    "FRAMESIZEERROR",
    "REFUSEDSTREAM",
    "CANCEL",
    "COMPRESSIONERROR",
    "CONNECTERROR",
    "ENHANCEYOURCALM",
    "INADEQUATESECURITY",
    "HTTP11REQUIRED",
];

/// Name of an error code.
pub(super) fn error(code: u32) -> Option<&'static str> {
    ERRORS.get(usize::try_from(code).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_nine_bytes() {
        let header = Header::read(&[1, 2, 3, 1, 0x2d, 0x80, 0, 0, 5]).unwrap();
        assert_eq!((header.len, header.kind, header.stream, header.reserved), (0x01_0203, 1, 5, true));
        assert!(header.ends_stream() && header.ends_block() && header.is_padded());
        assert_eq!(Header::read(&[0; 8]), None);
    }

    #[test]
    fn padding_and_priority_come_off() {
        let header = Header::read(&[0, 0, 0, 1, 0x28, 0, 0, 0, 1]).unwrap();
        let rest = header.unpadded(&[2, 0, 0, 0, 0, 9, b'x', 0, 0]).unwrap();
        assert_eq!(header.weight(rest), Some((Some(9), &b"x"[..])));
        assert_eq!(header.unpadded(&[2, 0]), None);
        assert_eq!(header.unpadded(&[]), None);
        assert_eq!(header.weight(&[0, 0, 0, 0]), None);
    }

    #[test]
    fn settings_end_where_they_are_not_known() {
        let payload = [0, 3, 0, 0, 0, 100, 0x1a, 0x2a, 0, 0, 0, 1, 0, 4, 0, 0, 0, 1];
        assert_eq!(settings(&payload).collect::<Vec<_>>(), [(3, 100)]);
        assert_eq!((error(13), error(14)), (Some("HTTP11REQUIRED"), None));
    }
}
