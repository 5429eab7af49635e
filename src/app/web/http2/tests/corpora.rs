//! Captures of HTTP/2 from the corpora in `VIGIE_CORPORA`. Without that variable there is nothing to test, and this
//! says so.

use super::make::flow;
use crate::http::tests::corpora::{captures, payloads};
use crate::http::tests::recorder::{Flow, Recorder};
use crate::http2::wire::PREFACE;
use parse::{Settings, Side};

/// What was told of one capture.
struct Seen {
    name: String,
    told: Recorder,
}

/// Feeds every capture whose one conversation begins as HTTP/2, from either side.
fn seen() -> Option<Vec<Seen>> {
    let mut all = Vec::new();
    for path in captures()? {
        let pieces = payloads(&std::fs::read(&path).unwrap());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let begins = |(side, data): &(Side, Vec<u8>)| *side == Side::ToServer && data.starts_with(PREFACE);
        if !pieces.iter().take(2).any(begins) {
            continue;
        }
        let mut flow: Flow = flow(&Settings::default());
        for (side, data) in &pieces {
            flow.send(*side, data, false);
        }
        all.push(Seen { name, told: flow.close() });
    }
    Some(all)
}

#[test]
fn captures_are_read_whole() {
    let Some(all) = seen() else {
        eprintln!("VIGIE_CORPORA is not set: nothing tested");
        return;
    };
    assert!(all.len() >= 9, "{:?}", all.iter().map(|s| &s.name).collect::<Vec<_>>());
    for Seen { name, told } in &all {
        let flaws: Vec<&str> =
            told.of("anomaly").iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
        let expected: &[&str] = match name.as_str() {
            n if n.contains("authority-mismatch") => &["AUTHORITY_HOST_MISMATCH"],
            n if n.contains("userinfo") => &["USERINFO_IN_URI", "AUTHORITY_HOST_MISMATCH"],
            n if n.contains("long-frame") => &["LONG_FRAME_DATA"],
            n if n.contains("http2-limit") => &["DNS_REQUEST_TOO_LONG"],
            _ => &[],
        };
        assert_eq!(flaws, expected, "{name}");
    }
    let of = |part: &str| all.iter().find(|s| s.name.contains(part)).map(|s| &s.told).unwrap();
    let compressed = of("compression-bug");
    assert_eq!((compressed.of("record").len(), compressed.of("close").len()), (7, 9));
    let keywords = of("http2-keywords__");
    assert_eq!(keywords.of("close").iter().filter(|line| line.ends_with("Closed")).count(), 6);
    let page = keywords.of("record").into_iter().find(|line| line.contains("length=22617")).unwrap();
    assert!(page.contains("url=/doc/manual/html/index.html") && page.contains("status=200"), "{page}");
    let sizes: Vec<usize> = of("bugfixes").files.iter().map(|file| file.data.len()).collect();
    assert!(sizes.contains(&639) && sizes.contains(&880), "{sizes:?}");
    let continued = of("continuation").of("record").join("\n");
    assert!(
        continued.contains("{ name=namenamenamenamenamenamenamenamenamename value=valuevalue"),
        "{continued}"
    );
}
