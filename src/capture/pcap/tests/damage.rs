//! Captures that are cut, malformed, or something else.

use frame::Loss;

use super::*;

fn lost(read: &Read, why: Loss) -> u64 {
    read.ledger.lost(why)
}

/// Lent, plus lost, is received.
fn balanced(read: &Read) {
    assert_eq!(
        read.ledger.received,
        read.frames.len() as u64 + read.ledger.lost_in_all(),
        "{:?}",
        read.warnings
    );
}

#[test]
fn a_pcap_cut_anywhere_loses_one_frame_and_says_where() {
    let whole = numbered(3);
    let folder = Folder::new("cut");
    let all = read(&folder.file("whole", &whole)).frames;
    let mut ends = vec![24];
    for frame in &all {
        ends.push(ends.last().unwrap() + 16 + frame.data.len());
    }
    for len in 24..=whole.len() {
        let read = read(&folder.file("cut", &whole[..len]));
        let complete = ends.iter().filter(|end| **end <= len).count() - 1;
        assert_eq!(read.frames, all[..complete], "cut at {len}");
        let clean = ends.contains(&len);
        assert_eq!(lost(&read, Loss::FileTruncated), u64::from(!clean), "cut at {len}");
        assert_eq!(read.warnings.len(), usize::from(!clean));
        if !clean {
            assert!(read.warnings[0].contains(&format!("byte {},", ends[complete])), "{:?}", read.warnings);
        }
        balanced(&read);
    }
}

#[test]
fn a_pcapng_cut_anywhere_loses_at_most_one_frame() {
    let order = Order::Be;
    let mut whole = [order.section(), order.interface(1, 0, &[])].concat();
    let fixed = whole.len();
    whole.extend(order.packet(0, 1, b"first", 5));
    let packet = whole.len();
    whole.extend(order.block(5, b"statistics"));
    let folder = Folder::new("cut-ng");
    for len in 28..=whole.len() {
        let read = read(&folder.file("cut", &whole[..len]));
        let inside_packet = len > fixed && len < packet;
        assert_eq!(read.frames.len(), usize::from(len >= packet), "cut at {len}");
        // Of a block that has not even told its type, nobody knows: it is counted.
        let untold = (29..32).contains(&len) || (packet + 1..packet + 4).contains(&len);
        assert_eq!(lost(&read, Loss::FileTruncated), u64::from(inside_packet || untold), "cut at {len}");
        let clean = [28, fixed, packet, whole.len()].contains(&len);
        assert_eq!(read.warnings.is_empty(), clean, "cut at {len}: {:?}", read.warnings);
        balanced(&read);
    }
}

#[test]
fn an_absurd_length_gives_the_rest_of_the_file_up_and_the_next_file_is_read() {
    let folder = Folder::new("absurd");
    let mut bad = numbered(2);
    let offset = bad.len();
    bad.extend(Order::Le.words(&[1, 1, 0x7fff_ffff, 60]));
    bad.extend([0; 600]);
    let paths = [folder.file("a", &bad), folder.file("b", &numbered(3))];
    let reads = read_by(&paths, 2, FileSettings::default()).unwrap();
    assert_eq!(reads[0].frames, reads[1].frames);
    let numbers: Vec<_> = reads[0].frames.iter().map(|f| (f.number, f.tap.0)).collect();
    assert_eq!(numbers, [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1)]);
    assert_eq!(lost(&reads[0], Loss::FileMalformed), 1);
    assert_eq!(reads[0].warnings.len(), 1);
    assert!(reads[0].warnings[0].contains(&format!("byte {offset}")), "{:?}", reads[0].warnings);
    assert!(reads[0].warnings[0].contains("2147483647"), "{:?}", reads[0].warnings);
    balanced(&reads[0]);
    // The others say nothing: it would be counted twice.
    assert_eq!((&reads[1].ledger, reads[1].warnings.len()), (&Ledger::default(), 0));
}

#[test]
fn malformed_blocks() {
    let order = Order::Le;
    let head = [order.section(), order.interface(1, 0, &[])].concat();
    let mut unequal = order.packet(0, 1, b"first", 5);
    *unequal.last_mut().unwrap() ^= 1;
    let mut long = order.packet(0, 1, b"abcd", 4);
    long[20] = 99;
    let cases: [(&str, Vec<u8>, u64, &str); 7] = [
        ("tail", unequal, 1, "at its tail"),
        ("inside", long, 1, "room for 4"),
        ("interface", order.packet(1, 1, b"x", 1), 1, "of interface 1"),
        ("short", order.block(6, b"x"), 1, "too short"),
        ("odd", order.words(&[6, 33, 0, 0, 0, 0]), 1, "multiple of 4"),
        ("zeros", vec![0; 64], 0, "claims a length of 0"),
        ("magic", order.words(&[0x0a0d_0d0a, 28, 0xdead_beef, 0, 0, 0, 28]), 0, "0xdeadbeef"),
    ];
    for (name, block, frames, text) in cases {
        let file =
            [&head[..], &order.packet(0, 1, b"good", 4), &block, &order.packet(0, 1, b"late", 4)].concat();
        let read = read_bytes(&format!("block-{name}"), &file);
        assert_eq!(read.frames.len(), 1, "{name}");
        assert_eq!(lost(&read, Loss::FileMalformed), frames, "{name}");
        assert!(read.warnings[0].contains(text), "{name}: {:?}", read.warnings);
        balanced(&read);
    }
}

#[test]
fn damaged_gzip() {
    let folder = Folder::new("damaged-gzip");
    let whole = gzip(&numbered(2_000));
    let cut = read(&folder.file("cut.gz", &whole[..whole.len() / 2]));
    assert!(cut.frames.len() > 100 && cut.frames.len() < 2_000, "{}", cut.frames.len());
    assert_eq!(cut.warnings.len(), 1);
    assert!(lost(&cut, Loss::FileTruncated) <= 1);
    balanced(&cut);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 16].fill(0xff);
    let flipped = read(&folder.file("flipped.gz", &flipped));
    assert_eq!(flipped.warnings.len(), 1);
    balanced(&flipped);
}

#[test]
fn what_is_no_capture_is_refused_with_the_reason() {
    let folder = Folder::new("refused");
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty", b"", "the file is empty"),
        ("text", b"hello, world, this is text\n", "text, beginning with 68 65"),
        ("elf", b"\x7fELF\x02\x01\x01\0", "an ELF program"),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\x58", "compressed by zstd"),
        ("binary", &[1, 2, 3, 4, 5, 6, 7, 8, 9], "unknown, beginning with 01 02 03 04 05 06 07 08"),
        ("short", &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0], "it ends after 6 of the 24 bytes"),
        ("version", &Order::Le.pcap(0xa1b2_c3d4, 4, 0, 1).map_at(4, 9), "version is 9.4"),
        ("gzip", &gzip(b"some text, compressed"), "gzip of text"),
        ("stub", &[0x1f, 0x8b], "its gzip is damaged"),
    ];
    for (name, bytes, text) in cases {
        let path = folder.file(name, bytes);
        let error = open(std::slice::from_ref(&path), 1, FileSettings::default()).err().unwrap().to_string();
        assert!(error.contains(text), "{name}: {error}");
        assert!(error.contains(path.to_str().unwrap()), "{name}: {error}");
    }
    let refused = |path: PathBuf| open(&[path], 1, FileSettings::default()).err().unwrap();
    assert!(matches!(refused(folder.0.join("absent")), OpenError::Missing(_)));
    assert!(matches!(refused(folder.0.clone()), OpenError::NoCaptures(_, 9)));
    assert!(matches!(open(&[], 1, FileSettings::default()).err(), Some(OpenError::Nothing)));
    let twice = [PathBuf::from("-"), PathBuf::from("-")];
    assert!(matches!(open(&twice, 1, FileSettings::default()).err(), Some(OpenError::InputTwice)));
}

/// Sets one byte.
trait MapAt {
    fn map_at(self, at: usize, to: u8) -> Vec<u8>;
}

impl MapAt for Vec<u8> {
    fn map_at(mut self, at: usize, to: u8) -> Vec<u8> {
        self[at] = to;
        self
    }
}
