//! How frames are spread: ops 18, 23 to 26, 45, 46 (reference sections 4.8 and 6).

use avf::rss::{Hena, KEY_BYTES, Lut};
use avf::virtchnl::{
    self as wire, Algorithm, HeaderKind, Message, Pattern, RssConfig, RssHash, RssKey, RssLut, Status,
};

use super::{DONE, Told, must};
use crate::{Function, LutLimit};

/// Header patterns that a function can have.
const PATTERNS: usize = 64;

/// Op 23.
pub(super) fn key(function: &mut Function, asked: &RssKey) -> Told {
    function.own_vsi(asked.vsi)?;
    let key: [u8; KEY_BYTES] = asked.key.as_slice().try_into().map_err(|_| Status::ERR_PARAM)?;
    function.vf.rss.set_key(key);
    DONE
}

/// Op 24.
pub(super) fn lut(function: &mut Function, asked: &RssLut) -> Told {
    function.own_vsi(asked.vsi)?;
    let below = match function.persona.lut {
        LutLimit::Pairs => function.host.pairs,
        LutLimit::Below(limit) => limit.max(function.most_pairs()),
    };
    must(
        asked.entries.len() == usize::from(function.host.lut)
            && asked.entries.iter().all(|queue| u16::from(*queue) < below),
    )?;
    function.vf.rss.lut = Lut::new(&asked.entries).ok_or(Status::ERR_PARAM)?;
    DONE
}

/// Op 25.
pub(super) fn classes(function: &Function) -> Told {
    Ok(wire::Hena(Hena::of(function.persona.family).0).encode())
}

/// Op 26. Header patterns go with it; none is RSS off.
pub(super) fn set_classes(function: &mut Function, asked: wire::Hena) -> Told {
    must(asked.0 & !Hena::of(function.persona.family).0 == 0)?;
    function.vf.rss.hena = Hena(asked.0);
    function.vf.rss.patterns.clear();
    DONE
}

/// Op 18.
pub(super) fn algorithm(function: &mut Function, asked: RssHash) -> Told {
    function.own_vsi(asked.vsi)?;
    must(matches!(asked.algorithm, Algorithm::TOEPLITZ | Algorithm::TOEPLITZ_SYMMETRIC))?;
    function.vf.rss.algorithm = asked.algorithm;
    DONE
}

/// Op 45. The hash function is that of the whole VSI: who comes last decides.
pub(super) fn add_pattern(function: &mut Function, config: RssConfig) -> Told {
    must(is_known(&config))?;
    let rss = &mut function.vf.rss;
    rss.algorithm = config.algorithm;
    rss.patterns.retain(|other| other.pattern != config.pattern);
    if rss.patterns.len() == PATTERNS {
        return Err(Status::NO_MEMORY);
    }
    rss.patterns.push(config);
    DONE
}

/// Op 46.
pub(super) fn del_pattern(function: &mut Function, config: &RssConfig) -> Told {
    must(is_known(config))?;
    let rss = &mut function.vf.rss;
    let before = rss.patterns.len();
    rss.patterns.retain(|other| other.pattern != config.pattern);
    must(rss.patterns.len() < before).map(|()| Vec::new())
}

/// Headers that the parser of the device knows, hashed as it can.
fn is_known(config: &RssConfig) -> bool {
    let hashed = matches!(config.algorithm, Algorithm::TOEPLITZ | Algorithm::TOEPLITZ_SYMMETRIC);
    let headers = match &config.pattern.pattern {
        Pattern::Headers(headers) => headers.as_slice(),
        Pattern::Masked(_) | Pattern::Raw { .. } => &[],
    };
    let known = |kind: HeaderKind| kind.name().is_some();
    hashed && !headers.is_empty() && headers.iter().all(|header| known(header.kind))
}
