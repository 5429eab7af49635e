//! Every capture of the corpora opens, or is refused with a reason; and reads alike by every reader.

use super::*;

fn captures(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            captures(&path, into);
        } else {
            into.push(path);
        }
    }
}

#[test]
fn every_capture_of_the_corpora() {
    let Some(corpora) = std::env::var_os("VIGIE_CORPORA") else {
        eprintln!("VIGIE_CORPORA is not set: the corpora are not read");
        return;
    };
    let mut files = Vec::new();
    captures(Path::new(&corpora), &mut files);
    files.sort();
    let named = |p: &Path| p.extension().is_some_and(|e| ["pcap", "pcapng", "cap"].iter().any(|w| e == *w));
    let (mut opened, mut frames, mut warned, mut refused) = (0, 0, 0, Vec::new());
    for path in files {
        if path.metadata().is_ok_and(|m| m.len() > 64 << 20) {
            continue;
        }
        match read_by(std::slice::from_ref(&path), 2, FileSettings::default()) {
            Ok(reads) => {
                opened += 1;
                frames += reads[0].frames.len();
                warned += reads[0].warnings.len();
                assert_eq!(reads[0].frames, reads[1].frames, "{}", path.display());
                let lent = reads[0].frames.len() as u64;
                assert_eq!(
                    reads[0].ledger.received,
                    lent + reads[0].ledger.lost_in_all(),
                    "{}",
                    path.display()
                );
            }
            Err(error) if named(&path) => refused.push(error.to_string()),
            Err(_) => {}
        }
    }
    eprintln!("{opened} opened, {frames} frames, {warned} warnings, refused: {refused:#?}");
    assert!(opened > 0, "no capture below VIGIE_CORPORA");
    assert!(refused.len() * 20 < opened, "{refused:#?}");
}
