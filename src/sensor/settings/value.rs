//! Values of keys: what a configuration may say, and in which unit.

use crate::bypass::Network;
use std::fmt;

/// Protocols whose parsers say when everything that follows is encrypted.
const ENCRYPTED: [&str; 4] = ["tls", "dtls", "ssh", "quic"];

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A number from the first to the second, in a unit (empty for none).
    Number(u64, u64, &'static str),
    /// A number of bytes, which may be written with KiB, MiB, GiB.
    Bytes(u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
    /// A list of numbers from the first to the second.
    Numbers(u64, u64),
    /// A list of texts.
    Texts,
    /// A list of texts of a form of their own.
    Lines(Form),
}

/// What one text of a list looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A mirror session.
    Session,
    /// A tenant's name.
    Tenant,
    /// Flows that are bypassed.
    Network,
    /// A protocol that ends up encrypted.
    Encrypted,
}

impl Form {
    /// In words, parts that may be left out in brackets.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Session => {
                "`KIND [on INTERFACE] [to PREFIX] [from PREFIX] tenant PART[+PART]` or `... as NAME` with one of on, to, \
                 from at least; KIND is vxlan, geneve, geneve+vxlan, erspan or gre, PREFIX may be any, PART is vni, \
                 endpoint, session, network, key or source"
            }
            Self::Tenant => {
                "`NAME = PART VALUE [PART VALUE]`; VALUE is a number, FROM-TO, or the PREFIX of a source"
            }
            Self::Network => "`PREFIX [tcp|udp|sctp] [port N|N-M]`; PREFIX may be any",
            Self::Encrypted => "each one of tls, dtls, ssh, quic",
        }
    }

    fn allows(self, text: &str) -> bool {
        match self {
            Self::Session => text.parse::<decode::mirror::Session>().is_ok(),
            Self::Tenant => text.parse::<decode::mirror::Name>().is_ok(),
            Self::Network => text.parse::<Network>().is_ok(),
            Self::Encrypted => ENCRYPTED.contains(&text),
        }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number, or bytes.
    Number(u64),
    /// A word or a text.
    Text(String),
    /// Numbers.
    Numbers(Vec<u64>),
    /// Texts.
    Texts(Vec<String>),
}

impl Kind {
    /// What is allowed, in words.
    #[must_use]
    pub fn range(&self) -> String {
        match self {
            Self::Flag => "true or false".into(),
            Self::Number(least, most, "") => format!("{least} to {}", bound(*most)),
            Self::Number(least, most, unit) => format!("{least} to {} {unit}", bound(*most)),
            Self::Bytes(least, most) => format!("{} to {}", bytes(*least), bytes(*most)),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Text => "a text".into(),
            Self::Numbers(least, most) => format!("a list of numbers, {least} to {most}"),
            Self::Texts => "a list of texts".into(),
            Self::Lines(form) => format!("a list of texts, {}", form.text()),
        }
    }

    /// Whether a value is of this kind and in its range.
    #[must_use]
    pub fn allows(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Flag, Value::Flag(_)) | (Self::Text, Value::Text(_)) | (Self::Texts, Value::Texts(_)) => {
                true
            }
            (Self::Number(least, most, _) | Self::Bytes(least, most), Value::Number(n)) => {
                (least..=most).contains(&n)
            }
            (Self::Word(words), Value::Text(word)) => words.contains(&word.as_str()),
            (Self::Lines(form), Value::Texts(list)) => list.iter().all(|text| form.allows(text)),
            (Self::Numbers(least, most), Value::Numbers(list)) => {
                list.iter().all(|n| (least..=most).contains(&n))
            }
            _ => false,
        }
    }

    /// Reads what a person wrote behind `--set KEY=`.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Value> {
        let text = text.trim();
        match self {
            Self::Flag => match text {
                "true" | "yes" | "on" => Some(Value::Flag(true)),
                "false" | "no" | "off" => Some(Value::Flag(false)),
                _ => None,
            },
            Self::Number(..) => text.replace('_', "").parse().ok().map(Value::Number),
            Self::Bytes(..) => read_bytes(text).map(Value::Number),
            Self::Word(_) | Self::Text => Some(Value::Text(unquoted(text).into())),
            Self::Numbers(..) => {
                items(text).map(|i| i.parse().ok()).collect::<Option<_>>().map(Value::Numbers)
            }
            Self::Texts | Self::Lines(_) => {
                Some(Value::Texts(items(text).map(|i| unquoted(i).to_owned()).collect()))
            }
        }
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text)
}

/// Items of `[a, b]` or `a,b`.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    inner.split(',').map(str::trim).filter(|i| !i.is_empty())
}

/// Units of bytes, largest first.
const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

fn read_bytes(text: &str) -> Option<u64> {
    let text = unquoted(text);
    for (unit, size) in UNITS {
        if let Some(number) = text.strip_suffix(unit) {
            return number.trim().parse::<u64>().ok()?.checked_mul(size);
        }
    }
    text.replace('_', "").parse().ok()
}

/// A number of bytes as a person reads it.
fn bytes(n: u64) -> String {
    for (unit, size) in UNITS {
        if n >= size && n.is_multiple_of(size) {
            return format!("{} {unit}", n / size);
        }
    }
    bound(n)
}

fn bound(n: u64) -> String {
    if n == u64::MAX { "any".into() } else { n.to_string() }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(t) => write!(f, "{t:?}"),
            Self::Numbers(list) => write!(f, "{list:?}"),
            Self::Texts(list) => write!(f, "{list:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_with_and_without_a_unit() {
        let kind = Kind::Bytes(0, u64::MAX);
        assert_eq!(kind.read("64MiB"), Some(Value::Number(64 << 20)));
        assert_eq!(kind.read("\"2 GiB\""), Some(Value::Number(2 << 30)));
        assert_eq!(kind.read("1_000"), Some(Value::Number(1000)));
        assert_eq!(kind.read("12 parsecs"), None);
    }

    #[test]
    fn lines_have_a_form() {
        let kind = Kind::Lines(Form::Session);
        assert!(kind.allows(&kind.read("vxlan to any tenant vni, gre from 10.0.0.0/8 as x").expect("texts")));
        assert!(!kind.allows(&kind.read("vxlan to any").expect("a text")));
        assert!(!Kind::Lines(Form::Tenant).allows(&Value::Texts(vec!["x".into()])));
    }

    #[test]
    fn ranges_hold() {
        assert!(!Kind::Number(1, 5, "").allows(&Value::Number(6)));
        assert!(!Kind::Word(&["a"]).allows(&Value::Text("b".into())));
        assert!(!Kind::Flag.allows(&Value::Number(1)));
    }
}
