//! Coins: their networks and mining.

use super::bytes::{be2, byte, digits, from, has, is_at, le4, on};
use super::{Answer, TCP, UDP, at_home, labels, sure, tcp, udp};
use parse::Look;

labels! { Crypto;
    "bitcoin", "Bitcoin and its relatives", ["BITCOIN"], TCP, [tcp(8333)], bitcoin, b"\xf9\xbe\xb4\xd9version\0\0\0\0\0\x66\0\0\0\x01\x02\x03\x04";
    "ethereum", "Ethereum node discovery", ["ETHEREUM"], UDP, [udp(30_303)], ethereum, &DISCOVERY;
    "monero", "Monero", ["Monero"], TCP, [tcp(18_080)], |l: &Look<'_>| sure(is_at(l.data, 0, b"\x01\x21\x01\x01\x01\x01\x01\x01") && byte(l.data, 16)? <= 1), b"\x01\x21\x01\x01\x01\x01\x01\x01\xe2\0\0\0\0\0\0\0\x01\xe9\x03\0\0";
    "stratum", "Stratum mining", ["Mining", "Monero"], TCP, [tcp(3333)], stratum, b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n";
    "nano", "Nano", ["Nano"], TCP, [tcp(7075)], nano, b"RC\x14\x14\x12\x0a\x03\0\x01\x02";
}

#[cfg(test)]
const DISCOVERY: [u8; 101] = {
    let mut d = [0x5a; 101];
    d[96] = 1;
    d[97] = 1;
    d[98] = 0xc2;
    d[99] = 0x04;
    d[100] = 0x80;
    d
};

/// Bitcoin developer reference, "Message Headers": network magic, command padded with zeros, length.
fn bitcoin(l: &Look<'_>) -> Answer {
    let d = l.data;
    let magic = matches!(
        d.get(..4)?,
        b"\xf9\xbe\xb4\xd9"
            | b"\xfa\xbf\xb5\xda"
            | b"\x0b\x11\x09\x07"
            | b"\x0a\x03\xcf\x40"
            | b"\xfb\xc0\xb6\xdb"
            | b"\xfd\xd2\xc8\xf1"
            | b"\xc0\xc0\xc0\xc0"
            | b"\xbf\x0c\x6b\xbd"
            | b"\x24\xe9\x27\x64"
            | b"\xe3\xe1\xf3\xe8"
    );
    let command = d.get(4..16)?;
    let letters = command.iter().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).count();
    sure(magic && letters >= 2 && from(command, letters).iter().all(|b| *b == 0) && le4(d, 16)? <= 32 << 20)
}

/// Ethereum, "Node Discovery Protocol v4": hash, signature, packet type, and a list that fills the packet.
fn ethereum(l: &Look<'_>) -> Answer {
    let d = l.data;
    let list = byte(d, 98)?;
    let length = match list {
        0xc0..=0xf7 => usize::from(list - 0xc0) + 99,
        0xf8 => usize::from(byte(d, 99)?) + 100,
        0xf9 => be2(d, 99)? + 101,
        _ => return None,
    };
    sure(matches!(byte(d, 97)?, 1..=6) && length == d.len() && byte(d, 96)? <= 3 && length > 99)
}

/// Stratum: JSON lines; both generations name their methods.
fn stratum(l: &Look<'_>) -> Answer {
    let d = l.data;
    if byte(d, 0)? != b'{' {
        return None;
    }
    let first = has(d, b"\"mining.") || has(d, b"\"eth_submitLogin\"") || has(d, b"\"eth_getWork\"");
    let second =
        has(d, b"\"login\"") && (has(d, b"\"agent\"") || has(d, b"\"pass\"")) && has(d, b"\"method\"");
    let job = has(d, b"\"job_id\"") && has(d, b"\"blob\"");
    sure(byte(d, 0)? == b'{' && (first || second || job) && !digits(d, 1))
}

/// Nano, "Node protocol": magic, network, versions, message type, extensions.
fn nano(l: &Look<'_>) -> Answer {
    let d = l.data;
    let versions =
        byte(d, 2)? >= byte(d, 3)? && byte(d, 3)? >= byte(d, 4)? && byte(d, 4)? >= 5 && byte(d, 2)? < 64;
    at_home(
        is_at(d, 0, b"R")
            && matches!(byte(d, 1)?, b'A' | b'B' | b'C' | b'X')
            && versions
            && matches!(byte(d, 5)?, 2..=15),
        on(l, 7075),
    )
}
