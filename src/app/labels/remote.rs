//! Sitting at another machine's screen or shell.

use super::bytes::{be2, be4, begins, byte, from, is_at, le2, le4, on, printable};
use super::{Answer, TCP, TCP_UDP, UDP, at_home, labels, sure, tcp, udp};
use parse::{Look, Side, Transport};

labels! { Remote;
    "telnet", "Telnet", ["Telnet"], TCP, [tcp(23)], telnet, b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27";
    "rdp", "Remote Desktop Protocol", ["RDP"], TCP, [tcp(3389)], rdp, b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x0b\0\0\0";
    "rdp-udp", "Remote Desktop Protocol over UDP", ["RDP"], UDP, [udp(3389)], rdp_udp, &super::bytes::pad::<1232>(b"\xff\xff\xff\xff\0\x40\x00\x01\x12\x34\x56\x78\x04\xd0\x04\xd0");
    "rfb", "Remote Framebuffer (VNC)", ["VNC"], TCP, [tcp(5900), tcp(5901)], rfb, b"RFB 003.008\n";
    "x11", "X Window System", [], TCP, [tcp(6000), tcp(6001)], x11, b"\x6c\0\x0b\0\0\0\0\0\0\0\0\0";
    "xdmcp", "X Display Manager Control Protocol", ["XDMCP"], UDP, [udp(177)], xdmcp, b"\0\x01\0\x02\0\x01\0";
    "spice", "SPICE", [], TCP, [tcp(5930)], |l: &Look<'_>| sure(l.data.starts_with(b"REDQ") && matches!(le4(l.data, 4)?, 1 | 2)), b"REDQ\x02\0\0\0\x02\0\0\0\x16\0\0\0";
    "teamviewer", "TeamViewer", ["TeamViewer"], TCP_UDP, [tcp(5938), udp(5938)], teamviewer, b"\x17\x24\x0a\x20\x00\x10\x01\x02\x03\x04";
    "radmin", "Radmin", ["Radmin"], TCP, [tcp(4899)], radmin, b"\x01\0\0\0\x01\0\0\0\x08\x08";
    "nomachine", "NoMachine NX", ["NoMachine"], TCP_UDP, [tcp(4000), udp(4000)], nomachine, b"NXSH-2.0\n";
    "citrix-ica", "Citrix ICA and common gateway", ["Citrix"], TCP, [tcp(1494), tcp(2598)], citrix, b"\x7f\x7fICA\0\x7f\x7fICA\0";
    "rsh", "Remote shell", ["RSH"], TCP, [tcp(514), tcp(513), tcp(512)], rsh, b"1022\0root\0admin\0uname -a\0";
    "vmware-auth", "VMware authentication daemon", ["VMware"], TCP_UDP, [tcp(902), udp(902)], |l: &Look<'_>| sure(l.data.starts_with(b"220 VMware Authentication Daemon")), b"220 VMware Authentication Daemon Version 1.10: SSL Required\r\n";
    "adb", "Android Debug Bridge", [], TCP, [tcp(5555)], adb, b"CNXN\x01\0\0\x01\0\0\x04\0\x07\0\0\0\x32\x02\0\0\xbc\xb1\xa7\xb1host::\0";
    "gdb-remote", "GDB remote serial protocol", [], TCP, [tcp(1234), tcp(2331)], gdb, b"+$qSupported:multiprocess+#c6";
    "jrmi", "Java remote method invocation", ["JRMI"], TCP, [tcp(1099)], |l: &Look<'_>| sure(l.data.starts_with(b"JRMI\0") && matches!(byte(l.data, 5)?, 1 | 2) && matches!(byte(l.data, 6)?, 0x4b..=0x4d)), b"JRMI\0\x02\x4b";
    "anydesk-lan", "AnyDesk discovery", ["AnyDesk"], UDP, [udp(50_001)], |l: &Look<'_>| sure(l.data.starts_with(b"\x3e\xd1\x01") && l.data.len() >= 16), &super::bytes::pad::<32>(b"\x3e\xd1\x01");
    "dameware", "DameWare Mini Remote Control", [], TCP, [tcp(6129)], |l: &Look<'_>| sure(le4(l.data, 0)? == 0x1130 && l.data.len() == 40), &super::bytes::pad::<40>(b"\x30\x11\0\0");
    "synergy", "Synergy keyboard sharing", [], TCP, [tcp(24_800)], |l: &Look<'_>| sure(be4(l.data, 0)? < 256 && (is_at(l.data, 4, b"Synergy\0") || is_at(l.data, 4, b"Barrier\0"))), b"\0\0\0\x0bSynergy\0\x01\0\x06";
    "winbox", "MikroTik WinBox", [], TCP, [tcp(8291)], winbox, b"\x12\x06user\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d";
    "mikrotik-api", "MikroTik API", [], TCP, [tcp(8728)], |l: &Look<'_>| sure(l.data.starts_with(b"\x06/login")), b"\x06/login\x0b=name=admin\0";
}

/// RFC 854: commands behind the interpret-as-command byte; a negotiation of known options comes first.
fn telnet(l: &Look<'_>) -> Answer {
    let mut d = l.data;
    let mut options = 0;
    while byte(d, 0) == Some(0xff) {
        match byte(d, 1)? {
            0xfb..=0xfe if byte(d, 2)? <= 49 || byte(d, 2)? >= 138 => d = from(d, 3),
            0xfa => {
                let end = d.windows(2).take(256).position(|w| w == [0xff, 0xf0])?;
                d = from(d, end + 2);
            }
            0xf1..=0xf9 => d = from(d, 2),
            _ => return None,
        }
        options += 1;
        if options > 16 {
            break;
        }
    }
    let text = d.iter().take(64).all(|b| b.is_ascii() && *b != 0);
    at_home(options >= 1 && text, options >= 2 || on(l, 23))
}

/// MS-RDPBCGR section 2.2.1.1: a connection request with a cookie, a routing token or a negotiation; the answer
/// (2.2.1.2) carries one too.
fn rdp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    let header = usize::from(byte(d, 4)?) + 5;
    if !is_at(d, 0, &[3, 0]) || header != length || length > d.len() || length < 11 {
        return None;
    }
    let body = d.get(11..length)?;
    let tail = body.get(body.len().saturating_sub(8)..)?;
    let negotiates = |kinds: &[u8]| {
        tail.len() == 8 && kinds.iter().any(|k| is_at(tail, 0, &[*k])) && is_at(tail, 2, &[8, 0])
    };
    match byte(d, 5)? & 0xf0 {
        0xe0 => sure(begins(body, b"Cookie: m") || negotiates(&[1]) || on(l, 3389) && body.is_empty()),
        0xd0 => sure(negotiates(&[2, 3]) || on(l, 3389) && body.is_empty()),
        _ => None,
    }
}

/// MS-RDPEUDP section 2.2.3.1: acknowledges nothing yet, synchronises, and is padded to its path's size.
fn rdp_udp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let size = d.len();
    sure(
        be4(d, 0)? == 0xffff_ffff
            && be2(d, 6)? & 1 == 1
            && (1132..=1232).contains(&size)
            && (1132..=1232).contains(&be2(d, 12)?)
            && (1132..=1232).contains(&be2(d, 14)?),
    )
}

/// RFC 6143 section 7.1.1.
fn rfb(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        is_at(d, 0, b"RFB ")
            && super::bytes::digits(from(d, 4), 3)
            && byte(d, 7)? == b'.'
            && super::bytes::digits(from(d, 8), 3)
            && byte(d, 11)? == b'\n',
    )
}

/// X Window System protocol section 8: byte order, version 11.0, lengths of the authorization.
fn x11(l: &Look<'_>) -> Answer {
    let d = l.data;
    let word: fn(&[u8], usize) -> Option<usize> = match byte(d, 0)? {
        0x6c => le2,
        0x42 => be2,
        _ => return None,
    };
    let (name, data) = (word(d, 6)?, word(d, 8)?);
    let padded = |n: usize| n.div_ceil(4) * 4;
    sure(
        byte(d, 1)? == 0
            && word(d, 2)? == 11
            && word(d, 4)? == 0
            && word(d, 10)? == 0
            && d.len() == 12 + padded(name) + padded(data),
    )
}

/// XDMCP section 4: version 1, operation, length of the rest.
fn xdmcp(l: &Look<'_>) -> Answer {
    let d = l.data;
    at_home(be2(d, 0)? == 1 && matches!(be2(d, 2)?, 1..=14) && be2(d, 4)? + 6 == d.len(), on(l, 177))
}

/// Two magic numbers, each with its command; over UDP the second stands behind a header.
fn teamviewer(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == Transport::Udp {
        return sure(d.len() > 13 && byte(d, 0)? == 0 && is_at(d, 11, b"\x17\x24"));
    }
    sure(is_at(d, 0, b"\x17\x24") && byte(d, 2)? < 0x40 || on(l, 5938) && is_at(d, 0, b"\x11\x30"))
}

/// Messages of kind, length and sum; the first of each side is kind 1.
fn radmin(l: &Look<'_>) -> Answer {
    let d = l.data;
    let hello = d == b"\x01\0\0\0\x01\0\0\0\x08\x08";
    let message = byte(d, 0)? == 1 && be4(d, 1)?.checked_add(9)? == d.len() && d.len() > 9;
    sure(hello || on(l, 4899) && message)
}

fn nomachine(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == Transport::Tcp {
        return sure(d.starts_with(b"NXSH-") || d.starts_with(b"NXD-") || d.starts_with(b"NXDISPLAY-"));
    }
    sure(on(l, 4000) && is_at(d, 0, &[1, 0, 1, 0]) && le2(d, 4)? == d.len())
}

fn citrix(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(d.starts_with(b"\x7f\x7fICA\0") || d.starts_with(b"\x1aCGP/01"))
}

/// rsh(1), rlogin (RFC 1282) and rexec: a port or nothing, then names and a command, zeros behind each.
fn rsh(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.side != Side::ToServer || ![512, 513, 514].contains(&l.server_port) {
        return None;
    }
    let mut parts = d.split(|b| *b == 0);
    let first = parts.next()?;
    let port = first.len() <= 5 && first.iter().all(u8::is_ascii_digit);
    let (a, b) = (parts.next()?, parts.next()?);
    sure(port && printable(a) && printable(b) && d.ends_with(&[0]))
}

/// adb's protocol description: command, two arguments, length, sum, and the command inverted.
fn adb(l: &Look<'_>) -> Answer {
    let d = l.data;
    let known = [&b"CNXN"[..], b"OPEN", b"OKAY", b"CLSE", b"WRTE", b"AUTH", b"STLS", b"SYNC"]
        .iter()
        .any(|k| d.starts_with(k));
    sure(known && le4(d, 20)? == le4(d, 0)? ^ 0xffff_ffff)
}

/// GDB manual, "Remote Protocol": `$`, data, `#`, and a sum of two hexadecimal digits.
fn gdb(l: &Look<'_>) -> Answer {
    let d = l.data.strip_prefix(b"+").unwrap_or(l.data);
    if byte(d, 0)? != b'$' {
        return None;
    }
    let hash = d.iter().take(512).position(|b| *b == b'#')?;
    let data = d.get(1..hash)?;
    let sum = data.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    let told = std::str::from_utf8(d.get(hash + 1..hash + 3)?).ok()?;
    sure(
        byte(d, 0)? == b'$'
            && u8::from_str_radix(told, 16).ok()? == sum
            && (data.len() >= 4 || l.data.len() > d.len()),
    )
}

/// EC-SRP5 begins with a length, a kind, the user name and a key of 32 bytes.
fn winbox(l: &Look<'_>) -> Answer {
    let d = l.data;
    if !on(l, 8291) {
        return None;
    }
    let name = from(d, 2).iter().position(|b| *b == 0)?;
    sure(
        on(l, 8291)
            && byte(d, 1)? == 6
            && name > 0
            && printable(d.get(2..2 + name)?)
            && usize::from(byte(d, 0)?) + 2 >= name,
    )
}
