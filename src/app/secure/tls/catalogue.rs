//! What TLS can tell besides fields: anomalies, frames, buffers, phases, records.

use parse::{Anomaly, Buffer, Feed, FrameKind, Record, Side};

macro_rules! anomalies {
    ($($name:ident $text:literal;)*) => {
        $(pub(super) static $name: Anomaly = Anomaly { name: stringify!($name), text: $text };)*
        pub(super) static ANOMALIES: &[&Anomaly] = &[$(&$name),*];
    };
}

anomalies! {
    INVALID_SSLV2_HEADER "an SSLv2 record of length zero";
    INVALID_TLS_HEADER "a record header that cannot be read";
    INVALID_RECORD_VERSION "a record of a version that was never spoken";
    INVALID_RECORD_TYPE "a record that carries nothing known";
    INVALID_RECORD_LENGTH "a record that is empty or longer than records may be";
    INVALID_HANDSHAKE_MESSAGE "a handshake message of an unknown type, or one that cannot be read";
    HEARTBEAT_MESSAGE "a heartbeat";
    INVALID_HEARTBEAT_MESSAGE "a heartbeat of an unknown type, without padding, or one too many under way";
    OVERFLOW_HEARTBEAT_MESSAGE "a heartbeat that claims more bytes than it has";
    DATALEAK_HEARTBEAT_MISMATCH "an encrypted heartbeat answered with more bytes than it had";
    HANDSHAKE_INVALID_LENGTH "a hello message with a vector that does not fit";
    MULTIPLE_SNI_EXTENSIONS "more than one server_name extension";
    INVALID_SNI_TYPE "a server name that is not a host name";
    INVALID_SNI_LENGTH "a host name that is empty, too long, or does not fit";
    TOO_MANY_RECORDS_IN_PACKET "more records than so many bytes can hold";
    INVALID_ALERT_MESSAGE "an alert of less than two bytes";
    INVALID_CERTIFICATE "a certificate that cannot be read";
    CERTIFICATE_INVALID_LENGTH "a certificate whose length is wrong";
    CERTIFICATE_INVALID_VERSION "a certificate of an unknown version";
    CERTIFICATE_INVALID_SERIAL "a certificate without a readable serial number";
    CERTIFICATE_INVALID_ALGORITHMIDENTIFIER "a certificate without a readable algorithm";
    CERTIFICATE_INVALID_X509NAME "a certificate with an unreadable name";
    CERTIFICATE_INVALID_DATE "a certificate with an unreadable date";
    CERTIFICATE_INVALID_EXTENSIONS "a certificate with unreadable extensions";
    CERTIFICATE_INVALID_DER "a certificate that is not DER";
    CERTIFICATE_INVALID_SUBJECT "a certificate without a subject";
    CERTIFICATE_INVALID_ISSUER "a certificate without an issuer";
    CERTIFICATE_INVALID_VALIDITY "a certificate without a validity";
    ERROR_MESSAGE_ENCOUNTERED "an SSLv2 error message";
    INVALID_SSL_RECORD "a record that is too short for what it carries";
}

/// `tls` events.
pub(super) static RECORD: Record =
    Record { event_type: "tls", text: "a TLS handshake, as far as it can be read" };

macro_rules! frames {
    ($($name:ident $key:literal $text:literal;)*) => {
        $(pub(super) static $name: FrameKind = FrameKind { name: $key, text: $text };)*
        pub(super) static FRAMES: &[&FrameKind] = &[$(&$name),*];
    };
}

frames! {
    PDU "tls.pdu" "a record with its header";
    HDR "tls.hdr" "a record's header";
    DATA "tls.data" "a record's content";
    HANDSHAKE "tls.handshake" "the content of a readable handshake record";
    ALERT "tls.alert" "the content of an alert record";
    HEARTBEAT "tls.heartbeat" "the content of a heartbeat record";
    SSL2_HDR "tls.ssl2.hdr" "an SSLv2 record's header";
    SSL2_PDU "tls.ssl2.pdu" "an SSLv2 record";
}

/// Phases of the client's side; the numbers are places in [`CLIENT_PHASES`].
pub(super) mod client {
    pub(in super::super) const HELLO_DONE: u8 = 1;
    pub(in super::super) const CERT_DONE: u8 = 2;
    pub(in super::super) const HANDSHAKE_DONE: u8 = 3;
    pub(in super::super) const FINISHED: u8 = 4;
}

/// Phases of the server's side; the numbers are places in [`SERVER_PHASES`].
pub(super) mod server {
    pub(in super::super) const HELLO: u8 = 1;
    pub(in super::super) const CERT_DONE: u8 = 2;
    pub(in super::super) const HELLO_DONE: u8 = 3;
    pub(in super::super) const HANDSHAKE_DONE: u8 = 4;
    pub(in super::super) const FINISHED: u8 = 5;
}

pub(super) static CLIENT_PHASES: &[&str] = &[
    "client_in_progress",
    "client_hello_done",
    "client_cert_done",
    "client_handshake_done",
    "client_finished",
];
pub(super) static SERVER_PHASES: &[&str] = &[
    "server_in_progress",
    "server_hello",
    "server_cert_done",
    "server_hello_done",
    "server_handshake_done",
    "server_finished",
];

const HELLO_OF_CLIENT: (Side, u8) = (Side::ToServer, client::HELLO_DONE);
const HELLO_OF_SERVER: (Side, u8) = (Side::ToClient, server::HELLO);
const BOTH_HELLOS: &[(Side, u8)] = &[HELLO_OF_CLIENT, HELLO_OF_SERVER];
const BOTH_CERTS: &[(Side, u8)] = &[(Side::ToClient, server::CERT_DONE), (Side::ToServer, client::CERT_DONE)];

macro_rules! buffers {
    ($($name:ident $key:literal $many:literal $ready:expr, $text:literal;)*) => {
        $(pub(super) static $name: Buffer =
            Buffer { name: $key, feed: Feed::Final, many: $many, ready: $ready, text: $text };)*
        pub(super) static BUFFERS: &[&Buffer] = &[$(&$name),*];
    };
}

buffers! {
    SNI "tls.sni" false &[HELLO_OF_CLIENT], "host name that the client asks for";
    VERSION "tls.version" false BOTH_HELLOS, "version by name";
    RANDOM "tls.random" false BOTH_HELLOS, "all 32 random bytes of the hello";
    RANDOM_TIME "tls.random_time" false BOTH_HELLOS, "first four random bytes";
    RANDOM_BYTES "tls.random_bytes" false BOTH_HELLOS, "the random bytes behind the first four";
    ALPN "tls.alpn" true BOTH_HELLOS, "application protocols offered or chosen";
    CERTS "tls.certs" true BOTH_CERTS, "certificates as sent";
    CERT_SUBJECT "tls.cert_subject" false BOTH_CERTS, "subject of the first certificate";
    CERT_ISSUER "tls.cert_issuer" false BOTH_CERTS, "issuer of the first certificate";
    CERT_SERIAL "tls.cert_serial" false BOTH_CERTS, "serial number of the first certificate";
    CERT_FINGERPRINT "tls.cert_fingerprint" false BOTH_CERTS, "SHA-1 of the first certificate";
    ALTERNATIVE_NAME "tls.subjectaltname" true BOTH_CERTS, "further names of the first certificate";
    JA3_HASH "ja3.hash" false &[HELLO_OF_CLIENT], "MD5 of the client's fingerprint";
    JA3_STRING "ja3.string" false &[HELLO_OF_CLIENT], "the client's fingerprint";
    JA3S_HASH "ja3s.hash" false &[HELLO_OF_SERVER], "MD5 of the server's fingerprint";
    JA3S_STRING "ja3s.string" false &[HELLO_OF_SERVER], "the server's fingerprint";
    JA4_HASH "ja4.hash" false &[HELLO_OF_CLIENT], "the client's JA4";
}
