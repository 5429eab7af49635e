//! What DNS events carry: EVE's `dns` object, version 3, and the elements of CESNET's flow export (PEN 8057).

use parse::Field;

parse::fields! {
    DNS: Object("", "dns") "one DNS message";
    VERSION: Number("dns.", "version") "version of this object: 3";
    KIND: Text("dns.", "type") "request or response";
    TX_ID: Number("dns.", "tx_id") "transaction, counted within the flow";
    ID: Number("dns.", "id") "number that the asker chose";
    FLAGS: Text("dns.", "flags") "second word of the header, hexadecimal";
    QR: Flag("dns.", "qr") "it is a response";
    AA: Flag("dns.", "aa") "the answer is authoritative";
    TC: Flag("dns.", "tc") "the message was cut";
    RD: Flag("dns.", "rd") "recursion is desired";
    RA: Flag("dns.", "ra") "recursion is available";
    Z: Flag("dns.", "z") "the reserved bit is set";
    OPCODE: Number("dns.", "opcode") "kind of query";
    RCODE: Text("dns.", "rcode") "result, by name";

    QUERIES: List("dns.", "queries") "questions";
    QUERY_RRNAME: Text("dns.queries.", "rrname") "name that is asked for";
    QUERY_RRTYPE: Text("dns.queries.", "rrtype") "type of record that is asked for";
    QUERY_TRUNCATED: Flag("dns.queries.", "rrname_truncated") "the name was cut";


    ANSWERS: List("dns.", "answers") "answer records";
    ANSWER_RRNAME: Text("dns.answers.", "rrname") "owner of the record";
    ANSWER_TRUNCATED: Flag("dns.answers.", "rrname_truncated") "the owner's name was cut";
    ANSWER_RRTYPE: Text("dns.answers.", "rrtype") "type of the record";
    ANSWER_TTL: Number("dns.answers.", "ttl") "seconds that it may be kept";
    ANSWER_RDATA: Text("dns.answers.", "rdata") "address, name or text";
    ANSWER_RDATA_TRUNCATED: Flag("dns.answers.", "rdata_truncated") "the name in its data was cut";
    ANSWER_SOA: Object("dns.answers.", "soa") "start of authority";
    ANSWER_SOA_MNAME: Text("dns.answers.soa.", "mname") "primary server";
    ANSWER_SOA_MNAME_TRUNCATED: Flag("dns.answers.soa.", "mname_truncated") "its name was cut";
    ANSWER_SOA_RNAME: Text("dns.answers.soa.", "rname") "mailbox of the person in charge";
    ANSWER_SOA_RNAME_TRUNCATED: Flag("dns.answers.soa.", "rname_truncated") "its name was cut";
    ANSWER_SOA_SERIAL: Number("dns.answers.soa.", "serial") "version of the zone";
    ANSWER_SOA_REFRESH: Number("dns.answers.soa.", "refresh") "seconds between refreshes";
    ANSWER_SOA_RETRY: Number("dns.answers.soa.", "retry") "seconds before a failed refresh is tried again";
    ANSWER_SOA_EXPIRE: Number("dns.answers.soa.", "expire") "seconds after which the zone is no longer served";
    ANSWER_SOA_MINIMUM: Number("dns.answers.soa.", "minimum") "seconds that a negative answer is kept";
    ANSWER_SRV: Object("dns.answers.", "srv") "host of a service";
    ANSWER_SRV_PRIORITY: Number("dns.answers.srv.", "priority") "lower is tried first";
    ANSWER_SRV_WEIGHT: Number("dns.answers.srv.", "weight") "share among equals";
    ANSWER_SRV_PORT: Number("dns.answers.srv.", "port") "port of the service";
    ANSWER_SRV_NAME: Text("dns.answers.srv.", "name") "host of the service";
    ANSWER_SSHFP: Object("dns.answers.", "sshfp") "fingerprint of an SSH host key";
    ANSWER_SSHFP_FINGERPRINT: Text("dns.answers.sshfp.", "fingerprint") "fingerprint, hexadecimal";
    ANSWER_SSHFP_ALGO: Number("dns.answers.sshfp.", "algo") "algorithm of the key";
    ANSWER_SSHFP_TYPE: Number("dns.answers.sshfp.", "type") "algorithm of the fingerprint";
    ANSWER_OPT: List("dns.answers.", "opt") "options of an OPT record";
    ANSWER_OPT_CODE: Number("dns.answers.opt.", "code") "option";
    ANSWER_OPT_DATA: Text("dns.answers.opt.", "data") "its value, hexadecimal";

    AUTHORITIES: List("dns.", "authorities") "authority records";
    AUTHORITY_RRNAME: Text("dns.authorities.", "rrname") "owner of the record";
    AUTHORITY_TRUNCATED: Flag("dns.authorities.", "rrname_truncated") "the owner's name was cut";
    AUTHORITY_RRTYPE: Text("dns.authorities.", "rrtype") "type of the record";
    AUTHORITY_TTL: Number("dns.authorities.", "ttl") "seconds that it may be kept";
    AUTHORITY_RDATA: Text("dns.authorities.", "rdata") "address, name or text";
    AUTHORITY_RDATA_TRUNCATED: Flag("dns.authorities.", "rdata_truncated") "the name in its data was cut";
    AUTHORITY_SOA: Object("dns.authorities.", "soa") "start of authority";
    AUTHORITY_SOA_MNAME: Text("dns.authorities.soa.", "mname") "primary server";
    AUTHORITY_SOA_MNAME_TRUNCATED: Flag("dns.authorities.soa.", "mname_truncated") "its name was cut";
    AUTHORITY_SOA_RNAME: Text("dns.authorities.soa.", "rname") "mailbox of the person in charge";
    AUTHORITY_SOA_RNAME_TRUNCATED: Flag("dns.authorities.soa.", "rname_truncated") "its name was cut";
    AUTHORITY_SOA_SERIAL: Number("dns.authorities.soa.", "serial") "version of the zone";
    AUTHORITY_SOA_REFRESH: Number("dns.authorities.soa.", "refresh") "seconds between refreshes";
    AUTHORITY_SOA_RETRY: Number("dns.authorities.soa.", "retry") "seconds before a failed refresh is tried again";
    AUTHORITY_SOA_EXPIRE: Number("dns.authorities.soa.", "expire") "seconds after which the zone is no longer served";
    AUTHORITY_SOA_MINIMUM: Number("dns.authorities.soa.", "minimum") "seconds that a negative answer is kept";
    AUTHORITY_SRV: Object("dns.authorities.", "srv") "host of a service";
    AUTHORITY_SRV_PRIORITY: Number("dns.authorities.srv.", "priority") "lower is tried first";
    AUTHORITY_SRV_WEIGHT: Number("dns.authorities.srv.", "weight") "share among equals";
    AUTHORITY_SRV_PORT: Number("dns.authorities.srv.", "port") "port of the service";
    AUTHORITY_SRV_NAME: Text("dns.authorities.srv.", "name") "host of the service";
    AUTHORITY_SSHFP: Object("dns.authorities.", "sshfp") "fingerprint of an SSH host key";
    AUTHORITY_SSHFP_FINGERPRINT: Text("dns.authorities.sshfp.", "fingerprint") "fingerprint, hexadecimal";
    AUTHORITY_SSHFP_ALGO: Number("dns.authorities.sshfp.", "algo") "algorithm of the key";
    AUTHORITY_SSHFP_TYPE: Number("dns.authorities.sshfp.", "type") "algorithm of the fingerprint";
    AUTHORITY_OPT: List("dns.authorities.", "opt") "options of an OPT record";
    AUTHORITY_OPT_CODE: Number("dns.authorities.opt.", "code") "option";
    AUTHORITY_OPT_DATA: Text("dns.authorities.opt.", "data") "its value, hexadecimal";

    ADDITIONALS: List("dns.", "additionals") "additional records";
    ADDITIONAL_RRNAME: Text("dns.additionals.", "rrname") "owner of the record";
    ADDITIONAL_TRUNCATED: Flag("dns.additionals.", "rrname_truncated") "the owner's name was cut";
    ADDITIONAL_RRTYPE: Text("dns.additionals.", "rrtype") "type of the record";
    ADDITIONAL_TTL: Number("dns.additionals.", "ttl") "seconds that it may be kept";
    ADDITIONAL_RDATA: Text("dns.additionals.", "rdata") "address, name or text";
    ADDITIONAL_RDATA_TRUNCATED: Flag("dns.additionals.", "rdata_truncated") "the name in its data was cut";
    ADDITIONAL_SOA: Object("dns.additionals.", "soa") "start of authority";
    ADDITIONAL_SOA_MNAME: Text("dns.additionals.soa.", "mname") "primary server";
    ADDITIONAL_SOA_MNAME_TRUNCATED: Flag("dns.additionals.soa.", "mname_truncated") "its name was cut";
    ADDITIONAL_SOA_RNAME: Text("dns.additionals.soa.", "rname") "mailbox of the person in charge";
    ADDITIONAL_SOA_RNAME_TRUNCATED: Flag("dns.additionals.soa.", "rname_truncated") "its name was cut";
    ADDITIONAL_SOA_SERIAL: Number("dns.additionals.soa.", "serial") "version of the zone";
    ADDITIONAL_SOA_REFRESH: Number("dns.additionals.soa.", "refresh") "seconds between refreshes";
    ADDITIONAL_SOA_RETRY: Number("dns.additionals.soa.", "retry") "seconds before a failed refresh is tried again";
    ADDITIONAL_SOA_EXPIRE: Number("dns.additionals.soa.", "expire") "seconds after which the zone is no longer served";
    ADDITIONAL_SOA_MINIMUM: Number("dns.additionals.soa.", "minimum") "seconds that a negative answer is kept";
    ADDITIONAL_SRV: Object("dns.additionals.", "srv") "host of a service";
    ADDITIONAL_SRV_PRIORITY: Number("dns.additionals.srv.", "priority") "lower is tried first";
    ADDITIONAL_SRV_WEIGHT: Number("dns.additionals.srv.", "weight") "share among equals";
    ADDITIONAL_SRV_PORT: Number("dns.additionals.srv.", "port") "port of the service";
    ADDITIONAL_SRV_NAME: Text("dns.additionals.srv.", "name") "host of the service";
    ADDITIONAL_SSHFP: Object("dns.additionals.", "sshfp") "fingerprint of an SSH host key";
    ADDITIONAL_SSHFP_FINGERPRINT: Text("dns.additionals.sshfp.", "fingerprint") "fingerprint, hexadecimal";
    ADDITIONAL_SSHFP_ALGO: Number("dns.additionals.sshfp.", "algo") "algorithm of the key";
    ADDITIONAL_SSHFP_TYPE: Number("dns.additionals.sshfp.", "type") "algorithm of the fingerprint";
    ADDITIONAL_OPT: List("dns.additionals.", "opt") "options of an OPT record";
    ADDITIONAL_OPT_CODE: Number("dns.additionals.opt.", "code") "option";
    ADDITIONAL_OPT_DATA: Text("dns.additionals.opt.", "data") "its value, hexadecimal";

    GROUPED: Object("dns.", "grouped") "data of the answers by type";
    GROUPED_A: List("dns.grouped.", "A") "IPv4 addresses";
    GROUPED_AAAA: List("dns.grouped.", "AAAA") "IPv6 addresses";
    GROUPED_CNAME: List("dns.grouped.", "CNAME") "canonical names";
    GROUPED_MX: List("dns.grouped.", "MX") "mail exchangers";
    GROUPED_NS: List("dns.grouped.", "NS") "name servers";
    GROUPED_NULL: List("dns.grouped.", "NULL") "data of NULL records";
    GROUPED_PTR: List("dns.grouped.", "PTR") "names that pointers hold";
    GROUPED_TXT: List("dns.grouped.", "TXT") "texts";
    GROUPED_SOA: List("dns.grouped.", "SOA") "starts of authority";
    GROUPED_SRV: List("dns.grouped.", "SRV") "hosts of services";
    GROUPED_SSHFP: List("dns.grouped.", "SSHFP") "fingerprints of SSH host keys";
    GROUPED_SOA_MNAME: Text("dns.grouped.SOA.", "mname") "primary server";
    GROUPED_SOA_MNAME_TRUNCATED: Flag("dns.grouped.SOA.", "mname_truncated") "its name was cut";
    GROUPED_SOA_RNAME: Text("dns.grouped.SOA.", "rname") "mailbox of the person in charge";
    GROUPED_SOA_RNAME_TRUNCATED: Flag("dns.grouped.SOA.", "rname_truncated") "its name was cut";
    GROUPED_SOA_SERIAL: Number("dns.grouped.SOA.", "serial") "version of the zone";
    GROUPED_SOA_REFRESH: Number("dns.grouped.SOA.", "refresh") "seconds between refreshes";
    GROUPED_SOA_RETRY: Number("dns.grouped.SOA.", "retry") "seconds before a failed refresh is tried again";
    GROUPED_SOA_EXPIRE: Number("dns.grouped.SOA.", "expire") "seconds after which the zone is no longer served";
    GROUPED_SOA_MINIMUM: Number("dns.grouped.SOA.", "minimum") "seconds that a negative answer is kept";
    GROUPED_SRV_PRIORITY: Number("dns.grouped.SRV.", "priority") "lower is tried first";
    GROUPED_SRV_WEIGHT: Number("dns.grouped.SRV.", "weight") "share among equals";
    GROUPED_SRV_PORT: Number("dns.grouped.SRV.", "port") "port of the service";
    GROUPED_SRV_NAME: Text("dns.grouped.SRV.", "name") "host of the service";
    GROUPED_SSHFP_FINGERPRINT: Text("dns.grouped.SSHFP.", "fingerprint") "fingerprint, hexadecimal";
    GROUPED_SSHFP_ALGO: Number("dns.grouped.SSHFP.", "algo") "algorithm of the key";
    GROUPED_SSHFP_TYPE: Number("dns.grouped.SSHFP.", "type") "algorithm of the fingerprint";

    EXPORT_RCODE: Number("dns.export.", "rcode") "result", element(8057, 1);
    EXPORT_NAME: Text("dns.export.", "name") "name of the first question", element(8057, 2);
    EXPORT_QTYPE: Number("dns.export.", "qtype") "type of the first question", element(8057, 3);
    EXPORT_CLASS: Number("dns.export.", "class") "class of the first question", element(8057, 4);
    EXPORT_TTL: Number("dns.export.", "rr_ttl") "seconds that the first answer may be kept", element(8057, 5);
    EXPORT_RLENGTH: Number("dns.export.", "rlength") "length of the text of the first answer", element(8057, 6);
    EXPORT_RDATA: Text("dns.export.", "rdata") "first answer as text", element(8057, 7);
    EXPORT_PSIZE: Number("dns.export.", "psize") "size of datagram that the sender takes (EDNS)", element(8057, 8);
    EXPORT_DO: Number("dns.export.", "do") "whether DNSSEC records are wanted (EDNS)", element(8057, 9);
    EXPORT_ID: Number("dns.export.", "id") "number that the asker chose", element(8057, 10);
    EXPORT_ATYPE: Number("dns.export.", "atype") "type of the first answer", element(8057, 11);
    EXPORT_ANSWERS: Number("dns.export.", "answers") "number of answers", element(8057, 14);
}

/// Fields of a record's SOA data.
pub(crate) struct SoaFields {
    pub(crate) mname: (&'static Field, &'static Field),
    pub(crate) rname: (&'static Field, &'static Field),
    /// Serial, refresh, retry, expire, minimum.
    pub(crate) numbers: [&'static Field; 5],
}

/// Fields of a record's SRV data: priority, weight, port; name.
pub(crate) struct SrvFields {
    pub(crate) numbers: [&'static Field; 3],
    pub(crate) name: &'static Field,
}

/// Fields of a record's SSHFP data.
pub(crate) struct SshfpFields {
    pub(crate) fingerprint: &'static Field,
    pub(crate) algo: &'static Field,
    pub(crate) kind: &'static Field,
}

/// Fields of the records of one section.
pub(crate) struct SectionFields {
    pub(crate) list: &'static Field,
    pub(crate) rrname: (&'static Field, &'static Field),
    pub(crate) rrtype: &'static Field,
    pub(crate) ttl: &'static Field,
    pub(crate) rdata: (&'static Field, &'static Field),
    pub(crate) soa: (&'static Field, SoaFields),
    pub(crate) srv: (&'static Field, SrvFields),
    pub(crate) sshfp: (&'static Field, SshfpFields),
    /// The list, and code and data of its items.
    pub(crate) opt: [&'static Field; 3],
}

/// Fields of the section `answers`.
pub(crate) static IN_ANSWERS: SectionFields = SectionFields {
    list: &ANSWERS,
    rrname: (&ANSWER_RRNAME, &ANSWER_TRUNCATED),
    rrtype: &ANSWER_RRTYPE,
    ttl: &ANSWER_TTL,
    rdata: (&ANSWER_RDATA, &ANSWER_RDATA_TRUNCATED),
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
pub(crate) static IN_AUTHORITIES: SectionFields = SectionFields {
    list: &AUTHORITIES,
    rrname: (&AUTHORITY_RRNAME, &AUTHORITY_TRUNCATED),
    rrtype: &AUTHORITY_RRTYPE,
    ttl: &AUTHORITY_TTL,
    rdata: (&AUTHORITY_RDATA, &AUTHORITY_RDATA_TRUNCATED),
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
pub(crate) static IN_ADDITIONALS: SectionFields = SectionFields {
    list: &ADDITIONALS,
    rrname: (&ADDITIONAL_RRNAME, &ADDITIONAL_TRUNCATED),
    rrtype: &ADDITIONAL_RRTYPE,
    ttl: &ADDITIONAL_TTL,
    rdata: (&ADDITIONAL_RDATA, &ADDITIONAL_RDATA_TRUNCATED),
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

/// SOA fields of `grouped`.
pub(crate) static GROUPED_SOAS: SoaFields = SoaFields {
    mname: (&GROUPED_SOA_MNAME, &GROUPED_SOA_MNAME_TRUNCATED),
    rname: (&GROUPED_SOA_RNAME, &GROUPED_SOA_RNAME_TRUNCATED),
    numbers: [
        &GROUPED_SOA_SERIAL,
        &GROUPED_SOA_REFRESH,
        &GROUPED_SOA_RETRY,
        &GROUPED_SOA_EXPIRE,
        &GROUPED_SOA_MINIMUM,
    ],
};

/// SRV fields of `grouped`.
pub(crate) static GROUPED_SRVS: SrvFields = SrvFields {
    numbers: [&GROUPED_SRV_PRIORITY, &GROUPED_SRV_WEIGHT, &GROUPED_SRV_PORT],
    name: &GROUPED_SRV_NAME,
};

/// SSHFP fields of `grouped`.
pub(crate) static GROUPED_SSHFPS: SshfpFields = SshfpFields {
    fingerprint: &GROUPED_SSHFP_FINGERPRINT,
    algo: &GROUPED_SSHFP_ALGO,
    kind: &GROUPED_SSHFP_TYPE,
};
