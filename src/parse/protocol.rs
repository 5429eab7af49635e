//! The catalogue entry of a protocol: everything that recognition, documentation and outputs need to know before
//! the first byte is parsed.

use crate::{Anomaly, Buffer, Field, FrameKind, Parser, Settings};

/// Which half of a conversation bytes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Side {
    /// From the client.
    ToServer = 0,
    /// From the server.
    ToClient = 1,
}

impl Side {
    /// Both, client first.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The other half.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// 0 for to-server, 1 for to-client: the index into pairs kept per side.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What carries the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A stream of bytes.
    Tcp,
    /// Datagrams.
    Udp,
    /// Stream control transmission: messages.
    Sctp,
    /// Directly on IP, by protocol number.
    Ip(u8),
}

/// What kind of purpose a protocol serves, for summaries and policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the texts")]
pub enum Category {
    Web,
    Name,
    Network,
    Secure,
    Remote,
    Mail,
    File,
    Identity,
    Data,
    Message,
    Industry,
    Voice,
    Media,
    Chat,
    Social,
    Game,
    Vpn,
    PeerToPeer,
    Cloud,
    System,
    Crypto,
    Management,
}

impl Category {
    /// Lower-case name, as events carry it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Name => "name",
            Self::Network => "network",
            Self::Secure => "secure",
            Self::Remote => "remote-access",
            Self::Mail => "mail",
            Self::File => "file",
            Self::Identity => "identity",
            Self::Data => "database",
            Self::Message => "messaging",
            Self::Industry => "industrial",
            Self::Voice => "voice",
            Self::Media => "media",
            Self::Chat => "chat",
            Self::Social => "social",
            Self::Game => "game",
            Self::Vpn => "vpn",
            Self::PeerToPeer => "peer-to-peer",
            Self::Cloud => "cloud",
            Self::System => "system",
            Self::Crypto => "cryptocurrency",
            Self::Management => "management",
        }
    }
}

/// How far we go with a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Recognised by name only.
    Label,
    /// Parsed: transactions, metadata, files, anomalies.
    Parser,
}

/// Literal bytes that point at a protocol; a match leads to its probe, or decides when there is none.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// Who sends it; `None` when either side may.
    pub side: Option<Side>,
    /// Where it starts in that side's first bytes.
    pub offset: u16,
    /// The bytes.
    pub bytes: &'static [u8],
    /// Whether ASCII case matters not.
    pub nocase: bool,
}

/// What a probe is shown: the first bytes of each side, in order, as far as they have come.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Whose bytes are new.
    pub side: Side,
    /// First bytes of that side: from the stream's beginning for TCP, of this datagram for UDP.
    pub data: &'a [u8],
    /// First bytes of the other side; empty when there are none (for UDP: its last datagram's beginning).
    pub other: &'a [u8],
    /// What carries it.
    pub transport: Transport,
    /// Port of the side that we take for the client.
    pub client_port: u16,
    /// Port of the side that we take for the server.
    pub server_port: u16,
    /// Payload packets seen on this flow so far, both sides, this one included.
    pub packets: u32,
    /// Whether the beginning of the stream was missed.
    pub midstream: bool,
}

/// What a probe answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It is this protocol. `swapped` when the bytes show that client and server are the other way round.
    Yes {
        /// The side that sent `data` is the other one.
        swapped: bool,
    },
    /// It looks like it, but a weaker sign than `Yes`; recognition waits for a better offer until it must decide.
    Unsure,
    /// More bytes of this side could tell.
    More,
    /// It is not.
    No,
}

/// Makes a parser for a new flow.
pub type Open = fn(&Settings) -> Box<dyn Parser>;

/// One protocol, described once.
#[derive(Debug)]
pub struct Protocol {
    /// Short lower-case name, EVE's `app_proto` where Suricata has the protocol.
    pub name: &'static str,
    /// Full name for people.
    pub title: &'static str,
    /// Purpose.
    pub category: Category,
    /// How far we go.
    pub depth: Depth,
    /// Usual ports: hints for the order of probing, never a proof.
    pub ports: &'static [(Transport, u16)],
    /// Names under which nDPI knows it.
    pub ndpi: &'static [&'static str],
    /// Literal beginnings.
    pub patterns: &'static [Pattern],
    /// Decides whether bytes are this protocol; `None` when patterns alone decide.
    pub probe: Option<fn(&Look<'_>) -> Probe>,
    /// Transports on which `patterns` and `probe` are tried.
    pub transports: &'static [Transport],
    /// Makes a parser for a new flow; `None` for labels.
    pub open: Option<Open>,
    /// Every field that its records can carry.
    pub fields: &'static [&'static Field],
    /// Every buffer that a rule can look into.
    pub buffers: &'static [&'static Buffer],
    /// Names of a transaction's phases, to-server then to-client; a phase is an index into them.
    pub phases: [&'static [&'static str]; 2],
    /// Every frame kind.
    pub frames: &'static [&'static FrameKind],
    /// Every anomaly.
    pub anomalies: &'static [&'static Anomaly],
}

impl Protocol {
    /// A label with nothing but a name: the start of a struct update expression in the catalogues.
    pub const LABEL: Self = Self {
        name: "",
        title: "",
        category: Category::Network,
        depth: Depth::Label,
        ports: &[],
        ndpi: &[],
        patterns: &[],
        probe: None,
        transports: &[],
        open: None,
        fields: &[],
        buffers: &[],
        phases: [&[], &[]],
        frames: &[],
        anomalies: &[],
    };
}
