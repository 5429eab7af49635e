//! Messages, whole and in any cut.

use super::*;

/// What a message told, with data of one file joined.
fn read(text: &str, step: usize) -> (Message, Vec<String>) {
    let (mut message, mut told) = (Message::default(), Vec::new());
    for bytes in text.as_bytes().chunks(step) {
        message.feed(bytes, &mut |event| note(&mut told, event));
    }
    message.finish(&mut |event| note(&mut told, event));
    (message, told)
}

fn note(told: &mut Vec<String>, event: Told<'_>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match event {
        Told::Open(name) => told.push(format!("open {}", text(name))),
        Told::Data(data) => match told.last_mut().filter(|last| last.starts_with("data ")) {
            Some(last) => last.push_str(&text(data)),
            None => told.push(format!("data {}", text(data))),
        },
        Told::Gap(n) => told.push(format!("gap {n}")),
        Told::Close(end) => told.push(format!("{end:?}")),
        Told::Flaw(what) => told.push(what.name.to_string()),
    }
}

const MIXED: &str = "From: Ann <ann@a.example>\r\nTo: b@b.example,\r\n c@c.example\r\nSubject: files\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"outer\"\r\n\r\npreamble http://not.read/\r\n\
    --outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n\
    --inner\r\nContent-Type: text/plain\r\n\r\nsee http://one.example/a\r\n--inner--\r\n\
    --outer\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    <a href=3D\"http://two.=\r\nexample/b\">x</a>\r\n\
    --outer\r\nContent-Type: application/octet-stream; name=one.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    Zm9v\r\nYmFy\r\n\r\n--outer\r\nContent-Disposition: attachment; filename=\"two.txt\"\r\n\r\n\
    line\r\n--other\r\nlast\r\n--outer--\r\nepilogue\r\n";

#[test]
fn attachments_fields_and_urls_are_found_however_it_is_cut() {
    for step in [1, 2, 3, 7, 64, MIXED.len()] {
        let (message, told) = read(MIXED, step);
        assert_eq!(
            told,
            [
                "open one.bin",
                "data foobar",
                "Closed",
                "open two.txt",
                "data line\r\n--other\r\nlast",
                "Closed"
            ],
            "by {step}"
        );
        assert_eq!(message.field(Known::From), Some(&b"Ann <ann@a.example>"[..]));
        assert_eq!(message.field(Known::To), Some(&b"b@b.example, c@c.example"[..]));
        assert_eq!(message.names(), [b"one.bin".to_vec(), b"two.txt".to_vec()]);
        assert_eq!(message.urls(), [b"one.example/a".to_vec(), b"two.example/b".to_vec()], "by {step}");
        assert_eq!(message.status(), "PARSE_DONE");
    }
}

#[test]
fn a_message_within_a_message_has_parts_of_its_own() {
    let text = "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n\
        Subject: inner\nContent-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: a/b; name=x\n\nabc\n--i--\n--o--\n";
    let (message, told) = read(text, text.len());
    assert_eq!(told, ["open x", "data abc", "Closed"]);
    assert_eq!(message.field(Known::Subject), None);
}

#[test]
fn flaws_are_told_once() {
    let body = "A=zz\r\n".repeat(3);
    let text = format!(
        "no colon\r\n{}: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{body}",
        "n".repeat(80)
    );
    assert_eq!(read(&text, 9).1, ["MIME_LONG_HEADER_NAME", "MIME_INVALID_QP"]);
    let cut = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: a/b; name=x\r\n\r\nabc";
    assert_eq!(read(cut, 5).1, ["open x", "data abc", "MIME_MALFORMED_MSG", "Closed"]);
}

#[test]
fn lost_bytes_cut_the_file_at_hand_only() {
    let (mut message, mut told) = (Message::default(), Vec::new());
    message.feed(
        b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: a/b; name=x\n\nab",
        &mut |_| {},
    );
    message.gap(100, &mut |event| note(&mut told, event));
    message
        .feed(b"yz\n--o\nContent-Type: a/b; name=y\n\nwhole\n--o--\n", &mut |event| note(&mut told, event));
    message.finish(&mut |event| note(&mut told, event));
    assert_eq!(told, ["data ab", "gap 100", "data yz", "Truncated", "open y", "data whole", "Closed"]);
}

#[test]
fn little_is_held_of_what_never_ends() {
    let mut message = Message::default();
    message.feed(b"Subject: ", &mut |_| {});
    for _ in 0..1000 {
        message.feed(&[b'x'; 1000], &mut |_| {});
    }
    message.feed(b"\n\n", &mut |_| {});
    for _ in 0..1000 {
        message.feed(&[b'y'; 1000], &mut |_| {});
        message.feed(b"--\r", &mut |_| {});
    }
    for n in 0..2000 {
        message.feed(format!("\nhttp://{n}.example/\n").as_bytes(), &mut |_| {});
    }
    assert!(message.held() < 128 * 1024, "{}", message.held());
}
