//! What a user says about bypass: which flows, and how far.

use decode::Address;
use decode::mirror::Prefix;
use flow::Key;
use std::fmt;
use std::str::FromStr;

/// Whether flows are bypassed whose streams were read as far as they are to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Never.
    #[default]
    Off,
    /// When both sides have come so far.
    Both,
    /// When one side has: what the other still says is not read either.
    One,
}

impl Depth {
    /// As a configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Both => "both",
            Self::One => "one",
        }
    }

    /// The one that goes by this name; off for every other.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        [Self::Both, Self::One].into_iter().find(|d| d.name() == name).unwrap_or_default()
    }
}

/// Which flows are bypassed. A running sensor takes new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BypassSettings {
    /// Streams that were read as far as they are to be.
    pub depth: Depth,
    /// Protocols whose flows are of no use once they are encrypted.
    pub encrypted: Vec<String>,
    /// Flows that policy says not to look at.
    pub networks: Vec<Network>,
    /// Bytes in one second of packet time from which on a flow is; 0 for no such limit.
    pub rate: u64,
    /// Whether the source is asked. The assembly puts it here.
    pub at_source: bool,
}

impl BypassSettings {
    /// Whether any flow is.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.depth != Depth::Off || !self.encrypted.is_empty() || !self.networks.is_empty() || self.rate > 0
    }
}

/// One line of `bypass.networks`: flows of which one end lies here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    prefix: Prefix,
    protocol: Option<u8>,
    ports: Option<(u16, u16)>,
}

impl Network {
    /// Whether a flow is meant: one of its ends has both address and port.
    #[must_use]
    pub fn fits(&self, key: &Key) -> bool {
        let end = |address: &Address, port: u16| {
            self.prefix.contains(address)
                && self.ports.is_none_or(|(first, last)| (first..=last).contains(&port))
        };
        self.protocol.is_none_or(|protocol| protocol == key.protocol)
            && (end(&key.src, key.src_port) || end(&key.dst, key.dst_port))
    }
}

/// Transports that a line can name.
const TRANSPORTS: [(&str, u8); 3] = [("tcp", 6), ("udp", 17), ("sctp", 132)];

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let prefix = words.next().unwrap_or_default().parse().map_err(|e| format!("{e}"))?;
        let mut network = Self { prefix, protocol: None, ports: None };
        let mut words = words.peekable();
        if let Some((_, number)) = words.peek().and_then(|word| TRANSPORTS.iter().find(|(n, _)| n == word)) {
            network.protocol = Some(*number);
            words.next();
        }
        match (words.next(), words.next(), words.next()) {
            (None, ..) => {}
            (Some("port"), Some(range), None) => network.ports = Some(ports(range)?),
            _ => {
                return Err(format!(
                    "`{text}`: behind the prefix stand tcp, udp or sctp, and `port N` or `port N-M`"
                ));
            }
        }
        Ok(network)
    }
}

fn ports(range: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{range}` is no port nor FROM-TO");
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last) = (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
    if first > last { Err(wrong()) } else { Ok((first, last)) }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.prefix)?;
        if let Some((name, _)) = TRANSPORTS.iter().find(|(_, n)| Some(*n) == self.protocol) {
            write!(f, " {name}")?;
        }
        match self.ports {
            Some((first, last)) if first == last => write!(f, " port {first}"),
            Some((first, last)) => write!(f, " port {first}-{last}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(src: [u8; 4], src_port: u16, dst_port: u16, protocol: u8) -> Key {
        let dst = Address::v4([192, 0, 2, 1]);
        Key { src: Address::v4(src), dst, src_port, dst_port, protocol, version: 4, ..Key::default() }
    }

    #[test]
    fn a_line_means_flows_with_one_end_in_it() {
        let line = |text: &str| text.parse::<Network>().expect(text);
        assert!(line("10.0.0.0/8").fits(&key([10, 1, 1, 1], 1, 2, 6)));
        assert!(line("192.0.2.0/24").fits(&key([10, 1, 1, 1], 1, 2, 17)), "either end");
        assert!(!line("10.0.0.0/8 udp").fits(&key([10, 1, 1, 1], 1, 2, 6)));
        assert!(line("any tcp port 873").fits(&key([10, 1, 1, 1], 40_000, 873, 6)));
        let backup = line("10.0.0.0/8 port 2049");
        assert!(backup.fits(&key([10, 1, 1, 1], 2049, 5, 6)));
        assert!(!backup.fits(&key([10, 1, 1, 1], 5, 2049, 6)), "the port of the end that lies in it");
    }

    #[test]
    fn what_is_read_prints_the_same() {
        for text in ["10.0.0.0/8", "any tcp port 873", "2001:db8::/32 udp port 5000-6000", "any port 1"] {
            assert_eq!(text.parse::<Network>().expect(text).to_string(), text);
        }
        for text in ["", "10.0.0.0/40", "any icmp", "any port", "any port 5-1", "any port x", "any port 1 2"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
