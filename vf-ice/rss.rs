//! Which headers are hashed, and how: ADD_RSS_CFG, one pattern a message.
//!
//! Every pattern asks for the hash function that folds both ends of a flow into one before any key (the function is the
//! VSI's as a whole: who comes last decides). What is hashed then is the exclusive or of source and destination, twice; under
//! a key whose halves repeat, such as the symmetric one, the two cancel each other and every hash is zero. So another key
//! goes with it.
//!
//! Before the first pattern all classes are put out, with which the PF begins. Patterns for headers inside tunnels come last:
//! few PFs can tell them, some take them for outer ones, and either does no harm.

use avf::rss::{Class, Hena as Classes};
use avf::virtchnl::{Algorithm, Caps, Header, HeaderKind, HeaderPattern, Hena, Request, RssConfig, field};
use avf_driver::{Hashing, Negotiated};

/// A pattern: its name, its headers behind Ethernet, and the classes of packets that it stands for.
type Row = (&'static str, &'static [HeaderKind], &'static [u8]);

/// The patterns, those that say less before those that say more.
pub(crate) const PATTERNS: [Row; 8] = [
    ("IPv4", &[HeaderKind::IPV4], &[35, 36]),
    ("IPv6", &[HeaderKind::IPV6], &[45, 46]),
    ("IPv4 UDP", &[HeaderKind::IPV4, HeaderKind::UDP], &[31]),
    ("IPv4 TCP", &[HeaderKind::IPV4, HeaderKind::TCP], &[33]),
    ("IPv4 SCTP", &[HeaderKind::IPV4, HeaderKind::SCTP], &[34]),
    ("IPv6 UDP", &[HeaderKind::IPV6, HeaderKind::UDP], &[41]),
    ("IPv6 TCP", &[HeaderKind::IPV6, HeaderKind::TCP], &[43]),
    ("IPv6 SCTP", &[HeaderKind::IPV6, HeaderKind::SCTP], &[44]),
];

/// The key that goes with the folding hash function: Microsoft's of its RSS verification suite, whose hashes are
/// published.
pub(crate) const KEY: [u8; 40] = [
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0,
    0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
    0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
];

/// What a round asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// No classes.
    Clear,
    /// This pattern of outer headers.
    Outer(usize),
    /// The same inside a tunnel.
    Inner(usize),
}

fn meaning(round: u16) -> Option<Round> {
    let Some(nth) = usize::from(round).checked_sub(1) else { return Some(Round::Clear) };
    let inner = nth.checked_sub(PATTERNS.len());
    match inner {
        None => Some(Round::Outer(nth)),
        Some(nth) if nth < PATTERNS.len() => Some(Round::Inner(nth)),
        Some(_) => None,
    }
}

/// Whether a refusal in this round is worth telling.
pub(crate) fn is_needed(round: u16) -> bool {
    matches!(meaning(round), Some(Round::Outer(nth)) if !has_sctp(nth))
}

fn has_sctp(nth: usize) -> bool {
    PATTERNS.get(nth).is_some_and(|(_, headers, _)| headers.contains(&HeaderKind::SCTP))
}

/// The message of a round.
pub(crate) fn request(round: u16, agreed: &Negotiated) -> Option<Request> {
    if !agreed.has(Caps::ADV_RSS_PF | Caps::RSS_PF) {
        return None;
    }
    match meaning(round)? {
        Round::Clear => Some(Request::SetHena(Hena(0))),
        Round::Outer(nth) => Some(Request::AddRss(config(HeaderPattern::of(headers(nth)?)))),
        // Without outer patterns there are no inner ones.
        Round::Inner(_) if agreed.hashing == Hashing::Key => None,
        Round::Inner(nth) => Some(Request::AddRss(config(HeaderPattern::inside(headers(nth)?)))),
    }
}

fn config(pattern: HeaderPattern) -> RssConfig {
    RssConfig { pattern, algorithm: Algorithm::TOEPLITZ_SYMMETRIC }
}

fn headers(nth: usize) -> Option<Vec<Header>> {
    let (_, kinds, _) = PATTERNS.get(nth)?;
    let ethernet = Header::new(HeaderKind::ETH, 0);
    Some(std::iter::once(ethernet).chain(kinds.iter().map(|kind| Header::new(*kind, field::ENDS))).collect())
}

/// The PF has taken a round's pattern.
pub(crate) fn granted(round: u16, agreed: &mut Negotiated) {
    match meaning(round) {
        Some(Round::Outer(nth)) => {
            let classes = PATTERNS.get(nth).map_or(&[][..], |(.., classes)| classes);
            let classes = classes.iter().fold(Classes(agreed.hena), |sum, class| sum.with(Class(*class)));
            agreed.hena = classes.0;
            agreed.hashing = Hashing::Folded;
        }
        Some(Round::Inner(_)) => agreed.inner = true,
        Some(Round::Clear) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avf::rss::{Addresses, SYMMETRIC_KEY, Toeplitz, is_symmetric};

    #[test]
    fn rounds_clear_then_ask_for_outer_and_inner_patterns() {
        let rounds: Vec<_> = (0..20).map_while(meaning).collect();
        assert_eq!((rounds.len(), rounds[0], rounds[1]), (17, Round::Clear, Round::Outer(0)));
        assert_eq!((rounds[8], rounds[9], rounds[16]), (Round::Outer(7), Round::Inner(0), Round::Inner(7)));
        assert!(is_needed(1) && !is_needed(0) && !is_needed(5) && !is_needed(9));
    }

    #[test]
    fn a_symmetric_key_would_make_every_folded_hash_zero() {
        let (symmetric, ours) = (Toeplitz::new(&SYMMETRIC_KEY), Toeplitz::new(&KEY));
        assert!(!is_symmetric(&KEY));
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..=255 {
            let addresses = Addresses::V4([192, 0, 2, n], [198, 51, 100, 7]);
            assert_eq!(symmetric.hash_folded(&addresses, Some((1024 + u16::from(n), 443))), 0);
            let there = ours.hash_folded(&addresses, Some((1024, 443)));
            assert_eq!(there, ours.hash_folded(&addresses.swapped(), Some((443, 1024))));
            seen.insert(there);
        }
        assert_eq!(seen.len(), 256);
    }
}
