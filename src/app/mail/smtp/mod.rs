//! SMTP (RFC 5321): envelopes, the messages in them (DATA, BDAT) and their attachments, up to STARTTLS (RFC 3207).
//!
//! `wire` reads lines, `parser` follows both sides, `exchange` is what the outside sees of one message, `fields` names it.

mod exchange;
mod fields;
mod parser;
#[cfg(test)]
mod tests;
mod wire;

pub use fields::{anomaly, buffer, field, frame, phase};
use parse::{Category, Depth, Look, Probe, Protocol, Record, Side, Transport};

/// The record of a transaction.
pub static RECORD: Record =
    Record { event_type: "smtp", text: "one message handed over by SMTP: envelope, header, attachments" };

const PORTS: [u16; 3] = [25, 587, 2525];
/// Longest first line that is waited for.
const LONGEST: usize = 512;

/// SMTP.
pub static PROTOCOL: Protocol = Protocol {
    name: "smtp",
    title: "Simple Mail Transfer Protocol",
    category: Category::Mail,
    depth: Depth::Parser,
    ports: &[(Transport::Tcp, 25), (Transport::Tcp, 587), (Transport::Tcp, 465)],
    ndpi: &["SMTP", "SMTPS"],
    patterns: &[],
    probe: Some(probe),
    transports: &[Transport::Tcp],
    open: Some(|settings| Box::new(parser::Smtp::new(settings))),
    fields: field::ALL,
    buffers: buffer::ALL,
    phases: [phase::CLIENT, phase::SERVER],
    frames: frame::ALL,
    anomalies: anomaly::ALL,
};

/// A greeting that names the service, or the client's own hello (RFC 5321, 3.1 and 4.1).
fn probe(look: &Look<'_>) -> Probe {
    let near = look.data.get(..LONGEST).unwrap_or(look.data);
    if near.first().is_some_and(|b| !(b' '..0x7f).contains(b)) {
        return Probe::No;
    }
    let Some((line, _)) = wire::first_line(near) else {
        return if near.len() < LONGEST { Probe::More } else { Probe::No };
    };
    if line.iter().any(|&b| b < b' ' && b != b'\t') {
        return Probe::No;
    }
    let begins =
        |data: &[u8], word: &[u8]| data.get(..word.len()).is_some_and(|d| d.eq_ignore_ascii_case(word));
    let hello =
        [&b"EHLO "[..], b"HELO ", b"LHLO ", b"MAIL FROM:", b"RCPT TO:"].iter().any(|w| begins(line, w));
    if hello && (look.side == Side::ToServer || look.midstream) {
        return Probe::Yes { swapped: false };
    }
    welcome(line, look, begins(look.other, b"EHLO"))
}

/// The server's first line.
fn welcome(line: &[u8], look: &Look<'_>, asked: bool) -> Probe {
    let greeting = line.starts_with(b"220 ") || line.starts_with(b"220-");
    let refusal = line.starts_with(b"554 ") || line.starts_with(b"421 ");
    let home = PORTS.iter().any(|p| look.server_port == *p || look.client_port == *p);
    let text = line.get(4..).unwrap_or_default();
    let has = |word: &[u8]| line.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
    let named = has(b"SMTP") || has(b" LMTP");
    if text.windows(3).any(|w| w.eq_ignore_ascii_case(b"FTP")) {
        return Probe::No;
    }
    if greeting && named || (greeting || refusal) && home {
        Probe::Yes { swapped: false }
    } else if greeting && asked || refusal && named {
        Probe::Unsure
    } else {
        Probe::No
    }
}
