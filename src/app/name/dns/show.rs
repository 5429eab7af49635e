//! EVE's `dns` object, version 3.

use super::fields::{self, SectionFields, SoaFields, SrvFields, SshfpFields};
use super::message::{Data, Entry, Section};
use super::rrtype;
use super::short::Short;
use super::unpack::Name;
use super::view::{View, options, texts};
use super::wire::Header;
use parse::{Cursor, Field, Visitor};

/// The whole object.
pub(crate) fn message(view: &View<'_>, v: &mut dyn Visitor) {
    v.object(&fields::DNS);
    v.number(&fields::VERSION, 3);
    v.word(&fields::KIND, kind(view));
    v.number(&fields::TX_ID, view.id);
    header(&view.message.header, v);
    questions(view, v);
    answers(view, v);
    records(view, Section::Authorities, &fields::IN_AUTHORITIES, v);
    records(view, Section::Additionals, &fields::IN_ADDITIONALS, v);
    v.close();
}

/// Request or response.
pub(crate) fn kind(view: &View<'_>) -> &'static str {
    if view.response { "response" } else { "request" }
}

/// A record type, by name or else by number.
fn rrtype_text(field: &'static Field, entry: &Entry, v: &mut dyn Visitor) {
    match rrtype::upper(entry.rrtype()) {
        Some(name) => v.word(field, name),
        None => v.text(field, Short::decimal(entry.rrtype()).as_bytes()),
    }
}

/// A name, and whether it was cut.
pub(crate) fn name(view: &View<'_>, of: (&'static Field, &'static Field), name: Name, v: &mut dyn Visitor) {
    v.text(of.0, view.name(name));
    if name.truncated {
        v.flag(of.1, true);
    }
}

fn header(header: &Header, v: &mut dyn Visitor) {
    v.number(&fields::ID, u64::from(header.id));
    v.text(&fields::FLAGS, Short::hex(header.flags).as_bytes());
    let bits = [
        (Header::QR, &fields::QR),
        (Header::AA, &fields::AA),
        (Header::TC, &fields::TC),
        (Header::RD, &fields::RD),
        (Header::RA, &fields::RA),
        (Header::Z, &fields::Z),
    ];
    for (bit, field) in bits {
        if header.has(bit) {
            v.flag(field, true);
        }
    }
    v.number(&fields::OPCODE, u64::from(header.opcode()));
    v.word(&fields::RCODE, rrtype::rcode(header.rcode()));
}

fn questions(view: &View<'_>, v: &mut dyn Visitor) {
    let questions = view.message.section(Section::Questions);
    if questions.is_empty() {
        return;
    }
    v.list(&fields::QUERIES);
    for question in questions {
        v.item();
        v.text(&fields::QUERY_RRNAME, view.name(question.name));
        rrtype_text(&fields::QUERY_RRTYPE, question, v);
        if question.name.truncated {
            v.flag(&fields::QUERY_TRUNCATED, true);
        }
        v.close();
    }
    v.close();
}

fn answers(view: &View<'_>, v: &mut dyn Visitor) {
    let answers = view.message.section(Section::Answers);
    if answers.is_empty() {
        return;
    }
    records(view, Section::Answers, &fields::IN_ANSWERS, v);
    v.object(&fields::GROUPED);
    let mut seen = 0u16;
    for (i, first) in answers.iter().enumerate() {
        let Some((place, list)) = group(first.rrtype()) else { continue };
        if seen & 1 << place != 0 {
            continue;
        }
        seen |= 1 << place;
        v.list(list);
        for entry in answers.iter().skip(i).filter(|e| e.rrtype == first.rrtype) {
            grouped(view, list, entry, v);
        }
        v.close();
    }
    v.close();
}

/// The list in `grouped` that records of a type go to, and its place among the lists.
fn group(rrtype: u16) -> Option<(u8, &'static Field)> {
    match rrtype {
        rrtype::A => Some((0, &fields::GROUPED_A)),
        rrtype::AAAA => Some((1, &fields::GROUPED_AAAA)),
        rrtype::CNAME => Some((2, &fields::GROUPED_CNAME)),
        rrtype::MX => Some((3, &fields::GROUPED_MX)),
        rrtype::NS => Some((4, &fields::GROUPED_NS)),
        rrtype::NULL => Some((5, &fields::GROUPED_NULL)),
        rrtype::PTR => Some((6, &fields::GROUPED_PTR)),
        rrtype::TXT => Some((7, &fields::GROUPED_TXT)),
        rrtype::SOA => Some((8, &fields::GROUPED_SOA)),
        rrtype::SRV => Some((9, &fields::GROUPED_SRV)),
        rrtype::SSHFP => Some((10, &fields::GROUPED_SSHFP)),
        _ => None,
    }
}

/// One record's data as an item of its group.
fn grouped(view: &View<'_>, list: &'static Field, entry: &Entry, v: &mut dyn Visitor) {
    match (entry.rrtype(), entry.data) {
        (_, Data::None) => {}
        (_, Data::Target(target)) => v.text(list, view.name(target)),
        (_, Data::Soa(..)) => {
            v.item();
            soa(view, &fields::GROUPED_SOAS, entry, v);
            v.close();
        }
        (_, Data::Srv(target)) => {
            v.item();
            srv(view, &fields::GROUPED_SRVS, entry, target, v);
            v.close();
        }
        (rrtype::SSHFP, Data::Raw) => {
            v.item();
            sshfp(&fields::GROUPED_SSHFPS, entry.rdata(view.wire), v);
            v.close();
        }
        (rrtype::TXT, Data::Raw) => texts(entry, view.wire).for_each(|text| v.text(list, text)),
        (rrtype::NULL, Data::Raw) => v.text(list, entry.rdata(view.wire)),
        (_, Data::Raw) => v.text(list, Short::address(entry.rdata(view.wire)).as_bytes()),
    }
}

/// The records of one section. An OPT record without options says nothing and is left out of the additionals.
fn records(view: &View<'_>, section: Section, of: &'static SectionFields, v: &mut dyn Visitor) {
    let bare = |e: &&Entry| {
        let empty = e.rdata(view.wire).is_empty();
        section == Section::Additionals && e.rrtype() == rrtype::OPT && empty
    };
    let mut entries = view.message.section(section).iter().filter(|e| !bare(e)).peekable();
    if entries.peek().is_none() {
        return;
    }
    v.list(of.list);
    for entry in entries {
        record(view, of, entry, v);
    }
    v.close();
}

/// One record; a TXT record becomes one for each of its strings.
fn record(view: &View<'_>, of: &'static SectionFields, entry: &Entry, v: &mut dyn Visitor) {
    if entry.rrtype() == rrtype::TXT {
        for text in texts(entry, view.wire) {
            owner(view, of, entry, v);
            v.text(of.rdata.0, text);
            v.close();
        }
        return;
    }
    owner(view, of, entry, v);
    rdata(view, of, entry, v);
    v.close();
}

/// Opens a record: whose it is, its type, its time to live.
fn owner(view: &View<'_>, of: &'static SectionFields, entry: &Entry, v: &mut dyn Visitor) {
    v.item();
    name(view, of.rrname, entry.name, v);
    rrtype_text(of.rrtype, entry, v);
    v.number(of.ttl, u64::from(entry.ttl));
}

fn rdata(view: &View<'_>, of: &'static SectionFields, entry: &Entry, v: &mut dyn Visitor) {
    let raw = entry.rdata(view.wire);
    match (entry.rrtype(), entry.data) {
        (_, Data::None) => {}
        (_, Data::Target(target)) => name(view, of.rdata, target, v),
        (_, Data::Soa(..)) => {
            v.object(of.soa.0);
            soa(view, &of.soa.1, entry, v);
            v.close();
        }
        (_, Data::Srv(target)) => {
            v.object(of.srv.0);
            srv(view, &of.srv.1, entry, target, v);
            v.close();
        }
        (rrtype::A | rrtype::AAAA, Data::Raw) => v.text(of.rdata.0, Short::address(raw).as_bytes()),
        (rrtype::NULL, Data::Raw) => v.text(of.rdata.0, raw),
        (rrtype::SSHFP, Data::Raw) => {
            v.object(of.sshfp.0);
            sshfp(&of.sshfp.1, raw, v);
            v.close();
        }
        (rrtype::OPT, Data::Raw) => opt(of.opt, view, entry, v),
        (_, Data::Raw) => {}
    }
}

/// Start of authority (RFC 1035 section 3.3.13).
pub(crate) fn soa(view: &View<'_>, of: &SoaFields, entry: &Entry, v: &mut dyn Visitor) {
    let Data::Soa(mname, rname, at) = entry.data else { return };
    name(view, of.mname, mname, v);
    name(view, of.rname, rname, v);
    let mut c = Cursor::new(view.wire.get(at as usize..).unwrap_or_default());
    for field in of.numbers {
        v.number(field, u64::from(c.u32().unwrap_or(0)));
    }
}

/// Host of a service (RFC 2782).
pub(crate) fn srv(view: &View<'_>, of: &SrvFields, entry: &Entry, target: Name, v: &mut dyn Visitor) {
    let mut c = Cursor::new(entry.rdata(view.wire));
    for field in of.numbers {
        v.number(field, u64::from(c.u16().unwrap_or(0)));
    }
    v.text(of.name, view.name(target));
}

/// Fingerprint of an SSH host key (RFC 4255 section 3.1).
pub(crate) fn sshfp(of: &SshfpFields, raw: &[u8], v: &mut dyn Visitor) {
    let mut c = Cursor::new(raw);
    let (algo, kind) = (c.u8().unwrap_or(0), c.u8().unwrap_or(0));
    v.hex(of.fingerprint, c.rest(), ":");
    v.number(of.algo, u64::from(algo));
    v.number(of.kind, u64::from(kind));
}

/// Options of EDNS (RFC 6891 section 6.1.2): the list, and code and value of its items.
pub(crate) fn opt(of: [&'static Field; 3], view: &View<'_>, entry: &Entry, v: &mut dyn Visitor) {
    let [list, code, data] = of;
    v.list(list);
    for (option, value) in options(entry, view.wire) {
        v.item();
        v.number(code, u64::from(option));
        v.hex(data, value, "");
        v.close();
    }
    v.close();
}
