//! Frames larger than any cable carries: segments that the kernel leaves uncut (GSO, BIG TCP), with checksums that it leaves
//! to the NIC; and an interface in a network namespace that the sensor is not in.

use crate::link;
use crate::stage::{Stage, number, of};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use testbed::{End, Network, Running, binary, events};
use world::{Pace, Talk};

/// Bytes of the file that is fetched.
const FILE: usize = 16 << 20;
/// Longest frame that ends are to make.
const LONGEST: u32 = 200_000;

/// What the file is fetched over.
#[derive(Clone, Copy, Debug)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn server(self) -> SocketAddr {
        let address: IpAddr = match self {
            Self::V4 => Ipv4Addr::new(192, 0, 2, 2).into(),
            Self::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).into(),
        };
        (address, 80).into()
    }

    /// Lets one end join segments up to a length, or says what cannot.
    fn allow(self, network: &Network, end: End) -> Result<(), String> {
        let interface = end.interface();
        let more = match self {
            Self::V4 => String::new(),
            Self::V6 => format!(
                "ip link set {interface} gso_max_size {LONGEST} gro_max_size {LONGEST} && \
                 echo 0 > /proc/sys/net/ipv6/conf/{interface}/disable_ipv6 && \
                 ip addr add 2001:db8::{}/64 dev {interface} nodad;",
                end as u8 + 1
            ),
        };
        let script = format!(
            "ip link set {interface} mtu 1500; {more} \
             ethtool -K {interface} tx on tso on gso on gro on 2>/dev/null || true"
        );
        let done = network.command(end, "sh").args(["-euc", &script]).stderr(Stdio::null()).status();
        if !done.is_ok_and(|status| status.success()) {
            return Err("`ip` has no gso_max_size above 65,536".to_owned());
        }
        match self {
            Self::V4 => network
                .within(end, || link::allow_ipv4_segments(interface, LONGEST))
                .map_err(|why| why.to_string())?
                .map_err(|why| format!("the kernel has no BIG TCP for IPv4 (Linux 6.3): {why}")),
            Self::V6 => Ok(()),
        }
    }
}

fn file() -> Vec<u8> {
    (0..FILE).map(|at| (at * 7 / 3 % 251) as u8).collect()
}

/// Fetches the file over HTTP, from the right end to the left.
fn fetch(network: &Network, family: Family, file: &[u8]) {
    let server = family.server();
    let listener = network.within(End::Right, || TcpListener::bind(server)).expect("there").expect("a port");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            let mut request = [0; 1024];
            assert!(client.read(&mut request).expect("a request") > 0);
            write!(client, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len())
                .and_then(|()| client.write_all(file))
                .expect("it is taken");
        });
        let fetched = network.within(End::Left, || {
            let mut server = TcpStream::connect(server)?;
            server.write_all(b"GET /file HTTP/1.1\r\nHost: server.example\r\n\r\n")?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).map(|_| answer)
        });
        assert!(fetched.expect("there").expect("an answer").ends_with(file));
    });
}

fn digest(file: &[u8]) -> String {
    let mut child =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha256sum");
    child.stdin.take().expect("a pipe").write_all(file).expect("it reads");
    let said = child.wait_with_output().expect("it ends").stdout;
    String::from_utf8_lossy(&said).split_whitespace().next().unwrap_or_default().to_owned()
}

/// Fetches the file in frames of up to 200,000 bytes: the `fileinfo` event, the ledger, what was said. Nothing where there
/// are no such frames to be had.
fn fetched(family: Family, block_size: &str, blocks: &str) -> Option<(Value, Value, String, Vec<u8>)> {
    let stage = Stage::set()?;
    let allowed = [End::Left, End::Right].into_iter().try_for_each(|end| family.allow(&stage.network, end));
    if let Err(why) = allowed {
        let _ = writeln!(std::io::stderr(), "skipped: no frames of {LONGEST} bytes: {why}");
        return None;
    }
    let mut args = Vec::new();
    for set in [format!("capture.block_size={block_size}"), format!("capture.blocks={blocks}")] {
        args.extend(["--set".to_owned(), set]);
    }
    // the whole file is read, not its beginning
    args.extend(["--set", "stream.depth=0", "--set", "file.sha256=true"].map(str::to_owned));
    let running = Running::start(&stage.network, End::Right, args);
    let file = file();
    fetch(&stage.network, family, &file);
    let folder = tempfile::tempdir().expect("a folder");
    let eve = folder.path().join("eve.json");
    std::fs::hard_link(running.eve(), &eve).expect("a link");
    let ended = running.end();
    let all = events(&eve);
    let info = of(&all, "fileinfo").first().map_or(Value::Null, |event| event["fileinfo"].clone());
    Some((info, ended.ledger(), ended.stderr, file))
}

fn is_read_whole(family: Family) {
    let Some((info, ledger, said, file)) = fetched(family, "1MiB", "64") else { return };
    assert_eq!((&info["size"], &info["state"]), (&FILE.into(), &"CLOSED".into()), "{info} {said}");
    assert_eq!((&info["gaps"], &info["sha256"]), (&false.into(), &digest(&file).into()), "{info}");
    // in frames of 64 KiB it would be 256 of data alone
    assert!(number(&ledger, "/received") < 256, "no frame was that long: {ledger}");
    assert_eq!((number(&ledger, "/cut"), number(&ledger, "/lost/kernel.drop")), (0, 0), "{ledger}");
}

#[test]
fn a_file_in_frames_longer_than_an_ip_packet_is_read_whole() {
    is_read_whole(Family::V6);
}

/// IPv4 has no field for such a length: it says 0, and means as far as the frame goes.
#[test]
fn a_file_in_ipv4_frames_longer_than_an_ip_packet_is_read_whole() {
    is_read_whole(Family::V4);
}

#[test]
fn frames_longer_than_a_block_are_cut_and_counted_and_what_is_missing_is_a_gap() {
    let Some((info, ledger, said, _)) = fetched(Family::V6, "128KiB", "512") else { return };
    assert!(number(&ledger, "/cut") > 10, "{ledger}");
    assert_eq!(number(&ledger, "/analysed"), number(&ledger, "/received"), "{ledger}");
    assert_ne!(info["state"], "CLOSED", "{info}");
    assert!(
        said.contains("longer than a block of 131072 bytes") && said.contains("capture.block_size"),
        "{said}"
    );
}

#[test]
fn an_interface_of_another_namespace_is_captured_and_found_again() {
    let Some(stage) = Stage::set() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let sets = [
        format!("control.socket={}", folder.path().join("control").display()),
        format!("capture.namespace={}", stage.network.namespace(End::Right)),
    ];
    let mut command = Command::new(binary());
    command.args(["run", "--interface", "right", "--json", "--workers", "2"]);
    sets.iter().for_each(|set| {
        command.args(["--set", set]);
    });
    let mut running = Running::spawn(command, folder, [""; 0], None);
    let before = stage.send(&mut Talk::new(20, 4, 1), Pace::PerSecond(4000.0));
    std::thread::sleep(std::time::Duration::from_millis(200));
    stage.network.unplug().expect("a cable");
    running.until_said("is not there any more");
    stage.network.plug().expect("a new cable");
    running.until_said("is there again");
    std::thread::sleep(std::time::Duration::from_millis(500));
    stage.hush();
    let said = running.counter("ledger.received");
    assert!(said >= before.frames, "{said}");
    let after = stage.send(&mut Talk::new(20, 4, 2), Pace::PerSecond(4000.0));
    let ended = running.end();
    assert_eq!(number(&ended.ledger(), "/received"), said + after.frames, "{}", ended.stderr);
    let mut command = Command::new(binary());
    command.args([
        "run",
        "--interface",
        "right",
        "--set",
        "control.socket=",
        "--set",
        "capture.namespace=nowhere",
    ]);
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("no network namespace /run/netns/nowhere"), "{said}");
}
