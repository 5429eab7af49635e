//! What is wrong with messages, named as Suricata names it.

use parse::Anomaly;

macro_rules! anomalies {
    ($($name:ident $text:literal;)*) => {
        $(#[doc = $text] pub static $name: Anomaly = Anomaly { name: stringify!($name), text: $text };)*
        /// Every anomaly of messages.
        pub static ALL: &[&Anomaly] = &[$(&$name),*];
    };
}

anomalies! {
    MIME_INVALID_BASE64 "bytes that base64 does not have, or behind its end";
    MIME_INVALID_QP "an equals sign that quoted-printable does not have";
    MIME_LONG_LINE "a line of a message longer than 998 bytes";
    MIME_LONG_ENC_LINE "an encoded line longer than 76 bytes";
    MIME_LONG_HEADER_NAME "the name of a header field longer than 76 bytes";
    MIME_LONG_HEADER_VALUE "the value of a header field longer than 2,000 bytes";
    MIME_LONG_BOUNDARY "a boundary longer than 254 bytes";
    MIME_LONG_FILENAME "the name of a file longer than 255 bytes";
    MIME_MALFORMED_MSG "a message that ends within its parts";
}
