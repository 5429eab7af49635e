//! What a QUIC record can carry, what rules can look into, and what can be wrong.

/// Fields of `quic`.
pub mod field {
    parse::fields! {
        /// Everything about one packet with a readable header.
        QUIC: Object("", "quic") "one QUIC packet of a handshake";
        /// Version.
        VERSION: Text("quic.", "version") "version: a name up to Q046, else a hexadecimal number", element(8057, 892);
        /// Server name.
        SNI: Text("quic.", "sni") "server name that the client asks for", element(8057, 890);
        /// User agent.
        UA: Text("quic.", "ua") "name that the client gives itself", element(8057, 891);
        /// CYU fingerprints.
        CYU: List("quic.", "cyu") "fingerprints of a client hello before TLS";
        /// MD5 of the string.
        CYU_HASH: Text("quic.cyu.", "hash") "MD5 of the CYU string";
        /// Version and tags.
        CYU_STRING: Text("quic.cyu.", "string") "CYU string: version and tags";
        /// JA3.
        JA3: Object("quic.", "ja3") "JA3 of the client hello";
        /// MD5 of the string.
        JA3_HASH: Text("quic.ja3.", "hash") "MD5 of the JA3 string";
        /// Its string.
        JA3_STRING: Text("quic.ja3.", "string") "JA3 string";
        /// JA3S.
        JA3S: Object("quic.", "ja3s") "JA3S of the server hello";
        /// MD5 of the string.
        JA3S_HASH: Text("quic.ja3s.", "hash") "MD5 of the JA3S string";
        /// Its string.
        JA3S_STRING: Text("quic.ja3s.", "string") "JA3S string";
        /// JA4.
        JA4: Text("quic.", "ja4") "JA4 of the client hello";
        /// TLS extensions.
        EXTENSIONS: List("quic.", "extensions") "TLS extensions of the hello, in order";
        /// Its name.
        EXTENSION_NAME: Text("quic.extensions.", "name") "name of the extension, where it has one";
        /// Its number.
        EXTENSION_TYPE: Number("quic.extensions.", "type") "number of the extension";
        /// Its values.
        EXTENSION_VALUES: List("quic.extensions.", "values") "server names or application protocols in it";
    }
}

/// Buffers.
pub mod buffer {
    use parse::Side::{ToClient, ToServer};
    use parse::{Buffer, Feed, Side};

    use crate::quic::COMPLETE;

    const fn of(name: &'static str, ready: &'static [(Side, u8)], many: bool, text: &'static str) -> Buffer {
        Buffer { name, feed: Feed::Final, many, ready, text }
    }

    const CLIENT: &[(Side, u8)] = &[(ToServer, COMPLETE)];
    const SERVER: &[(Side, u8)] = &[(ToClient, COMPLETE)];
    const BOTH: &[(Side, u8)] = &[(ToServer, COMPLETE), (ToClient, COMPLETE)];

    /// Server name.
    pub static SNI: Buffer = of("quic.sni", CLIENT, false, "server name that the client asks for");
    /// User agent.
    pub static UA: Buffer = of("quic.ua", CLIENT, false, "name that the client gives itself");
    /// Version.
    pub static VERSION: Buffer = of("quic.version", BOTH, false, "version, four bytes as sent");
    /// CYU.
    pub static CYU_HASH: Buffer = of("quic.cyu.hash", CLIENT, true, "MD5 of the CYU string");
    /// CYU string.
    pub static CYU_STRING: Buffer = of("quic.cyu.string", CLIENT, true, "CYU string");
    /// JA3.
    pub static JA3_HASH: Buffer = of("ja3.hash", CLIENT, false, "MD5 of the JA3 string");
    /// JA3 string.
    pub static JA3_STRING: Buffer = of("ja3.string", CLIENT, false, "JA3 string");
    /// JA3S.
    pub static JA3S_HASH: Buffer = of("ja3s.hash", SERVER, false, "MD5 of the JA3S string");
    /// JA3S string.
    pub static JA3S_STRING: Buffer = of("ja3s.string", SERVER, false, "JA3S string");
    /// JA4.
    pub static JA4_HASH: Buffer = of("ja4.hash", CLIENT, false, "JA4 of the client hello");

    /// All of them.
    pub static ALL: &[&Buffer] = &[
        &SNI,
        &UA,
        &VERSION,
        &CYU_HASH,
        &CYU_STRING,
        &JA3_HASH,
        &JA3_STRING,
        &JA3S_HASH,
        &JA3S_STRING,
        &JA4_HASH,
    ];
}

/// Anomalies.
pub mod anomaly {
    use parse::Anomaly;

    /// Keys that should have opened a packet did not.
    pub static FAILED_DECRYPT: Anomaly = Anomaly {
        name: "FAILED_DECRYPT",
        text: "an Initial packet could not be opened with the keys of its connection",
    };
    /// An opened packet could not be read.
    pub static ERROR_ON_DATA: Anomaly = Anomaly {
        name: "ERROR_ON_DATA",
        text: "an Initial packet holds a frame or a handshake message that is malformed",
    };
    /// A header could not be read.
    pub static ERROR_ON_HEADER: Anomaly =
        Anomaly { name: "ERROR_ON_HEADER", text: "a long header is malformed or cut short" };
    /// Too much of a hello.
    pub static CRYPTO_FRAG_TOO_LONG: Anomaly = Anomaly {
        name: "CRYPTO_FRAG_TOO_LONG",
        text: "a hello is longer or in more pieces than is put together",
    };

    /// All of them.
    pub static ALL: &[&Anomaly] = &[&FAILED_DECRYPT, &ERROR_ON_DATA, &ERROR_ON_HEADER, &CRYPTO_FRAG_TOO_LONG];
}
