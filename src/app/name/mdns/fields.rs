//! What multicast DNS events carry: EVE's `mdns` object.

use crate::dns::rrtype;
use crate::dns::{SoaFields, SrvFields, SshfpFields};
use parse::Field;

parse::fields! {
    MDNS: Object("", "mdns") "one multicast DNS message";
    KIND: Text("mdns.", "type") "request or response";
    ID: Number("mdns.", "id") "number of the message; mostly 0";
    FLAGS: List("mdns.", "flags") "bits of the header that are set: aa, tc, rd, ra, z, ad, cd";
    OPCODE: Number("mdns.", "opcode") "kind of query";
    RCODE: Number("mdns.", "rcode") "result";

    QUERIES: List("mdns.", "queries") "questions";
    QUERY_RRNAME: Text("mdns.queries.", "rrname") "name that is asked for";
    QUERY_RRTYPE: Text("mdns.queries.", "rrtype") "type of record that is asked for, lower case";
    QUERY_TRUNCATED: Flag("mdns.queries.", "rrname_truncated") "the name was cut";


    ANSWERS: List("mdns.", "answers") "answer records";
    ANSWER_RRNAME: Text("mdns.answers.", "rrname") "owner of the record";
    ANSWER_TRUNCATED: Flag("mdns.answers.", "rrname_truncated") "the owner's name was cut";
    ANSWER_RDATA_TRUNCATED: Flag("mdns.answers.", "rdata_truncated") "the name in its data was cut";
    ANSWER_A: Text("mdns.answers.", "a") "IPv4 address";
    ANSWER_AAAA: Text("mdns.answers.", "aaaa") "IPv6 address";
    ANSWER_CNAME: Text("mdns.answers.", "cname") "canonical name";
    ANSWER_MX: Text("mdns.answers.", "mx") "mail exchanger";
    ANSWER_NS: Text("mdns.answers.", "ns") "name server";
    ANSWER_PTR: Text("mdns.answers.", "ptr") "name that the pointer holds";
    ANSWER_NULL: Text("mdns.answers.", "null") "data";
    ANSWER_HINFO: Text("mdns.answers.", "hinfo") "host's hardware and system, as sent";
    ANSWER_HTTPS: Text("mdns.answers.", "https") "service binding, as sent";
    ANSWER_NSEC: Text("mdns.answers.", "nsec") "types that the name has, as sent";
    ANSWER_TXT: List("mdns.answers.", "txt") "texts";
    ANSWER_SOA: Object("mdns.answers.", "soa") "start of authority";
    ANSWER_SOA_MNAME: Text("mdns.answers.soa.", "mname") "primary server";
    ANSWER_SOA_MNAME_TRUNCATED: Flag("mdns.answers.soa.", "mname_truncated") "its name was cut";
    ANSWER_SOA_RNAME: Text("mdns.answers.soa.", "rname") "mailbox of the person in charge";
    ANSWER_SOA_RNAME_TRUNCATED: Flag("mdns.answers.soa.", "rname_truncated") "its name was cut";
    ANSWER_SOA_SERIAL: Number("mdns.answers.soa.", "serial") "version of the zone";
    ANSWER_SOA_REFRESH: Number("mdns.answers.soa.", "refresh") "seconds between refreshes";
    ANSWER_SOA_RETRY: Number("mdns.answers.soa.", "retry") "seconds before a failed refresh is tried again";
    ANSWER_SOA_EXPIRE: Number("mdns.answers.soa.", "expire") "seconds after which the zone is no longer served";
    ANSWER_SOA_MINIMUM: Number("mdns.answers.soa.", "minimum") "seconds that a negative answer is kept";
    ANSWER_SRV: Object("mdns.answers.", "srv") "host of a service";
    ANSWER_SRV_PRIORITY: Number("mdns.answers.srv.", "priority") "lower is tried first";
    ANSWER_SRV_WEIGHT: Number("mdns.answers.srv.", "weight") "share among equals";
    ANSWER_SRV_PORT: Number("mdns.answers.srv.", "port") "port of the service";
    ANSWER_SRV_NAME: Text("mdns.answers.srv.", "name") "host of the service";
    ANSWER_SSHFP: Object("mdns.answers.", "sshfp") "fingerprint of an SSH host key";
    ANSWER_SSHFP_FINGERPRINT: Text("mdns.answers.sshfp.", "fingerprint") "fingerprint, hexadecimal";
    ANSWER_SSHFP_ALGO: Number("mdns.answers.sshfp.", "algo") "algorithm of the key";
    ANSWER_SSHFP_TYPE: Number("mdns.answers.sshfp.", "type") "algorithm of the fingerprint";
    ANSWER_OPT: List("mdns.answers.", "opt") "options of an OPT record";
    ANSWER_OPT_CODE: Number("mdns.answers.opt.", "code") "option";
    ANSWER_OPT_DATA: Text("mdns.answers.opt.", "data") "its value, hexadecimal";

    AUTHORITIES: List("mdns.", "authorities") "authority records";
    AUTHORITY_RRNAME: Text("mdns.authorities.", "rrname") "owner of the record";
    AUTHORITY_TRUNCATED: Flag("mdns.authorities.", "rrname_truncated") "the owner's name was cut";
    AUTHORITY_RDATA_TRUNCATED: Flag("mdns.authorities.", "rdata_truncated") "the name in its data was cut";
    AUTHORITY_A: Text("mdns.authorities.", "a") "IPv4 address";
    AUTHORITY_AAAA: Text("mdns.authorities.", "aaaa") "IPv6 address";
    AUTHORITY_CNAME: Text("mdns.authorities.", "cname") "canonical name";
    AUTHORITY_MX: Text("mdns.authorities.", "mx") "mail exchanger";
    AUTHORITY_NS: Text("mdns.authorities.", "ns") "name server";
    AUTHORITY_PTR: Text("mdns.authorities.", "ptr") "name that the pointer holds";
    AUTHORITY_NULL: Text("mdns.authorities.", "null") "data";
    AUTHORITY_HINFO: Text("mdns.authorities.", "hinfo") "host's hardware and system, as sent";
    AUTHORITY_HTTPS: Text("mdns.authorities.", "https") "service binding, as sent";
    AUTHORITY_NSEC: Text("mdns.authorities.", "nsec") "types that the name has, as sent";
    AUTHORITY_TXT: List("mdns.authorities.", "txt") "texts";
    AUTHORITY_SOA: Object("mdns.authorities.", "soa") "start of authority";
    AUTHORITY_SOA_MNAME: Text("mdns.authorities.soa.", "mname") "primary server";
    AUTHORITY_SOA_MNAME_TRUNCATED: Flag("mdns.authorities.soa.", "mname_truncated") "its name was cut";
    AUTHORITY_SOA_RNAME: Text("mdns.authorities.soa.", "rname") "mailbox of the person in charge";
    AUTHORITY_SOA_RNAME_TRUNCATED: Flag("mdns.authorities.soa.", "rname_truncated") "its name was cut";
    AUTHORITY_SOA_SERIAL: Number("mdns.authorities.soa.", "serial") "version of the zone";
    AUTHORITY_SOA_REFRESH: Number("mdns.authorities.soa.", "refresh") "seconds between refreshes";
    AUTHORITY_SOA_RETRY: Number("mdns.authorities.soa.", "retry") "seconds before a failed refresh is tried again";
    AUTHORITY_SOA_EXPIRE: Number("mdns.authorities.soa.", "expire") "seconds after which the zone is no longer served";
    AUTHORITY_SOA_MINIMUM: Number("mdns.authorities.soa.", "minimum") "seconds that a negative answer is kept";
    AUTHORITY_SRV: Object("mdns.authorities.", "srv") "host of a service";
    AUTHORITY_SRV_PRIORITY: Number("mdns.authorities.srv.", "priority") "lower is tried first";
    AUTHORITY_SRV_WEIGHT: Number("mdns.authorities.srv.", "weight") "share among equals";
    AUTHORITY_SRV_PORT: Number("mdns.authorities.srv.", "port") "port of the service";
    AUTHORITY_SRV_NAME: Text("mdns.authorities.srv.", "name") "host of the service";
    AUTHORITY_SSHFP: Object("mdns.authorities.", "sshfp") "fingerprint of an SSH host key";
    AUTHORITY_SSHFP_FINGERPRINT: Text("mdns.authorities.sshfp.", "fingerprint") "fingerprint, hexadecimal";
    AUTHORITY_SSHFP_ALGO: Number("mdns.authorities.sshfp.", "algo") "algorithm of the key";
    AUTHORITY_SSHFP_TYPE: Number("mdns.authorities.sshfp.", "type") "algorithm of the fingerprint";
    AUTHORITY_OPT: List("mdns.authorities.", "opt") "options of an OPT record";
    AUTHORITY_OPT_CODE: Number("mdns.authorities.opt.", "code") "option";
    AUTHORITY_OPT_DATA: Text("mdns.authorities.opt.", "data") "its value, hexadecimal";

    ADDITIONALS: List("mdns.", "additionals") "additional records";
    ADDITIONAL_RRNAME: Text("mdns.additionals.", "rrname") "owner of the record";
    ADDITIONAL_TRUNCATED: Flag("mdns.additionals.", "rrname_truncated") "the owner's name was cut";
    ADDITIONAL_RDATA_TRUNCATED: Flag("mdns.additionals.", "rdata_truncated") "the name in its data was cut";
    ADDITIONAL_A: Text("mdns.additionals.", "a") "IPv4 address";
    ADDITIONAL_AAAA: Text("mdns.additionals.", "aaaa") "IPv6 address";
    ADDITIONAL_CNAME: Text("mdns.additionals.", "cname") "canonical name";
    ADDITIONAL_MX: Text("mdns.additionals.", "mx") "mail exchanger";
    ADDITIONAL_NS: Text("mdns.additionals.", "ns") "name server";
    ADDITIONAL_PTR: Text("mdns.additionals.", "ptr") "name that the pointer holds";
    ADDITIONAL_NULL: Text("mdns.additionals.", "null") "data";
    ADDITIONAL_HINFO: Text("mdns.additionals.", "hinfo") "host's hardware and system, as sent";
    ADDITIONAL_HTTPS: Text("mdns.additionals.", "https") "service binding, as sent";
    ADDITIONAL_NSEC: Text("mdns.additionals.", "nsec") "types that the name has, as sent";
    ADDITIONAL_TXT: List("mdns.additionals.", "txt") "texts";
    ADDITIONAL_SOA: Object("mdns.additionals.", "soa") "start of authority";
    ADDITIONAL_SOA_MNAME: Text("mdns.additionals.soa.", "mname") "primary server";
    ADDITIONAL_SOA_MNAME_TRUNCATED: Flag("mdns.additionals.soa.", "mname_truncated") "its name was cut";
    ADDITIONAL_SOA_RNAME: Text("mdns.additionals.soa.", "rname") "mailbox of the person in charge";
    ADDITIONAL_SOA_RNAME_TRUNCATED: Flag("mdns.additionals.soa.", "rname_truncated") "its name was cut";
    ADDITIONAL_SOA_SERIAL: Number("mdns.additionals.soa.", "serial") "version of the zone";
    ADDITIONAL_SOA_REFRESH: Number("mdns.additionals.soa.", "refresh") "seconds between refreshes";
    ADDITIONAL_SOA_RETRY: Number("mdns.additionals.soa.", "retry") "seconds before a failed refresh is tried again";
    ADDITIONAL_SOA_EXPIRE: Number("mdns.additionals.soa.", "expire") "seconds after which the zone is no longer served";
    ADDITIONAL_SOA_MINIMUM: Number("mdns.additionals.soa.", "minimum") "seconds that a negative answer is kept";
    ADDITIONAL_SRV: Object("mdns.additionals.", "srv") "host of a service";
    ADDITIONAL_SRV_PRIORITY: Number("mdns.additionals.srv.", "priority") "lower is tried first";
    ADDITIONAL_SRV_WEIGHT: Number("mdns.additionals.srv.", "weight") "share among equals";
    ADDITIONAL_SRV_PORT: Number("mdns.additionals.srv.", "port") "port of the service";
    ADDITIONAL_SRV_NAME: Text("mdns.additionals.srv.", "name") "host of the service";
    ADDITIONAL_SSHFP: Object("mdns.additionals.", "sshfp") "fingerprint of an SSH host key";
    ADDITIONAL_SSHFP_FINGERPRINT: Text("mdns.additionals.sshfp.", "fingerprint") "fingerprint, hexadecimal";
    ADDITIONAL_SSHFP_ALGO: Number("mdns.additionals.sshfp.", "algo") "algorithm of the key";
    ADDITIONAL_SSHFP_TYPE: Number("mdns.additionals.sshfp.", "type") "algorithm of the fingerprint";
    ADDITIONAL_OPT: List("mdns.additionals.", "opt") "options of an OPT record";
    ADDITIONAL_OPT_CODE: Number("mdns.additionals.opt.", "code") "option";
    ADDITIONAL_OPT_DATA: Text("mdns.additionals.opt.", "data") "its value, hexadecimal";
}

/// Fields of the records of one section.
pub(super) struct SectionFields {
    pub(super) list: &'static Field,
    pub(super) rrname: (&'static Field, &'static Field),
    pub(super) rdata_truncated: &'static Field,
    /// By type, those whose data is one text.
    texts: [(u16, &'static Field); 10],
    pub(super) txt: &'static Field,
    pub(super) soa: (&'static Field, SoaFields),
    pub(super) srv: (&'static Field, SrvFields),
    pub(super) sshfp: (&'static Field, SshfpFields),
    pub(super) opt: [&'static Field; 3],
}

impl SectionFields {
    /// The field for the data of a type, where that is one text.
    pub(super) fn text(&self, rrtype: u16) -> Option<&'static Field> {
        self.texts.iter().find(|(t, _)| *t == rrtype).map(|(_, field)| *field)
    }
}

/// Fields of the section `answers`.
pub(super) static IN_ANSWERS: SectionFields = SectionFields {
    list: &ANSWERS,
    rrname: (&ANSWER_RRNAME, &ANSWER_TRUNCATED),
    rdata_truncated: &ANSWER_RDATA_TRUNCATED,
    texts: [
        (rrtype::A, &ANSWER_A),
        (rrtype::AAAA, &ANSWER_AAAA),
        (rrtype::CNAME, &ANSWER_CNAME),
        (rrtype::MX, &ANSWER_MX),
        (rrtype::NS, &ANSWER_NS),
        (rrtype::PTR, &ANSWER_PTR),
        (rrtype::NULL, &ANSWER_NULL),
        (rrtype::HINFO, &ANSWER_HINFO),
        (rrtype::HTTPS, &ANSWER_HTTPS),
        (rrtype::NSEC, &ANSWER_NSEC),
    ],
    txt: &ANSWER_TXT,
    soa: (
        &ANSWER_SOA,
        SoaFields {
            mname: (&ANSWER_SOA_MNAME, &ANSWER_SOA_MNAME_TRUNCATED),
            rname: (&ANSWER_SOA_RNAME, &ANSWER_SOA_RNAME_TRUNCATED),
            numbers: [
                &ANSWER_SOA_SERIAL,
                &ANSWER_SOA_REFRESH,
                &ANSWER_SOA_RETRY,
                &ANSWER_SOA_EXPIRE,
                &ANSWER_SOA_MINIMUM,
            ],
        },
    ),
    srv: (
        &ANSWER_SRV,
        SrvFields {
            numbers: [&ANSWER_SRV_PRIORITY, &ANSWER_SRV_WEIGHT, &ANSWER_SRV_PORT],
            name: &ANSWER_SRV_NAME,
        },
    ),
    sshfp: (
        &ANSWER_SSHFP,
        SshfpFields {
            fingerprint: &ANSWER_SSHFP_FINGERPRINT,
            algo: &ANSWER_SSHFP_ALGO,
            kind: &ANSWER_SSHFP_TYPE,
        },
    ),
    opt: [&ANSWER_OPT, &ANSWER_OPT_CODE, &ANSWER_OPT_DATA],
};

/// Fields of the section `authorities`.
pub(super) static IN_AUTHORITIES: SectionFields = SectionFields {
    list: &AUTHORITIES,
    rrname: (&AUTHORITY_RRNAME, &AUTHORITY_TRUNCATED),
    rdata_truncated: &AUTHORITY_RDATA_TRUNCATED,
    texts: [
        (rrtype::A, &AUTHORITY_A),
        (rrtype::AAAA, &AUTHORITY_AAAA),
        (rrtype::CNAME, &AUTHORITY_CNAME),
        (rrtype::MX, &AUTHORITY_MX),
        (rrtype::NS, &AUTHORITY_NS),
        (rrtype::PTR, &AUTHORITY_PTR),
        (rrtype::NULL, &AUTHORITY_NULL),
        (rrtype::HINFO, &AUTHORITY_HINFO),
        (rrtype::HTTPS, &AUTHORITY_HTTPS),
        (rrtype::NSEC, &AUTHORITY_NSEC),
    ],
    txt: &AUTHORITY_TXT,
    soa: (
        &AUTHORITY_SOA,
        SoaFields {
            mname: (&AUTHORITY_SOA_MNAME, &AUTHORITY_SOA_MNAME_TRUNCATED),
            rname: (&AUTHORITY_SOA_RNAME, &AUTHORITY_SOA_RNAME_TRUNCATED),
            numbers: [
                &AUTHORITY_SOA_SERIAL,
                &AUTHORITY_SOA_REFRESH,
                &AUTHORITY_SOA_RETRY,
                &AUTHORITY_SOA_EXPIRE,
                &AUTHORITY_SOA_MINIMUM,
            ],
        },
    ),
    srv: (
        &AUTHORITY_SRV,
        SrvFields {
            numbers: [&AUTHORITY_SRV_PRIORITY, &AUTHORITY_SRV_WEIGHT, &AUTHORITY_SRV_PORT],
            name: &AUTHORITY_SRV_NAME,
        },
    ),
    sshfp: (
        &AUTHORITY_SSHFP,
        SshfpFields {
            fingerprint: &AUTHORITY_SSHFP_FINGERPRINT,
            algo: &AUTHORITY_SSHFP_ALGO,
            kind: &AUTHORITY_SSHFP_TYPE,
        },
    ),
    opt: [&AUTHORITY_OPT, &AUTHORITY_OPT_CODE, &AUTHORITY_OPT_DATA],
};

/// Fields of the section `additionals`.
pub(super) static IN_ADDITIONALS: SectionFields = SectionFields {
    list: &ADDITIONALS,
    rrname: (&ADDITIONAL_RRNAME, &ADDITIONAL_TRUNCATED),
    rdata_truncated: &ADDITIONAL_RDATA_TRUNCATED,
    texts: [
        (rrtype::A, &ADDITIONAL_A),
        (rrtype::AAAA, &ADDITIONAL_AAAA),
        (rrtype::CNAME, &ADDITIONAL_CNAME),
        (rrtype::MX, &ADDITIONAL_MX),
        (rrtype::NS, &ADDITIONAL_NS),
        (rrtype::PTR, &ADDITIONAL_PTR),
        (rrtype::NULL, &ADDITIONAL_NULL),
        (rrtype::HINFO, &ADDITIONAL_HINFO),
        (rrtype::HTTPS, &ADDITIONAL_HTTPS),
        (rrtype::NSEC, &ADDITIONAL_NSEC),
    ],
    txt: &ADDITIONAL_TXT,
    soa: (
        &ADDITIONAL_SOA,
        SoaFields {
            mname: (&ADDITIONAL_SOA_MNAME, &ADDITIONAL_SOA_MNAME_TRUNCATED),
            rname: (&ADDITIONAL_SOA_RNAME, &ADDITIONAL_SOA_RNAME_TRUNCATED),
            numbers: [
                &ADDITIONAL_SOA_SERIAL,
                &ADDITIONAL_SOA_REFRESH,
                &ADDITIONAL_SOA_RETRY,
                &ADDITIONAL_SOA_EXPIRE,
                &ADDITIONAL_SOA_MINIMUM,
            ],
        },
    ),
    srv: (
        &ADDITIONAL_SRV,
        SrvFields {
            numbers: [&ADDITIONAL_SRV_PRIORITY, &ADDITIONAL_SRV_WEIGHT, &ADDITIONAL_SRV_PORT],
            name: &ADDITIONAL_SRV_NAME,
        },
    ),
    sshfp: (
        &ADDITIONAL_SSHFP,
        SshfpFields {
            fingerprint: &ADDITIONAL_SSHFP_FINGERPRINT,
            algo: &ADDITIONAL_SSHFP_ALGO,
            kind: &ADDITIONAL_SSHFP_TYPE,
        },
    ),
    opt: [&ADDITIONAL_OPT, &ADDITIONAL_OPT_CODE, &ADDITIONAL_OPT_DATA],
};
