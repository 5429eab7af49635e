//! What is wrong with what a machine was given: which key, what was read, what is allowed.

use std::fmt;

/// Longest piece of foreign text that is shown back.
const SHOWN: usize = 80;
/// Longest reason that somebody else gives.
const REASON: usize = 300;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the text came from: `OVF property`, `user-data`.
    pub origin: String,
    /// The key as it was written there; empty when the whole text is meant.
    pub key: String,
    /// What was read.
    pub read: String,
    /// What is allowed, or what to do.
    pub allowed: String,
}

impl Problem {
    /// A mistake at a key.
    pub(crate) fn new(origin: &str, key: &str, read: &str, allowed: impl Into<String>) -> Self {
        Self { origin: shown(origin), key: shown(key), read: shown(read), allowed: allowed.into() }
    }

    /// A text that cannot be read at all.
    pub(crate) fn whole(origin: &str, why: impl AsRef<str>) -> Self {
        Self::new(origin, "", "", cut(why.as_ref(), REASON))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), self.read.as_str()) {
            ("", _) => write!(f, "{}: {}", self.origin, self.allowed),
            (key, "") => write!(f, "{}: `{key}`: {}", self.origin, self.allowed),
            (key, read) => write!(f, "{}: `{key}` is `{read}`; allowed is {}", self.origin, self.allowed),
        }
    }
}

/// Foreign text on one line, without what moves a cursor, and not too long.
pub(crate) fn shown(text: &str) -> String {
    cut(text, SHOWN)
}

fn cut(text: &str, most: usize) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most + 1).collect();
    if out.chars().count() > most {
        out = out.chars().take(most).collect::<String>() + "...";
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_on_its_line() {
        let problem = Problem::new("user-data", "host\x1b[2Jname", &"x".repeat(500), "a name");
        let text = problem.to_string();
        assert!(!text.contains('\x1b') && text.len() < 200, "{text}");
        assert!(text.starts_with("user-data: `host [2Jname` is `xxx"), "{text}");
    }

    #[test]
    fn a_text_as_a_whole_has_no_key() {
        assert_eq!(Problem::whole("user-data", "not YAML").to_string(), "user-data: not YAML");
    }
}
