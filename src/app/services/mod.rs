//! Services: what stands behind a host name. Ours, from the companies' published domains.

mod abroad;
mod cloud;
mod giants;
mod media;
mod people;
mod tools;

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

/// Rows of name, title, category, nDPI's names, domains.
macro_rules! service_rows {
    ($($name:literal, $title:literal, $category:ident, [$($ndpi:literal),*], [$($domain:literal),+ $(,)?];)*) => {
        pub(super) static ALL: &[super::Service] = &[$(super::Service {
            name: $name,
            title: $title,
            category: parse::Category::$category,
            ndpi: &[$($ndpi),*],
            domains: &[$($domain),+],
        }),*];
    };
}
use service_rows;

/// Every service.
#[must_use]
pub fn services() -> &'static [&'static Service] {
    &SERVICES
}

static CATALOGUES: &[&[Service]] =
    &[giants::ALL, cloud::ALL, people::ALL, media::ALL, tools::ALL, abroad::ALL];

static SERVICES: LazyLock<Vec<&'static Service>> =
    LazyLock::new(|| CATALOGUES.iter().flat_map(|catalogue| catalogue.iter()).collect());

static BY_DOMAIN: LazyLock<HashMap<&'static [u8], &'static Service>> = LazyLock::new(|| {
    SERVICES.iter().flat_map(|s| s.domains.iter().map(move |d| (d.as_bytes(), *s))).collect()
});

/// Longest name of a host (RFC 1035 section 2.3.4).
const LONGEST: usize = 253;

/// The service of the longest domain that `host` is or lies below. A port behind the name is passed over.
pub(crate) fn of_host(host: &[u8]) -> Option<&'static Service> {
    let host = host.split(|b| *b == b':').next().unwrap_or(host);
    let host = host.strip_suffix(b".").unwrap_or(host);
    let mut lower = [0; LONGEST];
    let mut rest = lower.get_mut(..host.len())?;
    rest.copy_from_slice(host);
    rest.make_ascii_lowercase();
    loop {
        if let Some(service) = BY_DOMAIN.get(&*rest) {
            return Some(service);
        }
        let dot = rest.iter().position(|b| *b == b'.')?;
        rest = rest.get_mut(dot + 1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_below_a_domain_count_and_lookalikes_do_not() {
        assert_eq!(of_host(b"API.GitHub.com.").map(|s| s.name), Some("github"));
        assert_eq!(of_host(b"github.com:8443").map(|s| s.name), Some("github"));
        assert!(of_host(b"notgithub.com").is_none());
        assert!(of_host(b"github.com.example").is_none());
        assert!(of_host(&[b'a'; 254]).is_none());
    }

    #[test]
    fn the_longest_domain_decides() {
        assert_eq!(of_host(b"mail.google.com").map(|s| s.name), Some("gmail"));
        assert_eq!(of_host(b"www.google.com").map(|s| s.name), Some("google"));
        assert_eq!(of_host(b"windowsupdate.microsoft.com").map(|s| s.name), Some("windows-update"));
        assert_eq!(of_host(b"www.microsoft.com").map(|s| s.name), Some("microsoft"));
    }

    #[test]
    fn names_and_domains_stand_once_and_are_plain() {
        let (mut names, mut domains) = (BTreeSet::new(), BTreeSet::new());
        for service in services() {
            assert!(names.insert(service.name), "two services are called {}", service.name);
            assert!(crate::by_name(service.name).is_none(), "{} is a protocol too", service.name);
            for domain in service.domains {
                assert!(domains.insert(*domain), "{domain} belongs to two services");
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
                assert!(domain.contains('.') && domain.chars().all(plain), "{domain}");
                assert_eq!(of_host(domain.as_bytes()).map(|s| s.name), Some(service.name));
            }
        }
    }
}
