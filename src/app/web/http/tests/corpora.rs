//! Captures of responses that browsers read and filters often do not, from the corpora in `VIGIE_CORPORA`. Without
//! that variable there is nothing to test, and this says so.

use super::recorder::Flow;
use parse::{Settings, Side};
use std::path::Path;

/// Payloads of one TCP conversation in a capture (Ethernet, loopback or raw IP), in the order of the capture, with the side.
pub(crate) fn payloads(capture: &[u8]) -> Vec<(Side, Vec<u8>)> {
    let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let link = word(20);
    let (mut at, mut out, mut client) = (24, Vec::new(), None);
    while at + 16 <= capture.len() {
        let len = word(at + 8) as usize;
        let frame = &capture[at + 16..(at + 16 + len).min(capture.len())];
        at += 16 + len;
        let packet = match link {
            0 => &frame[4..],
            1 => &frame[14..],
            _ => frame,
        };
        if packet.len() < 40 {
            continue;
        }
        let word = |at: usize| usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
        let (start, end) = match (packet[0] >> 4, packet[9], packet[6]) {
            (4, 6, _) => (usize::from(packet[0] & 15) * 4, word(2)),
            (6, _, 6) => (40, 40 + word(4)),
            _ => continue,
        };
        let segment = &packet[start..end.min(packet.len())];
        let source = u16::from_be_bytes([segment[0], segment[1]]);
        let client = *client.get_or_insert(source);
        let data = &segment[usize::from(segment[12] >> 4) * 4..];
        if !data.is_empty() {
            out.push((if source == client { Side::ToServer } else { Side::ToClient }, data.to_vec()));
        }
    }
    out
}

pub(crate) fn captures() -> Option<Vec<std::path::PathBuf>> {
    let folder = Path::new(&std::env::var_os("VIGIE_CORPORA")?).join("suricata/pcaps");
    let mut all: Vec<_> = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    Some(all)
}

#[test]
fn evasions_are_read_as_browsers_read_them() {
    let Some(captures) = captures() else {
        eprintln!("VIGIE_CORPORA is not set: nothing tested");
        return;
    };
    let evasions = captures.iter().filter(|path| path.to_string_lossy().contains("http-evader"));
    let (mut seen, mut missed) = (0, Vec::new());
    for path in evasions {
        let mut flow = Flow::new(&Settings::default());
        for (side, data) in payloads(&std::fs::read(path).unwrap()) {
            flow.send(side, &data, false);
        }
        flow.send(Side::ToServer, b"", true);
        flow.send(Side::ToClient, b"", true);
        let told = flow.close();
        let found = |needle: &[u8]| {
            let mut streams = told.streams.iter().filter(|(name, _)| name.starts_with("file.data tc"));
            streams.any(|(_, data)| memchr::memmem::find(data, needle).is_some())
        };
        seen += 1;
        if !found(b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE") || !found(b"X5O!P%@AP[4") {
            missed.push((path.file_name().unwrap().to_owned(), told.lines));
        }
    }
    assert!(missed.is_empty(), "{} of {seen} missed: {missed:#?}", missed.len());
}
