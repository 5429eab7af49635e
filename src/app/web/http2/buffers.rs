//! The buffers that rules look into. Those that HTTP/1 has, too, are the same ones; numbers come as they are sent, in
//! network order.

use crate::http::buffers as http;
use parse::{Buffer, Feed, Side};

pub(super) use http::{BODY, COMPLETE, HEADERS, LINE, PHASES};

macro_rules! buffers {
    ($($name:ident $key:literal $phase:ident $text:literal;)*) => {
        $(#[doc = $text] pub static $name: Buffer = Buffer {
            name: $key,
            feed: Feed::Final,
            many: true,
            ready: &[(Side::ToServer, $phase), (Side::ToClient, $phase)],
            text: $text,
        };)*
    };
}

buffers! {
    HEADER_NAME "http2.header_name" HEADERS "each name of a field";
    FRAME_TYPE "http2.frametype" COMPLETE "each kind of frame that occurred: one byte";
    ERROR_CODE "http2.errorcode" COMPLETE "each error code of RST_STREAM and GOAWAY: four bytes";
    PRIORITY "http2.priority" COMPLETE "each weight: one byte";
    WINDOW "http2.window" COMPLETE "each increment of a window: four bytes";
    SETTINGS "http2.settings" COMPLETE "each parameter: two bytes of number, four of value";
    SIZE_UPDATE "http2.size_update" COMPLETE "each size of the dynamic table: eight bytes";
}

/// Every buffer of this protocol.
pub static ALL: &[&Buffer] = &[
    &http::METHOD,
    &http::URI,
    &http::URI_RAW,
    &http::PROTOCOL,
    &http::REQUEST_LINE,
    &http::RESPONSE_LINE,
    &http::STAT_CODE,
    &http::STAT_MSG,
    &http::HOST,
    &http::HOST_RAW,
    &http::USER_AGENT,
    &http::REFERER,
    &http::ACCEPT,
    &http::ACCEPT_LANG,
    &http::ACCEPT_ENC,
    &http::COOKIE,
    &http::CONTENT_TYPE,
    &http::CONTENT_LEN,
    &http::CONNECTION,
    &http::SERVER,
    &http::LOCATION,
    &http::HEADER,
    &http::HEADER_RAW,
    &http::HEADER_NAMES,
    &http::REQUEST_HEADER,
    &http::RESPONSE_HEADER,
    &http::REQUEST_BODY,
    &http::RESPONSE_BODY,
    &http::FILE_DATA,
    &http::FILE_DATA_UP,
    &HEADER_NAME,
    &FRAME_TYPE,
    &ERROR_CODE,
    &PRIORITY,
    &WINDOW,
    &SETTINGS,
    &SIZE_UPDATE,
];
