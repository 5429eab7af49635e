//! Names of record types and result codes (IANA, "Domain Name System (DNS) Parameters"), as Suricata spells them.

// Those whose data is read, or shown.
pub(crate) const A: u16 = 1;
pub(crate) const NS: u16 = 2;
pub(crate) const CNAME: u16 = 5;
pub(crate) const SOA: u16 = 6;
pub(crate) const NULL: u16 = 10;
pub(crate) const PTR: u16 = 12;
pub(crate) const HINFO: u16 = 13;
pub(crate) const MX: u16 = 15;
pub(crate) const TXT: u16 = 16;
pub(crate) const AAAA: u16 = 28;
pub(crate) const SRV: u16 = 33;
pub(crate) const OPT: u16 = 41;
pub(crate) const SSHFP: u16 = 44;
pub(crate) const RRSIG: u16 = 46;
pub(crate) const NSEC: u16 = 47;
pub(crate) const DNSKEY: u16 = 48;
pub(crate) const HTTPS: u16 = 65;

macro_rules! rrtypes {
    ($($name:ident $lower:literal $number:literal,)*) => {
        /// Upper-case name of a type; `None` when it is printed as a number.
        pub(crate) const fn upper(rrtype: u16) -> Option<&'static str> {
            match rrtype {
                $($number => Some(stringify!($name)),)*
                _ => None,
            }
        }

        /// Lower-case name of a type.
        pub(crate) const fn lower(rrtype: u16) -> Option<&'static str> {
            match rrtype {
                $($number => Some($lower),)*
                _ => None,
            }
        }
    };
}

rrtypes! {
    A "a" 1,
    NS "ns" 2,
    MD "md" 3,
    MF "mf" 4,
    CNAME "cname" 5,
    SOA "soa" 6,
    MB "mb" 7,
    MG "mg" 8,
    MR "mr" 9,
    NULL "null" 10,
    WKS "wks" 11,
    PTR "ptr" 12,
    HINFO "hinfo" 13,
    MINFO "minfo" 14,
    MX "mx" 15,
    TXT "txt" 16,
    RP "rp" 17,
    AFSDB "afsdb" 18,
    X25 "x25" 19,
    ISDN "isdn" 20,
    RT "rt" 21,
    NSAP "nsap" 22,
    NSAPPTR "nsapptr" 23,
    SIG "sig" 24,
    KEY "key" 25,
    PX "px" 26,
    GPOS "gpos" 27,
    AAAA "aaaa" 28,
    LOC "loc" 29,
    NXT "nxt" 30,
    SRV "srv" 33,
    ATMA "atma" 34,
    NAPTR "naptr" 35,
    KX "kx" 36,
    CERT "cert" 37,
    A6 "a6" 38,
    DNAME "dname" 39,
    OPT "opt" 41,
    APL "apl" 42,
    DS "ds" 43,
    SSHFP "sshfp" 44,
    IPSECKEY "ipseckey" 45,
    RRSIG "rrsig" 46,
    NSEC "nsec" 47,
    DNSKEY "dnskey" 48,
    DHCID "dhcid" 49,
    NSEC3 "nsec3" 50,
    NSEC3PARAM "nsec3param" 51,
    TLSA "tlsa" 52,
    HIP "hip" 55,
    CDS "cds" 59,
    CDNSKEY "cdnskey" 60,
    HTTPS "https" 65,
    SPF "spf" 99,
    TKEY "tkey" 249,
    TSIG "tsig" 250,
    MAILA "maila" 254,
    ANY "any" 255,
    URI "uri" 256,
}

/// Name of a result code of four bits.
pub(crate) const fn rcode(code: u8) -> &'static str {
    match code & 0xf {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "11",
        12 => "12",
        13 => "13",
        14 => "14",
        _ => "15",
    }
}
