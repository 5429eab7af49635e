//! The engine: recognition first, then the parser, over the same bytes.

use crate::accord::{self, Heard};
use crate::recognise::{Offer, Recogniser, Signs};
use crate::state::{Confidence, Looking, Stage, State};
use parse::{Close, Done, Input, Look, Protocol, Settings, Side, Sink, Step, Transport};

/// Looks at most at one flow: a stream that is cut off early shows the same bytes again and again.
const MOST_LOOKS: u32 = 48;

/// The next bytes of a flow, and what recognition may know of it.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The bytes, as a parser sees them.
    pub input: Input<'a>,
    /// Bytes of this side lost right before them.
    pub gap: u64,
    /// What carries the flow.
    pub transport: Transport,
    /// Port of the side taken for the client.
    pub client_port: u16,
    /// Port of the side taken for the server.
    pub server_port: u16,
    /// The beginning of the stream was missed.
    pub midstream: bool,
}

/// What was done with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Bytes done with.
    pub eaten: usize,
    /// How many must stand behind those before it is worth calling again; 0 for any.
    pub want: usize,
    /// Bytes of this side that need not even be stored, behind all that was given.
    pub skip: u64,
    /// The payload of this flow is of no more use.
    pub settled: bool,
    /// What follows is encrypted.
    pub encrypted: bool,
    /// Client and server are the other way round: swap every fact kept per side.
    pub swapped: bool,
    /// Another protocol speaks from here: give what is left again.
    pub again: bool,
    /// The other side spoke first: give what it said before this.
    pub other_first: bool,
}

/// Looks at most at so many packets of a stream that is not read.
const MOST_GLIMPSES: u32 = 6;

/// Recognition and parsing for one worker.
pub struct Engine {
    recogniser: Recogniser,
    settings: Settings,
}

impl Engine {
    /// Sorts the questions of every protocol in `protocols`.
    #[must_use]
    pub fn new(protocols: &[&'static Protocol], settings: Settings) -> Self {
        Self { recogniser: Recogniser::new(protocols), settings }
    }

    /// Gives the next bytes of one side. For TCP the same bytes are given again, with more behind them, until eaten.
    pub fn feed(&self, state: &mut State, given: &Given<'_>, sink: &mut dyn Sink) -> Taken {
        if state.label.glimpsed && !matches!(state.stage, Stage::Parsing(_)) {
            // The stream is read after all: what was seen of it counts no longer.
            *state = State::default();
        }
        match state.stage {
            Stage::Settled => Taken { eaten: given.input.data.len(), settled: true, ..Taken::default() },
            Stage::Parsing(_) => self.parse(state, given, sink),
            Stage::Fresh | Stage::Looking(_) => self.recognise(state, given, sink),
        }
    }

    /// Looks at a packet's payload of a stream that is not read (its handshake was missed, or one side is silent): gives
    /// the flow a name where the bytes tell one, and nothing else. Answers whether another packet could tell more.
    pub fn glimpse(&self, state: &mut State, given: &Given<'_>) -> bool {
        let (Stage::Fresh | Stage::Looking(_)) = state.stage else { return false };
        let mut looking = match std::mem::take(&mut state.stage) {
            Stage::Looking(looking) => looking,
            _ => Box::default(),
        };
        state.label.glimpsed = true;
        looking.packets += 1;
        let input = given.input;
        let look = Look {
            side: input.side,
            data: input.data,
            other: looking.opening(input.side.other()),
            transport: given.transport,
            client_port: given.client_port,
            server_port: given.server_port,
            packets: looking.packets,
            midstream: true,
        };
        let found = match self.recogniser.look(&look) {
            Offer::Found { protocol, confidence, .. } => Some((protocol, confidence)),
            Offer::Maybe(_) => None,
        };
        let over = found.is_some() || looking.packets >= MOST_GLIMPSES;
        looking.keep(input.side, input.data);
        if let Some((protocol, confidence)) = found {
            state.label.protocol = Some(protocol);
            state.label.confidence = Some(confidence);
        }
        state.stage = if over { Stage::Settled } else { Stage::Looking(looking) };
        !over
    }

    /// The flow is over.
    pub fn close(&self, state: &mut State, why: Close, sink: &mut dyn Sink) {
        if let Stage::Parsing(parser) = &mut state.stage {
            parser.close(why, sink);
            state.past_transactions += parser.transactions();
        }
        if let Stage::Looking(looking) = &state.stage {
            match looking.leading() {
                Some((protocol, confidence)) => {
                    state.label.protocol = Some(protocol);
                    state.label.confidence = Some(confidence);
                }
                None if looking.looks > 0 => state.lose(),
                None => {}
            }
        }
        state.stage = Stage::Settled;
    }

    fn recognise(&self, state: &mut State, given: &Given<'_>, sink: &mut dyn Sink) -> Taken {
        let input = given.input;
        let mut looking = match std::mem::take(&mut state.stage) {
            Stage::Looking(looking) => looking,
            _ => Box::default(),
        };
        let fresh_bytes =
            input.data.len() > looking_seen(&looking, input.side) || given.transport != Transport::Tcp;
        looking.packets += u32::from(fresh_bytes);
        looking.looks += 1;
        if !input.data.is_empty() {
            looking.first.get_or_insert(input.side);
        }
        if let Some(seen) = looking.seen.get_mut(input.side.index()) {
            *seen = input.data.len();
        }
        let look = Look {
            side: input.side,
            data: input.data,
            other: looking.opening(input.side.other()),
            transport: given.transport,
            client_port: given.client_port,
            server_port: given.server_port,
            packets: looking.packets,
            midstream: given.midstream || given.gap > 0,
        };
        let agreed = looking.expected.filter(|protocol| accord::is_kept(protocol, &look));
        let offer = match agreed {
            Some(protocol) => Offer::Found { protocol, confidence: Confidence::Content, swapped: false },
            None => self.recogniser.look(&look),
        };
        if let (Some(_), None, Offer::Found { protocol, .. }) = (looking.expected, agreed, &offer) {
            sink.speaks(protocol);
            accord::broken(input.side, sink);
        }
        match self.weighed(offer, &look) {
            Offer::Found { protocol, confidence, swapped } => {
                let swapped = swapped || is_reversed(protocol, &look);
                accord::order(protocol, given, looking.first, sink);
                let other_first = looking.waits(input.side, given.transport);
                self.found(state, given, Found { protocol, confidence, swapped, other_first }, sink)
            }
            Offer::Maybe(signs) => {
                let undecided = looking.undecided || signs.undecided;
                let over = self.recogniser.is_over(&look, undecided)
                    || looking.looks >= MOST_LOOKS
                    || input.data.is_empty() && input.last;
                let by_port = if over { self.recogniser.by_port(&look) } else { None };
                looking.undecided = undecided;
                looking.vote(signs.weak);
                looking.keep(input.side, input.data);
                if let Some((protocol, confidence)) = looking.elected(given.transport) {
                    let found = Found { protocol, confidence, swapped: false, other_first: false };
                    return self.found(state, given, found, sink);
                }
                if over {
                    give_up(state, &looking, by_port, given)
                } else {
                    keep_looking(state, looking, given)
                }
            }
        }
    }

    /// A mere label does not end recognition on a port where a parser is at home: one odd packet to port 53 does not
    /// make a flow something else than DNS.
    fn weighed(&self, offer: Offer, look: &Look<'_>) -> Offer {
        match offer {
            Offer::Found { protocol, confidence, .. }
                if protocol.open.is_none()
                    && !protocol.ports.contains(&(look.transport, look.server_port))
                    && self.recogniser.is_home_of_a_parser(look) =>
            {
                Offer::Maybe(Signs { weak: Some((protocol, confidence)), undecided: true })
            }
            offer => offer,
        }
    }

    fn found(&self, state: &mut State, given: &Given<'_>, found: Found, sink: &mut dyn Sink) -> Taken {
        let Found { protocol, confidence, swapped, other_first } = found;
        state.label.protocol = Some(protocol);
        state.label.confidence = Some(confidence);
        sink.speaks(protocol);
        let Some(open) = protocol.open else {
            state.stage = Stage::Settled;
            return Taken { eaten: given.input.data.len(), settled: true, swapped, ..Taken::default() };
        };
        let mut parser = open(&self.settings);
        parser.carried(given.transport);
        if let Some(original) = state.label.original {
            // As in Suricata a flow counts the transactions of the protocol that it ends with.
            state.past_transactions = 0;
            parser.succeeds(original.name);
        }
        if let Some(bequest) = state.bequest.take() {
            parser.inherit(&bequest, sink);
        }
        state.stage = Stage::Parsing(parser);
        if swapped || other_first {
            // The caller swaps its own facts first and gives the same bytes again, under the right side; or what the other
            // side had said before them.
            return Taken { swapped, other_first, again: true, ..Taken::default() };
        }
        self.parse(state, given, sink)
    }

    fn parse(&self, state: &mut State, given: &Given<'_>, sink: &mut dyn Sink) -> Taken {
        if state.label.heard(given.input.side) == Heard::Nothing
            && let Some(wait) = listen(state, given, sink)
        {
            return wait;
        }
        let Stage::Parsing(parser) = &mut state.stage else { return Taken::default() };
        let all = given.input.data.len();
        if given.gap > 0 {
            let step = parser.gap(given.input.side, given.gap, sink);
            if let Some(end) = ended(step) {
                return self.settle(state, all, end, sink);
            }
        }
        if all == 0 && !given.input.last {
            return Taken::default();
        }
        let step = parser.feed(given.input, sink);
        match step {
            Step::All => Taken { eaten: all, ..Taken::default() },
            Step::Wait { eaten, want } => Taken { eaten: eaten.min(all), want, ..Taken::default() },
            Step::Skip(skip) => Taken { eaten: all, skip, ..Taken::default() },
            Step::Switch { eaten, to } => self.switch(state, eaten.min(all), to, sink),
            Step::Fail => {
                forget_strangeness(state, given.input);
                self.settle(state, all, step, sink)
            }
            Step::Done(_) => self.settle(state, all, step, sink),
        }
    }

    fn settle(&self, state: &mut State, eaten: usize, step: Step, sink: &mut dyn Sink) -> Taken {
        self.close(state, Close::Ended, sink);
        Taken { eaten, settled: true, encrypted: step == Step::Done(Done::Encrypted), ..Taken::default() }
    }

    fn switch(
        &self,
        state: &mut State,
        eaten: usize,
        to: Option<&'static str>,
        sink: &mut dyn Sink,
    ) -> Taken {
        if let Stage::Parsing(parser) = &mut state.stage {
            state.bequest = parser.bequest();
        }
        self.close(state, Close::Ended, sink);
        state.label.original = state.label.original.or(state.label.protocol);
        // Who begins behind a switch, and how, is another matter.
        state.label.heard = [Heard::Alike; 2];
        let expected = to.and_then(crate::by_name);
        if let Some(label) = expected.filter(|p| p.open.is_none()) {
            state.label.protocol = Some(label);
            return Taken { eaten, settled: true, ..Taken::default() };
        }
        state.stage = Stage::Looking(Box::new(Looking { expected, ..Looking::default() }));
        Taken { eaten, again: true, ..Taken::default() }
    }
}

/// What recognition found.
struct Found {
    protocol: &'static Protocol,
    confidence: Confidence,
    swapped: bool,
    other_first: bool,
}

/// Hears how a side begins. What to answer when too little of it has come to tell.
fn listen(state: &mut State, given: &Given<'_>, sink: &mut dyn Sink) -> Option<Taken> {
    let input = given.input;
    let protocol = state.label.protocol?;
    if input.data.is_empty() && given.gap == 0 {
        return None;
    }
    let heard = accord::listen(protocol, given, sink);
    state.label.hear(input.side, heard);
    let too_little = heard == Heard::Nothing && !input.last;
    too_little.then(|| Taken { want: accord::enough(input.side), ..Taken::default() })
}

/// A side whose first bytes no parser could read has no name of its own, as in Suricata.
fn forget_strangeness(state: &mut State, input: Input<'_>) {
    if input.offset == 0 && state.label.heard(input.side) == Heard::Strange {
        state.label.hear(input.side, Heard::Alike);
    }
}

/// Whether the first packet of a session picked up in its middle came from the server: from the protocol's own port to
/// one that is not.
fn is_reversed(protocol: &Protocol, look: &Look<'_>) -> bool {
    let is_usual = |port| protocol.ports.contains(&(look.transport, port));
    look.midstream && is_usual(look.client_port) && !is_usual(look.server_port)
}

fn looking_seen(looking: &Looking, side: Side) -> usize {
    looking.seen.get(side.index()).copied().unwrap_or(0)
}

/// The step, when it ends the parser.
fn ended(step: Step) -> Option<Step> {
    matches!(step, Step::Done(_) | Step::Fail).then_some(step)
}

fn keep_looking(state: &mut State, looking: Box<Looking>, given: &Given<'_>) -> Taken {
    state.stage = Stage::Looking(looking);
    // A stream's bytes stay where they are until somebody knows them; a datagram does not come back.
    let eaten = if given.transport == Transport::Tcp { 0 } else { given.input.data.len() };
    Taken { eaten, want: given.input.data.len() + 1, ..Taken::default() }
}

fn give_up(
    state: &mut State,
    looking: &Looking,
    by_port: Option<&'static Protocol>,
    given: &Given<'_>,
) -> Taken {
    let best = looking.leading().or(by_port.map(|protocol| (protocol, Confidence::Port)));
    match best {
        Some((protocol, confidence)) => {
            state.label.protocol = Some(protocol);
            state.label.confidence = Some(confidence);
        }
        None => state.lose(),
    }
    state.stage = Stage::Settled;
    Taken { eaten: given.input.data.len(), settled: true, ..Taken::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(side: Side, data: &[u8]) -> Given<'_> {
        Given {
            input: Input { side, data, offset: 0, micros: 0, last: false },
            gap: 0,
            transport: Transport::Tcp,
            client_port: 40_000,
            server_port: 40_001,
            midstream: true,
        }
    }

    #[test]
    fn a_glimpse_names_a_flow_and_opens_no_parser() {
        let engine = Engine::new(crate::protocols(), Settings::default());
        let mut state = State::default();
        assert!(engine.glimpse(&mut state, &given(Side::ToClient, b"\x91\x92\x93\x94")));
        assert!(
            !engine
                .glimpse(&mut state, &given(Side::ToServer, b"GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n"))
        );
        assert_eq!(state.label().protocol.map(|p| p.name), Some("http"));
        assert!(state.label().glimpsed && state.is_settled());
        assert_eq!(state.transactions(), 0);
    }

    struct Nobody;
    impl Sink for Nobody {
        fn progress(&mut self, _: &dyn parse::Transaction, _: Side, _: u8) {}
        fn stream(&mut self, _: &dyn parse::Transaction, _: &'static parse::Buffer, _: parse::Piece<'_>) {}
        fn frame(&mut self, _: parse::Frame) {}
        fn file(&mut self, _: &dyn parse::Transaction, _: Side, _: parse::FileEvent<'_>) {}
        fn anomaly(&mut self, _: Option<&dyn parse::Transaction>, _: Side, _: &'static parse::Anomaly) {}
        fn record(&mut self, _: &dyn parse::Transaction, _: Side, _: &'static parse::Record) {}
        fn host(&mut self, _: &[u8]) {}
    }

    #[test]
    fn what_was_glimpsed_is_forgotten_when_the_stream_is_read() {
        let engine = Engine::new(crate::protocols(), Settings::default());
        let mut state = State::default();
        assert!(
            !engine
                .glimpse(&mut state, &given(Side::ToServer, b"GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n"))
        );
        engine.feed(&mut state, &given(Side::ToClient, b"RFB 003.008\n"), &mut Nobody);
        assert_eq!(state.label().protocol.map(|p| p.name), Some("rfb"));
        assert!(!state.label().glimpsed);
    }

    #[test]
    fn a_length_that_lies_is_survived() {
        let engine = Engine::new(crate::protocols(), Settings::default());
        let mut state = State::default();
        let header = b"\x01\0\0\x04\0\0\0\x01\0\x01\0\x09";
        engine.glimpse(&mut state, &given(Side::ToServer, header));
        assert_ne!(state.label().protocol.map(|p| p.name), Some("openflow"));
    }

    #[test]
    fn glimpses_come_to_an_end() {
        let engine = Engine::new(crate::protocols(), Settings::default());
        let mut state = State::default();
        let more =
            (0..100).filter(|_| engine.glimpse(&mut state, &given(Side::ToServer, b"\x91\x92\x93"))).count();
        assert_eq!(more, 5);
        assert!(state.label().protocol.is_none() && state.is_settled());
    }

    /// How many datagrams that nobody knows are looked at, to a server's port.
    fn looked_at(server_port: u16) -> usize {
        let engine = Engine::new(crate::protocols(), Settings::default());
        let mut state = State::default();
        let sides = [Side::ToServer, Side::ToClient].into_iter().cycle();
        let feed = |side| {
            let datagram = Given { transport: Transport::Udp, server_port, ..given(side, &[0; 18]) };
            engine.feed(&mut state, &datagram, &mut Nobody).settled
        };
        sides.take(MOST_LOOKS as usize).map(feed).take_while(|settled| !settled).count() + 1
    }

    #[test]
    fn datagrams_are_looked_at_for_longer_where_somebody_is_at_home() {
        assert_eq!(looked_at(40_001), 3);
        assert_eq!([53, 5004].map(looked_at), [6, 6]);
    }
}
