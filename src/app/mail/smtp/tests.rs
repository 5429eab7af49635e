//! Sessions, whole and in any cut: what is recorded, told and attached.

use super::parser::Smtp;
use super::{PROTOCOL, buffer};
use parse::Side::{ToClient, ToServer};
use parse::{
    Anomaly, Buffer, Close, Field, FileEvent, Frame, Input, Look, Parser, Piece, Probe, Record, Settings,
    Side, Sink, Step, Transaction, Transport, Visitor,
};
use std::net::IpAddr;

/// Everything that was told, a line each.
#[derive(Default)]
struct Seen(Vec<String>);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Sink for Seen {
    fn progress(&mut self, tx: &dyn Transaction, side: Side, phase: u8) {
        self.0.push(format!("progress {} {side:?} {phase}", tx.id()));
    }
    fn stream(&mut self, _tx: &dyn Transaction, _buffer: &'static Buffer, _piece: Piece<'_>) {}
    fn frame(&mut self, frame: Frame) {
        self.0.push(format!("frame {} {} {:?}", frame.kind.name, frame.offset, frame.len));
    }
    fn file(&mut self, tx: &dyn Transaction, _side: Side, event: FileEvent<'_>) {
        let line = match event {
            FileEvent::Open { name, .. } => format!("file {} {}", tx.id(), text(name)),
            FileEvent::Data(data) => match self.0.last_mut().filter(|last| last.starts_with("data ")) {
                Some(last) => return last.push_str(&text(data)),
                None => format!("data {}", text(data)),
            },
            FileEvent::Gap(n) => format!("gap {n}"),
            FileEvent::Close(end) => format!("{end:?}"),
        };
        self.0.push(line);
    }
    fn anomaly(&mut self, tx: Option<&dyn Transaction>, side: Side, what: &'static Anomaly) {
        self.0.push(format!("anomaly {:?} {side:?} {}", tx.map(Transaction::id), what.name));
    }
    fn record(&mut self, tx: &dyn Transaction, side: Side, record: &'static Record) {
        let mut fields = Fields(String::new());
        tx.fields(&mut fields);
        assert_eq!((side, record.event_type), (ToServer, "smtp"));
        self.0.push(format!("record {}{}", tx.id(), fields.0));
    }
    fn host(&mut self, name: &[u8]) {
        self.0.push(format!("host {}", text(name)));
    }
}

struct Fields(String);

impl Visitor for Fields {
    fn object(&mut self, _field: &'static Field) {}
    fn list(&mut self, _field: &'static Field) {}
    fn item(&mut self) {}
    fn close(&mut self) {}
    fn text(&mut self, field: &'static Field, value: &[u8]) {
        self.0.push_str(&format!(" {}={}", field.path, text(value)));
    }
    fn word(&mut self, field: &'static Field, value: &'static str) {
        self.0.push_str(&format!(" {}={value}", field.path));
    }
    fn number(&mut self, _field: &'static Field, _value: u64) {}
    fn signed(&mut self, _field: &'static Field, _value: i64) {}
    fn flag(&mut self, _field: &'static Field, _value: bool) {}
    fn address(&mut self, _field: &'static Field, _value: IpAddr) {}
    fn time(&mut self, _field: &'static Field, _micros: i64) {}
    fn hex(&mut self, _field: &'static Field, _value: &[u8], _separator: &'static str) {}
}

/// Has the turns read in steps of so many bytes; what was told, and the last step.
fn talk_by(turns: &[(Side, &str)], by: usize) -> (Vec<String>, Step) {
    let (mut parser, mut seen) = (Smtp::new(&Settings::default()), Seen::default());
    let (mut waiting, mut offset) = ([Vec::new(), Vec::new()], [0u64; 2]);
    let mut last = Step::All;
    for (side, bytes) in turns {
        for piece in bytes.as_bytes().chunks(by) {
            let i = side.index();
            waiting[i].extend_from_slice(piece);
            let data: Vec<u8> = waiting[i].clone();
            last = parser.feed(
                Input { side: *side, data: &data, offset: offset[i], micros: 0, last: false },
                &mut seen,
            );
            let eaten = match last {
                Step::Wait { eaten, want } => {
                    assert!(want > data.len() - eaten, "{want} of {}", data.len());
                    eaten
                }
                Step::All => data.len(),
                Step::Switch { eaten, .. } => eaten,
                _ => return (seen.0, last),
            };
            waiting[i].drain(..eaten);
            offset[i] += eaten as u64;
        }
    }
    parser.close(Close::Ended, &mut seen);
    (seen.0, last)
}

fn talk(turns: &[(Side, &str)]) -> Vec<String> {
    talk_by(turns, usize::MAX).0
}

fn only(told: &[String], what: &str) -> Vec<String> {
    told.iter().filter(|line| line.starts_with(what)).cloned().collect()
}

const SESSION: &[(Side, &str)] = &[
    (ToClient, "220-mail.example\r\n220 ESMTP\r\n"),
    (ToServer, "EHLO me.example\r\n"),
    (ToClient, "250-mail.example\r\n250 SIZE\r\n"),
    (ToServer, "MAIL FROM:<a@a.example> SIZE=99\r\n"),
    (ToClient, "250 ok\r\n"),
    (ToServer, "RCPT TO:<b@b.example>\r\n"),
    (ToClient, "250 ok\r\n"),
    (ToServer, "rcpt to: <c@c.example>\r\n"),
    (ToClient, "250 ok\r\n"),
    (ToServer, "DATA\r\n"),
    (ToClient, "354 go on\r\n"),
    (
        ToServer,
        "From: Ann <a@a.example>\r\nTo: b@b.example, c@c.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\n\r\nsee http://u.example/v\r\n--x\r\nContent-Type: text/plain; name=dots.txt\r\n\r\n\
        ..one\r\ntwo.\r\n--x--\r\n.\r\n",
    ),
    (ToClient, "250 queued\r\n"),
    (ToServer, "QUIT\r\n"),
    (ToClient, "221 bye\r\n"),
];

#[test]
fn a_session_is_one_record_however_it_is_cut() {
    for by in [1, 2, 3, 5, 16, usize::MAX] {
        let (told, _) = talk_by(SESSION, by);
        assert_eq!(
            only(&told, "record"),
            ["record 0 smtp.helo=me.example smtp.mail_from=<a@a.example> smtp.rcpt_to=<b@b.example> \
              smtp.rcpt_to=<c@c.example> email.from=Ann <a@a.example> email.to=b@b.example \
              email.to=c@c.example email.status=PARSE_DONE email.attachment=dots.txt email.url=u.example/v"],
            "by {by}"
        );
        let at = told.iter().position(|line| line == "file 0 dots.txt").expect("the file");
        assert_eq!(told[at + 1..at + 3], ["data .one\r\ntwo.", "Closed"], "by {by}");
        assert!(only(&told, "anomaly").is_empty(), "by {by}: {told:?}");
        assert_eq!(only(&told, "host"), ["host me.example"]);
    }
}

#[test]
fn every_message_of_a_session_is_a_transaction() {
    let one: &[(Side, &str)] = &[
        (ToServer, "MAIL FROM:<a@a>\r\n"),
        (ToClient, "250 ok\r\n"),
        (ToServer, "DATA\r\n"),
        (ToClient, "354 go\r\n"),
        (ToServer, "Subject: x\r\n\r\ny\r\n.\r\n"),
        (ToClient, "250 ok\r\n"),
    ];
    let greeting: &[(Side, &str)] =
        &[(ToClient, "220 a\r\n"), (ToServer, "HELO a\r\n"), (ToClient, "250 a\r\n")];
    let told = talk(&[greeting, one, one, &[(ToServer, "RSET\r\n"), (ToClient, "250 ok\r\n")]].concat());
    let email = "smtp.helo=a smtp.mail_from=<a@a> email.status=PARSE_DONE";
    assert_eq!(only(&told, "record"), [format!("record 0 {email}"), format!("record 1 {email}")]);
}

#[test]
fn chunks_carry_messages() {
    let message = "Content-Type: a/b; name=x\r\n\r\nabc";
    let (first, second) = message.split_at(20);
    let (a, b) = (format!("BDAT 20\r\n{first}"), format!("BDAT {} LAST\r\n{second}NOOP\r\n", second.len()));
    for by in [1, 4, usize::MAX] {
        let (told, _) = talk_by(&[(ToClient, "220 a\r\n"), (ToServer, &a), (ToServer, &b)], by);
        let found = told.iter().filter(|line| ["file", "data", "Closed"].iter().any(|w| line.starts_with(w)));
        assert_eq!(found.collect::<Vec<_>>(), ["file 0 x", "data abc", "Closed"], "by {by}");
        assert_eq!(only(&told, "anomaly"), [""; 0], "by {by}");
    }
}

#[test]
fn behind_starttls_another_protocol_speaks() {
    let turns = [
        (ToClient, "220 a\r\n"),
        (ToServer, "EHLO a\r\n"),
        (ToClient, "250 a\r\n"),
        (ToServer, "STARTTLS\r\n"),
        (ToClient, "220 go ahead\r\n"),
    ];
    let (told, step) = talk_by(&turns, usize::MAX);
    assert_eq!(step, Step::Switch { eaten: "220 go ahead\r\n".len(), to: Some("tls") });
    assert_eq!(only(&told, "record"), ["record 0 smtp.helo=a"]);
    let refused = [&turns[..4], &[(ToClient, "454 no\r\n")]].concat();
    assert_eq!(only(&talk(&refused), "anomaly"), ["anomaly Some(0) ToClient TLS_REJECTED"]);
    let pushed = [&turns[..3], &[(ToServer, "STARTTLS\r\nNOOP\r\n"), turns[4]]].concat();
    assert_eq!(
        only(&talk(&pushed), "anomaly"),
        [
            "anomaly Some(0) ToServer INVALID_PIPELINED_SEQUENCE",
            "anomaly Some(0) ToClient FAILED_PROTOCOL_CHANGE"
        ]
    );
}

#[test]
fn what_is_wrong_is_told() {
    let hello = [(ToClient, "220 a\r\n"), (ToServer, "HELO a\r\n"), (ToClient, "250 a\r\n")];
    let long = format!("NOOP {}\r\nNOOP\r\n", "x".repeat(9000));
    type Case<'a> = (&'a [(Side, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 8] = [
        (&[(ToServer, "HELO a\r\n")], &["NO_SERVER_WELCOME_MESSAGE"]),
        (&[(ToClient, "554 no\r\n")], &["INVALID_REPLY"]),
        (&[(ToClient, "what\r\n")], &["INVALID_REPLY"]),
        (&[hello[0], hello[1], hello[1]], &["DUPLICATE_FIELDS"]),
        (&[hello[0], (ToServer, "BDAT x\r\n")], &["INVALID_BDAT"]),
        (&[hello[0], (ToServer, "DATA\r\n"), (ToClient, "503 no\r\n")], &["DATA_COMMAND_REJECTED"]),
        (&[hello[0], (ToServer, &long)], &["TRUNCATED_LINE"]),
        (
            &[hello[0], (ToServer, "DATA\r\n"), (ToClient, "503 no\r\n"), (ToServer, "DATA\r\n")],
            &["DATA_COMMAND_REJECTED", "UNPARSABLE_CONTENT"],
        ),
    ];
    for (turns, expected) in cases {
        for by in [1, 7, usize::MAX] {
            let (told, _) = talk_by(turns, by);
            let names: Vec<_> = only(&told, "anomaly");
            let names: Vec<_> = names.iter().filter_map(|line| line.rsplit(' ').next()).collect();
            assert_eq!(names, expected, "{turns:?} by {by}");
        }
    }
}

#[test]
fn lost_bytes_are_a_gap_in_the_attachment_and_no_more() {
    let (mut parser, mut seen) = (Smtp::new(&Settings::default()), Seen::default());
    let say = |parser: &mut Smtp, seen: &mut Seen, side, data: &str| {
        parser.feed(Input { side, data: data.as_bytes(), offset: 0, micros: 0, last: false }, seen)
    };
    say(&mut parser, &mut seen, ToClient, "220 a\r\n");
    say(&mut parser, &mut seen, ToServer, "DATA\r\n");
    say(&mut parser, &mut seen, ToClient, "354 go\r\n");
    say(&mut parser, &mut seen, ToServer, "Content-Type: a/b; name=x\r\n\r\nab\r\n");
    assert_eq!(parser.gap(ToServer, 50, &mut seen), Step::All);
    say(&mut parser, &mut seen, ToServer, "..\r\nend\r\n.\r\n");
    let found: Vec<_> =
        seen.0.iter().filter(|l| ["data", "gap", "Trunc"].iter().any(|w| l.starts_with(w))).collect();
    assert_eq!(found, ["data ab", "gap 50", "data \r\n..\r\nend", "Truncated"]);
    assert_eq!(only(&seen.0, "record").len(), 1);
    assert_eq!(parser.gap(ToClient, 10, &mut seen), Step::All);
    assert_eq!(say(&mut parser, &mut seen, ToClient, "rest of it\r\n250 ok\r\n"), Step::All);
}

#[test]
fn what_rules_look_into_is_there() {
    struct Look(Vec<(&'static str, String)>);
    impl Sink for Look {
        fn progress(&mut self, _: &dyn Transaction, _: Side, _: u8) {}
        fn stream(&mut self, _: &dyn Transaction, _: &'static Buffer, _: Piece<'_>) {}
        fn frame(&mut self, _: Frame) {}
        fn file(&mut self, _: &dyn Transaction, _: Side, _: FileEvent<'_>) {}
        fn anomaly(&mut self, _: Option<&dyn Transaction>, _: Side, _: &'static Anomaly) {}
        fn host(&mut self, _: &[u8]) {}
        fn record(&mut self, tx: &dyn Transaction, _: Side, _: &'static Record) {
            for which in buffer::ALL {
                let each = (0..).map_while(|at| tx.buffer(which, ToServer, at));
                self.0.extend(each.map(|value| (which.name, text(value))));
                assert_eq!(tx.buffer(which, ToClient, 0), None);
            }
        }
    }
    let (mut parser, mut seen) = (Smtp::new(&Settings::default()), Look(Vec::new()));
    for (side, bytes) in SESSION {
        parser.feed(
            Input { side: *side, data: bytes.as_bytes(), offset: 0, micros: 0, last: false },
            &mut seen,
        );
    }
    let expected = [
        ("smtp.helo", "me.example"),
        ("smtp.mail_from", "<a@a.example>"),
        ("smtp.rcpt_to", "<b@b.example>"),
        ("smtp.rcpt_to", "<c@c.example>"),
        ("email.from", "Ann <a@a.example>"),
        ("email.to", "b@b.example, c@c.example"),
        ("email.url", "u.example/v"),
    ];
    assert_eq!(seen.0, expected.map(|(name, value)| (name, value.to_string())));
}

#[test]
fn a_greeting_and_a_hello_are_known_and_others_are_not() {
    let ask = |side, data: &[u8], server_port| {
        let probe = PROTOCOL.probe.expect("a probe");
        let transport = Transport::Tcp;
        probe(&Look {
            side,
            data,
            other: b"",
            transport,
            client_port: 4000,
            server_port,
            packets: 1,
            midstream: false,
        })
    };
    let yes = Probe::Yes { swapped: false };
    assert_eq!(ask(ToClient, b"220 mail.example ESMTP ready\r\n", 9), yes);
    assert_eq!(ask(ToClient, b"220 hello\r\n", 25), yes);
    assert_eq!(ask(ToServer, b"EHLO me\r\n", 9), yes);
    assert_eq!(ask(ToClient, b"220 hello\r\n", 9), Probe::No);
    assert_eq!(ask(ToClient, b"220 FTP server ready\r\n", 25), Probe::No);
    assert_eq!(ask(ToClient, b"220 mail", 25), Probe::More);
    assert_eq!(ask(ToServer, b"\x16\x03\x01", 25), Probe::No);
    assert_eq!(ask(ToServer, &[b'a'; 600], 25), Probe::No);
}

#[test]
fn whatever_is_sent_little_is_held() {
    let (mut parser, mut seen) = (Smtp::new(&Settings::default()), Seen::default());
    for n in 0..20_000 {
        let line = format!("RCPT TO:<{n}@{}>\r\n", "x".repeat(600));
        let input = Input { side: ToServer, data: line.as_bytes(), offset: 0, micros: 0, last: false };
        assert_eq!(parser.feed(input, &mut seen), Step::All);
        seen.0.clear();
    }
    assert!(parser.held() < 512 * 1024, "{}", parser.held());
}
