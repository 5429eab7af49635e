//! Which queue a frame goes to: class, hash, lookup table (reference section 6).

use avf::ptype::{Ip, Layers, Transport};
use avf::rss::{Class, Family, Input, Seen};
use avf::virtchnl::{Header, HeaderKind, Pattern, RssConfig};

use super::sight::{Sight, Tuple};
use crate::Function;
use crate::vf::Rss;

/// Selector bits of source and destination, of addresses and of ports alike.
const BOTH: u32 = 0b11;

/// The hash of a frame, where its class is hashed, and the queue that it goes to.
pub(crate) fn spread(function: &Function, sight: &Sight) -> (Option<u32>, u16) {
    let rss = &function.vf.rss;
    let hash = hash(function, sight);
    (hash, hash.map_or(0, |hash| u16::from(rss.lut.queue(hash))))
}

fn hash(function: &Function, sight: &Sight) -> Option<u32> {
    let rss = &function.vf.rss;
    if !rss.patterns.is_empty() {
        return by_patterns(function, sight);
    }
    let inner = sight.inner.filter(|_| function.persona.hashes_inner);
    by_class(rss, function.persona.family, sight, inner.or(sight.outer))
}

/// Of the patterns that a packet fits the last one counts, and one of headers inside a tunnel before all others, because
/// it names fewer kinds of packets.
fn by_patterns(function: &Function, sight: &Sight) -> Option<u32> {
    let rss = &function.vf.rss;
    let by = |inside: bool, tuple: Option<Tuple>| {
        let tuple = tuple?;
        let patterns = rss.patterns.iter().rev().filter(|config| is_inside(function, config) == inside);
        patterns.into_iter().find_map(|config| by_pattern(rss, config, &tuple))
    };
    by(true, sight.inner).or_else(|| by(false, sight.outer))
}

/// Whether a pattern is one of headers inside a tunnel, to this PF: it says so, or it begins with GRE (reference
/// section 6.4).
fn is_inside(function: &Function, config: &RssConfig) -> bool {
    let Pattern::Headers(headers) = &config.pattern.pattern else { return false };
    let gre = headers.iter().any(|header| header.kind == HeaderKind::GRE);
    gre || config.pattern.tunnel > 0 && function.options.inner_patterns
}

fn by_class(rss: &Rss, family: Family, sight: &Sight, tuple: Option<Tuple>) -> Option<u32> {
    let class = Class::of(family, &seen(sight, tuple));
    if !rss.hena.hashes(family, class) {
        return None;
    }
    match (class.input()?, tuple) {
        (Input::FourTuple, Some(tuple)) => Some(of_tuple(rss, &tuple, true)),
        (Input::Addresses, Some(tuple)) => Some(of_tuple(rss, &tuple, false)),
        (Input::EtherType, _) => Some(rss.toeplitz.hash(&sight.kind.to_be_bytes())),
        (_, None) => None,
    }
}

/// What decides the class, of the header that is hashed.
fn seen(sight: &Sight, tuple: Option<Tuple>) -> Seen {
    let Some(tuple) = tuple else { return Seen { cast: sight.cast, ..Seen::default() } };
    let layers = Layers {
        outer: Some(tuple.ip),
        fragment: tuple.fragment,
        transport: tuple.transport,
        ..Layers::default()
    };
    Seen { layers, cast: sight.cast, opens: tuple.opens }
}

fn of_tuple(rss: &Rss, tuple: &Tuple, ports: bool) -> u32 {
    let input = if ports { tuple.with_ports() } else { tuple.addresses() };
    if rss.is_symmetric() {
        return rss.toeplitz.hash(tuple.folded().get(..input.len()).unwrap_or_default());
    }
    rss.toeplitz.hash(input)
}

/// The hash by a header pattern of op 45, where the packet has its headers.
fn by_pattern(rss: &Rss, config: &RssConfig, tuple: &Tuple) -> Option<u32> {
    let Pattern::Headers(headers) = &config.pattern.pattern else { return None };
    let last = headers.iter().rev().find(|header| header.kind != HeaderKind::NONE)?;
    let ip = headers.iter().find(|header| ip_of(header).is_some());
    let fits = ip.is_none_or(|header| ip_of(header) == Some(tuple.ip)) && fits_last(last, tuple);
    let addresses = ip.is_some_and(|header| header.fields & BOTH == BOTH);
    let ports = transport_of(last).is_some() && last.fields & BOTH == BOTH;
    (fits && (addresses || ports)).then(|| of_tuple(rss, tuple, ports))
}

fn fits_last(last: &Header, tuple: &Tuple) -> bool {
    match transport_of(last) {
        Some(transport) => tuple.transport == transport && !tuple.fragment,
        None if fragments(last) => tuple.fragment,
        None => ip_of(last).is_some(),
    }
}

fn fragments(header: &Header) -> bool {
    matches!(header.kind, HeaderKind::IPV4_FRAG | HeaderKind::IPV6_EH_FRAG)
}

fn ip_of(header: &Header) -> Option<Ip> {
    match header.kind {
        HeaderKind::IPV4 | HeaderKind::IPV4_FRAG => Some(Ip::V4),
        HeaderKind::IPV6 | HeaderKind::IPV6_EH_FRAG => Some(Ip::V6),
        _ => None,
    }
}

fn transport_of(header: &Header) -> Option<Transport> {
    match header.kind {
        HeaderKind::TCP => Some(Transport::Tcp),
        HeaderKind::UDP => Some(Transport::Udp),
        HeaderKind::SCTP => Some(Transport::Sctp),
        _ => None,
    }
}
