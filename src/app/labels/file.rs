//! Moving and sharing files.

use super::bytes::{be2, be3, be4, begins, byte, from, has_text, is_at, le2, le4, line, on, printable, zero};
use super::{Answer, TCP, UDP, at_home, labels, sure, tcp, udp, weak};
use parse::{Look, Side, Transport};

labels! { File;
    "ftp", "File Transfer Protocol", ["FTP_CONTROL", "FTPS"], TCP, [tcp(21)], ftp, b"220 (vsFTPd 3.0.3)\r\n";
    "tftp", "Trivial File Transfer Protocol", ["TFTP"], UDP, [udp(69)], tftp, b"\0\x01boot.img\0octet\0";
    "smb", "Server Message Block", ["SMBv1", "SMBv23", "NetBIOS"], TCP, [tcp(445), tcp(139)], smb, b"\0\0\0\x40\xfeSMB\x40\0\0\0";
    "netbios-ssn", "NetBIOS session service", ["NetBIOS"], TCP, [tcp(139)], nbss,
        b"\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0 EKEDFEEIEDCACACACACACACACACACAAA\0";
    "afp", "Apple Filing Protocol", ["AFP"], TCP, [tcp(548)], afp, b"\0\x04\0\x01\0\0\0\0\0\0\0\x06\0\0\0\0\x01\x04\0\0\x04\0";
    "rsync", "rsync", ["RSYNC"], TCP, [tcp(873)], |l: &Look<'_>| sure(l.data.starts_with(b"@RSYNCD: ")), b"@RSYNCD: 31.0\n";
    "git", "Git", ["Git"], TCP, [tcp(9418)], git, b"0033git-upload-pack /project.git\0host=myserver.com\0";
    "svn", "Subversion", [], TCP, [tcp(3690)], |l: &Look<'_>| sure(l.data.starts_with(b"( success ( 2 2 ( ") || l.data.starts_with(b"( 2 ( edit-pipeline")), b"( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) ) ";
    "cvs", "CVS pserver", [], TCP, [tcp(2401)], |l: &Look<'_>| sure(l.data.starts_with(b"BEGIN AUTH REQUEST\n") || l.data.starts_with(b"BEGIN VERIFICATION REQUEST\n")), b"BEGIN AUTH REQUEST\n/cvs\nuser\n";
    "nbd", "Network Block Device", [], TCP, [tcp(10_809)], |l: &Look<'_>| sure(l.data.starts_with(b"NBDMAGIC")), b"NBDMAGICIHAVEOPT\0\x03";
    "9p", "Plan 9 file protocol", [], TCP, [tcp(564)], ninep, b"\x13\0\0\0\x64\xff\xff\0\x20\0\0\x06\x009P2000";
    "iscsi", "iSCSI", [], TCP, [tcp(3260)], iscsi, &super::bytes::pad::<48>(b"\x43\x87\0\0\0\0\0\x00\x40\0\x01\x37\0\0\0\0\0\0\0\x01");
    "ceph", "Ceph messenger", ["Ceph"], TCP, [tcp(6789), tcp(3300)], |l: &Look<'_>| sure(l.data.starts_with(b"ceph v")), b"ceph v027";
    "lustre", "Lustre networking", ["Lustre"], TCP, [tcp(988)], lustre, b"\x77\x95\x54\x91\x01\0\x00\0\0\0\0\0\0\0\0\0";
    "flute", "FLUTE over ALC", ["FLUTE"], UDP, [], flute, b"\x10\xa0\x05\x00\0\0\0\x01\0\0\0\x01\0\0\0\0\xc0\x01\0\0\x40\x04\0\0\0\0\x10\0\0\0\x05\x78\0\0\0\x40\0\0\0\0<FDT-Instance";
    "uftp", "UFTP", ["UFTP"], UDP, [udp(1044)], uftp, b"\x50\x01\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\0\x01\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    "syncthing", "Syncthing discovery", ["Syncthing"], UDP, [udp(21_027)], |l: &Look<'_>| sure(l.data.starts_with(b"\x2e\xa7\xd9\x0b") && byte(l.data, 4)? == 0x0a && l.data.len() > 36), &super::bytes::pad::<64>(b"\x2e\xa7\xd9\x0b\x0a\x20");
    "dropbox-lan", "Dropbox LAN sync discovery", ["Dropbox"], UDP, [udp(17_500)], |l: &Look<'_>| sure(l.data.starts_with(b"{\"") && has_text(l.data, b"\"host_int\"") && has_text(l.data, b"\"namespaces\"")), b"{\"host_int\": 12345, \"version\": [2, 0], \"displayname\": \"\", \"port\": 17500, \"namespaces\": [1]}";
    "resilio", "Resilio Sync", [], UDP, [udp(3838)], |l: &Look<'_>| sure(l.data.starts_with(b"BSYNC\0d")), b"BSYNC\0d1:mi0e1:p20:ABCDEFGHIJKLMNOPQRSTe";
    "lpd", "Line Printer Daemon", [], TCP, [tcp(515)], lpd, b"\x02lp\n";
    "pjl", "Printer Job Language", [], TCP, [tcp(9100)], |l: &Look<'_>| sure(l.data.starts_with(b"\x1b%-12345X@PJL")), b"\x1b%-12345X@PJL INFO STATUS\r\n";
    "hdfs", "Hadoop RPC", [], TCP, [tcp(8020), tcp(9000)], |l: &Look<'_>| sure(l.data.starts_with(b"hrpc") && matches!(byte(l.data, 4)?, 4..=9)), b"hrpc\x09\0\0";
}

/// RFC 959 section 5.4: a greeting that names the service; or the client's first commands.
fn ftp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let text = line(d)?;
    if d.starts_with(b"220 ") || d.starts_with(b"220-") || d.starts_with(b"530 ") {
        let named = has_text(d.get(4..d.len().min(400))?, b"FTP") || has_text(text, b"FileZilla");
        let home = on(l, 21) && !has_text(text, b"SMTP");
        let asked = begins(l.other, b"USER ") || begins(l.other, b"AUTH ");
        return if named || home || asked { sure(true) } else { weak(false) };
    }
    let client = l.side == Side::ToServer || l.midstream;
    let greeted = l.other.starts_with(b"220");
    let only_here = [&b"PORT "[..], b"EPRT ", b"PASV\r\n", b"EPSV", b"CWD ", b"RETR ", b"STOR ", b"MLSD"]
        .iter()
        .any(|k| begins(d, k));
    let login = begins(d, b"USER ")
        || begins(d, b"AUTH TLS")
        || begins(d, b"AUTH SSL")
        || begins(d, b"FEAT\r\n")
        || begins(d, b"SYST\r\n");
    if !client {
        return None;
    }
    if greeted || on(l, 21) {
        sure(only_here || login)
    } else {
        sure(begins(d, b"PORT ") && super::bytes::digits(from(d, 5), 1))
    }
}

/// RFC 1350 section 5: a request of file name and mode, zeros behind both; options may follow (RFC 2347).
fn tftp(l: &Look<'_>) -> Answer {
    let d = l.data;
    match be2(d, 0)? {
        1 | 2 => {
            let mut parts = from(d, 2).split(|b| *b == 0);
            let (file, mode) = (parts.next()?, parts.next()?);
            let known = [&b"octet"[..], b"netascii", b"mail"].iter().any(|k| mode.eq_ignore_ascii_case(k));
            sure(printable(file) && known && d.ends_with(&[0]))
        }
        3 => weak(on(l, 69) && be2(d, 2)? == 1 && d.len() <= 516),
        4 => weak(on(l, 69) && d.len() == 4 && be2(d, 2)? <= 1),
        5 => sure(on(l, 69) && be2(d, 2)? <= 8 && d.ends_with(&[0])),
        _ => None,
    }
}

/// MS-SMB2 section 2.1 and 2.2.1, MS-CIFS section 2.2.3.1: a length, then the protocol's mark.
fn smb(l: &Look<'_>) -> Answer {
    let d = l.data;
    let mark = [b"\xffSMB", b"\xfeSMB", b"\xfdSMB", b"\xfcSMB"].iter().any(|m| is_at(d, 4, *m));
    sure(byte(d, 0)? == 0 && mark && be3(d, 1)? >= 32)
}

/// RFC 1002 section 4.3: session request with two encoded names, and its answers.
fn nbss(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be2(d, 2)?;
    match byte(d, 0)? {
        0x81 => sure(
            length == 68
                && byte(d, 1)? == 0
                && byte(d, 4)? == 32
                && byte(d, 38)? == 32
                && d.get(5..37)?.iter().all(|b| (b'A'..=b'P').contains(b)),
        ),
        0x82 => sure(d == [0x82, 0, 0, 0] && (on(l, 139) || byte(l.other, 0)? == 0x81)),
        0x83 => sure(d.len() == 5 && length == 1 && byte(d, 4)? >= 0x80 && on(l, 139)),
        _ => None,
    }
}

/// Apple Filing Protocol reference, "DSI": flags, command, request, offset, length, reserved.
fn afp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let header = byte(d, 0)? <= 1 && matches!(byte(d, 1)?, 1..=6 | 8) && be4(d, 12)? == 0;
    let length = be4(d, 8)?;
    let open = byte(d, 1)? == 3 || byte(d, 1)? == 4;
    at_home(
        header && open && byte(d, 0)? == 0 && be4(d, 4)? == 0 && length + 16 == d.len() && length <= 32,
        on(l, 548) || is_at(d, 16, &[1, 4]),
    )
}

/// Git protocol documentation, "pack-protocol": a length of four hexadecimal digits, then the command.
fn git(l: &Look<'_>) -> Answer {
    let d = l.data;
    let hex = d.get(..4)?.iter().all(u8::is_ascii_hexdigit);
    let command = [&b"git-upload-pack "[..], b"git-receive-pack ", b"git-upload-archive "]
        .iter()
        .any(|k| is_at(d, 4, k));
    sure(hex && command)
}

/// intro(5) of Plan 9: size, version message 100 without tag, largest message, version name.
fn ninep(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        le4(d, 0)? == d.len()
            && matches!(byte(d, 4)?, 100 | 101)
            && le2(d, 5)? == 0xffff
            && is_at(d, 13, b"9P2000"),
    )
}

/// RFC 7143 section 11.12: login request; the first has no session (TSIH 0) and no reserved bits.
fn iscsi(l: &Look<'_>) -> Answer {
    let d = l.data;
    if byte(d, 0)? & 0x7f != 0x43 {
        return None;
    }
    let opcode = byte(d, 0)? & 0x3f;
    let length = be3(d, 5)?;
    let request = opcode == 3 && byte(d, 0)? & 0x40 != 0 && be2(d, 2)? == 0 && byte(d, 4)? == 0;
    let text = length == 0
        || d.get(48..).is_some_and(|t| has_text(t, b"InitiatorName=") || has_text(t, b"AuthMethod="));
    sure(
        request
            && text
            && length < 8192
            && byte(d, 1)? & 0x30 == 0
            && d.len() >= 48
            && byte(d, 8)? & 0xc0 != 0xc0,
    )
}

/// LNet's socket driver: acceptor magic and version.
fn lustre(l: &Look<'_>) -> Answer {
    let d = l.data;
    let magic = matches!(le4(d, 0)?, 0x45ba_bada | 0x4579_9577 | 0x9154_9577);
    at_home(magic && d.len() >= 16 && le4(d, 4)? <= 0x0001_0004, on(l, 988) || magic)
}

/// RFC 6726 section 3 over RFC 5651 section 5.1: LCT version 1, header length, and the file table extension on
/// object 0.
fn flute(l: &Look<'_>) -> Answer {
    let d = l.data;
    let flags = byte(d, 0)?;
    let words = usize::from(byte(d, 2)?) * 4;
    let small = byte(d, 1)?;
    let congestion = (usize::from(flags >> 2 & 3) + 1) * 4;
    let half = usize::from(small >> 4 & 1) * 2;
    let session = usize::from(small >> 7) * 4 + half;
    let object = usize::from(small >> 5 & 3) * 4 + half;
    let fixed = 4 + congestion + session + object;
    let table = zero(d.get(fixed.checked_sub(object)?..fixed)?) && matches!(byte(d, fixed)?, 192 | 64);
    sure(
        flags >> 4 == 1
            && flags & 3 <= 2
            && object > 0
            && words >= fixed
            && words < d.len()
            && table
            && has_text(d, b"FDT-Instance"),
    )
}

/// UFTP version 4 and 5: version, message type, then the header of that message.
fn uftp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let kind = matches!(byte(d, 1)?, 1..=16);
    sure(on(l, 1044) && matches!(byte(d, 0)?, 0x40 | 0x50 | 0x51) && kind && d.len() >= 24)
}

/// RFC 1179 section 5: a command, a queue name, a line feed.
fn lpd(l: &Look<'_>) -> Answer {
    let d = l.data;
    let queue = d.get(1..)?.strip_suffix(b"\n")?;
    sure(on(l, 515) && l.transport == Transport::Tcp && matches!(byte(d, 0)?, 1..=5) && printable(queue))
}
