//! One transaction: an envelope and the message in it.

use super::fields::{buffer, field};
use crate::message::{Known, Message};
use parse::{Buffer, Field, FileEnd, Side, Transaction, Visitor};

/// Recipients that are kept, and bytes of each address.
const MOST_RECIPIENTS: usize = 512;
const LONGEST_ADDRESS: usize = 512;

/// An envelope and its message.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) id: u64,
    pub(super) helo: Option<Vec<u8>>,
    pub(super) from: Option<Vec<u8>>,
    recipients: Vec<Vec<u8>>,
    pub(super) message: Option<Box<Message>>,
    /// Bytes of the attachment at hand.
    pub(super) in_file: u64,
    /// How the last attachment ended, which is told when the next one begins or the message is over: its event has the
    /// message as far as it was read then.
    pub(super) ended: Option<FileEnd>,
}

impl Exchange {
    pub(super) fn new(id: u64, helo: Option<&Vec<u8>>) -> Self {
        Self { id, helo: helo.cloned(), ..Self::default() }
    }

    /// Notes a recipient.
    pub(super) fn recipient(&mut self, address: &[u8]) {
        if self.recipients.len() < MOST_RECIPIENTS {
            self.recipients.push(short(address));
        }
    }

    pub(super) fn held(&self) -> usize {
        let recipients: usize = self.recipients.iter().map(|r| r.capacity() + size_of::<Vec<u8>>()).sum();
        self.message.as_ref().map_or(0, |m| size_of::<Message>() + m.held()) + recipients
    }

    fn header(&self, which: Known) -> Option<&[u8]> {
        self.message.as_ref()?.field(which)
    }

    fn email(&self, message: &Message, to: &mut dyn Visitor) {
        to.object(&field::EMAIL);
        if let Some(from) = message.field(Known::From) {
            to.text(&field::FROM, from);
        }
        addresses(to, &field::TO, message.field(Known::To));
        addresses(to, &field::CC, message.field(Known::Cc));
        to.word(&field::STATUS, message.status());
        list(to, &field::ATTACHMENT, message.names().iter().map(Vec::as_slice));
        // As in Suricata the last one found stands first.
        list(to, &field::URL, message.urls().iter().rev().map(Vec::as_slice));
        to.close();
    }
}

/// An address of no more bytes than are kept.
pub(super) fn short(address: &[u8]) -> Vec<u8> {
    address.get(..LONGEST_ADDRESS).unwrap_or(address).to_vec()
}

/// Addresses of a field, one by one.
fn addresses(to: &mut dyn Visitor, field: &'static Field, value: Option<&[u8]>) {
    let each = value.unwrap_or_default().split(|&b| b == b',').map(<[u8]>::trim_ascii);
    list(to, field, each.filter(|address| !address.is_empty()));
}

fn list<'a>(to: &mut dyn Visitor, field: &'static Field, items: impl Iterator<Item = &'a [u8]>) {
    let mut open = false;
    for item in items {
        if !std::mem::replace(&mut open, true) {
            to.list(field);
        }
        to.text(field, item);
    }
    if open {
        to.close();
    }
}

impl Transaction for Exchange {
    fn id(&self) -> u64 {
        self.id
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        if side == Side::ToClient {
            return None;
        }
        let is = |buffer: &'static Buffer| std::ptr::eq(which, buffer);
        if is(&buffer::RCPT_TO) {
            return self.recipients.get(index).map(Vec::as_slice);
        }
        if is(&buffer::URL) {
            return self.message.as_ref()?.urls().get(index).map(Vec::as_slice);
        }
        let known = [
            (&buffer::FROM, Known::From),
            (&buffer::TO, Known::To),
            (&buffer::CC, Known::Cc),
            (&buffer::SUBJECT, Known::Subject),
            (&buffer::DATE, Known::Date),
            (&buffer::MESSAGE_ID, Known::MessageId),
            (&buffer::X_MAILER, Known::XMailer),
        ];
        let one = if is(&buffer::HELO) {
            self.helo.as_deref()
        } else if is(&buffer::MAIL_FROM) {
            self.from.as_deref()
        } else {
            known.into_iter().find(|(buffer, _)| is(buffer)).and_then(|(_, field)| self.header(field))
        };
        one.filter(|_| index == 0)
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        visitor.object(&field::SMTP);
        if let Some(helo) = &self.helo {
            visitor.text(&field::HELO, helo);
        }
        if let Some(from) = &self.from {
            visitor.text(&field::MAIL_FROM, from);
        }
        list(visitor, &field::RCPT_TO, self.recipients.iter().map(Vec::as_slice));
        visitor.close();
        if let Some(message) = &self.message {
            self.email(message, visitor);
        }
    }
}
