//! The parser: every message is a transaction of its own.

use super::show;
use super::wire::{Ending, Header, code, options};
use parse::{Buffer, Close, Input, Parser, Side, Sink, Step, Transaction, Visitor};

/// RFC 2132 section 9.6: acknowledgement.
const ACK: u8 = 5;

/// One flow's parser.
#[derive(Debug)]
pub(super) struct Dhcp {
    extended: bool,
    transactions: u64,
}

/// One message, borrowed while its sink is told of it.
struct View<'a> {
    id: u64,
    side: Side,
    header: Header<'a>,
    options: &'a [u8],
    extended: bool,
    numbers: Numbers<'a>,
}

/// What rules look at, as sent.
#[derive(Default)]
struct Numbers<'a> {
    lease: Option<&'a [u8]>,
    renewal: Option<&'a [u8]>,
    rebinding: Option<&'a [u8]>,
    message_type: Option<u8>,
    malformed: bool,
}

impl Dhcp {
    pub(super) fn new(extended: bool) -> Self {
        Self { extended, transactions: 0 }
    }

    fn tell(&self, view: &View<'_>, ending: Ending, sink: &mut dyn Sink) {
        if view.numbers.malformed || ending == Ending::Malformed {
            sink.anomaly(Some(view), view.side, &super::MALFORMED_OPTIONS);
        }
        if ending == Ending::Truncated {
            sink.anomaly(Some(view), view.side, &super::TRUNCATED_OPTIONS);
        }
        sink.progress(view, view.side, 0);
        if self.extended || view.numbers.message_type == Some(ACK) {
            sink.record(view, view.side, &super::RECORD);
        }
    }
}

impl Parser for Dhcp {
    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        let Some((header, bytes)) = Header::read(input.data) else {
            // Plain BOOTP (RFC 951) may be shorter than a cookie's end: nothing to record of it.
            return Step::All;
        };
        let mut numbers = Numbers::default();
        let ending = options(bytes, |option| numbers.note(option.code, option.value));
        let (id, side, extended) = (self.transactions, input.side, self.extended);
        self.tell(&View { id, side, header, options: bytes, extended, numbers }, ending, sink);
        self.transactions += 1;
        Step::All
    }

    fn close(&mut self, _why: Close, _sink: &mut dyn Sink) {}

    fn transactions(&self) -> u64 {
        self.transactions
    }

    fn held(&self) -> usize {
        0
    }
}

impl<'a> Numbers<'a> {
    /// Keeps what is found first. Times are four bytes, no more and no less.
    fn note(&mut self, code: u8, value: &'a [u8]) {
        let slot = match code {
            code::LEASE_TIME => &mut self.lease,
            code::RENEWAL_TIME => &mut self.renewal,
            code::REBINDING_TIME => &mut self.rebinding,
            code::MESSAGE_TYPE => {
                self.message_type = self.message_type.or(value.first().copied());
                return;
            }
            _ => return,
        };
        self.malformed |= value.len() != 4;
        slot.get_or_insert(value);
    }
}

impl Transaction for View<'_> {
    fn id(&self) -> u64 {
        self.id
    }

    fn buffer(&self, which: &'static Buffer, side: Side, index: usize) -> Option<&[u8]> {
        if side != self.side || index > 0 {
            return None;
        }
        if std::ptr::eq(which, &super::LEASE_TIME) {
            self.numbers.lease
        } else if std::ptr::eq(which, &super::RENEWAL_TIME) {
            self.numbers.renewal
        } else if std::ptr::eq(which, &super::REBINDING_TIME) {
            self.numbers.rebinding
        } else {
            None
        }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        show::message(&self.header, self.options, self.extended, visitor);
    }
}
