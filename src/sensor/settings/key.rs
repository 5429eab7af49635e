//! One key of the configuration, and the shapes that most keys have.

use super::CaptureBypass;
use super::Settings;
use super::value::{Kind, Value};
use capture::af_packet::Fanout;

/// One key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// Dotted path: `stream.depth`.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// One or two sentences.
    pub text: &'static str,
    /// Whether a running sensor takes a new value at SIGHUP.
    pub reload: bool,
    /// Reads a value that the kind allows into the settings.
    pub put: fn(&mut Settings, Value),
    /// Shows the present value.
    pub show: fn(&Settings) -> Value,
}

/// Numbers of the catalogue are within their range when they arrive here; conversions saturate.
pub(super) fn number<T: TryFrom<u64>>(value: &Value, most: T) -> T {
    let Value::Number(n) = value else { return most };
    T::try_from(*n).unwrap_or(most)
}

pub(super) fn text(value: Value) -> String {
    if let Value::Text(t) = value { t } else { String::new() }
}

pub(super) fn ports(value: &Value) -> Vec<u16> {
    let Value::Numbers(list) = value else { return Vec::new() };
    list.iter().filter_map(|n| u16::try_from(*n).ok()).collect()
}

pub(super) fn shown_ports(list: &[u16]) -> Value {
    Value::Numbers(list.iter().map(|p| u64::from(*p)).collect())
}

/// Lines that the kind allows can all be read.
pub(super) fn lines<T: std::str::FromStr>(value: &Value) -> Vec<T> {
    let Value::Texts(list) = value else { return Vec::new() };
    list.iter().filter_map(|line| line.parse().ok()).collect()
}

pub(super) fn shown_lines<T: ToString>(list: &[T]) -> Value {
    Value::Texts(list.iter().map(ToString::to_string).collect())
}

pub(super) fn fanout(name: &str) -> Fanout {
    match name {
        "inner" => Fanout::Inner,
        "here" => Fanout::Here,
        "cpu" => Fanout::Cpu,
        "queue" => Fanout::QueueMapping,
        "none" => Fanout::None,
        _ => Fanout::Hash,
    }
}

pub(super) const fn fanout_name(fanout: Fanout) -> &'static str {
    match fanout {
        Fanout::Inner => "inner",
        Fanout::Here => "here",
        Fanout::Hash => "hash",
        Fanout::Cpu => "cpu",
        Fanout::QueueMapping => "queue",
        Fanout::None => "none",
    }
}

pub(super) fn capture_bypass(name: &str) -> CaptureBypass {
    match name {
        "socket" => CaptureBypass::Socket,
        "xdp" => CaptureBypass::Xdp,
        "xdp-generic" => CaptureBypass::XdpGeneric,
        _ => CaptureBypass::Off,
    }
}

pub(super) const fn capture_bypass_name(at: CaptureBypass) -> &'static str {
    match at {
        CaptureBypass::Off => "off",
        CaptureBypass::Socket => "socket",
        CaptureBypass::Xdp => "xdp",
        CaptureBypass::XdpGeneric => "xdp-generic",
    }
}

/// A key for a flag.
macro_rules! flag {
    ($path:literal, $text:literal, $($field:ident).+) => {
        flag!($path, $text, $($field).+, false)
    };
    ($path:literal, $text:literal, $($field:ident).+, $reload:literal) => {
        Key {
            path: $path,
            kind: Kind::Flag,
            text: $text,
            reload: $reload,
            put: |s, v| s.$($field).+ = v == Value::Flag(true),
            show: |s| Value::Flag(s.$($field).+),
        }
    };
}

/// A key for a number of any integer type.
macro_rules! number {
    ($path:literal, $kind:expr, $text:literal, $($field:ident).+, $type:ty) => {
        number!($path, $kind, $text, $($field).+, $type, false)
    };
    ($path:literal, $kind:expr, $text:literal, $($field:ident).+, $type:ty, $reload:literal) => {
        Key {
            path: $path,
            kind: $kind,
            text: $text,
            reload: $reload,
            put: |s, v| s.$($field).+ = number(&v, <$type>::MAX),
            show: |s| Value::Number(u64::try_from(s.$($field).+).unwrap_or(u64::MAX)),
        }
    };
}

/// A key for a text.
macro_rules! text {
    ($path:literal, $text:literal, $($field:ident).+) => {
        Key {
            path: $path,
            kind: Kind::Text,
            text: $text,
            reload: false,
            put: |s, v| s.$($field).+ = text(v),
            show: |s| Value::Text(s.$($field).+.clone()),
        }
    };
}

/// A key for a list of UDP ports.
macro_rules! ports {
    ($path:literal, $text:literal, $($field:ident).+) => {
        Key {
            path: $path,
            kind: Kind::Numbers(1, 65_535),
            text: $text,
            reload: false,
            put: |s, v| s.$($field).+ = ports(&v),
            show: |s| shown_ports(&s.$($field).+),
        }
    };
}
