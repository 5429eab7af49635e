//! Whole connections, in pieces of every size.

use parse::{Close, Done, Input, Look, Parser, Probe, Settings, Side, Step, Transport};

use super::PROTOCOL;
use crate::quic::recorder::Recorder;

const CLIENT: &[u8] = b"SSH-2.0-OpenSSH_9.6 hello\r\n";
const SERVER: &[u8] = b"SSH-2.0-dropbear\r\n";

fn record(message: u8, body: &[u8]) -> Vec<u8> {
    let mut record = (body.len() as u32 + 6).to_be_bytes().to_vec();
    record.extend([4, message]);
    record.extend(body);
    record.extend([0; 4]);
    record
}

fn kexinit(mark: &str) -> Vec<u8> {
    let mut body = vec![1; 16];
    for list in ["curve25519-sha256", "ssh-ed25519", "c2s", "s2c", "mac-c", "mac-s", "none", "zlib", "", ""] {
        let list = if list.is_empty() { String::new() } else { format!("{list}{mark}") };
        body.extend((list.len() as u32).to_be_bytes());
        body.extend(list.as_bytes());
    }
    body.extend([0; 5]);
    record(20, &body)
}

struct Run {
    parser: Box<dyn Parser>,
    sink: Recorder,
    /// Waiting bytes, their offset, bytes to skip.
    sides: [(Vec<u8>, u64, u64); 2],
}

impl Run {
    fn new(settings: &Settings) -> Self {
        let open = PROTOCOL.open.unwrap();
        Self { parser: open(settings), sink: Recorder::of(&PROTOCOL), sides: Default::default() }
    }

    /// What the walk does with a parser's answers.
    fn feed(&mut self, side: Side, data: &[u8]) -> Step {
        let (waiting, offset, skip) = &mut self.sides[side.index()];
        let passed = data.len().min(*skip as usize);
        *skip -= passed as u64;
        *offset += passed as u64;
        waiting.extend(&data[passed..]);
        if waiting.is_empty() {
            return Step::All;
        }
        let input = Input { side, data: waiting, offset: *offset, micros: 0, last: false };
        let step = self.parser.feed(input, &mut self.sink);
        let eaten = match step {
            Step::Wait { eaten, want } => {
                assert!(want > waiting.len() - eaten);
                eaten
            }
            Step::Skip(more) => {
                *offset += more;
                let here = *skip + more;
                *offset -= more;
                *skip = here;
                waiting.len()
            }
            _ => waiting.len(),
        };
        *offset += eaten as u64;
        waiting.drain(..eaten);
        step
    }
}

fn handshake() -> [Vec<u8>; 2] {
    let client = [CLIENT, &kexinit(""), &record(30, &[5; 40]), &record(21, &[]), &[0xee; 64]].concat();
    let server =
        [b"Welcome\r\nhere\n", SERVER, &kexinit("+"), &record(31, &[5; 400]), &record(21, &[])].concat();
    [client, server]
}

#[test]
fn one_record_whatever_the_pieces() {
    let [client, server] = handshake();
    let mut expected: Option<Vec<String>> = None;
    for size in [1, 2, 3, 7, 64, 10_000] {
        let mut run = Run::new(&Settings::default());
        client.chunks(size).for_each(|piece| _ = run.feed(Side::ToServer, piece));
        let step = server.chunks(size).map(|piece| run.feed(Side::ToClient, piece)).last().unwrap();
        assert_eq!(step, Step::Done(Done::Encrypted), "{size}");
        run.parser.close(Close::Ended, &mut run.sink);
        let lines = expected.get_or_insert_with(|| run.sink.lines.clone());
        assert_eq!(&run.sink.lines, lines, "{size}");
    }
    let lines = expected.unwrap();
    let records: Vec<_> = lines.iter().filter(|line| line.starts_with("record")).collect();
    assert_eq!(
        records,
        ["record ssh ToServer ssh={ client={ proto_version=2.0 software_version=OpenSSH_9.6 \
          hassh={ hash=5e9f021d4aec1c0dc36b02f946d08122 string=curve25519-sha256;c2s;mac-c;none ; ; \
          server={ proto_version=2.0 software_version=dropbear \
          hassh={ hash=206054d21a596fb2b69573edbf5c882a string=curve25519-sha256+;s2c+;mac-s+;zlib+ ; ; ; "]
    );
}

#[test]
fn phases_and_frames_come_in_order() {
    let [client, _] = handshake();
    let mut run = Run::new(&Settings::default());
    run.feed(Side::ToServer, &client);
    let progress = run.sink.some("progress 0 ToServer");
    assert_eq!(progress[0], "2 ssh.proto=2.0 ssh.software=OpenSSH_9.6");
    assert!(
        progress[1].starts_with("3 ssh.hassh=") && progress[1].ends_with("c2s;mac-c;none"),
        "{progress:?}"
    );
    assert_eq!(progress[2], "4");
    let kex = kexinit("").len();
    let frames = run.sink.some("frame");
    assert_eq!(frames.len(), 9);
    assert_eq!(frames[0], "ssh.record_hdr ToServer 27 6");
    assert_eq!(frames[1], format!("ssh.record_data ToServer 33 {}", kex - 6));
    assert_eq!(frames[2], format!("ssh.record_pdu ToServer 27 {kex}"));
    assert_eq!(frames[3], format!("ssh.record_hdr ToServer {} 6", 27 + kex));
}

#[test]
fn without_hassh_the_banners_make_the_record() {
    let mut run = Run::new(&Settings { hassh: false, ..Settings::default() });
    run.feed(Side::ToServer, CLIENT);
    assert!(run.sink.some("record").is_empty());
    run.feed(Side::ToClient, SERVER);
    assert_eq!(run.sink.some("record").len(), 1);
    run.feed(Side::ToServer, &kexinit(""));
    run.parser.close(Close::Timeout, &mut run.sink);
    assert_eq!(run.sink.some("record").len(), 1);
    assert!(!run.sink.lines.iter().any(|line| line.contains("hassh")));
}

#[test]
fn one_side_alone_is_recorded_at_the_end() {
    let mut run = Run::new(&Settings::default());
    run.feed(Side::ToClient, b"SSH-1.99-Cisco-1.25\n");
    run.parser.close(Close::Ended, &mut run.sink);
    let records = run.sink.some("record ssh ToServer");
    assert_eq!(records, ["ssh={ server={ proto_version=1.99 software_version=Cisco-1.25 ; ; "]);
    let mut silent = Run::new(&Settings::default());
    silent.parser.close(Close::Ended, &mut silent.sink);
    assert!(silent.sink.lines.is_empty());
}

fn anomalies(side: Side, data: &[u8]) -> (Vec<String>, Step) {
    let mut run = Run::new(&Settings::default());
    let step = run.feed(side, data);
    (run.sink.some("anomaly").into_iter().map(str::to_owned).collect(), step)
}

#[test]
fn what_is_wrong_is_told() {
    let long = [b"SSH-2.0-".as_slice(), &[b'x'; 300], b"\r\n"].concat();
    assert_eq!(anomalies(Side::ToServer, &long), (vec!["ToServer LONG_BANNER".into()], Step::All));
    assert_eq!(anomalies(Side::ToServer, &long[..280]).0, ["ToServer LONG_BANNER"]);
    assert_eq!(
        anomalies(Side::ToServer, b"SSH-2.0\r\n"),
        (vec!["ToServer INVALID_BANNER".into()], Step::Fail)
    );
    assert_eq!(anomalies(Side::ToServer, b"hello\r\n").1, Step::Fail);
    assert_eq!(anomalies(Side::ToClient, b"hello\r\n").1, Step::All);
    assert_eq!(anomalies(Side::ToClient, &[b'\n'; 17_000]).0, ["ToClient INVALID_BANNER"]);
    let short = [CLIENT, &[0, 0, 0, 1, 9, 9]].concat();
    assert_eq!(anomalies(Side::ToServer, &short), (vec!["ToServer INVALID_RECORD".into()], Step::Fail));
    let huge = [CLIENT, &[0, 1, 0, 9, 4, 20, 1, 2]].concat();
    assert_eq!(
        anomalies(Side::ToServer, &huge),
        (vec!["ToServer LONG_KEX_RECORD".into()], Step::Skip(0x1_0009 - 4))
    );
}

#[test]
fn a_banner_too_long_goes_on_after_its_line() {
    let mut run = Run::new(&Settings::default());
    let mut data = [b"SSH-2.0-soft ".as_slice(), &[b'x'; 300]].concat();
    run.feed(Side::ToServer, &data);
    data = [b"yy\r\n".as_slice(), &kexinit("")].concat();
    data.iter().for_each(|byte| _ = run.feed(Side::ToServer, &[*byte]));
    let progress = run.sink.some("progress 0 ToServer");
    assert_eq!(progress[..2], ["1", "2 ssh.proto=2.0 ssh.software=soft"]);
    assert!(progress[2].starts_with("3 ssh.hassh="));
}

#[test]
fn the_first_version_has_no_records_for_us() {
    let mut run = Run::new(&Settings::default());
    run.feed(Side::ToClient, b"SSH-1.5-OpenSSH_2.3\n");
    assert_eq!(run.feed(Side::ToClient, &[0; 40]), Step::All);
    assert_eq!(run.feed(Side::ToServer, b"SSH-1.5-old\n"), Step::Done(Done::Finished));
    assert_eq!(run.sink.some("record").len(), 1);
}

#[test]
fn a_gap_writes_what_is_known() {
    let mut run = Run::new(&Settings::default());
    run.feed(Side::ToServer, CLIENT);
    assert_eq!(run.parser.gap(Side::ToServer, 5, &mut run.sink), Step::Fail);
    run.parser.close(Close::Ended, &mut run.sink);
    assert_eq!(run.sink.some("record").len(), 1);
}

#[test]
fn the_probe() {
    let of = |side, data, client_port, server_port, midstream| {
        let other = &[];
        let transport = Transport::Tcp;
        (PROTOCOL.probe.unwrap())(&Look {
            side,
            data,
            other,
            transport,
            client_port,
            server_port,
            packets: 1,
            midstream,
        })
    };
    assert_eq!(of(Side::ToServer, b"SSH-2.0-x", 9, 2222, false), Probe::Yes { swapped: false });
    assert_eq!(of(Side::ToClient, b"SSH-2.0-x", 9, 2222, false), Probe::Yes { swapped: false });
    assert_eq!(of(Side::ToServer, b"SSH-2.0-x", 22, 9999, true), Probe::Yes { swapped: true });
    assert_eq!(of(Side::ToServer, b"SS", 9, 22, false), Probe::More);
    assert_eq!(of(Side::ToClient, b"hi\r\nSSH-2.0-x", 9, 22, false), Probe::Yes { swapped: false });
    assert_eq!(of(Side::ToClient, b"hi\r\nSSH-2.0-x", 9, 80, false), Probe::No);
    assert_eq!(of(Side::ToServer, b"GET /", 9, 22, false), Probe::No);
}

#[test]
fn any_flip_is_survived_in_pieces() {
    let [client, server] = handshake();
    for flip in 0..client.len() {
        let mut forged = client.clone();
        forged[flip] ^= 0x95;
        let mut run = Run::new(&Settings::default());
        run.feed(Side::ToClient, &server);
        for piece in forged.chunks(1 + flip % 50) {
            if !matches!(run.feed(Side::ToServer, piece), Step::All | Step::Wait { .. } | Step::Skip(_)) {
                break;
            }
        }
        run.parser.close(Close::Forced, &mut run.sink);
        assert_eq!(run.sink.some("record").len(), 1);
        assert!(run.parser.held() < 10_000);
    }
}
