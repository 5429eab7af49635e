//! Metadata services, played by small servers on the loopback interface.

use super::http::Metadata;
use super::{Platform, azure, cloud};
use crate::document::Document;
use crate::provision::Standing;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/// A question: its first line, its headers, its body.
#[derive(Clone, Debug, Default)]
struct Asked {
    line: String,
    headers: String,
    body: String,
}

/// Answers with a status, headers and a body.
type Answer = dyn Fn(&Asked) -> (u16, &'static str, String) + Send + Sync;

/// A server that ends with the test's process; it is asked a few times alone.
fn serve(
    answer: impl Fn(&Asked) -> (u16, &'static str, String) + Send + Sync + 'static,
) -> (Metadata, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (noted, answer): (_, Arc<Answer>) = (Arc::clone(&seen), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming().take(100).flatten() {
            let asked = question(&stream);
            noted.lock().expect("whole").push(asked.clone());
            let (status, headers, body) = answer(&asked);
            let mut stream = stream;
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (Metadata { service: base.clone(), fabric: base }, seen)
}

fn question(stream: &TcpStream) -> Asked {
    let mut from = BufReader::new(stream);
    let mut asked = Asked::default();
    let _ = from.read_line(&mut asked.line);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        asked.headers += &line.to_lowercase();
    }
    let length = asked.headers.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let _ = from.read_exact(&mut body);
    asked.body = String::from_utf8_lossy(&body).into_owned();
    asked.line = asked.line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    asked
}

fn fine(body: &str) -> (u16, &'static str, String) {
    (200, "", body.to_owned())
}

fn gone() -> (u16, &'static str, String) {
    (404, "", String::new())
}

const PATIENCE: Duration = Duration::from_secs(20);

fn document(platform: Platform, metadata: &Metadata) -> Document {
    let found = cloud(platform, metadata, PATIENCE).expect("an answer").expect("something");
    Document::read(&found.draft).expect("a document")
}

#[test]
fn ec2_is_asked_with_a_token() {
    let (metadata, seen) = serve(|asked| {
        if asked.line == "PUT /latest/api/token" {
            return fine("a-token");
        }
        if !asked.headers.contains("x-aws-ec2-metadata-token: a-token") {
            return (401, "", String::new());
        }
        match asked.line.as_str() {
            "GET /latest/user-data" => fine("#cloud-config\nvigie:\n  capture: {mtu: 9001}\n"),
            "GET /latest/meta-data/public-keys/" => fine("0=jo"),
            "GET /latest/meta-data/public-keys/0/openssh-key" => fine(KEY),
            "GET /latest/meta-data/local-hostname" => fine("ip-192-0-2-7.ec2.internal other.example.org"),
            _ => gone(),
        }
    });
    let document = document(Platform::Ec2, &metadata);
    assert_eq!(document.hostname.as_deref(), Some("ip-192-0-2-7.ec2.internal"));
    assert_eq!((document.capture.mtu, document.ssh.keys.as_slice()), (Some(9001), &[KEY.to_owned()][..]));
    let first = seen.lock().expect("whole")[0].clone();
    assert!(first.headers.contains("x-aws-ec2-metadata-token-ttl-seconds: 300"), "{first:?}");
}

#[test]
fn ec2_without_user_data_and_keys_is_a_document_too() {
    let (metadata, _) = serve(|asked| if asked.line.starts_with("PUT") { fine("t") } else { gone() });
    assert_eq!(document(Platform::Ec2, &metadata), Document::default());
}

#[test]
fn gce_is_asked_with_its_header_and_must_answer_with_it() {
    const HEADER: &str = "Metadata-Flavor: Google\r\n";
    let instance = format!(
        r#"{{"hostname":"s7.c.project.internal","attributes":{{"vigie":"network.mtu = 1460","ssh-keys":"jo:{KEY}\n"}}}}"#
    );
    let (metadata, _) = serve(move |asked| {
        if !asked.headers.contains("metadata-flavor: google") {
            return (403, "", String::new());
        }
        match asked.line.as_str() {
            "GET /computeMetadata/v1/instance/?recursive=true" => (200, HEADER, instance.clone()),
            "GET /computeMetadata/v1/project/?recursive=true" => (200, HEADER, r#"{"attributes":{}}"#.into()),
            _ => gone(),
        }
    });
    let read = document(Platform::Gce, &metadata);
    assert_eq!((read.hostname.as_deref(), read.network.mtu), (Some("s7"), Some(1460)));
    assert_eq!(read.ssh.keys, [KEY]);
    let (stranger, _) = serve(|_| fine("{}"));
    let why = cloud(Platform::Gce, &stranger, PATIENCE).expect_err("no header").to_string();
    assert!(why.contains("Metadata-Flavor"), "{why}");
}

#[test]
fn azure_gives_user_data_and_is_told_that_the_machine_is_ready() {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode("hostname = \"from-data\"\n");
    let instance = format!(
        r#"{{"compute":{{"osProfile":{{"computerName":"vm7"}},"publicKeys":[{{"keyData":"{KEY}\r\n"}}],"userData":"{data}"}}}}"#
    );
    let (metadata, seen) = serve(move |asked| match asked.line.as_str() {
        "GET /metadata/instance?api-version=2021-02-01" if asked.headers.contains("metadata: true") => {
            fine(&instance)
        }
        "GET /machine/?comp=goalstate" => fine(
            "\u{feff}<?xml version=\"1.0\"?><GoalState><Incarnation>3</Incarnation><Container><ContainerId>c-1</ContainerId>\
             <RoleInstanceList><RoleInstance><InstanceId>i-1</InstanceId></RoleInstance></RoleInstanceList></Container></GoalState>",
        ),
        "POST /machine/?comp=health" => fine(""),
        _ => gone(),
    });
    let document = document(Platform::Azure, &metadata);
    assert_eq!(
        (document.hostname.as_deref(), document.ssh.keys.as_slice()),
        (Some("from-data"), &[KEY.to_owned()][..])
    );
    azure::ready(&metadata, &Standing::Accepted, PATIENCE).expect("told");
    let report = seen.lock().expect("whole").last().cloned().expect("a report");
    assert!(
        report.headers.contains("x-ms-version: 2012-11-30") && report.headers.contains("text/xml"),
        "{report:?}"
    );
    for part in ["<GoalStateIncarnation>3<", "<ContainerId>c-1<", "<InstanceId>i-1<", "<State>Ready<"] {
        assert!(report.body.contains(part), "{part}: {}", report.body);
    }
}

#[test]
fn a_service_that_comes_late_is_waited_for_and_one_that_refuses_is_not() {
    let times = Mutex::new(0);
    let (late, _) = serve(move |asked| {
        let mut times = times.lock().expect("whole");
        *times += 1;
        match (*times, asked.line.as_str()) {
            (1, _) => (503, "", String::new()),
            (_, "PUT /latest/api/token") => fine("t"),
            _ => gone(),
        }
    });
    assert_eq!(document(Platform::Ec2, &late), Document::default());
    let (closed, seen) = serve(|_| (403, "", String::new()));
    let why = cloud(Platform::Ec2, &closed, PATIENCE).expect_err("refused").to_string();
    assert!(why.contains("status 403"), "{why}");
    assert_eq!(seen.lock().expect("whole").len(), 1);
}

#[test]
fn silence_ends_with_patience_and_too_much_is_refused() {
    // A port that was free a moment ago: nobody answers there.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let nobody = Metadata { service: format!("http://{port}"), fabric: String::new() };
    let began = Instant::now();
    assert!(cloud(Platform::Ec2, &nobody, Duration::ZERO).is_err());
    assert!(began.elapsed() < PATIENCE);
    let (endless, _) =
        serve(|asked| if asked.line.starts_with("PUT") { fine("t") } else { fine(&"x".repeat(2 << 20)) });
    assert!(cloud(Platform::Ec2, &endless, Duration::ZERO).is_err());
    let (elsewhere, _) = serve(|_| (302, "Location: http://192.0.2.1/\r\n", String::new()));
    let why = cloud(Platform::Ec2, &elsewhere, Duration::ZERO).expect_err("redirected").to_string();
    assert!(why.contains("302"), "{why}");
}
