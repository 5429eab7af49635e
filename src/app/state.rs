//! What the engine hangs on a flow.

use crate::accord::Heard;
use crate::services::Service;
use parse::{Parser, Protocol, Side, Transport};

/// How a protocol was recognised, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Its parser read whole messages.
    Parser,
    /// A probe read the bytes.
    Content,
    /// Literal bytes stood where they should.
    Pattern,
    /// Nothing spoke against the usual port.
    Port,
}

impl Confidence {
    /// As events carry it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parser => "parser",
            Self::Content => "content",
            Self::Pattern => "pattern",
            Self::Port => "port",
        }
    }
}

/// What is known of a flow's application.
#[derive(Clone, Copy, Debug, Default)]
pub struct Label {
    /// Protocol spoken.
    pub protocol: Option<&'static Protocol>,
    /// Protocol spoken before a switch.
    pub original: Option<&'static Protocol>,
    /// Service on top.
    pub service: Option<&'static Service>,
    /// How the protocol was recognised.
    pub confidence: Option<Confidence>,
    /// Known from packets of a stream that is not read, because its beginning was missed: a name for summaries, and
    /// no parser's word.
    pub glimpsed: bool,
    /// Another protocol took over, and nobody knows which.
    pub lost: bool,
    /// How each side began, the client's first.
    pub heard: [Heard; 2],
}

impl Label {
    /// How a side began.
    #[must_use]
    pub fn heard(&self, side: Side) -> Heard {
        self.heard.get(side.index()).copied().unwrap_or_default()
    }

    pub(crate) fn hear(&mut self, side: Side, heard: Heard) {
        if let Some(slot) = self.heard.get_mut(side.index()) {
            *slot = heard;
        }
    }
}

/// First bytes of a side, kept while recognition has not decided.
pub(crate) const OPENING: usize = 64;

/// So many datagrams with the same weak sign decide.
const ENOUGH_VOTES: u32 = 8;

/// What recognition remembers between looks.
#[derive(Debug)]
pub(crate) struct Looking {
    /// First bytes of each side.
    pub(crate) opening: [([u8; OPENING], u8); 2],
    /// Payload packets looked at.
    pub(crate) packets: u32,
    /// Looks taken, those included that showed nothing new.
    pub(crate) looks: u32,
    /// Most bytes of each side seen at once.
    pub(crate) seen: [usize; 2],
    /// The first weak offer, and how many looks made it again.
    pub(crate) unsure: Option<(&'static Protocol, Confidence)>,
    /// Looks that made that offer.
    pub(crate) votes: u32,
    /// At one of the looks somebody was ([`crate::recognise::Signs`]).
    pub(crate) undecided: bool,
    /// A switch announced this protocol.
    pub(crate) expected: Option<&'static Protocol>,
    /// The side that spoke first.
    pub(crate) first: Option<Side>,
}

impl Default for Looking {
    fn default() -> Self {
        Self {
            opening: [([0; OPENING], 0); 2],
            packets: 0,
            looks: 0,
            seen: [0; 2],
            unsure: None,
            votes: 0,
            undecided: false,
            expected: None,
            first: None,
        }
    }
}

impl Looking {
    /// Whether the other side spoke before this one, and its bytes still wait.
    pub(crate) fn waits(&self, side: Side, transport: Transport) -> bool {
        transport == Transport::Tcp && self.first == Some(side.other())
    }

    pub(crate) fn opening(&self, side: Side) -> &[u8] {
        let [client, server] = &self.opening;
        let (bytes, len) = if side == Side::ToServer { client } else { server };
        bytes.get(..usize::from(*len)).unwrap_or_default()
    }

    /// Keeps the first bytes of a side: of its first payload, not a later one's.
    pub(crate) fn keep(&mut self, side: Side, data: &[u8]) {
        let [client, server] = &mut self.opening;
        let (bytes, len) = if side == Side::ToServer { client } else { server };
        for (slot, byte) in bytes.iter_mut().zip(data).skip(usize::from(*len)) {
            *slot = *byte;
        }
        *len = (*len).max(u8::try_from(data.len().min(OPENING)).unwrap_or(0));
    }

    /// Counts a weak offer; the first protocol that made one is the candidate.
    pub(crate) fn vote(&mut self, offer: Option<(&'static Protocol, Confidence)>) {
        let Some((protocol, _)) = offer else { return };
        let held = *self.unsure.get_or_insert_with(|| offer.unwrap_or((protocol, Confidence::Content)));
        self.votes += u32::from(std::ptr::eq(held.0, protocol));
    }

    /// The candidate, when the same weak sign stood in datagram after datagram.
    pub(crate) fn elected(&self, transport: Transport) -> Option<(&'static Protocol, Confidence)> {
        (transport != Transport::Tcp && self.votes >= ENOUGH_VOTES).then(|| self.leading()).flatten()
    }

    /// The candidate, unless most looks spoke against it.
    pub(crate) fn leading(&self) -> Option<(&'static Protocol, Confidence)> {
        self.unsure.filter(|_| self.votes * 2 >= self.packets)
    }
}

/// Where a flow stands.
#[derive(Default)]
pub(crate) enum Stage {
    /// Nothing looked at yet.
    #[default]
    Fresh,
    /// Not recognised yet.
    Looking(Box<Looking>),
    /// Its parser is at work.
    Parsing(Box<dyn Parser>),
    /// Nothing more to do: a label, a parser that is done, or recognition gave up.
    Settled,
}

/// Recognition and parser of one flow.
#[derive(Default)]
pub struct State {
    pub(crate) stage: Stage,
    pub(crate) label: Label,
    /// What a parser that is gone left for the next one.
    pub(crate) bequest: Option<Box<[u8]>>,
    /// Transactions of parsers that are gone.
    pub(crate) past_transactions: u64,
}

impl State {
    /// What is known.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// Whether payload of this flow is still of use.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.stage, Stage::Settled)
    }

    /// Whether a parser is at work.
    #[must_use]
    pub fn is_parsing(&self) -> bool {
        matches!(self.stage, Stage::Parsing(_))
    }

    /// Transactions so far.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        let now = if let Stage::Parsing(parser) = &self.stage { parser.transactions() } else { 0 };
        self.past_transactions + now
    }

    /// Heap bytes held by recognition and parser.
    #[must_use]
    pub fn held(&self) -> usize {
        match &self.stage {
            Stage::Looking(_) => size_of::<Looking>(),
            Stage::Parsing(parser) => parser.held(),
            Stage::Fresh | Stage::Settled => 0,
        }
    }

    /// Nobody knows what is spoken here; behind a switch that is told.
    pub(crate) fn lose(&mut self) {
        if self.label.original.is_some() {
            self.label.lost = true;
            self.past_transactions = 0;
        }
    }

    /// Notes a host name that tells the service; the first that does stays.
    pub fn host(&mut self, name: &[u8]) {
        if self.label.service.is_none() {
            self.label.service = crate::services::of_host(name);
        }
    }
}
