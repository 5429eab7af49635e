//! What an HTTP/2 record carries besides what one of HTTP/1 does.

use crate::http::fields as http;
use parse::Field;

mod own {
    parse::fields! {
        /// Version.
        VERSION: Text("http.", "version") "version of the protocol, where it is not 1";
        /// New size of the dynamic table.
        SIZE_UPDATE: Number("http.request_headers.", "table_size_update") "size that the dynamic table has from here on";
        /// Framing.
        HTTP2: Object("http.", "http2") "what the frames said besides the fields";
        /// Stream.
        STREAM: Number("http.http2.", "stream_id") "number of the stream; 0 for the connection itself";
        /// From the client.
        REQUEST: Object("http.http2.", "request") "frames from the client";
        /// From the server.
        RESPONSE: Object("http.http2.", "response") "frames from the server";
        /// Settings.
        SETTINGS: List("http.http2.request.", "settings") "parameters of the connection";
        /// Parameter.
        SETTING: Text("http.http2.request.settings.", "settings_id") "name of the parameter";
        /// Value of a parameter.
        SETTING_VALUE: Number("http.http2.request.settings.", "settings_value") "value of the parameter";
        /// Error.
        ERROR: Text("http.http2.request.", "error_code") "why the stream or the connection was given up";
        /// Priority.
        PRIORITY: Number("http.http2.request.", "priority") "weight of the stream, less one";
        /// What occurred more than once.
        MULTIPLE: Text("http.http2.request.", "has_multiple") "which of these values was sent more than once";
    }
}

pub use own::{
    ERROR, HTTP2, MULTIPLE, PRIORITY, REQUEST, RESPONSE, SETTING, SETTING_VALUE, SETTINGS, SIZE_UPDATE,
    STREAM, VERSION,
};

/// Every field of this protocol.
pub static ALL: &[&Field] = &[
    &http::HTTP,
    &http::HOSTNAME,
    &http::URL,
    &http::USER_AGENT,
    &http::CONTENT_TYPE,
    &http::METHOD,
    &http::STATUS,
    &http::LENGTH,
    &http::REQUEST_HEADERS,
    &http::RESPONSE_HEADERS,
    &http::HEADER_NAME,
    &http::HEADER_VALUE,
    &VERSION,
    &SIZE_UPDATE,
    &HTTP2,
    &STREAM,
    &REQUEST,
    &RESPONSE,
    &SETTINGS,
    &SETTING,
    &SETTING_VALUE,
    &ERROR,
    &PRIORITY,
    &MULTIPLE,
];
