//! The listener: what a parser says of one flow becomes events.

use crate::files::{Files, Finished};
use crate::out::{Out, Place};
use crate::ranges::Ranges;
use crate::record;
use crate::who::Who;
use crate::worker::WorkerSettings;
use event::schema;
use parse::{
    Anomaly, Buffer, FileEnd, FileEvent, Frame, Piece, Protocol, Record, Side, Sink, Transaction,
    Visitor as _,
};

/// Longest host name that recognition is told of.
const HOST: usize = 255;

/// Listens to one flow's parser for the length of one call.
pub(crate) struct Listener<'a> {
    pub(crate) settings: &'a WorkerSettings,
    pub(crate) who: &'a Who,
    pub(crate) place: &'a mut Place,
    pub(crate) files: &'a mut Files,
    pub(crate) ranges: &'a mut Ranges,
    pub(crate) out: &'a mut Out,
    /// The protocol whose parser speaks, when it is known before the call.
    pub(crate) protocol: Option<&'static Protocol>,
    /// The first host name heard, for the service.
    pub(crate) host: &'a mut Vec<u8>,
    /// Counts anomalies for the summary.
    pub(crate) anomalies: &'a mut record::AnomalyCounts,
}

impl Listener<'_> {
    fn name(&self) -> &'static str {
        self.protocol.map_or("", |p| p.name)
    }

    fn file_ended(&mut self, tx: &dyn Transaction, side: Side, done: &Finished) {
        if !self.settings.events.fileinfo {
            return;
        }
        let from = self.out.batch.tape.mark();
        let tape = &mut self.out.batch.tape;
        tx.fields(tape);
        record::fileinfo(tape, tx.id(), done);
        let mut header = self.who.header("fileinfo", side, self.place);
        header.app_proto = self.name();
        let key = self.place.next();
        self.out.push(key, header, from);
    }
}

impl Listener<'_> {
    fn tell(&mut self, tx: Option<u64>, side: Side, what: &'static Anomaly, layer: &'static str) {
        self.anomalies.count(what.name);
        if !self.settings.events.anomaly_applayer {
            return;
        }
        use schema::anomaly as f;
        let from = self.out.batch.tape.mark();
        let app_proto = self.name();
        let tape = &mut self.out.batch.tape;
        tape.object(&f::ANOMALY);
        if !app_proto.is_empty() {
            tape.word(&f::APP_PROTO, app_proto);
        }
        tape.word(&f::KIND, "applayer");
        if layer == "proto_parser" {
            record::anomaly_name(tape, &f::EVENT, app_proto, what.name);
        } else {
            tape.word(&f::EVENT, what.name);
        }
        tape.word(&f::LAYER, layer);
        tape.close();
        // As in Suricata it comes from whoever sent the packet that it was found at, which may have acknowledged the data.
        let mut header = self.who.header("anomaly", self.place.sender.unwrap_or(side), self.place);
        header.tx = tx;
        let key = self.place.next();
        self.out.push_kind(key, header, "applayer", from);
    }
}

impl Sink for Listener<'_> {
    fn speaks(&mut self, protocol: &'static Protocol) {
        self.protocol = Some(protocol);
    }

    fn progress(&mut self, _tx: &dyn Transaction, _side: Side, _phase: u8) {}

    fn stream(&mut self, _tx: &dyn Transaction, _buffer: &'static Buffer, _piece: Piece<'_>) {}

    fn frame(&mut self, _frame: Frame) {}

    fn file(&mut self, tx: &dyn Transaction, side: Side, event: FileEvent<'_>) {
        let (settings, store) = (&self.settings.files, &self.settings.store);
        let Some(done) = self.files.take(settings, store, self.ranges, tx.id(), side, event) else { return };
        let whole = match done.file.part {
            Some(part) if done.end == FileEnd::Closed => {
                self.ranges.join(part, self.who.server(), &done.file, settings, store)
            }
            Some(part) => {
                self.ranges.drop(part);
                None
            }
            None => None,
        };
        self.file_ended(tx, side, &done);
        if let Some(whole) = whole {
            self.file_ended(tx, side, &whole);
        }
    }

    fn anomaly(&mut self, tx: Option<&dyn Transaction>, side: Side, what: &'static Anomaly) {
        self.tell(tx.map(Transaction::id), side, what, "proto_parser");
    }

    fn recognition(&mut self, side: Side, what: &'static Anomaly) {
        self.tell(None, side, what, "proto_detect");
    }

    fn record(&mut self, tx: &dyn Transaction, side: Side, record: &'static Record) {
        if self.settings.events.without.iter().any(|t| t == record.event_type) {
            return;
        }
        let from = self.out.batch.tape.mark();
        tx.fields(&mut self.out.batch.tape);
        let mut header = self.who.header(record.event_type, side, self.place);
        header.tx = Some(tx.id());
        let key = self.place.next();
        self.out.push(key, header, from);
    }

    fn host(&mut self, name: &[u8]) {
        if self.host.is_empty() && name.len() <= HOST {
            self.host.extend_from_slice(name);
        }
    }
}
