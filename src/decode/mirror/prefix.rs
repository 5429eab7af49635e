//! Address prefixes, as `10.0.0.0/8`, `2001:db8::/32` or `any`.

use super::Unreadable;
use crate::Address;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    address: u128,
    /// Counted in the mapped form: 96 more than written for IPv4; 0 for every address.
    bits: u8,
}

impl Prefix {
    /// Every address.
    pub const ANY: Self = Self { address: 0, bits: 0 };

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: &Address) -> bool {
        (u128::from_be_bytes(address.0) ^ self.address) & mask(self.bits) == 0
    }
}

fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0)
}

impl FromStr for Prefix {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        if text == "any" {
            return Ok(Self::ANY);
        }
        let wrong = || Unreadable(format!("`{text}` is no address prefix such as 10.0.0.0/8, nor `any`"));
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (address, before, most) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_ipv6_mapped()), 96, 32),
            IpAddr::V6(v6) => (u128::from(v6), 0, 128),
        };
        let length = length.map_or(Ok(most), |l| l.parse::<u8>().map_err(|_| wrong()))?;
        if length > most {
            return Err(wrong());
        }
        let bits = before + length;
        Ok(Self { address: address & mask(bits), bits })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ANY {
            return f.write_str("any");
        }
        let address = std::net::Ipv6Addr::from(self.address);
        match (address.to_ipv4_mapped(), self.bits.checked_sub(96)) {
            (Some(v4), Some(bits)) => write!(f, "{v4}/{bits}"),
            _ => write!(f, "{address}/{}", self.bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_what_begins_alike() {
        let ten: Prefix = "10.0.0.0/8".parse().expect("a prefix");
        assert!(ten.contains(&Address::v4([10, 1, 2, 3])) && !ten.contains(&Address::v4([11, 1, 2, 3])));
        let one: Prefix = "192.0.2.7".parse().expect("an address");
        assert!(one.contains(&Address::v4([192, 0, 2, 7])) && !one.contains(&Address::v4([192, 0, 2, 6])));
        let six: Prefix = "2001:db8::/32".parse().expect("a prefix");
        assert!(six.contains(&Address("2001:db8::1".parse::<std::net::Ipv6Addr>().expect("it").octets())));
        assert!(!six.contains(&Address::v4([10, 1, 2, 3])));
        assert!(Prefix::ANY.contains(&Address::v4([10, 1, 2, 3])));
        assert!(!"0.0.0.0/0".parse::<Prefix>().expect("all of IPv4").contains(&Address([9; 16])));
    }

    #[test]
    fn what_is_read_prints_the_same() {
        for text in ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "any"] {
            assert_eq!(text.parse::<Prefix>().expect("a prefix").to_string(), text);
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "::/129", "", "10.0.0.0/-1"] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
