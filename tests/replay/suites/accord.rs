//! Connections whose two sides do not speak alike, as made conversations: what is told of them, and in which order they are read.

use replay::{Eve, Sensor};
use serde_json::{Value, json};
use world::{Conversation, PcapWriter, Side};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const NOISE: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const CLIENT_HELLO: &[u8] =
    b"\x16\x03\x01\0\x2f\x01\0\0\x2b\x03\x030123456789abcdef0123456789abcdef\0\0\x02\x13\x01\x01\0\0\0";
const SERVER_HELLO: &[u8] =
    b"\x16\x03\x03\0\x2a\x02\0\0\x26\x03\x030123456789abcdef0123456789abcdef\0\x13\x01\0";

/// The events of one conversation on a port where nobody is at home.
fn events(turns: &[(Side, &[u8])]) -> Eve {
    let (client, server) = ("192.0.2.1:40000", "198.51.100.1:9999");
    let mut talk = Conversation::new(client.parse().expect("an end"), server.parse().expect("an end"));
    talk.open();
    for (side, bytes) in turns {
        talk.say(*side, bytes);
    }
    talk.close();
    let folder = tempfile::tempdir().expect("a folder");
    let (capture, eve) = (folder.path().join("talk.pcap"), folder.path().join("eve.json"));
    let mut file = PcapWriter::new(std::fs::File::create(&capture).expect("room")).expect("a header");
    for (nanos, frame) in (0u64..).step_by(1_000_000).zip(talk.into_frames()) {
        file.write(nanos, &frame).expect("room");
    }
    file.finish().expect("room");
    let ran = Sensor::read(&capture, &eve).run();
    assert_eq!(ran.code(), Some(0), "{}", ran.told());
    Eve::read(&eve).expect("events")
}

/// The anomalies of recognition: what, of which protocol, and from which port.
fn told(eve: &Eve) -> Vec<(&str, &str, u64)> {
    let recognition = eve.of("anomaly").filter(|event| event["anomaly"]["layer"] == "proto_detect");
    recognition
        .map(|event| {
            let what = &event["anomaly"];
            (
                what["event"].as_str().expect("a name").trim_start_matches("APPLAYER_"),
                what["app_proto"].as_str().unwrap_or_default(),
                event["src_port"].as_u64().expect("a port"),
            )
        })
        .collect()
}

/// What the flow's event calls it: as a whole, the client's side, the server's side, and before a switch.
fn names(eve: &Eve) -> [Value; 4] {
    let flow = eve.of("flow").next().expect("a flow");
    ["app_proto", "app_proto_ts", "app_proto_tc", "app_proto_orig"].map(|key| flow[key].clone())
}

#[test]
fn sides_that_speak_alike_are_no_anomaly() {
    use Side::{Client, Server};
    for turns in [
        &[(Client, REQUEST), (Server, RESPONSE)][..],
        &[
            (Client, &REQUEST[..1]),
            (Client, &REQUEST[1..]),
            (Server, &RESPONSE[..3]),
            (Server, &RESPONSE[3..]),
        ],
        &[(Client, CLIENT_HELLO), (Server, SERVER_HELLO)],
        &[(Client, CLIENT_HELLO), (Server, b"\x15\x03\x03\0\x02\x02\x28")],
        &[(Server, b"SSH-2.0-a\r\n"), (Client, b"SSH-2.0-b\r\n")],
        &[(Client, REQUEST), (Server, b"too short")],
    ] {
        let eve = events(turns);
        assert_eq!(told(&eve), [], "{turns:?}");
        assert_eq!(names(&eve)[1..3], [Value::Null, Value::Null], "{turns:?}");
    }
}

#[test]
fn a_side_that_says_something_else_is_told_with_whoever_let_it_be_read() {
    use Side::{Client, Server};
    const ONE: &str = "DETECT_PROTOCOL_ONLY_ONE_DIRECTION";
    const BOTH: &str = "MISMATCH_PROTOCOL_BOTH_DIRECTIONS";
    type Turns = &'static [(Side, &'static [u8])];
    type Expected = (&'static str, &'static str, u64, [Value; 3]);
    let cases: [(Turns, Expected); 6] = [
        (
            &[(Client, REQUEST), (Server, NOISE)],
            (ONE, "http", 40_000, [json!("http"), Value::Null, json!("failed")]),
        ),
        (
            &[(Client, b"PURGE /a HTTP/1.1\r\nHost: a\r\n\r\n"), (Server, RESPONSE)],
            (ONE, "http", 9_999, [json!("http"), json!("failed"), Value::Null]),
        ),
        (
            &[(Client, CLIENT_HELLO), (Server, NOISE)],
            (ONE, "tls", 40_000, [json!("tls"), Value::Null, json!("failed")]),
        ),
        (
            &[(Client, CLIENT_HELLO), (Server, RESPONSE)],
            (BOTH, "tls", 40_000, [json!("tls"), Value::Null, json!("http")]),
        ),
        (
            &[(Client, REQUEST), (Server, b"SSH-2.0-a\r\n")],
            (BOTH, "http", 40_000, [json!("http"), Value::Null, json!("ssh")]),
        ),
        (
            &[(Server, b"SSH-2.0-a\r\n"), (Client, CLIENT_HELLO)],
            (BOTH, "ssh", 9_999, [json!("ssh"), json!("tls"), Value::Null]),
        ),
    ];
    for (turns, (what, protocol, port, called)) in &cases {
        let eve = events(turns);
        assert_eq!(told(&eve), [(*what, *protocol, *port)], "{turns:?}");
        assert_eq!(&names(&eve)[..3], called, "{turns:?}");
    }
}

#[test]
fn a_server_may_not_begin_a_handshake() {
    let eve = events(&[(Side::Server, SERVER_HELLO), (Side::Client, CLIENT_HELLO)]);
    assert_eq!(told(&eve), [("WRONG_DIRECTION_FIRST_DATA", "", 40_000)]);
}

/// The answer tells the protocol, but the request that nobody could place came before it, and is read before it.
#[test]
fn the_side_that_spoke_first_is_read_first() {
    let eve =
        events(&[(Side::Client, b"OPTIONSHTTP/1.1\nHost: www.example.com\n\n"), (Side::Server, RESPONSE)]);
    let http: Vec<&Value> = eve.of("http").map(|event| &event["http"]).collect();
    assert_eq!(http.len(), 1, "{http:?}");
    assert_eq!((&http[0]["http_method"], &http[0]["status"]), (&json!("OPTIONSHTTP/1.1"), &json!(200)));
}

/// What is behind CONNECT may be known or not; the flow is called after it, and counts its transactions.
#[test]
fn behind_a_tunnel_the_flow_is_called_after_what_it_carries() {
    use Side::{Client, Server};
    let connect = (Client, &b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"[..]);
    let fine = (Server, &b"HTTP/1.1 200 OK\r\n\r\n"[..]);
    let lost = events(&[connect, fine, (Client, NOISE), (Server, NOISE)]);
    assert_eq!(names(&lost), [json!("failed"), Value::Null, Value::Null, json!("http")]);
    assert_eq!(lost.of("flow").next().expect("a flow")["flow"]["tx_cnt"], Value::Null);
    let tls = events(&[connect, fine, (Client, CLIENT_HELLO), (Server, SERVER_HELLO)]);
    assert_eq!(names(&tls), [json!("tls"), Value::Null, Value::Null, json!("http")]);
    let upgrade = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let agreed = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let socket = events(&[(Client, upgrade), (Server, agreed), (Client, b"\x81\x82abcd\0\0")]);
    assert_eq!(names(&socket), [json!("websocket"), Value::Null, Value::Null, json!("http")]);
}

/// The event of an upload waits for the answer, which stands in it.
#[test]
fn an_upload_is_told_with_its_answer() {
    let post = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfile";
    let eve = events(&[(Side::Client, post), (Side::Server, RESPONSE)]);
    let files: Vec<&Value> = eve.of("fileinfo").collect();
    assert_eq!(files.len(), 2, "{files:?}");
    let upload =
        files.iter().find(|event| event["fileinfo"]["filename"] == "/up" && event["src_port"] == 40_000);
    let upload = upload.expect("the upload");
    assert_eq!((&upload["http"]["status"], &upload["fileinfo"]["size"]), (&json!(200), &json!(4)));
    let refused = events(&[(Side::Client, post)]);
    let alone: Vec<&Value> = refused.of("fileinfo").collect();
    assert_eq!((alone.len(), &alone[0]["fileinfo"]["state"]), (1, &json!("CLOSED")));
}

/// Behind STARTTLS the same flow speaks TLS, and what does not is told.
#[test]
fn mail_goes_over_to_tls() {
    use Side::{Client, Server};
    let mail: &[(Side, &[u8])] = &[
        (Server, b"220 mail.example ESMTP\r\n"),
        (Client, b"EHLO me.example\r\n"),
        (Server, b"250-mail.example\r\n250 STARTTLS\r\n"),
        (Client, b"STARTTLS\r\n"),
        (Server, b"220 go ahead\r\n"),
    ];
    let eve = events(&[mail, &[(Client, CLIENT_HELLO), (Server, SERVER_HELLO)]].concat());
    assert_eq!(names(&eve), [json!("tls"), Value::Null, Value::Null, json!("smtp")]);
    assert_eq!(eve.of("smtp").next().expect("a record")["smtp"]["helo"], "me.example");
    assert_eq!(told(&eve), []);
    let eve = events(&[mail, &[(Client, REQUEST), (Server, RESPONSE)]].concat());
    assert_eq!(names(&eve), [json!("http"), Value::Null, Value::Null, json!("smtp")]);
    let names: Vec<&str> = told(&eve).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["UNEXPECTED_PROTOCOL", "NO_TLS_AFTER_STARTTLS"]);
}

/// A message that was really sent: its envelope, its header, its attachment.
#[test]
fn mail_has_its_attachments() {
    let folder = tempfile::tempdir().expect("a folder");
    let eve = folder.path().join("eve.json");
    let ran = Sensor::read(&replay::root().join("tests/cases/bundled/mail.pcap"), &eve)
        .args(&["--set", "file.sha256=true"])
        .run();
    assert_eq!(ran.code(), Some(0), "{}", ran.told());
    let eve = Eve::read(&eve).expect("events");
    let mails: Vec<&Value> = eve.of("smtp").collect();
    assert_eq!(mails.len(), 4, "{mails:#?}");
    let with =
        mails.iter().find(|event| event["email"]["attachment"] == json!(["data.json"])).expect("the mail");
    assert_eq!(with["smtp"]["rcpt_to"], json!(["<bob@example.test>", "<eve@example.test>"]));
    assert_eq!(with["email"]["to"], json!(["bob@example.test", "eve@example.test"]));
    let files: Vec<&Value> = eve.of("fileinfo").filter(|event| event["app_proto"] == "smtp").collect();
    assert_eq!(files.len(), 1, "{files:#?}");
    assert_eq!((&files[0]["email"], &files[0]["smtp"]), (&with["email"], &with["smtp"]));
    let file = &files[0]["fileinfo"];
    assert_eq!((&file["filename"], &file["size"]), (&json!("data.json"), &json!(168)));
    let hash = "66ef9cf39c8e82d042703d552c1c8e66e03a26f2fbeefddf61d1114052ce2ea1";
    assert_eq!(file["sha256"], hash);
    let secret = eve.of("tls").next().expect("the session behind STARTTLS");
    assert_eq!(secret["tls"]["from_proto"], "smtp");
}
