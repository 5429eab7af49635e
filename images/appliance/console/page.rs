//! The page as lines of text.

use super::View;
use crate::problem::shown;
use std::fmt::Write as _;

/// A screen that is cleared, where there is one; a line printer shows nothing of it.
const CLEAR: &str = "\x1b[2J\x1b[H";
/// Most lines of one kind; the support bundle has them all.
const MOST: usize = 6;

/// The whole page.
pub(super) fn page(view: &View) -> String {
    let mut out = format!("{CLEAR}\n  vigie {}  {}\n\n{}", view.version, view.hostname, steady(view));
    if view.counts.is_some() {
        ledger(&mut out, view);
    }
    line(
        &mut out,
        "disk",
        &view.disk.map_or_else(
            || "unknown".to_owned(),
            |(free, all)| format!("{} free of {}", size(free), size(all)),
        ),
    );
    out.push('\n');
    out
}

/// What is shown again at once when it changes: everything that does not count up.
pub(super) fn steady(view: &View) -> String {
    let mut out = String::new();
    line(&mut out, "machine", &view.platform);
    line(&mut out, "configuration", &view.configuration);
    several(&mut out, "mistake", &view.problems);
    several(&mut out, "note", &view.notes);
    line(&mut out, "address", &view.address);
    line(
        &mut out,
        "SSH",
        &match view.keys {
            0 => "no key was given: no server runs".to_owned(),
            1 => "admin, by 1 key".to_owned(),
            n => format!("admin, by {n} keys"),
        },
    );
    line(&mut out, "time", view.time);
    line(&mut out, "capture", if view.capture.is_empty() { "not chosen yet" } else { &view.capture });
    if !view.reason.is_empty() {
        line(&mut out, "", &format!("because {}", view.reason));
    }
    several(&mut out, "not set", &view.refused);
    line(
        &mut out,
        "sensor",
        match view.sensor.as_str() {
            "active" if view.counts.is_some() => "captures",
            "active" => "runs and does not answer",
            "activating" => "starts",
            "failed" => "FAILED: a support bundle says why",
            "inactive" => "does not run",
            other => other,
        },
    );
    out
}

fn ledger(out: &mut String, view: &View) {
    let (received, analysed) = (view.count("ledger.received"), view.count("ledger.analysed"));
    let (bypassed, filtered) = (view.count("ledger.bypassed"), view.count("ledger.filtered"));
    let lost = view.sum("ledger.lost.");
    line(
        out,
        "ledger",
        &format!(
            "{received} received = {analysed} analysed + {bypassed} bypassed + {filtered} filtered + {lost} lost"
        ),
    );
    let (written, gone) = (view.count("output.written"), view.sum("output.lost_"));
    line(out, "events", &format!("{written} written, {gone} lost"));
}

fn line(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "  {name:<14} {text}");
}

fn several(out: &mut String, name: &str, texts: &[String]) {
    for text in texts.iter().take(MOST) {
        line(out, name, &wrapped(text));
    }
    if texts.len() > MOST {
        line(out, name, &format!("and {} more", texts.len() - MOST));
    }
}

/// Long text on lines of its own, below its beginning.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 78;
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push_str("\n                 ");
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(&shown(word));
        width += length;
    }
    out
}

fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", tenths(1 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let count = |name: &str, value| (name.to_owned(), value);
        View {
            version: "0.1.0".into(),
            hostname: "sensor-7".into(),
            platform: "QEMU".into(),
            configuration: "accepted from NoCloud drive".into(),
            address: "192.0.2.7/24 on eth0".into(),
            capture: "interface eth1 (virtio_net), packet ring".into(),
            reason: "there is no virtual function of an Intel NIC".into(),
            sensor: "active".into(),
            counts: Some(vec![
                count("ledger.received", 10),
                count("ledger.analysed", 7),
                count("ledger.lost.kernel_drop", 2),
                count("ledger.lost.table_full", 1),
                count("output.written", 5),
            ]),
            time: "synchronised",
            disk: Some((3 << 29, 3 << 30)),
            ..View::default()
        }
    }

    #[test]
    fn the_page_says_how_the_machine_stands() {
        let text = page(&view());
        for part in [
            "sensor-7",
            "accepted from NoCloud drive",
            "192.0.2.7/24 on eth0",
            "because there is no virtual function",
            "sensor         captures",
            "10 received = 7 analysed + 0 bypassed + 0 filtered + 3 lost",
            "5 written, 0 lost",
            "no key was given",
            "1.5 GiB free of 3.0 GiB",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn mistakes_stand_on_the_page_and_do_not_leave_it() {
        let problems =
            (0..9).map(|n| format!("user-data: `key{n}` \x1b[31m is {}", "long ".repeat(30))).collect();
        let text = page(&View { problems, counts: None, sensor: "failed".into(), ..view() });
        assert!(text.contains("`key0`") && text.contains("and 3 more") && text.contains("FAILED"), "{text}");
        assert!(!text.trim_start_matches(CLEAR).contains('\x1b'));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(!text.contains("ledger"));
    }
}
