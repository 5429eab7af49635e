//! What an HTTP record can carry.

parse::fields! {
    /// The whole exchange.
    HTTP: Object("", "http") "one request and its response";
    /// Host.
    HOSTNAME: Text("http.", "hostname") "host from the URI or the Host field, lower case, without the port", element(39499, 1);
    /// Port.
    PORT: Number("http.", "http_port") "port that stands beside the host, if one does";
    /// URI.
    URL: Text("http.", "url") "URI of the request line, as sent", element(39499, 2);
    /// User-Agent.
    USER_AGENT: Text("http.", "http_user_agent") "User-Agent field", element(39499, 20);
    /// X-Forwarded-For.
    XFF: Text("http.", "xff") "X-Forwarded-For field";
    /// Content-Type.
    CONTENT_TYPE: Text("http.", "http_content_type") "Content-Type of the response, without its parameters", element(39499, 10);
    /// Content-Range.
    CONTENT_RANGE: Object("http.", "content_range") "part of the file that the response carries";
    /// As sent.
    RANGE_RAW: Text("http.content_range.", "raw") "Content-Range field, as sent";
    /// First byte.
    RANGE_START: Number("http.content_range.", "start") "first byte";
    /// Last byte.
    RANGE_END: Number("http.content_range.", "end") "last byte";
    /// Size.
    RANGE_SIZE: Number("http.content_range.", "size") "size of the whole file";
    /// Referer.
    REFERER: Text("http.", "http_refer") "Referer field", element(39499, 3);
    /// Method.
    METHOD: Text("http.", "http_method") "method of the request line", element(8057, 200);
    /// Version.
    PROTOCOL: Text("http.", "protocol") "version of the request line";
    /// Status.
    STATUS: Number("http.", "status") "status of the response", element(39499, 12);
    /// Status that is no number.
    STATUS_STRING: Text("http.", "status_string") "status of the response, when it is no valid number";
    /// Location.
    REDIRECT: Text("http.", "redirect") "Location field of the response";
    /// Length.
    LENGTH: Number("http.", "length") "bytes of the response's body as they were sent, framing of chunks included";
    /// Server.
    SERVER: Text("http.", "server") "Server field of the response, in flow export only", element(8057, 201);
    /// Names of cookies.
    COOKIE_NAMES: Text("http.", "cookie_names") "names of the cookies that the response sets, in flow export only", element(8057, 202);
    /// Request fields.
    REQUEST_HEADERS: List("http.", "request_headers") "every field of the request";
    /// Response fields.
    RESPONSE_HEADERS: List("http.", "response_headers") "every field of the response";
    /// Name of a field.
    HEADER_NAME: Text("http.request_headers.", "name") "name of the field";
    /// Value of a field.
    HEADER_VALUE: Text("http.request_headers.", "value") "value of the field";
}
