//! Everything that a conforming HTTP/2 peer would not have sent.

use parse::Anomaly;

macro_rules! anomalies {
    ($($name:ident $text:literal;)*) => {
        $(#[doc = $text] pub static $name: Anomaly = Anomaly { name: stringify!($name), text: $text };)*
        /// Every anomaly of this protocol.
        pub static ALL: &[&Anomaly] = &[$(&$name),*];
    };
}

anomalies! {
    INVALID_FRAME_HEADER "a frame on the connection itself that belongs to a stream";
    INVALID_CLIENT_MAGIC "the client does not begin with the preface";
    INVALID_FRAME_DATA "a frame whose payload cannot be read";
    INVALID_HEADER "a header field that cannot be decoded";
    INVALID_FRAME_LENGTH "a frame of a length that its kind cannot have";
    EXTRA_HEADER_DATA "bytes behind the header block of a frame";
    LONG_FRAME_DATA "a frame that is too long to be looked at whole";
    STREAM_ID_REUSE "frames of a stream that is over";
    INVALID_HTTP1_SETTINGS "an upgrade from HTTP/1 whose HTTP2-Settings cannot be read";
    FAILED_DECOMPRESSION "a compressed body that cannot be read";
    INVALID_RANGE "a Content-Range that contradicts itself";
    HEADER_INTEGER_OVERFLOW "a number in a header block that is too large";
    TOO_MANY_STREAMS "more streams open at once than are followed";
    AUTHORITY_HOST_MISMATCH "authority and Host field name different hosts";
    USERINFO_IN_URI "credentials in the authority";
    REASSEMBLY_LIMIT_REACHED "a header block continued for longer than is followed";
    DNS_REQUEST_TOO_LONG "a DNS request longer than DNS allows";
    DNS_RESPONSE_TOO_LONG "a DNS response longer than DNS allows";
    DATA_STREAM_ZERO "a body on the connection itself";
    COMPRESSION_BOMB "a body grows beyond bounds by decompression";
}
