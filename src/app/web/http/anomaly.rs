//! Everything that a conforming HTTP/1 peer would not have sent.

use parse::Anomaly;

macro_rules! anomalies {
    ($($name:ident $event:literal $text:literal;)*) => {
        $(#[doc = $text] pub static $name: Anomaly = Anomaly { name: $event, text: $text };)*
        /// Every anomaly of this protocol.
        pub static ALL: &[&Anomaly] = &[$(&$name),*];
    };
}

anomalies! {
    UNKNOWN_ERROR "UNKNOWN_ERROR" "an error of no other kind";
    GZIP_DECOMPRESSION_FAILED "GZIP_DECOMPRESSION_FAILED" "a compressed body could not be read by any known method";
    REQUEST_FIELD_MISSING_COLON "REQUEST_FIELD_MISSING_COLON" "a request field has no colon";
    RESPONSE_FIELD_MISSING_COLON "RESPONSE_FIELD_MISSING_COLON" "a response field has no colon";
    INVALID_REQUEST_CHUNK_LEN "INVALID_REQUEST_CHUNK_LEN" "a chunk of a request has no readable length";
    INVALID_RESPONSE_CHUNK_LEN "INVALID_RESPONSE_CHUNK_LEN" "a chunk of a response has no readable length";
    REQUEST_CHUNK_EXTENSION "REQUEST_CHUNK_EXTENSION" "a chunk of a request carries an extension";
    RESPONSE_CHUNK_EXTENSION "RESPONSE_CHUNK_EXTENSION" "a chunk of a response carries an extension";
    REQUEST_TOO_MANY_HEADERS "REQUEST_TOO_MANY_HEADERS" "a request has more fields than are accepted";
    RESPONSE_TOO_MANY_HEADERS "RESPONSE_TOO_MANY_HEADERS" "a response has more fields than are accepted";
    INVALID_TRANSFER_ENCODING_VALUE_IN_REQUEST "INVALID_TRANSFER_ENCODING_VALUE_IN_REQUEST"
        "a request has a Transfer-Encoding that is not chunked, or that its version does not know";
    INVALID_TRANSFER_ENCODING_VALUE_IN_RESPONSE "INVALID_TRANSFER_ENCODING_VALUE_IN_RESPONSE"
        "a response has a Transfer-Encoding that cannot be used";
    INVALID_CONTENT_LENGTH_FIELD_IN_REQUEST "INVALID_CONTENT_LENGTH_FIELD_IN_REQUEST"
        "the Content-Length of a request is no number";
    INVALID_CONTENT_LENGTH_FIELD_IN_RESPONSE "INVALID_CONTENT_LENGTH_FIELD_IN_RESPONSE"
        "the Content-Length of a response is no number";
    DUPLICATE_CONTENT_LENGTH_FIELD_IN_REQUEST "DUPLICATE_CONTENT_LENGTH_FIELD_IN_REQUEST"
        "a request has several different Content-Length fields";
    DUPLICATE_CONTENT_LENGTH_FIELD_IN_RESPONSE "DUPLICATE_CONTENT_LENGTH_FIELD_IN_RESPONSE"
        "a response has several different Content-Length fields";
    CONTINUE_ALREADY_SEEN "100_CONTINUE_ALREADY_SEEN" "a second 100 Continue for the same request";
    UNABLE_TO_MATCH_RESPONSE_TO_REQUEST "UNABLE_TO_MATCH_RESPONSE_TO_REQUEST" "a response to a request that was not seen";
    INVALID_SERVER_PORT_IN_REQUEST "INVALID_SERVER_PORT_IN_REQUEST" "the server port in a request is no port";
    INVALID_AUTHORITY_PORT "INVALID_AUTHORITY_PORT" "the port of an authority is no port";
    REQUEST_HEADER_INVALID "REQUEST_HEADER_INVALID" "the name of a request field is not a token";
    RESPONSE_HEADER_INVALID "RESPONSE_HEADER_INVALID" "a response field is malformed";
    RESPONSE_HEADER_NAME_NOT_TOKEN "RESPONSE_HEADER_NAME_NOT_TOKEN" "the name of a response field is not a token";
    REQUEST_INVALID_LWS_AFTER_NAME "REQUEST_INVALID_LWS_AFTER_NAME" "white space between a request field's name and its colon";
    RESPONSE_INVALID_LWS_AFTER_NAME "RESPONSE_INVALID_LWS_AFTER_NAME" "white space between a response field's name and its colon";
    REQUEST_INVALID_EMPTY_NAME "REQUEST_INVALID_EMPTY_NAME" "a request field without a name";
    RESPONSE_INVALID_EMPTY_NAME "RESPONSE_INVALID_EMPTY_NAME" "a response field without a name";
    MISSING_HOST_HEADER "MISSING_HOST_HEADER" "a request of version 1.1 without a Host field";
    HOST_HEADER_AMBIGUOUS "HOST_HEADER_AMBIGUOUS" "the URI and the Host field name different hosts";
    REQUEST_URI_HOST_INVALID "REQUEST_URI_HOST_INVALID" "the host in the URI is no host name";
    REQUEST_HEADER_HOST_INVALID "REQUEST_HEADER_HOST_INVALID" "the host in the Host field is no host name";
    REQUEST_SERVER_PORT_TCP_PORT_MISMATCH "REQUEST_SERVER_PORT_TCP_PORT_MISMATCH" "the port in a request is not the port spoken to";
    INVALID_REQUEST_FIELD_FOLDING "INVALID_REQUEST_FIELD_FOLDING" "a request begins with a continued field";
    INVALID_RESPONSE_FIELD_FOLDING "INVALID_RESPONSE_FIELD_FOLDING" "a response begins with a continued field";
    REQUEST_FIELD_TOO_LONG "REQUEST_FIELD_TOO_LONG" "a line or field of a request is longer than is accepted";
    RESPONSE_FIELD_TOO_LONG "RESPONSE_FIELD_TOO_LONG" "a line or field of a response is longer than is accepted";
    FILE_NAME_TOO_LONG "FILE_NAME_TOO_LONG" "a file name longer than is accepted";
    REQUEST_LINE_INVALID "REQUEST_LINE_INVALID" "a request line that cannot be read";
    REQUEST_LINE_INCOMPLETE "REQUEST_LINE_INCOMPLETE" "a response came before the request line was complete";
    REQUEST_LINE_LEADING_WHITESPACE "REQUEST_LINE_LEADING_WHITESPACE" "a request line begins with white space";
    REQUEST_LINE_UNKNOWN_METHOD "REQUEST_LINE_UNKNOWN_METHOD" "a request line of nothing but an unknown method";
    REQUEST_LINE_UNKNOWN_METHOD_NO_PROTOCOL "REQUEST_LINE_UNKNOWN_METHOD_NO_PROTOCOL"
        "an unknown method in a request line without a version";
    REQUEST_LINE_UNKNOWN_METHOD_INVALID_PROTOCOL "REQUEST_LINE_UNKNOWN_METHOD_INVALID_PROTOCOL"
        "an unknown method in a request line with an unreadable version";
    REQUEST_LINE_MISSING_PROTOCOL "REQUEST_LINE_MISSING_PROTOCOL" "a request line without a version, though fields follow";
    URI_DELIM_NON_COMPLIANT "URI_DELIM_NON_COMPLIANT" "the URI is ended by other white space than a blank";
    METHOD_DELIM_NON_COMPLIANT "METHOD_DELIM_NON_COMPLIANT" "the method is ended by other white space than a blank";
    PROTOCOL_CONTAINS_EXTRA_DATA "PROTOCOL_CONTAINS_EXTRA_DATA" "white space or needless zeros in the version";
    REQUEST_BODY_UNEXPECTED "REQUEST_BODY_UNEXPECTED" "bytes behind a request that are no request";
    RESPONSE_BODY_UNEXPECTED "RESPONSE_BODY_UNEXPECTED" "bytes behind a response that are no response";
    REQUEST_AUTH_UNRECOGNIZED "REQUEST_AUTH_UNRECOGNIZED" "an authorization method that is not known";
    REQUEST_HEADER_REPETITION "REQUEST_HEADER_REPETITION" "a field occurs more than once in a request";
    RESPONSE_HEADER_REPETITION "RESPONSE_HEADER_REPETITION" "a field occurs more than once in a response";
    CONTENT_LENGTH_EXTRA_DATA_START "CONTENT_LENGTH_EXTRA_DATA_START" "something stands before the number in Content-Length";
    CONTENT_LENGTH_EXTRA_DATA_END "CONTENT_LENGTH_EXTRA_DATA_END" "something stands behind the number in Content-Length";
    DOUBLE_ENCODED_URI "DOUBLE_ENCODED_URI" "a URI that was percent-encoded twice";
    TOO_MANY_ENCODING_LAYERS "TOO_MANY_ENCODING_LAYERS" "more layers of compression than are taken off";
    REQUEST_TOO_MANY_LZMA_LAYERS "REQUEST_TOO_MANY_LZMA_LAYERS" "several layers of LZMA in a request";
    RESPONSE_TOO_MANY_LZMA_LAYERS "RESPONSE_TOO_MANY_LZMA_LAYERS" "several layers of LZMA in a response";
    LZMA_MEMLIMIT_REACHED "LZMA_MEMLIMIT_REACHED" "an LZMA body wants a larger dictionary than is given";
    LZMA_DECOMPRESSION_DISABLED "LZMA_DECOMPRESSION_DISABLED" "an LZMA body is not decoded";
    ABNORMAL_CE_HEADER "ABNORMAL_CE_HEADER" "a Content-Encoding in unusual words";
    COMPRESSION_BOMB "COMPRESSION_BOMB" "a body grows beyond bounds by decompression";
    COMPRESSION_BOMB_LIMIT_REACHED "COMPRESSION_BOMB_LIMIT_REACHED" "too many compression bombs: nothing is decompressed any more";
    RESPONSE_MULTIPART_BYTERANGES "RESPONSE_MULTIPART_BYTERANGES" "a response of several byte ranges, which is not read";
    RESPONSE_ABNORMAL_TRANSFER_ENCODING "RESPONSE_ABNORMAL_TRANSFER_ENCODING" "a chunked Transfer-Encoding in unusual words";
    RESPONSE_CHUNKED_OLD_PROTO "RESPONSE_CHUNKED_OLD_PROTO" "a chunked response of a version before 1.1";
    RESPONSE_INVALID_PROTOCOL "RESPONSE_INVALID_PROTOCOL" "a status line whose version is unreadable";
    RESPONSE_INVALID_STATUS "RESPONSE_INVALID_STATUS" "a status line whose status is no status";
    SWITCHING_PROTO_WITH_CONTENT_LENGTH "SWITCHING_PROTO_WITH_CONTENT_LENGTH" "a 101 response that has a body";
    DEFORMED_EOL "DEFORMED_EOL" "a strange mix of line ends in a response";
    INVALID_GAP "INVALID_GAP" "bytes are missing where they cannot be passed over";
    RANGE_INVALID "RANGE_INVALID" "a Content-Range that contradicts itself";
    MULTIPART_GENERIC_ERROR "MULTIPART_GENERIC_ERROR" "a form in parts that cannot be read";
    MULTIPART_NO_FILEDATA "MULTIPART_NO_FILEDATA" "a part that names a file but carries none";
    MULTIPART_INVALID_HEADER "MULTIPART_INVALID_HEADER" "a part with a malformed field";
    TOO_MANY_WARNINGS "TOO_MANY_WARNINGS" "so many anomalies in one flow that no more are told";
    FAILED_PROTOCOL_CHANGE "FAILED_PROTOCOL_CHANGE" "another protocol was announced where none can follow";
}
