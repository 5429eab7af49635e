use super::{Line, PROTOCOL, Status, field, wire};
use crate::*;
use std::net::IpAddr;

/// Writes down what it is told. Pieces of one buffer or file that follow each other become one line.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
}

impl Told {
    fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Adds to the last line that begins like this, or begins it.
    fn add(&mut self, beginning: &str, data: &[u8]) {
        let text = String::from_utf8_lossy(data);
        match self.lines.iter_mut().rev().find(|line| line.starts_with(beginning)) {
            Some(line) => line.push_str(&text),
            None => self.lines.push(format!("{beginning}{text}")),
        }
    }

    fn has(&self, line: &str) -> bool {
        self.lines.iter().any(|l| l == line)
    }
}

impl Sink for Told {
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
        let name = PROTOCOL.phases[side.index()][usize::from(phase)];
        let ready = |b: &&&'static Buffer| b.feed == Feed::Final && b.ready.contains(&(side, phase));
        let mut line = format!("{} {name}", tx.id());
        for buffer in PROTOCOL.buffers.iter().filter(ready) {
            for value in (0..).map_while(|i| tx.buffer(buffer, side, i)) {
                line += &format!(" {}={}", buffer.name, String::from_utf8_lossy(value));
            }
        }
        self.say(line);
    }

    fn stream(&mut self, tx: &dyn Transaction, buffer: &'static Buffer, piece: Piece<'_>) {
        assert!(PROTOCOL.buffers.contains(&buffer));
        self.add(&format!("{} {}: ", tx.id(), buffer.name), piece.data);
        if piece.last {
            self.say(format!("{} {} ends", tx.id(), buffer.name));
        }
    }

    fn frame(&mut self, frame: Frame) {
        assert!(PROTOCOL.frames.contains(&frame.kind));
        self.say(format!("{} at {} {:?}", frame.kind.name, frame.offset, frame.len));
    }

    fn file(&mut self, tx: &dyn Transaction, _side: Side, event: FileEvent<'_>) {
        match event {
            FileEvent::Open { name, .. } => self.say(format!("file {}", String::from_utf8_lossy(name))),
            FileEvent::Data(data) => self.add(&format!("{} file data: ", tx.id()), data),
            FileEvent::Gap(n) => self.say(format!("file gap {n}")),
            FileEvent::Close(end) => self.say(format!("file {end:?}")),
        }
    }

    fn anomaly(&mut self, tx: Option<&dyn Transaction>, _side: Side, what: &'static Anomaly) {
        assert!(PROTOCOL.anomalies.contains(&what));
        self.say(format!("{} {:?}", what.name, tx.map(|tx| tx.id())));
    }

    fn record(&mut self, tx: &dyn Transaction, _side: Side, record: &'static Record) {
        let mut shown = Shown::default();
        tx.fields(&mut shown);
        self.say(format!("{}: {}", record.event_type, shown.text));
    }

    fn carries(&mut self, tx: &dyn Transaction, _side: Side, inner: Inner<'_>) {
        self.say(format!("{} carries {} {:?}", tx.id(), inner.protocol, inner.data));
    }

    fn host(&mut self, name: &[u8]) {
        self.say(format!("host {}", String::from_utf8_lossy(name)));
    }
}

/// Fields as text.
#[derive(Default)]
struct Shown {
    text: String,
    depth: i32,
}

impl Shown {
    fn put(&mut self, field: &'static Field, value: &str) {
        assert!(
            PROTOCOL.fields.iter().any(|f| std::ptr::eq(*f, field)),
            "{} is in the catalogue",
            field.path
        );
        self.text += &format!("{}={value} ", field.path.trim_start_matches("template."));
    }
}

impl Visitor for Shown {
    fn object(&mut self, field: &'static Field) {
        assert_eq!((field.kind, self.depth), (Kind::Object, 0));
        self.depth += 1;
    }
    fn list(&mut self, field: &'static Field) {
        assert_eq!(field.kind, Kind::List);
        self.depth += 1;
    }
    fn item(&mut self) {
        self.depth += 1;
    }
    fn close(&mut self) {
        self.depth -= 1;
    }
    fn text(&mut self, field: &'static Field, value: &[u8]) {
        self.put(field, &String::from_utf8_lossy(value));
    }
    fn word(&mut self, field: &'static Field, value: &'static str) {
        self.put(field, value);
    }
    fn number(&mut self, field: &'static Field, value: u64) {
        self.put(field, &value.to_string());
    }
    fn signed(&mut self, field: &'static Field, value: i64) {
        self.put(field, &value.to_string());
    }
    fn flag(&mut self, field: &'static Field, value: bool) {
        self.put(field, &value.to_string());
    }
    fn address(&mut self, field: &'static Field, value: IpAddr) {
        self.put(field, &value.to_string());
    }
    fn time(&mut self, field: &'static Field, micros: i64) {
        self.put(field, &micros.to_string());
    }
    fn hex(&mut self, field: &'static Field, value: &[u8], _separator: &'static str) {
        self.put(field, &format!("{value:x?}"));
    }
}

/// A flow as the engine keeps it: bytes that were not eaten are shown again, skipped ones are not.
struct Flow {
    parser: Box<dyn Parser>,
    told: Told,
    waiting: [Vec<u8>; 2],
    offset: [u64; 2],
    skip: [u64; 2],
}

impl Flow {
    fn new(settings: &Settings, transport: Transport) -> Self {
        let mut parser = PROTOCOL.open.expect("a parser")(settings);
        parser.carried(transport);
        Self { parser, told: Told::default(), waiting: Default::default(), offset: [0; 2], skip: [0; 2] }
    }

    fn tcp() -> Self {
        Self::new(&Settings::default(), Transport::Tcp)
    }

    fn give(&mut self, side: Side, bytes: &[u8]) -> Step {
        let at = side.index();
        let passed = bytes.len().min(self.skip[at] as usize);
        self.skip[at] -= passed as u64;
        self.offset[at] += passed as u64;
        self.waiting[at].extend_from_slice(&bytes[passed..]);
        let data = self.waiting[at].clone();
        let input = Input { side, data: &data, offset: self.offset[at], micros: 0, last: false };
        let step = self.parser.feed(input, &mut self.told);
        let eaten = match step {
            Step::All => data.len(),
            Step::Wait { eaten, want } => {
                assert!(want > data.len() - eaten, "it must ask for more than there is");
                eaten
            }
            Step::Skip(n) => {
                self.skip[at] = n;
                data.len()
            }
            Step::Switch { eaten, .. } => eaten,
            Step::Done(_) | Step::Fail => data.len(),
        };
        self.waiting[at].drain(..eaten);
        self.offset[at] += eaten as u64;
        step
    }

    fn client(&mut self, bytes: &[u8]) -> Step {
        self.give(Side::ToServer, bytes)
    }

    fn server(&mut self, bytes: &[u8]) -> Step {
        self.give(Side::ToClient, bytes)
    }

    fn close(&mut self) -> &Told {
        self.parser.close(Close::Ended, &mut self.told);
        &self.told
    }
}

const TALK: &[(Side, &[u8])] = &[
    (Side::ToServer, b"PING 7 caf%C3%A9 5 blue,red\r\nhello"),
    (Side::ToClient, b"PONG 7 0\n"),
    (Side::ToServer, b"PING 8 plain 0\n"),
    (Side::ToClient, b"PONG 8 900\n"),
];

#[test]
fn a_talk_becomes_buffers_frames_a_file_and_records() {
    let mut flow = Flow::tcp();
    for (side, bytes) in TALK {
        assert_eq!(flow.give(*side, bytes), Step::All);
    }
    let lines = &flow.close().lines;
    let want = [
        "template.line at 0 Some(29)",
        "host café",
        "0 line template.name=café template.name.raw=caf%C3%A9 template.tag=blue template.tag=red",
        "file café",
        "template.body at 29 Some(5)",
        "0 file data: hello",
        "0 template.body: hello",
        "0 template.body ends",
        "file Closed",
        "0 body",
        "template.line at 0 Some(9)",
        "0 answer",
        "template: number=7 name=café tags=blue tags=red length=5 status=ok ",
        "template.line at 34 Some(15)",
        "host plain",
        "1 line template.name=plain template.name.raw=plain",
        "1 body",
        "template.line at 9 Some(11)",
        "1 answer",
        "template: number=8 name=plain length=0 status=unknown ",
    ];
    assert_eq!(*lines, want);
    assert_eq!(flow.parser.transactions(), 2);
}

#[test]
fn bytes_one_by_one_say_the_same() {
    let mut whole = Flow::tcp();
    let mut pieces = Flow::tcp();
    for (side, bytes) in TALK {
        whole.give(*side, bytes);
        for byte in *bytes {
            pieces.give(*side, &[*byte]);
        }
    }
    assert_eq!(pieces.close().lines, whole.close().lines);
}

#[test]
fn a_datagram_needs_no_end_of_line() {
    let mut flow = Flow::new(&Settings::default(), Transport::Udp);
    assert_eq!(flow.client(b"PING 1 x 0"), Step::All);
    assert!(flow.told.has("0 line template.name=x template.name.raw=x"));
}

#[test]
fn a_gap_in_a_body_keeps_the_place() {
    let mut flow = Flow::tcp();
    flow.client(b"PING 1 x 10\nabc");
    assert_eq!(flow.parser.gap(Side::ToServer, 4, &mut flow.told), Step::All);
    flow.client(b"hijPING 2 y 0\n");
    let told = flow.close();
    assert!(told.has("file gap 4") && told.has("file Closed"), "{:?}", told.lines);
    assert!(told.has("1 line template.name=y template.name.raw=y"));
}

#[test]
fn a_gap_over_lines_finds_the_next_one() {
    let mut flow = Flow::tcp();
    flow.client(b"PING 1 x 3\na");
    flow.parser.gap(Side::ToServer, 40, &mut flow.told);
    assert!(flow.told.has("file Truncated"));
    assert_eq!(flow.client(b"st of a line\nPING 2 y 0\n"), Step::All);
    assert!(flow.close().has("1 line template.name=y template.name.raw=y"));
}

#[test]
fn a_body_over_the_limit_is_cut_and_its_rest_never_stored() {
    let mut flow = Flow::new(&Settings { body: 4, ..Settings::default() }, Transport::Tcp);
    assert_eq!(flow.client(b"PING 1 x 1000000\nabcdef"), Step::Skip(999_994));
    let told = &flow.told;
    assert!(told.has("0 file data: abcd") && told.has("file Truncated"), "{:?}", told.lines);
    flow.skip[0] = 0;
    flow.offset[0] += 999_994;
    assert_eq!(flow.client(b"PING 2 y 0\n"), Step::All);
    assert!(flow.told.has("template.line at 1000017 Some(11)"), "{:?}", flow.told.lines);
}

#[test]
fn an_answer_may_overtake_the_body() {
    let mut flow = Flow::tcp();
    flow.client(b"PING 1 x 4\nab");
    flow.server(b"PONG 1 2\n");
    assert!(!flow.told.lines.iter().any(|l| l.starts_with("template: ")));
    flow.client(b"cd");
    assert!(flow.told.has("template: number=1 name=x length=4 status=busy "));
}

#[test]
fn anomalies_are_raised() {
    let mut flow = Flow::new(&Settings { transactions: 1, line: 32, ..Settings::default() }, Transport::Tcp);
    assert_eq!(flow.client(b"PING x\n"), Step::All);
    flow.server(b"PONG 5 0\nPING 1 a 9\n");
    flow.client(b"PING 1 a 0\nPING 2 b 0\n");
    assert_eq!(flow.client(&[b'x'; 32]), Step::Fail);
    let told = &flow.told;
    for line in ["BAD_LINE None", "UNEXPECTED_ANSWER None", "TOO_MANY_OPEN Some(0)", "LINE_TOO_LONG None"] {
        assert!(told.has(line), "{line}: {:?}", told.lines);
    }
}

#[test]
fn switching_and_leaving_end_the_parser() {
    let mut flow = Flow::tcp();
    assert_eq!(flow.client(b"SWITCH http\nGET / "), Step::Switch { eaten: 12, to: Some("http") });
    assert_eq!(Flow::tcp().client(b"SWITCH other\n"), Step::Switch { eaten: 13, to: None });
    assert_eq!(Flow::tcp().client(b"BYE\n"), Step::Done(Done::Finished));
}

#[test]
fn what_was_said_before_a_switch_is_left_to_the_next_parser() {
    let mut first = Flow::tcp();
    first.client(b"PING 1 caf%C3%A9 0\nSWITCH other\n");
    let left = first.parser.bequest().expect("a bequest");
    let mut second = Flow::tcp();
    second.parser.inherit(&left, &mut second.told);
    assert!(second.told.has("host café"));
    assert!(Flow::tcp().parser.bequest().is_none());
}

#[test]
fn a_message_of_another_protocol_is_passed_on_whole() {
    let mut flow = Flow::tcp();
    flow.client(b"PING 1 x 2 dns\n\x01\x02PING 2 x 2 dns\n\x01");
    flow.client(b"\x02");
    assert!(flow.told.has("0 carries dns [1, 2]"));
    assert!(!flow.told.lines.iter().any(|l| l.starts_with("1 carries")));
}

#[test]
fn what_is_open_at_the_end_is_recorded() {
    let mut flow = Flow::tcp();
    flow.client(b"PING 1 a 0\nPING 2 b 9\nxy");
    let told = flow.close();
    assert!(told.has("template: number=1 name=a length=0 "));
    assert!(told.has("file Truncated") && told.has("template: number=2 name=b length=9 "));
}

#[test]
fn memory_is_bounded_whatever_is_sent() {
    let settings = Settings { transactions: 8, line: 64, ..Settings::default() };
    let mut flow = Flow::new(&settings, Transport::Tcp);
    for n in 0..1000 {
        flow.client(format!("PING {n} {} 0\n", "%41".repeat(10)).as_bytes());
        assert!(flow.parser.held() < 8 * 64 * 4 + 16 * 256, "{}", flow.parser.held());
    }
}

#[test]
fn lines_are_read_as_they_are_written() {
    let lines = [
        Line::Ping { number: 7, name: b"a%20b", length: 12, tags: b"x,y" },
        Line::Ping { number: u32::MAX, name: b"n", length: u64::MAX, tags: b"" },
        Line::Pong { number: 1, status: Status(65535) },
        Line::Switch { to: b"tls" },
        Line::Bye,
    ];
    for line in lines {
        let bytes = line.write();
        assert_eq!(Line::read(&bytes[..bytes.len() - 1]), Some(line));
    }
    for bad in [
        &b"PING"[..],
        b"PING 1 a",
        b"PING -1 a 0",
        b"PING +1 a 0",
        b"PONG 1 70000",
        b"BYE now",
        b"",
        b"ping 1 a 0",
    ] {
        assert_eq!(Line::read(bad), None, "{}", String::from_utf8_lossy(bad));
    }
}

#[test]
fn a_broken_encoding_stays_as_it_is() {
    for (raw, want) in [("%41%4", "A%4"), ("%zz%", "%zz%"), ("%%41", "%A")] {
        assert_eq!(wire::decode(raw.as_bytes()), want.as_bytes());
    }
}

#[test]
fn a_probe_knows_sides_and_waits_for_whole_words() {
    let ask = |side, data| {
        let ports = (50000, 7777);
        let (transport, packets) = (Transport::Tcp, 1);
        let (client_port, server_port) = ports;
        let look =
            Look { side, data, other: b"", transport, client_port, server_port, packets, midstream: false };
        PROTOCOL.probe.expect("a probe")(&look)
    };
    assert_eq!(ask(Side::ToServer, b"PING 1"), Probe::Yes { swapped: false });
    assert_eq!(ask(Side::ToServer, b"PONG 1"), Probe::Yes { swapped: true });
    assert_eq!(ask(Side::ToServer, b"PI"), Probe::More);
    assert_eq!(ask(Side::ToServer, b"PING x"), Probe::No);
    assert_eq!(ask(Side::ToServer, b"BYE\n"), Probe::Unsure);
    assert_eq!(ask(Side::ToServer, b"GET /"), Probe::No);
}

#[test]
fn flow_export_takes_codes_where_the_event_has_names() {
    struct Codes(Vec<(u16, u64)>);
    impl Sink for Codes {
        fn progress(&mut self, _: &dyn Transaction, _: Side, _: u8) {}
        fn stream(&mut self, _: &dyn Transaction, _: &'static Buffer, _: Piece<'_>) {}
        fn frame(&mut self, _: Frame) {}
        fn file(&mut self, _: &dyn Transaction, _: Side, _: FileEvent<'_>) {}
        fn anomaly(&mut self, _: Option<&dyn Transaction>, _: Side, _: &'static Anomaly) {}
        fn record(&mut self, tx: &dyn Transaction, _: Side, _: &'static Record) {
            let mut shown = Shown::default();
            tx.elements(&mut shown);
            let value = |text: &str| text.split(' ').find_map(|t| t.split_once('=')?.1.parse().ok());
            let ids = [&field::NUMBER, &field::STATUS_CODE].map(|f| f.element.expect("an element").id);
            self.0.push((ids[0], value(&shown.text).expect("the number")));
            assert!(shown.text.contains("status_code=2") && ids[1] == 253);
        }
        fn host(&mut self, _: &[u8]) {}
    }
    let mut parser = PROTOCOL.open.expect("a parser")(&Settings::default());
    let mut codes = Codes(Vec::new());
    for (side, data) in [(Side::ToServer, &b"PING 9 x 0\n"[..]), (Side::ToClient, b"PONG 9 2\n")] {
        parser.feed(Input { side, data, offset: 0, micros: 0, last: false }, &mut codes);
    }
    assert_eq!(codes.0, [(245, 9)]);
}
