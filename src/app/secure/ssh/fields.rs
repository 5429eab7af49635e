//! What an SSH record can carry, what rules can look into, and what can be wrong.

/// Fields of `ssh`.
pub mod field {
    parse::fields! {
        /// Everything about one connection.
        SSH: Object("", "ssh") "an SSH connection up to its encryption";
        /// The client.
        CLIENT: Object("ssh.", "client") "what the client says of itself";
        /// Protocol version of the client.
        CLIENT_PROTO: Text("ssh.client.", "proto_version") "protocol version of the client";
        /// Software of the client.
        CLIENT_SOFTWARE: Text("ssh.client.", "software_version") "software of the client";
        /// HASSH of the client.
        CLIENT_HASSH: Object("ssh.client.", "hassh") "fingerprint of the client's algorithms";
        /// Its hash.
        CLIENT_HASSH_HASH: Text("ssh.client.hassh.", "hash") "MD5 of the HASSH string";
        /// Its string.
        CLIENT_HASSH_STRING: Text("ssh.client.hassh.", "string") "algorithms that the client offers";
        /// The server.
        SERVER: Object("ssh.", "server") "what the server says of itself";
        /// Protocol version of the server.
        SERVER_PROTO: Text("ssh.server.", "proto_version") "protocol version of the server";
        /// Software of the server.
        SERVER_SOFTWARE: Text("ssh.server.", "software_version") "software of the server";
        /// HASSH of the server.
        SERVER_HASSH: Object("ssh.server.", "hassh") "fingerprint of the server's algorithms";
        /// Its hash.
        SERVER_HASSH_HASH: Text("ssh.server.hassh.", "hash") "MD5 of the HASSH string";
        /// Its string.
        SERVER_HASSH_STRING: Text("ssh.server.hassh.", "string") "algorithms that the server offers";
    }
}

/// Phases of a connection, the same on both sides.
pub mod phase {
    /// Names, in order; those that Suricata has are spelt as there.
    pub const NAMES: &[&str] = &["in_progress", "banner_wait_eol", "banner_done", "kex_done", "finished"];
    /// A banner is read, but its line does not end yet.
    pub const BANNER_WAIT_EOL: u8 = 1;
    /// The banner is read.
    pub const BANNER_DONE: u8 = 2;
    /// The algorithms offered are read.
    pub const KEX_DONE: u8 = 3;
    /// What follows is encrypted.
    pub const FINISHED: u8 = 4;
}

/// Buffers.
pub mod buffer {
    use parse::Side::{ToClient, ToServer};
    use parse::{Buffer, Feed, Side};

    use super::phase::{BANNER_DONE, KEX_DONE};

    const fn of(name: &'static str, ready: &'static [(Side, u8)], text: &'static str) -> Buffer {
        Buffer { name, feed: Feed::Final, many: false, ready, text }
    }

    const BANNERS: &[(Side, u8)] = &[(ToServer, BANNER_DONE), (ToClient, BANNER_DONE)];

    /// Protocol version.
    pub static PROTO: Buffer = of("ssh.proto", BANNERS, "protocol version of the banner");
    /// Software version.
    pub static SOFTWARE: Buffer = of("ssh.software", BANNERS, "software of the banner");
    /// HASSH of the client.
    pub static HASSH: Buffer = of("ssh.hassh", &[(ToServer, KEX_DONE)], "MD5 of the client's HASSH string");
    /// Its string.
    pub static HASSH_STRING: Buffer =
        of("ssh.hassh.string", &[(ToServer, KEX_DONE)], "algorithms that the client offers");
    /// HASSH of the server.
    pub static HASSH_SERVER: Buffer =
        of("ssh.hassh.server", &[(ToClient, KEX_DONE)], "MD5 of the server's HASSH string");
    /// Its string.
    pub static HASSH_SERVER_STRING: Buffer =
        of("ssh.hassh.server.string", &[(ToClient, KEX_DONE)], "algorithms that the server offers");

    /// All of them.
    pub static ALL: &[&Buffer] =
        &[&PROTO, &SOFTWARE, &HASSH, &HASSH_STRING, &HASSH_SERVER, &HASSH_SERVER_STRING];
}

/// Frames.
pub mod frame {
    use parse::FrameKind;

    /// Header of a record.
    pub static HEADER: FrameKind =
        FrameKind { name: "ssh.record_hdr", text: "length, padding length and message number of a record" };
    /// The rest of it.
    pub static DATA: FrameKind = FrameKind { name: "ssh.record_data", text: "a record without its header" };
    /// Both.
    pub static PDU: FrameKind = FrameKind { name: "ssh.record_pdu", text: "a whole record" };

    /// All of them.
    pub static ALL: &[&FrameKind] = &[&HEADER, &DATA, &PDU];
}

/// Anomalies.
pub mod anomaly {
    use parse::Anomaly;

    /// A banner that is none.
    pub static INVALID_BANNER: Anomaly =
        Anomaly { name: "INVALID_BANNER", text: "the line that should name the protocol version does not" };
    /// A banner longer than allowed.
    pub static LONG_BANNER: Anomaly = Anomaly {
        name: "LONG_BANNER",
        text: "the line that names the protocol version has more than 255 bytes",
    };
    /// A record that cannot be one.
    pub static INVALID_RECORD: Anomaly =
        Anomaly { name: "INVALID_RECORD", text: "a record too short to have a message number" };
    /// A list of algorithms longer than is read.
    pub static LONG_KEX_RECORD: Anomaly =
        Anomaly { name: "LONG_KEX_RECORD", text: "a key exchange record of 64 KiB or more" };

    /// All of them.
    pub static ALL: &[&Anomaly] = &[&INVALID_BANNER, &LONG_BANNER, &INVALID_RECORD, &LONG_KEX_RECORD];
}
