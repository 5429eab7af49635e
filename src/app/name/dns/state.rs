//! The parser: datagrams, or messages behind two-byte lengths (RFC 1035 section 4.2.2), one transaction each.

use super::message::Message;
use super::view::View;
use super::wire::{Header, skim};
use super::{Variant, probe};
use parse::{Anomaly, Close, Frame, Input, Parser, Side, Sink, Step, Transport};

/// How messages are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Nobody said; the first bytes will.
    Unknown,
    /// Each input is one message.
    Datagram,
    /// Messages behind their lengths.
    Stream,
}

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// A transaction.
    Whole,
    /// Its header cannot be one.
    Foreign,
    /// It is broken, and an anomaly has been raised.
    Broken,
}

/// One flow's parser, for DNS and for multicast DNS.
#[derive(Debug)]
pub(crate) struct Dns {
    variant: Variant,
    framing: Framing,
    message: Message,
    transactions: u64,
    /// Sides that lost bytes and have to find the next message.
    lost: [bool; 2],
    /// Whether the server has sent a response.
    answered: bool,
}

impl Dns {
    pub(crate) fn new(variant: Variant) -> Self {
        let framing = match variant {
            Variant::Unicast => Framing::Unknown,
            Variant::Multicast => Framing::Datagram,
        };
        Self {
            variant,
            framing,
            message: Message::default(),
            transactions: 0,
            lost: [false; 2],
            answered: false,
        }
    }

    /// One message, which begins at `offset`.
    fn take(&mut self, wire: &[u8], offset: u64, input: &Input<'_>, sink: &mut dyn Sink) -> Taken {
        let side = input.side;
        let mut frame =
            Frame { kind: self.variant.frame(), side, offset, len: Some(wire.len() as u64), tx: None };
        let Some(header) = Header::read(wire).filter(|h| h.plausible(wire.len())) else {
            sink.frame(frame);
            return Taken::Foreign;
        };
        let broken = if self.message.parse(wire, header).is_err() {
            Some(&super::MALFORMED_DATA)
        } else if self.variant.is_wrong_way(side, &header) {
            Some(&super::NOT_REQUEST)
        } else {
            None
        };
        if let Some(what) = broken {
            sink.frame(frame);
            sink.anomaly(None, side, what);
            return Taken::Broken;
        }
        frame.tx = Some(self.transactions);
        sink.frame(frame);
        let response = self.is_response(side, &header);
        let origin = (self.variant, self.transactions, side);
        self.tell(&View::new(origin, response, &self.message, wire), sink);
        self.transactions += 1;
        Taken::Whole
    }

    /// Whether a message is taken for a response: by its side, or by its header where sides mean nothing. Datagrams
    /// from the server are requests until it answers for once: servers ask one another from port 53 to port 53.
    fn is_response(&mut self, side: Side, header: &Header) -> bool {
        let says = header.has(Header::QR);
        if self.variant == Variant::Multicast || side == Side::ToServer {
            return says;
        }
        self.answered |= says || self.framing == Framing::Stream;
        self.answered
    }

    /// Tells everything about a transaction.
    fn tell(&self, view: &View<'_>, sink: &mut dyn Sink) {
        for what in anomalies(view).into_iter().flatten() {
            sink.anomaly(Some(view), view.side, what);
        }
        if self.variant == Variant::Unicast
            && !view.response
            && let Some(name) = view.question().filter(|name| !name.is_empty())
        {
            sink.host(name);
        }
        sink.progress(view, view.side, 0);
        // Suricata writes no event for a message that asks nothing, such as a bare refusal.
        if self.variant == Variant::Multicast || view.question().is_some() {
            sink.record(view, view.side, self.variant.record());
        }
    }

    /// A piece of a stream: as many messages as it holds.
    fn stream(&mut self, input: &Input<'_>, sink: &mut dyn Sink) -> Step {
        if !self.found_again(input) {
            return Step::All;
        }
        let mut eaten = 0;
        loop {
            let rest = input.data.get(eaten..).unwrap_or_default();
            let Some((&[high, low], behind)) = rest.split_first_chunk() else {
                return if rest.is_empty() { Step::All } else { Step::Wait { eaten, want: 2 } };
            };
            let len = usize::from(u16::from_be_bytes([high, low]));
            let Some(wire) = behind.get(..len) else {
                return Step::Wait { eaten, want: len + 2 };
            };
            let offset = input.offset + eaten as u64 + 2;
            match if len == 0 { Taken::Whole } else { self.take(wire, offset, input, sink) } {
                Taken::Whole => eaten += len + 2,
                Taken::Foreign => {
                    sink.anomaly(None, input.side, &super::MALFORMED_DATA);
                    return Step::Fail;
                }
                Taken::Broken => return Step::Fail,
            }
        }
    }

    /// After a gap, whether `input` begins with a message again. What does not is passed over as a whole, for
    /// messages mostly begin where segments do.
    fn found_again(&mut self, input: &Input<'_>) -> bool {
        let Some(lost) = self.lost.get_mut(input.side.index()) else { return true };
        if *lost && probe::message_behind_length(input.data).is_some() {
            *lost = false;
        }
        !*lost
    }
}

impl Parser for Dns {
    fn carried(&mut self, transport: Transport) {
        self.framing = match transport {
            Transport::Tcp => Framing::Stream,
            Transport::Udp | Transport::Sctp | Transport::Ip(_) => Framing::Datagram,
        };
    }

    fn feed(&mut self, input: Input<'_>, sink: &mut dyn Sink) -> Step {
        if self.framing == Framing::Unknown {
            let datagram = input.offset == 0 && skim(input.data).is_some();
            self.framing = if datagram { Framing::Datagram } else { Framing::Stream };
        }
        if self.framing == Framing::Stream {
            return self.stream(&input, sink);
        }
        // What is broken in one datagram says nothing about the next.
        self.take(input.data, 0, &input, sink);
        Step::All
    }

    fn gap(&mut self, side: Side, _missing: u64, _sink: &mut dyn Sink) -> Step {
        if let Some(lost) = self.lost.get_mut(side.index()) {
            *lost = true;
        }
        Step::All
    }

    fn close(&mut self, _why: Close, _sink: &mut dyn Sink) {}

    fn transactions(&self) -> u64 {
        self.transactions
    }

    fn held(&self) -> usize {
        self.message.held()
    }
}

/// What is wrong with a message that could be read all the same.
fn anomalies(view: &View<'_>) -> [Option<&'static Anomaly>; 8] {
    let (message, header) = (view.message, &view.message.header);
    let trouble = message.trouble();
    let not_response = view.response && !header.has(Header::QR);
    [
        message.invalid_additionals.then_some(&super::INVALID_ADDITIONALS),
        message.invalid_authorities.then_some(&super::INVALID_AUTHORITIES),
        not_response.then_some(&super::NOT_RESPONSE),
        header.has(Header::Z).then_some(&super::Z_FLAG_SET),
        // RFC 8490 section 5.4 gave out 6; nothing above is assigned.
        (header.opcode() >= 7).then_some(&super::INVALID_OPCODE),
        trouble.truncated.then_some(&super::NAME_TOO_LONG),
        trouble.infinite_loop.then_some(&super::INFINITE_LOOP),
        trouble.label_limit.then_some(&super::TOO_MANY_LABELS),
    ]
}
