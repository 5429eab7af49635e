//! Mail and news.

use super::bytes::{begins, byte, has_text, is_at, line, on};
use super::{Answer, TCP, labels, sure, tcp, weak};
use parse::Look;

labels! { Mail;
    "pop3", "Post Office Protocol", ["POP3", "POPS"], TCP, [tcp(110), tcp(995)], pop3, b"+OK POP3 server ready <1896.697170952@example.com>\r\n";
    "imap", "Internet Message Access Protocol", ["IMAP", "IMAPS"], TCP, [tcp(143), tcp(993)], imap, b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n";
    "nntp", "Network News Transfer Protocol", ["Usenet"], TCP, [tcp(119), tcp(433)], nntp, b"200 news.example.com InterNetNews NNRP server ready\r\n";
    "managesieve", "ManageSieve", [], TCP, [tcp(4190)], |l: &Look<'_>| sure(begins(l.data, b"\"IMPLEMENTATION\" \"") || begins(l.data, b"\"SIEVE\" \"")), b"\"IMPLEMENTATION\" \"Example1\"\r\n\"SIEVE\" \"fileinto\"\r\nOK\r\n";
    "lotus-notes", "HCL Notes RPC", ["LotusNotes"], TCP, [tcp(1352)], notes, b"\x3a\0\0\0\x2f\0\0\0\x02\0\0\x40\x02\x0f\0\x01\0\x3d\x05\0";
    "spamd", "SpamAssassin", [], TCP, [tcp(783)], |l: &Look<'_>| sure([&b"CHECK SPAMC/1."[..], b"PROCESS SPAMC/1.", b"SYMBOLS SPAMC/1.", b"REPORT SPAMC/1.", b"PING SPAMC/1.", b"SPAMD/1."].iter().any(|k| l.data.starts_with(k))), b"PROCESS SPAMC/1.5\r\nContent-length: 10\r\n\r\n";
    "milter", "Mail filter protocol", [], TCP, [tcp(8891)], |l: &Look<'_>| sure(is_at(l.data, 0, b"\0\0\0\x0dO\0\0\0") && matches!(byte(l.data, 8)?, 2..=6)), b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff";
}

/// RFC 1939 section 3: status words; the greeting names the service or carries a timestamp.
fn pop3(l: &Look<'_>) -> Answer {
    let d = l.data;
    if d.starts_with(b"+OK") || d.starts_with(b"-ERR ") {
        let text = line(d)?;
        let named = has_text(text, b"POP") || has_text(text, b"dovecot") || on(l, 110);
        let asked =
            [&b"USER "[..], b"CAPA", b"AUTH", b"APOP ", b"STLS", b"QUIT"].iter().any(|k| begins(l.other, k));
        return if named || asked { sure(true) } else { weak(text == b"+OK" || byte(text, 3)? == b' ') };
    }
    let asks = begins(d, b"CAPA\r\n") || begins(d, b"APOP ") || begins(d, b"STLS\r\n") || begins(d, b"USER ");
    let answered = l.other.starts_with(b"+OK");
    if answered || on(l, 110) { sure(asks) } else { weak(begins(d, b"CAPA\r\n")) }
}

/// RFC 9051 section 7.1: an untagged greeting; or a tagged command that only this protocol has.
fn imap(l: &Look<'_>) -> Answer {
    let d = l.data;
    let text = line(d)?;
    if d.starts_with(b"* ") {
        let status =
            ["OK", "PREAUTH", "BYE"].iter().any(|k| begins(text.get(2..).unwrap_or_default(), k.as_bytes()));
        let named = has_text(text, b"IMAP") || has_text(text, b"CAPABILITY") || on(l, 143);
        return if named { sure(status) } else { weak(status && byte(text, 4)? == b' ') };
    }
    let mut words = text.split(|b| *b == b' ');
    let (tag, command) = (words.next()?, words.next()?);
    let tagged = (1..=12).contains(&tag.len()) && tag.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'.');
    let known = [&b"CAPABILITY"[..], b"LOGIN", b"AUTHENTICATE", b"STARTTLS", b"NAMESPACE", b"EXAMINE"]
        .iter()
        .any(|k| command.eq_ignore_ascii_case(k));
    let answer = begins(l.other, b"* ");
    if answer || on(l, 143) {
        sure(tagged && known)
    } else {
        weak(tagged && command.eq_ignore_ascii_case(b"CAPABILITY"))
    }
}

/// RFC 3977 section 5.1: greeting 200 or 201, and commands that only this protocol has.
fn nntp(l: &Look<'_>) -> Answer {
    let d = l.data;
    if d.starts_with(b"200 ") || d.starts_with(b"201 ") {
        let text = line(d)?;
        let named = has_text(text, b"NNTP")
            || has_text(text, b"NNRP")
            || has_text(text, b"news")
            || has_text(text, b"InterNetNews");
        return if named || on(l, 119) { sure(true) } else { weak(has_text(text, b"posting")) };
    }
    let asks = [&b"MODE READER"[..], b"AUTHINFO USER ", b"ARTICLE <", b"XOVER ", b"NEWGROUPS "]
        .iter()
        .any(|k| begins(d, k));
    sure(asks && line(d).is_some())
}

/// Notes remote procedure calls: a length, then a block of fixed marks.
fn notes(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(on(l, 1352) && super::bytes::le2(d, 2)? == 0 && is_at(d, 6, b"\0\0\x02\0\0\x40\x02\x0f"))
}
