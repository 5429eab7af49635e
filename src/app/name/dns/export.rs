//! What flow export takes of a message: ipfixprobe's DNS plug-in, flat.

use super::fields;
use super::message::{Data, Entry, Section};
use super::rrtype;
use super::short::Short;
use super::view::{View, texts};
use parse::{Cursor, Visitor};

/// Every element of one message: the header's, the first question's, the first answer's and EDNS's.
pub(crate) fn message(view: &View<'_>, v: &mut dyn Visitor) {
    let header = &view.message.header;
    v.number(&fields::EXPORT_ID, u64::from(header.id));
    v.number(&fields::EXPORT_RCODE, u64::from(header.rcode()));
    v.number(&fields::EXPORT_ANSWERS, u64::from(header.answers));
    if let Some(question) = view.message.section(Section::Questions).first() {
        v.text(&fields::EXPORT_NAME, view.name(question.name));
        v.number(&fields::EXPORT_QTYPE, u64::from(question.rrtype()));
        v.number(&fields::EXPORT_CLASS, u64::from(question.class));
    }
    if let Some(answer) = view.message.section(Section::Answers).first() {
        first_answer(view, answer, v);
    }
    let additionals = view.message.section(Section::Additionals).iter();
    if let Some(opt) = additionals.rev().find(|e| e.rrtype() == rrtype::OPT) {
        // RFC 6891 section 6.1.3: the class is a size, and bit 15 of the flags says that DNSSEC is understood.
        v.number(&fields::EXPORT_PSIZE, u64::from(opt.class));
        v.number(&fields::EXPORT_DO, u64::from(opt.ttl >> 15 & 1));
    }
}

fn first_answer(view: &View<'_>, answer: &Entry, v: &mut dyn Visitor) {
    v.number(&fields::EXPORT_ATYPE, u64::from(answer.rrtype()));
    v.number(&fields::EXPORT_TTL, u64::from(answer.ttl));
    let mut text = Vec::with_capacity(64);
    rdata(view, answer, &mut text);
    v.number(&fields::EXPORT_RLENGTH, text.len() as u64);
    v.text(&fields::EXPORT_RDATA, &text);
}

/// A record's data as words with spaces between them.
fn rdata(view: &View<'_>, entry: &Entry, text: &mut Vec<u8>) {
    let raw = entry.rdata(view.wire);
    let mut c = Cursor::new(raw);
    match (entry.rrtype(), entry.data) {
        (rrtype::MX, Data::Target(target)) => {
            decimal(text, u32::from(c.u16().unwrap_or(0)));
            word(text, view.name(target));
        }
        (_, Data::Target(target)) => word(text, view.name(target)),
        (_, Data::Soa(mname, rname, at)) => {
            word(text, view.name(mname));
            word(text, view.name(rname));
            let mut c = Cursor::new(view.wire.get(at as usize..).unwrap_or_default());
            (0..5).for_each(|_| decimal(text, c.u32().unwrap_or(0)));
        }
        (_, Data::Srv(target)) => {
            (0..3).for_each(|_| decimal(text, u32::from(c.u16().unwrap_or(0))));
            word(text, view.name(target));
        }
        (rrtype::A, Data::Raw) => word(text, Short::address(raw).as_bytes()),
        (rrtype::AAAA, Data::Raw) => {
            if let Some(six) = c.array::<16>() {
                word(text, std::net::Ipv6Addr::from(six).to_string().as_bytes());
            }
        }
        (rrtype::TXT, Data::Raw) => texts(entry, view.wire).for_each(|t| word(text, t)),
        (rrtype::RRSIG, Data::Raw) => rrsig(text, c),
        (rrtype::DNSKEY, Data::Raw) => {
            decimal(text, u32::from(c.u16().unwrap_or(0)));
            (0..2).for_each(|_| decimal(text, u32::from(c.u8().unwrap_or(0))));
            word(text, b"<key>");
        }
        (_, Data::Raw) => text.extend_from_slice(raw),
        (_, Data::None) => {}
    }
}

/// RFC 4034 section 3.1, up to the signer's name; the rest is left to whoever has the message.
fn rrsig(text: &mut Vec<u8>, mut c: Cursor<'_>) {
    decimal(text, u32::from(c.u16().unwrap_or(0)));
    (0..2).for_each(|_| decimal(text, u32::from(c.u8().unwrap_or(0))));
    (0..3).for_each(|_| decimal(text, c.u32().unwrap_or(0)));
    decimal(text, u32::from(c.u16().unwrap_or(0)));
    word(text, b"<key>");
}

fn decimal(text: &mut Vec<u8>, value: u32) {
    word(text, value.to_string().as_bytes());
}

fn word(text: &mut Vec<u8>, bytes: &[u8]) {
    if !text.is_empty() {
        text.push(b' ');
    }
    text.extend_from_slice(bytes);
}
