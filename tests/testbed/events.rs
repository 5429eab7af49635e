//! Events, read back and made comparable.

use std::path::Path;

use serde_json::Value;

/// What a capture and a wire agree on.
const KINDS: [&str; 6] = ["flow", "http", "dns", "tls", "fileinfo", "anomaly"];

/// Events of a file.
///
/// # Panics
/// When it cannot be read, or a line of it is not whole.
#[must_use]
pub fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    events_of(&text)
}

/// Events in a file that is being written, up to the last line that has its end; none of one that is not there yet.
#[must_use]
pub fn events_so_far(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    events_of(text.rfind('\n').and_then(|end| text.get(..=end)).unwrap_or_default())
}

/// Events of a text.
///
/// # Panics
/// When a line of it is not whole.
#[must_use]
pub fn events_of(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line has no end");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Events as sorted lines, without what says when, where and in which order they were seen.
///
/// # Panics
/// When one is not an object.
#[must_use]
pub fn timeless(all: &[Value]) -> Vec<String> {
    let kept = all.iter().filter(|e| KINDS.iter().any(|kind| e["event_type"] == *kind));
    let mut lines: Vec<String> = kept
        .map(|event| {
            let mut event = event.clone();
            let object = event.as_object_mut().expect("an event");
            for key in ["timestamp", "flow_id", "pcap_cnt", "pkt_src", "in_iface", "tap", "host"] {
                object.remove(key);
            }
            if let Some(flow) = object.get_mut("flow").and_then(Value::as_object_mut) {
                for key in ["start", "end", "age", "reason"] {
                    flow.remove(key);
                }
            }
            event.to_string()
        })
        .collect();
    lines.sort();
    lines
}

/// Fails when two runs saw different things, and shows some of what only one of them saw.
///
/// # Panics
/// When they differ.
pub fn assert_same_events(what: &str, live: &[Value], read: &[Value]) {
    let (live, read) = (timeless(live), timeless(read));
    assert!(!read.is_empty(), "{what}: nothing to compare with");
    let only = |mine: &[String], theirs: &[String]| -> Vec<String> {
        mine.iter().filter(|line| !theirs.contains(line)).take(3).cloned().collect()
    };
    assert!(
        live == read,
        "{what}: {} live, {} read; only live {:#?}; only read {:#?}",
        live.len(),
        read.len(),
        only(&live, &read),
        only(&read, &live)
    );
}
