//! Services: what stands behind a host name. Ours, from the companies' published domains.

use parse::Category;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A service, known by its host names.
#[derive(Debug)]
pub struct Service {
    /// Short lower-case name.
    pub name: &'static str,
    /// Full name for people.
    pub title: &'static str,
    /// Purpose.
    pub category: Category,
    /// Names under which nDPI knows it.
    pub ndpi: &'static [&'static str],
    /// Domains; every name below one of them counts.
    pub domains: &'static [&'static str],
}

/// Every service.
#[must_use]
pub fn services() -> &'static [Service] {
    SERVICES
}

static SERVICES: &[Service] = &[Service {
    name: "github",
    title: "GitHub",
    category: Category::Cloud,
    ndpi: &["Github"],
    domains: &["github.com", "githubusercontent.com", "githubassets.com"],
}];

static BY_DOMAIN: LazyLock<HashMap<&'static [u8], &'static Service>> = LazyLock::new(|| {
    SERVICES.iter().flat_map(|s| s.domains.iter().map(move |d| (d.as_bytes(), s))).collect()
});

/// The service of the longest domain that `host` is or lies below.
pub(crate) fn of_host(host: &[u8]) -> Option<&'static Service> {
    let host = host.strip_suffix(b".").unwrap_or(host);
    if host.len() > 253 {
        return None;
    }
    let lower = host.to_ascii_lowercase();
    let mut rest: &[u8] = &lower;
    loop {
        if let Some(service) = BY_DOMAIN.get(rest) {
            return Some(service);
        }
        let dot = rest.iter().position(|b| *b == b'.')?;
        rest = rest.get(dot + 1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_a_domain_count_and_lookalikes_do_not() {
        assert_eq!(of_host(b"API.GitHub.com.").map(|s| s.name), Some("github"));
        assert!(of_host(b"notgithub.com").is_none());
        assert!(of_host(b"github.com.example").is_none());
    }
}
