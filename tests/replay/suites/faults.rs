//! Bad input gets a clear error and nothing lost.

use replay::{Eve, Ran, Sensor, bundled};
use std::path::{Path, PathBuf};

fn web() -> PathBuf {
    bundled().into_iter().find(|p| p.ends_with("web.pcap")).expect("web.pcap")
}

fn read(capture: &Path, more: &[&str]) -> Ran {
    Sensor::new(["read", "--quiet"]).arg(capture).args(more).run()
}

/// What each mistake is told as: arguments behind `read`, exit code, words of the complaint.
const TABLE: &[(&[&str], i32, &[&str])] = &[
    (&["no/such.pcap"], 1, &["no/such.pcap", "no such file"]),
    (&["{text}"], 1, &["neither pcap nor pcapng"]),
    (&["{empty}"], 1, &["empty"]),
    (&["{web}", "--set", "stream.dept=1"], 3, &["unknown key", "stream.depth"]),
    (&["{web}", "--set", "workers=many"], 3, &["workers", "many", "threads"]),
    (&["{web}", "--set", "workers"], 3, &["workers"]),
    (&["{web}", "--config", "no/such.toml"], 3, &["no/such.toml"]),
    (&["{web}", "--config", "{wrong}"], 3, &["wrong.toml:3", "unknown key", "stream.depth"]),
    (&["{web}", "--eve", "no/such/folder/eve.json"], 4, &["no/such/folder", "cannot be written"]),
    (&["{web}", "--eve", "/dev/full"], 4, &["/dev/full", "No space left"]),
    (&["{web}", "--wrokers", "1"], 2, &["--workers"]),
    (&[], 2, &["CAPTURE"]),
];

#[test]
fn every_mistake_is_told_clearly() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str, body: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, body).expect("written");
        path.display().to_string()
    };
    let places = [
        ("{text}", place("text.pcap", "this is text, not a capture\n")),
        ("{empty}", place("empty.pcap", "")),
        ("{wrong}", place("wrong.toml", "workers = 1\n\nstrem.depth = 5\n")),
        ("{web}", web().display().to_string()),
    ];
    let filled = |arg: &&str| {
        places.iter().find(|(name, _)| name == arg).map_or_else(|| (*arg).to_owned(), |p| p.1.clone())
    };
    for (args, code, words) in TABLE {
        let args: Vec<String> = args.iter().map(filled).collect();
        let ran =
            Sensor::new(["read", "--quiet"]).args(&args.iter().map(String::as_str).collect::<Vec<_>>()).run();
        assert_eq!(ran.code(), Some(*code), "{args:?}: {}", ran.told());
        for word in *words {
            assert!(ran.stderr.contains(word), "{args:?}: `{word}` is not in: {}", ran.stderr);
        }
    }
}

#[test]
fn a_capture_cut_in_a_record_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cut, eve) = (folder.path().join("cut.pcap"), folder.path().join("eve.json"));
    let bytes = std::fs::read(web()).expect("readable");
    std::fs::write(&cut, &bytes[..bytes.len() - 7]).expect("written");
    let ran = read(&cut, &["--json", "--eve", eve.to_str().expect("UTF-8")]);
    assert!(ran.is_orderly(), "{}", ran.told());
    let summary = ran.json();
    assert_eq!(summary["ledger"]["balances"], true);
    assert!(summary["warnings"].to_string().contains("cut.pcap"), "{}", summary["warnings"]);
    assert!(Eve::read(&eve).expect("whole lines").of("http").count() > 0);
}

#[test]
fn a_file_that_is_no_capture_costs_nothing_of_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(web(), folder.path().join("a.pcap")).expect("copied");
    std::fs::write(folder.path().join("README"), b"not a capture at all").expect("written");
    let (alone, beside) = (read(&web(), &["--eve", "-"]), read(folder.path(), &["--eve", "-"]));
    assert_eq!((alone.code(), beside.code()), (Some(0), Some(0)), "{}", beside.told());
    assert!(alone.stdout == beside.stdout, "other events with a foreign file beside");
}

/// A disk that fills in mid-run: the sink stops and says so, the walk goes on to its end.
#[test]
fn a_full_disk_stops_the_sink_alone() {
    let ran = read(&web(), &["--json", "--eve", "/dev/full"]);
    assert_eq!(ran.code(), Some(4), "{}", ran.told());
    let summary = ran.json();
    assert_eq!(summary["ledger"]["balances"], true);
    assert!(summary["warnings"].to_string().contains("No space left"), "{}", summary["warnings"]);
}

#[test]
fn no_running_sensor_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = format!("control.socket={}", folder.path().join("none").display());
    let ran = Sensor::new(["counters", "--set", &socket]).run();
    assert_eq!(ran.code(), Some(6), "{}", ran.told());
    assert!(ran.stderr.contains("vigie run"), "{}", ran.stderr);
}

#[test]
fn an_interface_that_is_not_there_is_told() {
    let ran = Sensor::new(["run", "--quiet", "--interface", "nosuchif0"]).run();
    assert_eq!(ran.code(), Some(5), "{}", ran.told());
    let told = ran.stderr.contains("nosuchif0") || ran.stderr.contains("CAP_NET_RAW");
    assert!(told, "{}", ran.stderr);
}
