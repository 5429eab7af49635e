use parse::{
    Anomaly, Buffer, Feed, Field, FileEvent, Frame, Piece, Protocol, Record, Side, Sink, Transaction, Visitor,
};
use std::net::IpAddr;

/// Asks every transaction for every buffer and every field, and holds the parser to the contract.
#[derive(Debug)]
pub struct Demanding {
    /// Whose buffers; all protocols' when it is not known.
    pub protocol: Option<&'static Protocol>,
    open: [bool; 2],
    shown: u64,
}

impl Demanding {
    /// For one protocol, or any.
    #[must_use]
    pub const fn new(protocol: Option<&'static Protocol>) -> Self {
        Self { protocol, open: [false; 2], shown: 0 }
    }

    fn ask(&mut self, tx: &dyn Transaction) {
        let buffers = self.protocol.map_or(&[][..], |p| p.buffers);
        for buffer in buffers.iter().filter(|b| b.feed == Feed::Final) {
            for side in Side::BOTH {
                let most = if buffer.many { 64 } else { 1 };
                for value in (0..most).map_while(|index| tx.buffer(buffer, side, index)) {
                    self.shown += value.len() as u64;
                }
            }
        }
        let mut depth = Depth(0);
        tx.fields(&mut depth);
        assert_eq!(depth.0, 0, "what is opened is closed");
        tx.elements(&mut depth);
        assert_eq!(depth.0, 0, "what is opened is closed");
    }
}

impl Sink for Demanding {
    fn speaks(&mut self, protocol: &'static Protocol) {
        self.protocol = Some(protocol);
    }
    fn progress(&mut self, tx: &dyn Transaction, _side: Side, _phase: u8) {
        self.ask(tx);
    }
    fn stream(&mut self, _tx: &dyn Transaction, _buffer: &'static Buffer, piece: Piece<'_>) {
        self.shown += piece.data.len() as u64;
    }
    fn frame(&mut self, _frame: Frame) {}
    fn file(&mut self, _tx: &dyn Transaction, side: Side, event: FileEvent<'_>) {
        let open = &mut self.open[side.index()];
        match event {
            FileEvent::Open { .. } => *open = true,
            FileEvent::Data(data) => self.shown += data.len() as u64,
            FileEvent::Gap(_) => {}
            FileEvent::Close(_) => *open = false,
        }
    }
    fn anomaly(&mut self, tx: Option<&dyn Transaction>, _side: Side, _what: &'static Anomaly) {
        if let Some(tx) = tx {
            self.ask(tx);
        }
    }
    fn record(&mut self, tx: &dyn Transaction, _side: Side, _record: &'static Record) {
        self.ask(tx);
    }
    fn host(&mut self, _name: &[u8]) {}
}

/// Counts what is open.
struct Depth(i32);

impl Visitor for Depth {
    fn object(&mut self, _field: &'static Field) {
        self.0 += 1;
    }
    fn list(&mut self, _field: &'static Field) {
        self.0 += 1;
    }
    fn item(&mut self) {
        self.0 += 1;
    }
    fn close(&mut self) {
        self.0 -= 1;
        assert!(self.0 >= 0, "nothing was open");
    }
    fn text(&mut self, _field: &'static Field, _value: &[u8]) {}
    fn word(&mut self, _field: &'static Field, _value: &'static str) {}
    fn number(&mut self, _field: &'static Field, _value: u64) {}
    fn signed(&mut self, _field: &'static Field, _value: i64) {}
    fn flag(&mut self, _field: &'static Field, _value: bool) {}
    fn address(&mut self, _field: &'static Field, _value: IpAddr) {}
    fn time(&mut self, _field: &'static Field, _micros: i64) {}
    fn hex(&mut self, _field: &'static Field, _value: &[u8], _separator: &'static str) {}
}
