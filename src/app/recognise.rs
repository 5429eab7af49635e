//! Recognition: from the first bytes of a flow to its protocol.
//!
//! Offers are asked for in this order, and the first `Yes` wins: protocols whose literal pattern stands at its place;
//! protocols that have a probe and whose usual port this is; every other probe of the transport. A weaker offer
//! (`Unsure`) is kept until nothing better can come. Ports alone prove nothing: they order the questions, and after
//! giving up they may suggest a name, said with the lowest confidence.

use crate::state::Confidence;
use parse::{Look, Pattern, Probe, Protocol, Transport};

/// Looks at most at so many payload packets of a flow.
const MOST_PACKETS: u32 = 12;
/// Of datagrams at fewer, as each is asked about anew by everybody: over nDPI's captures 3533 of 3690 flows are named alike with
/// four and with six, 3535 with twelve.
const MOST_DATAGRAMS: u32 = 6;
/// And at fewer still where everybody has said no to each of them, and nobody is at home on the server's port: 3533 with three,
/// 3520 with two. Over all public captures beside it no other event changes.
const FEW_DATAGRAMS: u32 = 3;
/// And at most at so many bytes of one side.
const MOST_BYTES: usize = 4096;

/// What one look gave.
pub(crate) enum Offer {
    /// This protocol; the sides may be the wrong way round.
    Found { protocol: &'static Protocol, confidence: Confidence, swapped: bool },
    /// Nothing better than this.
    Maybe(Signs),
}

/// What those said who did not say yes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signs {
    /// A weak sign, the first that was found.
    pub(crate) weak: Option<(&'static Protocol, Confidence)>,
    /// Somebody would like to see more, is not sure, or is at home on the server's port.
    pub(crate) undecided: bool,
}

/// A pattern and where it leads.
struct Lead {
    pattern: &'static Pattern,
    protocol: &'static Protocol,
}

/// What a protocol asks of the first bytes.
type Question = fn(&Look<'_>) -> Probe;

/// The questions of one transport, sorted once.
struct Questions {
    /// Case-sensitive patterns at offset 0, by their first byte.
    by_first: Vec<Vec<Lead>>,
    /// All other patterns.
    elsewhere: Vec<Lead>,
    /// Every probe, and whose it is.
    probes: Vec<(Question, &'static Protocol)>,
    /// The same by usual port, sorted.
    by_port: Vec<(u16, &'static Protocol)>,
}

/// All questions.
pub(crate) struct Recogniser {
    tcp: Questions,
    udp: Questions,
    sctp: Questions,
    by_number: Vec<(u8, &'static Protocol)>,
}

impl Recogniser {
    pub(crate) fn new(protocols: &[&'static Protocol]) -> Self {
        let by_number = protocols
            .iter()
            .flat_map(|p| p.transports.iter().map(move |t| (t, *p)))
            .filter_map(|(t, p)| if let Transport::Ip(n) = t { Some((*n, p)) } else { None })
            .collect();
        Self {
            tcp: Questions::new(Transport::Tcp, protocols),
            udp: Questions::new(Transport::Udp, protocols),
            sctp: Questions::new(Transport::Sctp, protocols),
            by_number,
        }
    }

    /// Asks about one side's first bytes.
    pub(crate) fn look(&self, look: &Look<'_>) -> Offer {
        match look.transport {
            Transport::Tcp => self.tcp.ask(look),
            Transport::Udp => self.udp.ask(look),
            Transport::Sctp => self.sctp.ask(look),
            Transport::Ip(number) => self.by_number(number),
        }
    }

    /// Whether another look can still change the answer. `undecided`: somebody was, at one of them.
    pub(crate) fn is_over(&self, look: &Look<'_>, undecided: bool) -> bool {
        let most = match look.transport {
            Transport::Udp if undecided => MOST_DATAGRAMS,
            Transport::Udp => FEW_DATAGRAMS,
            _ => MOST_PACKETS,
        };
        look.packets >= most || (look.transport == Transport::Tcp && look.data.len() >= MOST_BYTES)
    }

    /// The protocol whose usual port this is, as a last resort: only where the beginning was missed, for otherwise its
    /// probe has read the beginning and said no.
    pub(crate) fn by_port(&self, look: &Look<'_>) -> Option<&'static Protocol> {
        let questions = match look.transport {
            Transport::Tcp => &self.tcp,
            Transport::Udp => &self.udp,
            Transport::Sctp | Transport::Ip(_) => return None,
        };
        questions.usual(look.server_port).first().map(|(_, p)| *p).filter(|_| look.midstream)
    }

    /// Whether the server's port is the usual one of a protocol that has a parser.
    pub(crate) fn is_home_of_a_parser(&self, look: &Look<'_>) -> bool {
        let questions = match look.transport {
            Transport::Tcp => &self.tcp,
            Transport::Udp => &self.udp,
            Transport::Sctp | Transport::Ip(_) => return false,
        };
        questions.usual(look.server_port).iter().any(|(_, p)| p.open.is_some())
    }

    fn by_number(&self, number: u8) -> Offer {
        match self.by_number.iter().find(|(n, _)| *n == number) {
            Some((_, protocol)) => Offer::Found { protocol, confidence: Confidence::Content, swapped: false },
            None => Offer::Maybe(Signs::default()),
        }
    }
}

impl Questions {
    fn new(transport: Transport, protocols: &[&'static Protocol]) -> Self {
        let mut by_first: Vec<Vec<Lead>> = (0..256).map(|_| Vec::new()).collect();
        let mut elsewhere = Vec::new();
        let mut probes = Vec::new();
        for protocol in protocols.iter().copied().filter(|p| p.transports.contains(&transport)) {
            for pattern in protocol.patterns {
                let lead = Lead { pattern, protocol };
                let first = pattern.bytes.first().copied().filter(|_| pattern.offset == 0 && !pattern.nocase);
                match first.and_then(|b| by_first.get_mut(usize::from(b))) {
                    Some(leads) => leads.push(lead),
                    None => elsewhere.push(lead),
                }
            }
            probes.extend(protocol.probe.map(|probe| (probe, protocol)));
        }
        let mut by_port: Vec<(u16, &'static Protocol)> = Vec::new();
        for (_, protocol) in &probes {
            let here = protocol.ports.iter().filter(|(carrier, _)| *carrier == transport);
            by_port.extend(here.map(|(_, port)| (*port, *protocol)));
        }
        by_port.sort_by_key(|(port, _)| *port);
        Self { by_first, elsewhere, probes, by_port }
    }

    /// Protocols whose usual port this is.
    fn usual(&self, port: u16) -> &[(u16, &'static Protocol)] {
        let from = self.by_port.partition_point(|(p, _)| *p < port);
        let rest = self.by_port.get(from..).unwrap_or_default();
        rest.get(..rest.partition_point(|(p, _)| *p == port)).unwrap_or_default()
    }

    fn ask(&self, look: &Look<'_>) -> Offer {
        let mut signs = Signs::default();
        let first = look.data.first().and_then(|b| self.by_first.get(usize::from(*b)));
        for lead in first.into_iter().flatten().chain(&self.elsewhere) {
            if stands(lead.pattern, look)
                && let Some(found) = offer(lead.protocol, look, Confidence::Pattern, &mut signs)
            {
                return found;
            }
        }
        let (server, client) = (self.usual(look.server_port), self.usual(look.client_port));
        for (_, protocol) in server.iter().chain(client) {
            if let Some(found) = offer(protocol, look, Confidence::Content, &mut signs) {
                return found;
            }
        }
        signs.undecided |= !server.is_empty();
        self.ask_others(look, server, client, signs)
    }

    /// Asks those that are not at home on either port.
    fn ask_others(
        &self,
        look: &Look<'_>,
        server: &[(u16, &'static Protocol)],
        client: &[(u16, &'static Protocol)],
        mut signs: Signs,
    ) -> Offer {
        for (probe, protocol) in &self.probes {
            // Most probes refuse at once: nothing is done for them before they were asked.
            let answer = probe(look);
            if answer == Probe::No {
                continue;
            }
            let was_asked = server.iter().chain(client).any(|(_, usual)| std::ptr::eq(*usual, *protocol));
            if !was_asked && let Some(found) = weigh(answer, protocol, Confidence::Content, &mut signs) {
                return found;
            }
        }
        Offer::Maybe(signs)
    }
}

/// Whether a pattern stands at its place.
fn stands(pattern: &Pattern, look: &Look<'_>) -> bool {
    if pattern.side.is_some_and(|side| side != look.side && !look.midstream) {
        return false;
    }
    let from = usize::from(pattern.offset);
    let Some(there) = look.data.get(from..from + pattern.bytes.len()) else { return false };
    if pattern.nocase { there.eq_ignore_ascii_case(pattern.bytes) } else { there == pattern.bytes }
}

/// One protocol's answer; `Some` ends the asking.
fn offer(
    protocol: &'static Protocol,
    look: &Look<'_>,
    confidence: Confidence,
    signs: &mut Signs,
) -> Option<Offer> {
    let Some(probe) = protocol.probe else {
        return Some(Offer::Found { protocol, confidence, swapped: false });
    };
    weigh(probe(look), protocol, confidence, signs)
}

/// What an answer is worth; `Some` ends the asking.
fn weigh(
    answer: Probe,
    protocol: &'static Protocol,
    confidence: Confidence,
    signs: &mut Signs,
) -> Option<Offer> {
    match answer {
        Probe::Yes { swapped } => Some(Offer::Found { protocol, confidence: Confidence::Content, swapped }),
        Probe::Unsure => {
            signs.weak.get_or_insert((protocol, confidence));
            signs.undecided = true;
            None
        }
        Probe::More => {
            signs.undecided = true;
            None
        }
        Probe::No => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parse::Side;

    static SAYS_HELLO: Protocol = Protocol {
        name: "hello",
        title: "Hello",
        patterns: &[Pattern { side: Some(Side::ToClient), offset: 2, bytes: b"hello", nocase: true }],
        transports: &[Transport::Tcp],
        ..Protocol::LABEL
    };
    static SHY: Protocol = Protocol {
        name: "shy",
        title: "Shy",
        probe: Some(|look| if look.data.starts_with(b"x") { Probe::Unsure } else { Probe::No }),
        ports: &[(Transport::Tcp, 7)],
        transports: &[Transport::Tcp],
        ..Protocol::LABEL
    };

    fn look(side: Side, data: &[u8]) -> Look<'_> {
        Look {
            side,
            data,
            other: b"",
            transport: Transport::Tcp,
            client_port: 40000,
            server_port: 7,
            packets: 1,
            midstream: false,
        }
    }

    #[test]
    fn a_pattern_counts_for_its_side_only() {
        let r = Recogniser::new(&[&SAYS_HELLO, &SHY]);
        assert!(matches!(r.look(&look(Side::ToClient, b"..HELLO")), Offer::Found { .. }));
        assert!(matches!(r.look(&look(Side::ToServer, b"..HELLO")), Offer::Maybe(Signs { weak: None, .. })));
    }

    #[test]
    fn a_weak_offer_waits_and_a_port_is_the_last_resort() {
        let r = Recogniser::new(&[&SAYS_HELLO, &SHY]);
        assert!(
            matches!(r.look(&look(Side::ToServer, b"xyz")), Offer::Maybe(Signs { weak: Some((p, _)), .. }) if p.name == "shy")
        );
        assert!(r.by_port(&look(Side::ToServer, b"zzz")).is_none());
        let late = Look { midstream: true, ..look(Side::ToServer, b"zzz") };
        assert_eq!(r.by_port(&late).map(|p| p.name), Some("shy"));
    }
}
