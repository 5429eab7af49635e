//! What events and rules see: fields, buffers, phases, frames, anomalies, each said once.

/// Fields of a record, for EVE and for flow export alike.
pub mod field {
    crate::fields! {
        /// The record.
        TEMPLATE: Object("", "template") "one ping and its answer";
        /// Number.
        NUMBER: Number("template.", "number") "number that question and answer share", element(0, 245);
        /// Name, decoded.
        NAME: Text("template.", "name") "name that the question asks for, percent-decoded";
        /// Tags.
        TAGS: List("template.", "tags") "tags of the question";
        /// Bytes of the body.
        LENGTH: Number("template.", "length") "bytes of the body";
        /// Status.
        STATUS: Text("template.", "status") "name of the answer's status";
        /// Status as a number; flow export takes this one.
        STATUS_CODE: Number("template.", "status_code") "the answer's status, as sent", element(0, 253);
    }
}

/// Named buffers that rules look into.
pub mod buffer {
    use super::phase;
    use crate::{Buffer, Feed, Side};

    /// Normalised.
    pub static NAME: Buffer = Buffer {
        name: "template.name",
        feed: Feed::Final,
        many: false,
        ready: &[(Side::ToServer, phase::LINE)],
        text: "name, percent-decoded",
    };
    /// As sent.
    pub static NAME_RAW: Buffer = Buffer {
        name: "template.name.raw",
        feed: Feed::Final,
        many: false,
        ready: &[(Side::ToServer, phase::LINE)],
        text: "name as it was sent",
    };
    /// Several of them.
    pub static TAG: Buffer = Buffer {
        name: "template.tag",
        feed: Feed::Final,
        many: true,
        ready: &[(Side::ToServer, phase::LINE)],
        text: "each tag",
    };
    /// In pieces.
    pub static BODY: Buffer = Buffer {
        name: "template.body",
        feed: Feed::Stream,
        many: false,
        ready: &[(Side::ToServer, phase::BODY)],
        text: "body of the question, in pieces",
    };

    /// All of them.
    pub static ALL: &[&Buffer] = &[&NAME, &NAME_RAW, &TAG, &BODY];
}

/// Phases of a transaction, by side.
pub mod phase {
    /// The client's line was read.
    pub const LINE: u8 = 0;
    /// The client's body is complete.
    pub const BODY: u8 = 1;
    /// The server's line was read.
    pub const ANSWER: u8 = 0;

    /// Names, client.
    pub const CLIENT: &[&str] = &["line", "body"];
    /// Names, server.
    pub const SERVER: &[&str] = &["answer"];
}

/// Protocol data units.
pub mod frame {
    use crate::FrameKind;

    /// A line with its end.
    pub static LINE: FrameKind = FrameKind { name: "template.line", text: "one line with its end" };
    /// A body.
    pub static BODY: FrameKind = FrameKind { name: "template.body", text: "the body behind a question" };

    /// All of them.
    pub static ALL: &[&FrameKind] = &[&LINE, &BODY];
}

/// What a conforming peer would not have sent.
pub mod anomaly {
    use crate::Anomaly;

    /// Not a line of ours.
    pub static BAD_LINE: Anomaly =
        Anomaly { name: "BAD_LINE", text: "a line that the protocol does not have, or not from this side" };
    /// No end within the limit.
    pub static LINE_TOO_LONG: Anomaly =
        Anomaly { name: "LINE_TOO_LONG", text: "no end of a line within the limit" };
    /// Nobody asked.
    pub static UNEXPECTED_ANSWER: Anomaly =
        Anomaly { name: "UNEXPECTED_ANSWER", text: "an answer to a question that was not seen" };
    /// The oldest question was given up.
    pub static TOO_MANY_OPEN: Anomaly = Anomaly {
        name: "TOO_MANY_OPEN",
        text: "more open questions than the limit; the oldest was recorded",
    };

    /// All of them.
    pub static ALL: &[&Anomaly] = &[&BAD_LINE, &LINE_TOO_LONG, &UNEXPECTED_ANSWER, &TOO_MANY_OPEN];
}
