//! What an SMTP record can carry, what rules can look into, and what can be wrong.

/// Fields of `smtp` and `email`.
pub mod field {
    parse::fields! {
        /// The envelope.
        SMTP: Object("", "smtp") "one hand-over of a message: its envelope";
        /// Who calls.
        HELO: Text("smtp.", "helo") "name by which the client introduced itself";
        /// Return path.
        MAIL_FROM: Text("smtp.", "mail_from") "where the message comes from, as the envelope says";
        /// Recipients.
        RCPT_TO: List("smtp.", "rcpt_to") "recipients, as the envelope says";
        /// The message.
        EMAIL: Object("", "email") "the message itself";
        /// From.
        FROM: Text("email.", "from") "who wrote it, as its header says";
        /// To.
        TO: List("email.", "to") "to whom, as its header says";
        /// Copies.
        CC: List("email.", "cc") "to whom else, as its header says";
        /// State.
        STATUS: Text("email.", "status") "how far it was read";
        /// Attachments.
        ATTACHMENT: List("email.", "attachment") "names of its attachments";
        /// URLs.
        URL: List("email.", "url") "URLs in its texts, without their scheme";
    }
}

/// Phases of a transaction, by side.
pub mod phase {
    /// Names, client.
    pub const CLIENT: &[&str] = &["envelope", "complete"];
    /// Names, server.
    pub const SERVER: &[&str] = &["reply", "complete"];
    /// The envelope is complete: the message begins.
    pub const ENVELOPE: u8 = 0;
    /// Nothing of it will follow.
    pub const COMPLETE: u8 = 1;
}

/// Named buffers that rules look into.
pub mod buffer {
    use super::phase;
    use parse::{Buffer, Feed, Side};

    const ENVELOPE: &[(Side, u8)] = &[(Side::ToServer, phase::ENVELOPE)];
    const COMPLETE: &[(Side, u8)] = &[(Side::ToServer, phase::COMPLETE)];

    const fn one(name: &'static str, ready: &'static [(Side, u8)], text: &'static str) -> Buffer {
        Buffer { name, feed: Feed::Final, many: false, ready, text }
    }

    const fn many(name: &'static str, ready: &'static [(Side, u8)], text: &'static str) -> Buffer {
        Buffer { name, feed: Feed::Final, many: true, ready, text }
    }

    /// Who calls.
    pub static HELO: Buffer = one("smtp.helo", ENVELOPE, "name by which the client introduced itself");
    /// Return path.
    pub static MAIL_FROM: Buffer = one("smtp.mail_from", ENVELOPE, "where the message comes from");
    /// Recipients.
    pub static RCPT_TO: Buffer = many("smtp.rcpt_to", ENVELOPE, "each recipient");
    /// From.
    pub static FROM: Buffer = one("email.from", COMPLETE, "the field From");
    /// To.
    pub static TO: Buffer = one("email.to", COMPLETE, "the field To");
    /// Copies.
    pub static CC: Buffer = one("email.cc", COMPLETE, "the field Cc");
    /// Subject.
    pub static SUBJECT: Buffer = one("email.subject", COMPLETE, "the field Subject");
    /// Date.
    pub static DATE: Buffer = one("email.date", COMPLETE, "the field Date");
    /// Message id.
    pub static MESSAGE_ID: Buffer = one("email.message_id", COMPLETE, "the field Message-ID");
    /// Program.
    pub static X_MAILER: Buffer = one("email.x_mailer", COMPLETE, "the field X-Mailer");
    /// URLs.
    pub static URL: Buffer = many("email.url", COMPLETE, "each URL in its texts");
    /// Attachments.
    pub static FILE_DATA: Buffer = Buffer {
        name: "file.data",
        feed: Feed::Stream,
        many: false,
        ready: COMPLETE,
        text: "content of the attachment at hand, decoded",
    };
    /// All of them.
    pub static ALL: &[&Buffer] = &[
        &HELO,
        &MAIL_FROM,
        &RCPT_TO,
        &FROM,
        &TO,
        &CC,
        &SUBJECT,
        &DATE,
        &MESSAGE_ID,
        &X_MAILER,
        &URL,
        &FILE_DATA,
    ];
}

/// Protocol data units.
pub mod frame {
    use parse::FrameKind;

    /// A command.
    pub static COMMAND: FrameKind =
        FrameKind { name: "smtp.command_line", text: "one line of the client, with its end" };
    /// A reply.
    pub static RESPONSE: FrameKind =
        FrameKind { name: "smtp.response_line", text: "one line of the server, with its end" };
    /// A message.
    pub static DATA: FrameKind = FrameKind { name: "smtp.data", text: "the message behind DATA or BDAT" };
    /// All of them.
    pub static ALL: &[&FrameKind] = &[&COMMAND, &RESPONSE, &DATA];
}

/// What a conforming peer would not have sent.
pub mod anomaly {
    use parse::Anomaly;

    macro_rules! anomalies {
        ($($name:ident $text:literal;)*) => {
            $(#[doc = $text] pub static $name: Anomaly = Anomaly { name: stringify!($name), text: $text };)*
        };
    }

    anomalies! {
        INVALID_REPLY "a reply without a code, or a first one that is no welcome";
        INVALID_PIPELINED_SEQUENCE "a command behind one whose answer has to be awaited";
        TRUNCATED_LINE "a line longer than is read";
        NO_SERVER_WELCOME_MESSAGE "a command before the server has said anything";
        TLS_REJECTED "the server refuses STARTTLS";
        DATA_COMMAND_REJECTED "the server refuses DATA";
        FAILED_PROTOCOL_CHANGE "commands behind STARTTLS that was accepted";
        DUPLICATE_FIELDS "a second HELO of a session, or a second MAIL FROM of an envelope";
        UNPARSABLE_CONTENT "DATA once more, and no end of the message before";
        INVALID_BDAT "BDAT without a readable length, or with another word than LAST";
    }

    use crate::message::anomaly as m;

    /// All of them, those of messages included.
    pub static ALL: &[&Anomaly] = &[
        &INVALID_REPLY,
        &INVALID_PIPELINED_SEQUENCE,
        &TRUNCATED_LINE,
        &NO_SERVER_WELCOME_MESSAGE,
        &TLS_REJECTED,
        &DATA_COMMAND_REJECTED,
        &FAILED_PROTOCOL_CHANGE,
        &DUPLICATE_FIELDS,
        &UNPARSABLE_CONTENT,
        &INVALID_BDAT,
        &m::MIME_INVALID_BASE64,
        &m::MIME_INVALID_QP,
        &m::MIME_LONG_LINE,
        &m::MIME_LONG_ENC_LINE,
        &m::MIME_LONG_HEADER_NAME,
        &m::MIME_LONG_HEADER_VALUE,
        &m::MIME_LONG_BOUNDARY,
        &m::MIME_LONG_FILENAME,
        &m::MIME_MALFORMED_MSG,
    ];
}
