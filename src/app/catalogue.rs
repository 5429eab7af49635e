//! Every protocol we know, in one list: parsers first, labels after them.

use parse::Protocol;
use std::sync::LazyLock;

static PROTOCOLS: LazyLock<Vec<&'static Protocol>> = LazyLock::new(|| {
    let parsers = app_web::PROTOCOLS.iter().chain(app_secure::PROTOCOLS);
    let parsers = parsers.chain(app_name::PROTOCOLS).chain(app_mail::PROTOCOLS);
    parsers.chain(crate::labels::all()).copied().collect()
});

/// Every protocol, in the order in which offers of equal strength are taken.
#[must_use]
pub fn protocols() -> &'static [&'static Protocol] {
    &PROTOCOLS
}

/// The protocol of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Protocol> {
    protocols().iter().copied().find(|p| p.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_plain() {
        let mut seen = BTreeSet::new();
        for p in protocols() {
            assert!(seen.insert(p.name), "two protocols are called {}", p.name);
            assert!(!p.name.is_empty() && !p.title.is_empty());
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
            assert!(p.name.chars().all(plain), "{} is not a plain name", p.name);
        }
    }

    #[test]
    fn every_protocol_can_be_recognised() {
        for p in protocols() {
            let by_ip = p.transports.iter().any(|t| matches!(t, parse::Transport::Ip(_)));
            // Some speak only behind another protocol, which says so.
            let switched_to = p.open.is_some() || p.name == "websocket";
            assert!(
                by_ip || switched_to || p.probe.is_some() || !p.patterns.is_empty(),
                "{} has neither pattern nor probe",
                p.name
            );
        }
    }
}
