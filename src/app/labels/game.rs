//! Games and their engines.

use super::bytes::{be2, be4, byte, from, has, is_at, le2, le4, on, printable};
use super::{Answer, TCP, TCP_UDP, UDP, at_home, labels, sure, tcp, udp, weak};
use parse::Look;

labels! { Game;
    "source-engine", "Source engine and Steam server queries", ["Source_Engine", "Steam", "HalfLife2"], UDP, [udp(27_015)], source, b"\xff\xff\xff\xffTSource Engine Query\0";
    "quake", "Quake engines", [], UDP, [udp(27_960)], quake, b"\xff\xff\xff\xffgetstatus\n";
    "raknet", "RakNet", ["RakNet"], UDP, [udp(19_132)], raknet, b"\x01\0\0\0\0\0\0\0\x01\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78\0\0\0\0\0\0\0\x02";
    "minecraft", "Minecraft", [], TCP, [tcp(25_565)], minecraft, b"\x10\0\xf8\x05\x09localhost\x63\xdd\x01";
    "photon", "Photon engine", ["TocaBoca"], UDP, [udp(5055), udp(5056), udp(5058)], photon,
        b"\xff\xff\0\x01\x12\x34\x56\x78\x01\x02\x03\x04\x02\xff\x01\x04\0\0\0\x2c\0\0\0\x01\0\0\x04\xb0\0\0\x80\0\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\x13\x88\0\0\0\x02\0\0\0\x02";
    "enet", "ENet", [], UDP, [], enet, b"\x8f\xff\x12\x34\x82\xff\0\x01\0\0\xff\xff\0\0\x05\x78\0\0\x80\0\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\x13\x88\0\0\0\x02\0\0\0\x02\x11\x22\x33\x44\0\0\0\0";
    "world-of-warcraft", "World of Warcraft", ["WorldOfWarcraft"], TCP, [tcp(3724)], warcraft, b"\0\x08\x26\0WoW\0\x03\x03\x05\x34\x30\x36\x38x\0niW\0SUne\x3c\0\0\0\x7f\0\0\x01\x08GMADMIN1";
    "battle-net", "Battle.net chat and games, first generation", ["Starcraft"], TCP, [tcp(6112)], battle, b"\x01\xff\x50\x3a\0\0\0\0\x0068XIRATSD3\0\0\0";
    "genshin-impact", "Genshin Impact", ["GenshinImpact"], UDP, [udp(22_101), udp(22_102)], genshin, b"\0\0\0\xff\0\0\0\0\0\0\0\0\x49\x96\x02\xd2\xff\xff\xff\xff";
    "among-us", "Among Us (Hazel)", ["AmongUs"], UDP, [udp(22_023), udp(22_123)], |l: &Look<'_>| sure(is_at(l.data, 0, b"\x08\0\x01\0") && [22_023, 22_123, 22_223].iter().any(|p| on(l, *p)) && l.data.len() >= 10), b"\x08\0\x01\0\x46\xd2\x02\x03\x05Alice\0";
    "armagetron", "Armagetron Advanced", ["Armagetron"], UDP, [udp(4534)], armagetron, b"\0\x0b\0\0\0\x01\0\x05\0\0";
    "steam-discovery", "Steam client discovery and streaming", ["Steam"], UDP, [udp(27_036)], |l: &Look<'_>| sure(l.data.starts_with(b"\xff\xff\xff\xff\x21\x4c\x5f\xa0")), b"\xff\xff\xff\xff\x21\x4c\x5f\xa0\x04\0\0\0\x08\x01";
    "steam-cm", "Steam connection manager", ["Steam"], TCP_UDP, [udp(27_017), tcp(27_017)], |l: &Look<'_>| sure(l.data.starts_with(b"VS01") && le2(l.data, 4)? <= 1300 && matches!(byte(l.data, 6)?, 1..=9) || is_at(l.data, 4, b"VT01") && le4(l.data, 0)? < 1 << 24), b"VS01\0\0\x01\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    "valve-sdr", "Steam datagram relay", ["SteamDatagramRelay"], UDP, [], |l: &Look<'_>| sure(is_at(l.data, 0, b"\x01") && is_at(l.data, 5, b"\x0d\x04") && has(l.data, b"sdping")), b"\x01\0\0\0\0\x0d\x04sdping";
    "crynetwork", "CryEngine", ["CryNetwork"], UDP, [udp(64_090)], |l: &Look<'_>| sure(be2(l.data, 0)? == 0x3c0a && on(l, 64_090) && l.data.len() > 20), &super::bytes::pad::<24>(b"\x3c\x0a");
    "yojimbo", "netcode (yojimbo)", ["Yojimbo"], UDP, [], |l: &Look<'_>| sure(byte(l.data, 0)? == 0 && is_at(l.data, 1, b"NETCODE 1.0") && l.data.len() >= 13), b"\0NETCODE 1.02\0\0\0\0";
    "gamespy", "GameSpy queries", [], UDP, [udp(6500)], |l: &Look<'_>| sure(is_at(l.data, 0, b"\xfe\xfd") && matches!(byte(l.data, 2)?, 0 | 9) && matches!(l.data.len(), 7 | 11 | 15) || matches!(l.data, b"\\status\\" | b"\\info\\" | b"\\basic\\")), b"\xfe\xfd\x09\x10\x20\x30\x40";
    "teeworlds", "Teeworlds and DDNet", [], UDP, [udp(8303)], |l: &Look<'_>| sure(is_at(l.data, 6, b"\xff\xff\xff\xffgie") || is_at(l.data, 6, b"\xff\xff\xff\xffinf")), b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffgie3\x05";
    "luanti", "Luanti (Minetest)", [], UDP, [udp(30_000)], |l: &Look<'_>| sure(is_at(l.data, 0, b"\x4f\x45\x74\x03") && l.data.len() >= 9), b"\x4f\x45\x74\x03\0\0\0\x01\0";
}

/// Valve, "Server queries": ones, then a request or an answer with its header; or a split packet.
fn source(l: &Look<'_>) -> Answer {
    let d = l.data;
    if !is_at(d, 0, b"\xff\xff\xff\xff") {
        return None;
    }
    let home = (27_000..=27_050).contains(&l.server_port) || (27_000..=27_050).contains(&l.client_port);
    match byte(d, 4)? {
        b'T' => sure(is_at(d, 5, b"Source Engine Query\0")),
        b'U' | b'V' | b'W' => sure(d.len() == 9 || d.len() == 5),
        b'A' => sure(d.len() == 9),
        b'I' => at_home(byte(d, 5)? <= 48 && from(d, 6).contains(&0), home || has(d, b"\0\0")),
        b'D' | b'E' => at_home(d.len() > 6, home),
        b'm' => sure(printable(d.get(5..8)?)),
        b'q' => sure(is_at(d, 5, b"connect0x") || d.len() >= 9 && home),
        _ => None,
    }
}

/// Quake III's connectionless packets: ones, then a command in words.
fn quake(l: &Look<'_>) -> Answer {
    let words = [
        &b"getstatus"[..],
        b"getinfo",
        b"statusResponse",
        b"infoResponse",
        b"getservers",
        b"getchallenge",
        b"challengeResponse",
        b"connect ",
        b"connectResponse",
        b"heartbeat",
        b"rcon ",
        b"getserversResponse",
    ];
    let second = l.data.starts_with(b"\x80\0\0\x0c\x02QUAKE\0\x03");
    sure(l.data.starts_with(b"\xff\xff\xff\xff") && words.iter().any(|w| is_at(l.data, 4, w)) || second)
}

/// RakNet's offline messages carry sixteen fixed bytes, at a place that the message decides.
fn raknet(l: &Look<'_>) -> Answer {
    const MARK: &[u8] = b"\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78";
    let at = match byte(l.data, 0)? {
        0x01 | 0x02 => 9,
        0x05..=0x08 | 0x12 | 0x14 | 0x15 | 0x17 | 0x1a | 0x19 => 1,
        0x1c => 17,
        _ => return None,
    };
    sure(is_at(l.data, at, MARK) || has(l.data.get(..96).unwrap_or(l.data), MARK))
}

/// Minecraft protocol, "Handshake": length, packet 0, version, address, port, next state.
fn minecraft(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = usize::from(byte(d, 0)?);
    let version = from(d, 2).iter().take(5).position(|b| *b < 0x80)? + 3;
    let name = usize::from(byte(d, version)?);
    let end = version + 1 + name + 3;
    sure(
        length < 128
            && byte(d, 1)? == 0
            && end == length + 1
            && (1..=64).contains(&name)
            && d.get(version + 1..version + 1 + name).is_some_and(printable)
            && matches!(byte(d, end - 1)?, 1..=3)
            && d.len() >= end,
    )
}

/// Photon's reliable UDP: peer, flags, count, time, challenge; then commands of twelve bytes and more that fill the
/// datagram.
fn photon(l: &Look<'_>) -> Answer {
    let d = l.data;
    let count = byte(d, 3)?;
    let mut at = if byte(d, 2)? & 1 == 1 && byte(d, 2)? == 0xcc { 16 } else { 12 };
    if !matches!(byte(d, 2)?, 0 | 0xcc | 1) || !(1..=32).contains(&count) {
        return None;
    }
    let mut small = true;
    for _ in 0..count {
        let size = be4(d, at + 4)?;
        let kind = byte(d, at)?;
        small &= matches!((kind, size), (1, 20) | (2 | 3, 44) | (4 | 5, 12) | (6..=16, 12..));
        if !small || size < 12 || byte(d, at + 2)? > 4 {
            return None;
        }
        at += size;
    }
    sure(at == d.len() && be4(d, 4)? != 0)
}

/// ENet's connect: peer 4095 with a time sent, command 2 that wants an answer, channel 255, 48 bytes in all.
fn enet(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        be2(d, 0)? & 0x8fff == 0x8fff
            && byte(d, 4)? == 0x82
            && byte(d, 5)? == 0xff
            && d.len() == 52
            && (576..=4096).contains(&be4(d, 12)?),
    )
}

/// The login challenge: size, and the game's name with its version; or the world server's greeting in words.
fn warcraft(l: &Look<'_>) -> Answer {
    let d = l.data;
    let logon = byte(d, 0)? == 0
        && matches!(byte(d, 1)?, 2..=8)
        && le2(d, 2)? + 4 == d.len()
        && is_at(d, 4, b"WoW\0");
    sure(logon || [0, 2, 4].iter().any(|at| is_at(d, *at, b"WORLD OF WARCRAFT CONNECTION")))
}

/// Battle.net: protocol byte, then messages of mark, identifier and length.
fn battle(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        is_at(d, 0, b"\x01\xff")
            && matches!(byte(d, 2)?, 0x05 | 0x06 | 0x1e | 0x50)
            && le2(d, 3)? >= 4
            && le2(d, 3)? <= 512
            && (d.len() > le2(d, 3)? || on(l, 6112)),
    )
}

/// The engine's connect and disconnect: a mark, conversation and token, a number that depends on the mark, a tail.
fn genshin(l: &Look<'_>) -> Answer {
    let d = l.data;
    let pair = matches!(
        (be4(d, 0)?, be4(d, 16)?),
        (0xff, 0xffff_ffff) | (0x145, 0x1451_4545) | (0x194, 0x1941_9494)
    );
    sure(pair && d.len() == 20)
}

/// A descriptor, a message number, length in words; login is first.
fn armagetron(l: &Look<'_>) -> Answer {
    let d = l.data;
    let login = is_at(d, 0, &[0, 0x0b, 0, 0]);
    let length = be2(d, 4)? * 2;
    weak(login && on(l, 4534) && length + 8 == d.len()).filter(|_| on(l, 4534))
}
