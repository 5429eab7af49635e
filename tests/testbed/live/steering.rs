//! The watch over steering: what is said when flows come to workers in halves, and that nothing is said when they do not.

use crate::stage::{Stage, number, of};
use serde_json::Value;
use testbed::{End, Running, events};
use world::{Pace, Source, Talk};

/// Conversations as a mirror sends them: in VXLAN, whose source port it derives from the inner packet by direction.
struct Mirrored(Talk);

impl Source for Mirrored {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        let mut inner = Vec::new();
        if !self.0.fill(&mut inner) {
            return false;
        }
        let addresses = inner.get(26..38).unwrap_or_default();
        let mixed =
            addresses.iter().fold(7_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
        let length = |more: usize| u16::try_from(inner.len() + more).expect("short").to_be_bytes();
        frame.clear();
        frame.extend([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0]);
        frame.extend(length(36));
        frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2]);
        frame.extend((mixed | 0xc000).to_be_bytes());
        frame.extend(4789_u16.to_be_bytes());
        frame.extend(length(16));
        frame.extend([0, 0, 8, 0, 0, 0, 0, 0, 42, 0]);
        frame.extend(&inner);
        true
    }
}

/// What servers send is left out.
struct OneWay(Talk);

impl Source for OneWay {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        let ports = |f: &[u8]| [34, 36].map(|at| f.get(at..at + 2).map(|p| u16::from_be_bytes([p[0], p[1]])));
        while self.0.fill(frame) {
            let [from, to] = ports(frame);
            if from > to {
                return true;
            }
        }
        false
    }
}

/// Runs the sensor with these words over that traffic: its alarms, its counters, and what it said.
fn alarms(stage: &Stage, words: &[&str], source: &mut (dyn Source + Send)) -> (Vec<Value>, Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let all = ["--set", "steering.seconds=1"].iter().chain(words);
    let running = Running::start(&stage.network, End::Right, all);
    stage.send(source, Pace::PerSecond(4000.0));
    let eve = folder.path().join("eve.json");
    std::fs::hard_link(running.eve(), &eve).expect("a link");
    let ended = running.end();
    let counters = ended.summary()["counters"]["steering"].clone();
    assert_eq!(ended.summary()["ledger"]["balances"], true);
    let events = events(&eve);
    let alarms = of(&events, "anomaly").into_iter().filter(|e| e["anomaly"]["type"] == "capture").cloned();
    (alarms.collect(), counters, ended.stderr)
}

#[test]
fn flows_torn_by_the_kernels_hash_raise_an_alarm() {
    let Some(stage) = Stage::set() else { return };
    let words = ["--workers", "4", "--set", "capture.fanout=hash"];
    let (alarms, counters, said) = alarms(&stage, &words, &mut Mirrored(Talk::new(400, 6, 1)));
    assert!(number(&counters, "/split") > 200, "{counters}");
    assert_eq!(number(&counters, "/alarms"), alarms.len() as u64);
    let first = alarms.first().unwrap_or_else(|| panic!("no alarm: {counters} {said}"));
    assert_eq!(first["anomaly"]["event"], "split_flows", "{first}");
    assert!(number(first, "/anomaly/halves") > 10, "{first}");
    assert!(said.contains("frames are not dealt out by flow; see capture.fanout"), "{said}");
}

#[test]
fn flows_dealt_out_by_what_is_inside_are_whole() {
    for fanout in ["inner", "here"] {
        let Some(stage) = Stage::set() else { return };
        let words = ["--workers", "4", "--set", &format!("capture.fanout={fanout}")];
        let (alarms, counters, said) = alarms(&stage, &words, &mut Mirrored(Talk::new(400, 6, 1)));
        assert_eq!(alarms, Vec::<Value>::new(), "{fanout}: {said}");
        assert_eq!((number(&counters, "/split"), number(&counters, "/one_sided")), (0, 0), "{counters}");
        assert!(number(&counters, "/flows") >= 400, "{fanout}: {counters}");
    }
}

#[test]
fn a_mirror_of_one_direction_raises_an_alarm() {
    let Some(stage) = Stage::set() else { return };
    let (alarms, counters, said) = alarms(&stage, &["--workers", "2"], &mut OneWay(Talk::new(300, 40, 1)));
    let first = alarms.first().unwrap_or_else(|| panic!("no alarm: {counters} {said}"));
    assert_eq!(first["anomaly"]["event"], "one_sided_flows", "{first}");
    assert_eq!(number(&counters, "/split"), 0, "{counters}");
    assert!(said.contains("the mirror sends one direction only"), "{said}");
}
