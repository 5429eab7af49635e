//! People writing to each other.

use super::bytes::{be2, be3, be4, begins, byte, from, has, is_at, le2, le4, line, on, zero};
use super::{Answer, TCP, TCP_UDP, UDP, at_home, labels, sure, tcp, udp, weak};
use parse::{Look, Side, Transport};

labels! { Chat;
    "irc", "Internet Relay Chat", ["IRC"], TCP, [tcp(6667), tcp(6666)], irc, b"NICK guest\r\nUSER guest 0 * :Guest\r\n";
    "jabber", "XMPP", ["Jabber"], TCP, [tcp(5222), tcp(5269)], jabber, b"<?xml version='1.0'?><stream:stream to='example.com' xmlns='jabber:client'>";
    "oicq", "OICQ (Tencent QQ)", ["OICQ"], UDP, [udp(8000)], oicq, b"\x02\x0b\x49\0\x02\x12\x34\x0a\xbc\xde\xf0\x11\x22\x33\x03";
    "ymsg", "Yahoo Messenger", [], TCP, [tcp(5050)], |l: &Look<'_>| sure(l.data.starts_with(b"YMSG") && be2(l.data, 8)? + 20 <= l.data.len().max(2048)), b"YMSG\0\x0f\0\0\0\0\0\x4c\0\0\0\0\0\0\0\0";
    "msnp", "MSN Messenger", [], TCP, [tcp(1863)], |l: &Look<'_>| sure(begins(l.data, b"VER ") && has(l.data, b" MSNP")), b"VER 1 MSNP18 CVR0\r\n";
    "oscar", "AOL and ICQ messenger", [], TCP, [tcp(5190)], |l: &Look<'_>| sure(is_at(l.data, 0, b"*\x01") && be2(l.data, 4)? + 6 <= l.data.len() && be4(l.data, 6)? == 1), b"*\x01\x12\x34\0\x04\0\0\0\x01";
    "whatsapp", "WhatsApp", ["WhatsApp"], TCP, [tcp(5222)], whatsapp, b"WA\x06\x03\0\0\x24\x12\x22\x0a\x20";
    "telegram", "Telegram", ["Telegram", "TelegramVoip"], TCP_UDP, [tcp(443)], telegram, b"\xef\x0a\0\0\0\0\0\0\0\0\0\0\x01\x02\x03\x04\x05\x06\x14\0\0\0\x78\x97\x46\x60\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\0\0\0\0";
    "discord-voice", "Discord voice", ["Discord"], UDP, [], discord, &super::bytes::pad::<74>(b"\0\x01\0\x46\0\x01\x02\x03");
    "mumble", "Mumble", ["Mumble"], UDP, [udp(64_738)], mumble, b"\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08";
}

/// RFC 2812 section 3.1: registration by nickname and user, or a server's notices and numerics.
fn irc(l: &Look<'_>) -> Answer {
    let d = l.data;
    let text = line(d)?;
    let next = from(d, text.len() + 1).trim_ascii_start();
    let home = [6666, 6667, 6668, 6669, 7000].iter().any(|p| on(l, *p));
    let opens = begins(d, b"NICK ") && (begins(next, b"USER ") || home)
        || begins(d, b"PASS ") && begins(next, b"NICK ");
    let caps = begins(d, b"CAP LS") || begins(d, b"CAP REQ :");
    let user = begins(d, b"USER ") && has(text, b" :") && text.split(|b| *b == b' ').count() >= 5;
    let notice = [&b"NOTICE AUTH :"[..], b"NOTICE * :***", b"NOTICE AUTH :***"].iter().any(|k| begins(d, k));
    let numeric = byte(d, 0)? == b':'
        && (has(text, b" 001 ") || has(text, b" NOTICE ") || has(text, b" 433 ") || has(text, b" PRIVMSG #"));
    sure(opens || caps || user || notice || numeric || begins(d, b"PRIVMSG #"))
}

/// RFC 6120 section 4.7: a stream's opening tag in the etherx name space.
fn jabber(l: &Look<'_>) -> Answer {
    let d = l.data.trim_ascii_start();
    if byte(d, 0)? != b'<' {
        return None;
    }
    let opens = has(d, b"<stream:stream")
        || has(d, b"http://etherx.jabber.org/streams")
        || has(d, b"xmlns='jabber:")
        || has(d, b"xmlns=\"jabber:");
    let stanza = [&b"<iq "[..], b"<message ", b"<presence"].iter().any(|k| d.starts_with(k));
    sure(
        byte(d, 0)? == b'<'
            && (opens
                || stanza
                    && (on(l, 5222) || on(l, 5269) || on(l, 5223))
                    && (l.midstream || has(d, b"type="))),
    )
}

/// Start and end marks, version, command, sequence, account.
fn oicq(l: &Look<'_>) -> Answer {
    let d = l.data;
    let command = matches!(be2(d, 3)?, 0x01..=0x1e | 0x22 | 0x26 | 0x27 | 0x30..=0x40 | 0x58 | 0x5c | 0x65..=0x67 | 0x7c | 0x81 | 0x91 | 0xba | 0xcd..=0xef | 0x0101 | 0x0825 | 0x0828 | 0x0836 | 0x0839);
    let frame = byte(d, 0)? == 2 && d.last() == Some(&3) && d.len() >= 12;
    at_home(frame && command && matches!(byte(d, 1)?, 1..=0x40), on(l, 8000))
}

/// The Noise handshake's prologue, or the routing block before it.
fn whatsapp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let routed = d.starts_with(b"ED\0\x01") && be3(d, 4)? < 1024;
    let prologue = d.starts_with(b"WA") && matches!(byte(d, 2)?, 1..=6) && byte(d, 3)? <= 0x10;
    sure(routed || prologue && (byte(d, 4)? == 0 || byte(d, 2)? < 4))
}

/// MTProto transports: abridged and intermediate, first an unencrypted message (key 0) with its own length; and calls
/// through reflectors, whose packets have ones behind the peer's tag.
fn telegram(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == Transport::Udp {
        let ones = d.get(16..28)?.iter().all(|b| *b == 0xff);
        return sure(ones && d.len() >= 32 && !d.get(..16)?.iter().all(|b| *b == 0xff));
    }
    let at = match (byte(d, 0)?, byte(d, 1)?) {
        (0xef, n) if n < 0x7f => 2,
        (0xee, 0xee) if is_at(d, 2, &[0xee, 0xee]) => 8,
        _ => return None,
    };
    sure(zero(d.get(at..at + 8)?) && le4(d, at + 16)? + at + 20 <= d.len() && le2(d, at + 16)? >= 16)
}

/// Discord, "IP Discovery": request or answer, length 70, stream.
fn discord(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        matches!(be2(d, 0)?, 1 | 2)
            && be2(d, 2)? == 70
            && d.len() == 74
            && (be2(d, 0)? == 2 || zero(d.get(8..72)?)),
    )
}

/// Mumble's UDP ping: twelve bytes out; version, identifier and counts back.
fn mumble(l: &Look<'_>) -> Answer {
    let d = l.data;
    let asks = d.len() == 12 && be4(d, 0)? == 0 && l.side == Side::ToServer;
    let answers = d.len() == 24
        && byte(d, 0)? == 0
        && matches!(byte(d, 1)?, 1 | 2)
        && d.get(4..12) == l.other.get(4..12);
    if answers || asks && on(l, 64_738) { sure(true) } else { weak(false) }
}
