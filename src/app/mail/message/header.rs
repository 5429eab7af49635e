//! Header fields (RFC 5322, 2.2): those of the message that are shown, and what a part's own say of its content.

use super::coding::Coding;
use super::parameter;

/// Longest value that is kept.
const LONGEST_VALUE: usize = 2000;

/// A field of the message that events and rules see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Who wrote it.
    From,
    /// To whom.
    To,
    /// To whom else.
    Cc,
    /// What about.
    Subject,
    /// When.
    Date,
    /// Its name.
    MessageId,
    /// With what program.
    XMailer,
}

impl Known {
    const NAMES: [(&'static [u8], Self); 7] = [
        (b"from", Self::From),
        (b"to", Self::To),
        (b"cc", Self::Cc),
        (b"subject", Self::Subject),
        (b"date", Self::Date),
        (b"message-id", Self::MessageId),
        (b"x-mailer", Self::XMailer),
    ];

    fn of(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }
}

/// Fields of a message; of several with one name the first counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(Known, Vec<u8>)>);

impl Fields {
    pub(super) fn take(&mut self, name: &[u8], value: &[u8]) {
        let Some(known) = Known::of(name).filter(|known| self.get(*known).is_none()) else { return };
        self.0.push((known, value.get(..LONGEST_VALUE).unwrap_or(value).to_vec()));
    }

    pub(super) fn get(&self, known: Known) -> Option<&[u8]> {
        self.0.iter().find(|(field, _)| *field == known).map(|(_, value)| value.as_slice())
    }

    pub(super) fn held(&self) -> usize {
        self.0.iter().map(|(_, value)| value.capacity()).sum()
    }
}

/// What kind of content a part has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text that people read.
    #[default]
    Text,
    /// Parts, between boundaries.
    Parts,
    /// A message within the message.
    Message,
    Other,
}

/// What the fields of a part say of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) coding: Coding,
    pub(super) boundary: Option<Vec<u8>>,
    pub(super) name: Option<Vec<u8>>,
}

impl Part {
    /// Takes one field.
    pub(super) fn take(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"content-type") {
            self.content_type(value);
        } else if name.eq_ignore_ascii_case(b"content-disposition") {
            self.name = filled(parameter::find(value, b"filename")).or_else(|| self.name.take());
        } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
            self.coding = Coding::of(value);
        }
    }

    fn content_type(&mut self, value: &[u8]) {
        let end = value.iter().position(|&b| matches!(b, b';' | b' ' | b'\t')).unwrap_or(value.len());
        let kind = value.get(..end).unwrap_or_default().to_ascii_lowercase();
        self.kind = match kind.as_slice() {
            b"text/plain" | b"text/html" => Kind::Text,
            b"message/rfc822" => Kind::Message,
            kind if kind.starts_with(b"multipart/") => Kind::Parts,
            _ => Kind::Other,
        };
        if self.kind == Kind::Parts {
            self.boundary = filled(parameter::find(value, b"boundary"));
        }
        if self.name.is_none() {
            self.name = filled(parameter::find(value, b"name"));
        }
    }
}

fn filled(value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_of_a_name_counts() {
        let mut fields = Fields::default();
        fields.take(b"SUBJECT", b"one");
        fields.take(b"Subject", b"two");
        fields.take(b"X-Other", b"three");
        fields.take(b"to", &[b'a'; 3000]);
        assert_eq!(fields.get(Known::Subject), Some(&b"one"[..]));
        assert_eq!(fields.get(Known::To).map(<[u8]>::len), Some(LONGEST_VALUE));
        assert_eq!(fields.get(Known::From), None);
    }

    #[test]
    fn a_part_says_what_it_is() {
        let mut part = Part::default();
        part.take(b"Content-Type", b"image/png; name=\"a.png\"");
        part.take(b"Content-Disposition", b"attachment; filename=b.png");
        part.take(b"content-transfer-encoding", b"base64");
        assert_eq!(
            (part.kind, part.coding, part.name.as_deref()),
            (Kind::Other, Coding::Base64, Some(&b"b.png"[..]))
        );
        part.take(b"Content-Type", b"Multipart/Mixed; boundary=x");
        assert_eq!((part.kind, part.boundary.as_deref()), (Kind::Parts, Some(&b"x"[..])));
    }
}
