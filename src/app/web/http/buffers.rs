//! The buffers that rules look into.

use parse::{Buffer, Feed, Side};

/// Phases, by index: the first line, the fields, the body and the whole message are there.
pub(crate) const PHASES: &[&str] = &["line", "headers", "body", "complete"];
pub(crate) const LINE: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const BODY: u8 = 2;
pub(crate) const COMPLETE: u8 = 3;

use Side::{ToClient, ToServer};

macro_rules! buffers {
    ($($name:ident $key:literal $feed:ident $many:literal [$($side:ident $phase:ident),*] $text:literal;)*) => {
        $(#[doc = $text] pub static $name: Buffer = Buffer {
            name: $key, feed: Feed::$feed, many: $many, ready: &[$(($side, $phase)),*], text: $text,
        };)*
        /// Every buffer of this protocol.
        pub static ALL: &[&Buffer] = &[$(&$name),*];
    };
}

buffers! {
    METHOD "http.method" Final false [ToServer LINE] "method of the request";
    URI "http.uri" Final false [ToServer LINE] "URI in normal form: decoded, slashes single, dot segments gone";
    URI_RAW "http.uri.raw" Final false [ToServer LINE] "URI as sent";
    PROTOCOL "http.protocol" Final false [ToServer LINE, ToClient LINE] "version as sent";
    REQUEST_LINE "http.request_line" Final false [ToServer LINE] "request line without its end";
    RESPONSE_LINE "http.response_line" Final false [ToClient LINE] "status line without its end";
    STAT_CODE "http.stat_code" Final false [ToClient LINE] "status as sent";
    STAT_MSG "http.stat_msg" Final false [ToClient LINE] "reason behind the status";
    HOST "http.host" Final false [ToServer HEADERS] "host in lower case, without port";
    HOST_RAW "http.host.raw" Final false [ToServer HEADERS] "host from the URI or the Host field, as sent";
    USER_AGENT "http.user_agent" Final false [ToServer HEADERS] "User-Agent field";
    REFERER "http.referer" Final false [ToServer HEADERS] "Referer field";
    ACCEPT "http.accept" Final false [ToServer HEADERS] "Accept field";
    ACCEPT_LANG "http.accept_lang" Final false [ToServer HEADERS] "Accept-Language field";
    ACCEPT_ENC "http.accept_enc" Final false [ToServer HEADERS] "Accept-Encoding field";
    COOKIE "http.cookie" Final false [ToServer HEADERS, ToClient HEADERS] "Cookie field of the request, Set-Cookie of the response";
    CONTENT_TYPE "http.content_type" Final false [ToServer HEADERS, ToClient HEADERS] "Content-Type field";
    CONTENT_LEN "http.content_len" Final false [ToServer HEADERS, ToClient HEADERS] "Content-Length field";
    CONNECTION "http.connection" Final false [ToServer HEADERS, ToClient HEADERS] "Connection field";
    SERVER "http.server" Final false [ToClient HEADERS] "Server field";
    LOCATION "http.location" Final false [ToClient HEADERS] "Location field";
    HEADER "http.header" Final false [ToServer HEADERS, ToClient HEADERS] "every field but cookies, one a line, repeated ones joined";
    HEADER_RAW "http.header.raw" Final false [ToServer HEADERS, ToClient HEADERS] "block of fields as sent";
    HEADER_NAMES "http.header_names" Final false [ToServer HEADERS, ToClient HEADERS] "names of the fields, each between line ends";
    START "http.start" Final false [ToServer HEADERS, ToClient HEADERS] "first line and fields";
    REQUEST_HEADER "http.request_header" Final true [ToServer HEADERS] "each field of the request";
    RESPONSE_HEADER "http.response_header" Final true [ToClient HEADERS] "each field of the response";
    REQUEST_BODY "http.request_body" Stream false [ToServer BODY] "body of the request, decoded";
    RESPONSE_BODY "http.response_body" Stream false [ToClient BODY] "body of the response, decoded";
    FILE_DATA "file.data" Stream false [ToClient BODY] "body of the response, decoded";
    FILE_DATA_UP "file.data" Stream false [ToServer BODY] "content of each file that the request uploads";
}
