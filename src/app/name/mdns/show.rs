//! EVE's `mdns` object.

use super::fields::{self, SectionFields};
use crate::dns::short::Short;
use crate::dns::view::{View, texts};
use crate::dns::wire::Header;
use crate::dns::{self, Data, Entry, Section, rrtype};
use parse::Visitor;

/// The whole object.
pub(crate) fn message(view: &View<'_>, v: &mut dyn Visitor) {
    let header = &view.message.header;
    v.object(&fields::MDNS);
    v.word(&fields::KIND, dns::kind(view));
    v.number(&fields::ID, u64::from(header.id));
    flags(header, v);
    v.number(&fields::OPCODE, u64::from(header.opcode()));
    v.number(&fields::RCODE, u64::from(header.rcode()));
    questions(view, v);
    records(view, Section::Answers, &fields::IN_ANSWERS, v);
    records(view, Section::Authorities, &fields::IN_AUTHORITIES, v);
    records(view, Section::Additionals, &fields::IN_ADDITIONALS, v);
    v.close();
}

/// Names of the bits that are set, in the order of the header.
fn flags(header: &Header, v: &mut dyn Visitor) {
    let bits = [
        (Header::AA, "aa"),
        (Header::TC, "tc"),
        (Header::RD, "rd"),
        (Header::RA, "ra"),
        (Header::Z, "z"),
        (Header::AD, "ad"),
        (Header::CD, "cd"),
    ];
    if !bits.iter().any(|(bit, _)| header.has(*bit)) {
        return;
    }
    v.list(&fields::FLAGS);
    for (_, word) in bits.into_iter().filter(|(bit, _)| header.has(*bit)) {
        v.word(&fields::FLAGS, word);
    }
    v.close();
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
        match rrtype::lower(question.rrtype()) {
            Some(name) => v.word(&fields::QUERY_RRTYPE, name),
            None => v.text(&fields::QUERY_RRTYPE, Short::decimal(question.rrtype()).as_bytes()),
        }
        if question.name.truncated {
            v.flag(&fields::QUERY_TRUNCATED, true);
        }
        v.close();
    }
    v.close();
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
        v.item();
        v.text(of.rrname.0, view.name(entry.name));
        if entry.name.truncated {
            v.flag(of.rrname.1, true);
        }
        rdata(view, of, entry, v);
        v.close();
    }
    v.close();
}

/// A record's data under the name of its type. Types that have no field here are known by their owner alone.
fn rdata(view: &View<'_>, of: &'static SectionFields, entry: &Entry, v: &mut dyn Visitor) {
    let raw = entry.rdata(view.wire);
    match (entry.rrtype(), entry.data) {
        (_, Data::None) => {}
        (rrtype, Data::Target(target)) => {
            if let Some(field) = of.text(rrtype) {
                v.text(field, view.name(target));
            }
            if target.truncated {
                v.flag(of.rdata_truncated, true);
            }
        }
        (_, Data::Soa(..)) => {
            v.object(of.soa.0);
            dns::soa(view, &of.soa.1, entry, v);
            v.close();
        }
        (_, Data::Srv(target)) => {
            v.object(of.srv.0);
            dns::srv(view, &of.srv.1, entry, target, v);
            v.close();
        }
        (rrtype::TXT, Data::Raw) => {
            v.list(of.txt);
            texts(entry, view.wire).for_each(|text| v.text(of.txt, text));
            v.close();
        }
        (rrtype::SSHFP, Data::Raw) => {
            v.object(of.sshfp.0);
            dns::sshfp(&of.sshfp.1, raw, v);
            v.close();
        }
        (rrtype::OPT, Data::Raw) => dns::opt(of.opt, view, entry, v),
        (rrtype, Data::Raw) => raw_text(of, rrtype, raw, v),
    }
}

fn raw_text(of: &'static SectionFields, rrtype: u16, raw: &[u8], v: &mut dyn Visitor) {
    match of.text(rrtype) {
        Some(field) if matches!(rrtype, rrtype::A | rrtype::AAAA) => {
            v.text(field, Short::address(raw).as_bytes());
        }
        Some(field) => v.text(field, raw),
        None => {}
    }
}
