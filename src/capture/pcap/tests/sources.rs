//! Where captures come from, and that it makes no difference.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::mpsc;

use super::*;

/// Same frames, numbers and counts, whatever carries the capture, however many read it, in whatever portions.
#[test]
fn carrier_readers_and_portions_make_no_difference() {
    let folder = Folder::new("carriers");
    let bytes = numbered(3_000);
    let half = bytes.len() / 2;
    let plain = folder.file("plain.pcap", &bytes);
    let packed = folder.file("packed.pcap.gz", &gzip(&bytes));
    let members = folder.file("members.gz", &[gzip(&bytes[..half]), gzip(&bytes[half..])].concat());
    let want = read(&plain);
    assert_eq!(want.frames.len(), 3_000);
    assert_eq!(want.ledger.received, 3_000);
    for path in [plain, packed, members] {
        for (readers, burst, buffer) in [(1, 1, 64), (2, 7, 1_000), (3, 256, 1 << 18), (4, 10_000, 1 << 20)] {
            let settings = FileSettings { buffer, burst, ahead: 1 };
            let reads = read_by(std::slice::from_ref(&path), readers, settings).unwrap();
            assert_eq!(reads.len(), readers);
            for (i, read) in reads.iter().enumerate() {
                assert_eq!(read.frames, want.frames, "{} reader {i} of {readers}", path.display());
                let ledger = if i == 0 { want.ledger.clone() } else { Ledger::default() };
                assert_eq!(read.ledger, ledger);
            }
        }
    }
}

#[test]
fn a_burst_is_no_longer_than_asked() {
    let folder = Folder::new("burst");
    let paths = [folder.file("a", &numbered(100)), folder.file("b.gz", &gzip(&numbered(100)))];
    let settings = FileSettings { burst: 8, ..FileSettings::default() };
    let mut queue = open(&paths, 1, settings).unwrap().remove(0);
    let mut longest = 0;
    loop {
        let batch = queue.burst().unwrap();
        longest = longest.max(batch.frames.len());
        if batch.status == RxStatus::End {
            break;
        }
    }
    assert_eq!(longest, 8);
}

#[test]
fn folders_are_read_in_name_order_and_other_files_passed_over() {
    let folder = Folder::new("folder");
    folder.file("b.pcap", &numbered(2));
    folder.file("a.gz", &gzip(&numbered(1)));
    folder.file("aa.txt", b"nothing of interest");
    folder.file("c", &numbered(3));
    folder.file("empty.pcap", b"");
    let paths = [folder.0.clone()];
    let names = super::super::names(&paths).unwrap();
    let ends: Vec<_> = names.iter().map(|n| n.rsplit('/').next().unwrap()).collect();
    assert_eq!(ends, ["a.gz", "b.pcap", "c"]);
    let queue = open(&paths, 1, FileSettings::default()).unwrap().remove(0);
    assert_eq!(queue.taps(), names);
    let taps: Vec<_> = drain(queue).frames.iter().map(|f| (f.number, f.tap.0)).collect();
    assert_eq!(taps, [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)]);
}

#[test]
fn progress_reaches_the_end() {
    let folder = Folder::new("progress");
    let bytes = numbered(1_000);
    let packed = gzip(&bytes);
    let paths = [folder.file("a", &bytes), folder.file("b.gz", &packed), folder.file("c", &bytes)];
    let mut queue = open(&paths, 1, FileSettings::default()).unwrap().remove(0);
    let in_all = (2 * bytes.len() + packed.len()) as u64;
    assert_eq!(queue.progress(), Some((0, in_all)));
    let mut before = 0;
    while queue.burst().unwrap().status != RxStatus::End {
        let (done, all) = queue.progress().unwrap();
        assert!(done >= before && all == in_all, "{before} {done} {all}");
        before = done;
    }
    assert_eq!(queue.progress(), Some((in_all, in_all)));
}

/// Somebody shortens the file while it is read: what is gone is gone, and nothing worse happens.
#[test]
fn a_file_that_shrinks_ends_early() {
    let folder = Folder::new("shrinks");
    let bytes = numbered(20_000);
    let path = folder.file("capture", &bytes);
    let want = read(&path).frames;
    let settings = FileSettings { burst: 10, buffer: 4_096, ..FileSettings::default() };
    let mut queue = open(std::slice::from_ref(&path), 1, settings).unwrap().remove(0);
    let before = queue.burst().unwrap().frames.len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes.len() as u64 / 2).unwrap();
    let rest = drain(queue);
    assert!(before + rest.frames.len() > 9_000 && before + rest.frames.len() < 11_000);
    assert!(rest.frames.iter().zip(&want[before..]).all(|(got, want)| got == want));
    assert_eq!(rest.ledger.lost(frame::Loss::FileTruncated), 1);
    assert_eq!(rest.ledger.received, (before + rest.frames.len()) as u64 + 1);
}

/// Somebody writes on while it is read: every reader ends where the file ended when it was opened.
#[test]
fn a_file_that_grows_ends_alike_for_everybody() {
    let folder = Folder::new("grows");
    let path = folder.file("capture", &numbered(1_000));
    let mut queues = open(std::slice::from_ref(&path), 2, FileSettings::default()).unwrap();
    let late = queues.pop().unwrap();
    let mut early = queues.pop().unwrap();
    let before = early.burst().unwrap().frames.len();
    let more = Order::Le.record(1, 1, b"more");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&more).unwrap();
    let early = drain(early);
    assert_eq!(before + early.frames.len(), 1_000);
    assert_eq!(drain(late).frames.len(), 1_000);
    assert!(early.warnings.is_empty());
}

/// A named pipe, whose writer is in no hurry: frames arrive as they are written, and waiting has a bound.
#[test]
fn pipes_lend_what_is_there() {
    let folder = Folder::new("pipe");
    let path = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("no mkfifo here: not tested");
        return;
    }
    let bytes = numbered(20);
    let (ask, asked) = mpsc::channel::<()>();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
            for portion in bytes.chunks(bytes.len() / 4) {
                asked.recv().unwrap();
                pipe.write_all(portion).unwrap();
            }
        }
    });
    let mut queue = open(&[path], 1, FileSettings::default()).unwrap().remove(0);
    assert!(queue.progress().is_none());
    let mut counts = Vec::new();
    ask.send(()).unwrap();
    let mut seen = 0;
    loop {
        let batch = queue.burst().unwrap();
        seen += batch.frames.len();
        match batch.status {
            RxStatus::More => {}
            RxStatus::Idle(_) => {
                counts.push(seen);
                let _ = ask.send(());
            }
            RxStatus::End => break,
        }
    }
    writer.join().unwrap();
    assert_eq!(seen, 20);
    assert!(counts.len() >= 3 && counts.iter().any(|n| (1..20).contains(n)), "{counts:?}");
}

#[test]
fn a_pipe_that_holds_something_else_says_so() {
    let folder = Folder::new("pipe-text");
    let path = folder.0.join("pipe");
    if !std::process::Command::new("mkfifo").arg(&path).status().is_ok_and(|s| s.success()) {
        eprintln!("no mkfifo here: not tested");
        return;
    }
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, b"text, and a lot of it").unwrap()
    });
    let read = read(&path);
    writer.join().unwrap();
    assert_eq!(read.frames, []);
    assert!(read.warnings[0].contains("neither pcap nor pcapng"), "{:?}", read.warnings);
}

/// A reader that is dropped in the middle holds nobody up, neither at a feed nor many files later.
#[test]
fn a_reader_that_is_gone_holds_nobody_up() {
    let folder = Folder::new("gone");
    for i in 0..40 {
        let bytes = numbered(2_000);
        folder.file(&format!("{i:02}.gz"), &gzip(&bytes));
    }
    let settings = FileSettings { buffer: 4_096, ahead: 1, ..FileSettings::default() };
    let mut queues = open(std::slice::from_ref(&folder.0), 3, settings).unwrap();
    let mut leaving = queues.pop().unwrap();
    let threads: Vec<_> = queues.into_iter().map(|q| std::thread::spawn(move || drain(q))).collect();
    for _ in 0..3 {
        leaving.burst().unwrap();
    }
    drop(leaving);
    for thread in threads {
        assert_eq!(thread.join().unwrap().frames.len(), 80_000);
    }
}

/// Lends until nothing more can be lent, and says how many frames that were.
fn lend_all(queue: &mut Box<dyn RxQueue>) -> usize {
    let mut frames = 0;
    loop {
        let batch = queue.burst().unwrap();
        frames += batch.frames.len();
        if batch.status != RxStatus::More {
            return frames;
        }
    }
}

/// The fastest reader of a plain file waits for the slowest one, some segments ahead of it, and goes on when that one
/// does or is gone.
#[test]
fn a_reader_that_lags_holds_the_others_up() {
    let folder = Folder::new("lag");
    let path = folder.file("capture", &numbered(3_000));
    let settings = FileSettings { buffer: 10_000, burst: 256, ahead: 3 };
    let mut queues = open(&[path], 2, settings).unwrap();
    let (mut slow, mut fast) = (queues.pop().unwrap(), queues.pop().unwrap());
    let segment = slow.burst().unwrap().frames.len();
    assert!(segment > 10);
    let ahead = lend_all(&mut fast);
    assert!((2 * segment..=5 * segment).contains(&ahead), "{ahead} frames, {segment} in a segment");
    assert_eq!(lend_all(&mut fast), 0, "the other one has not moved");
    slow.burst().unwrap();
    assert!((1..=2 * segment).contains(&lend_all(&mut fast)));
    drop(slow);
    let rest = lend_all(&mut fast);
    assert!(rest > 2_000, "{rest}");
}

#[test]
fn a_file_that_goes_away_is_a_warning() {
    let folder = Folder::new("away");
    let paths =
        [folder.file("a", &numbered(2)), folder.file("b", &numbered(2)), folder.file("c", &numbered(2))];
    let queue = open(&paths, 1, FileSettings::default()).unwrap().remove(0);
    fs::remove_file(&paths[1]).unwrap();
    let read = drain(queue);
    let taps: Vec<_> = read.frames.iter().map(|f| (f.number, f.tap.0)).collect();
    assert_eq!(taps, [(1, 0), (2, 0), (3, 2), (4, 2)]);
    assert!(read.warnings[0].contains("went away"), "{:?}", read.warnings);
}

/// Stopped in the middle, by one of them: all readers end after the same frame, and the ledger tells of that one.
#[test]
fn all_readers_stop_after_the_same_frame() {
    let folder = Folder::new("stop");
    let paths = [folder.file("a.gz", &gzip(&numbered(3_000))), folder.file("b", &numbered(3_000))];
    let settings = FileSettings { buffer: 4_096, burst: 10, ..FileSettings::default() };
    for after in [0, 5, 150, 450] {
        let queues = open(&paths, 3, settings).unwrap();
        let threads: Vec<_> = queues
            .into_iter()
            .enumerate()
            .map(|(place, mut queue)| {
                std::thread::spawn(move || {
                    let mut before = 0;
                    for _ in 0..after * (place + 1) / 3 {
                        before += queue.burst().unwrap().frames.len();
                    }
                    if place == 1 {
                        queue.stop();
                    }
                    let read = drain(queue);
                    (before + read.frames.len(), read.ledger)
                })
            })
            .collect();
        let ends: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert!(ends.iter().all(|(count, _)| *count == ends[0].0), "{ends:?}");
        assert_eq!(ends[0].1.received, ends[0].0 as u64);
        assert!(ends[0].0 < 6_000, "nobody stopped");
    }
}

/// One reader has come to the end and waits there when the others are told to stop: they go to the end too.
#[test]
fn a_reader_at_the_end_takes_the_others_there() {
    let folder = Folder::new("stop-end");
    let path = folder.file("capture", &numbered(1_000));
    let mut queues = open(&[path], 2, FileSettings::default()).unwrap();
    while queues[0].burst().unwrap().status != RxStatus::End {}
    queues[0].stop();
    let behind = queues.pop().unwrap();
    assert_eq!(drain(behind).frames.len(), 1_000);
}

/// Between them, readers of a sorted capture are lent every frame, each those of its own lots, and all of them what is
/// everybody's and whatever begins a second.
#[test]
fn sorted_readers_are_lent_what_concerns_them() {
    const READERS: usize = 3;
    let mut bytes = Order::Le.pcap(0xa1b2_c3d4, 4, 65535, 1);
    for i in 0..2_000_u32 {
        // Seven to a second, and every hundredth second comes too late.
        let seconds = if i % 700 == 350 { 900 } else { 1_000 + i / 7 };
        bytes.extend(Order::Le.record(seconds, i % 7, &i.to_be_bytes()));
    }
    let folder = Folder::new("sorted");
    let paths = [folder.file("a.pcap", &bytes), folder.file("b.pcap.gz", &gzip(&bytes))];
    let lot = |data: &[u8]| match data {
        [.., last] if last % 5 == 0 => Lot::All,
        [.., last] if last % 7 == 0 => Lot::First,
        [.., last] => Lot::One(u16::from(*last)),
        [] => Lot::All,
    };
    let sorter: Sorter = std::sync::Arc::new(move |frame| lot(frame.data));
    let settings = FileSettings { buffer: 1_000, burst: 64, ahead: 4 };
    let mut queues = open_shared(&paths, READERS, settings, Some(sorter)).unwrap();
    let mut lent = vec![Vec::new(); READERS];
    let mut seen = [(0, Timestamp::ZERO); READERS];
    let mut over = [false; READERS];
    while over != [true; READERS] {
        for (reader, queue) in queues.iter_mut().enumerate() {
            let sorted = queue.sorted().unwrap();
            over[reader] |= sorted.batch.status == RxStatus::End;
            assert!(sorted.lots.len() == sorted.batch.frames.len());
            for (frame, whose) in sorted.batch.frames.iter().zip(sorted.lots) {
                assert_eq!(*whose, lot(frame.data));
                lent[reader].push((frame.number, frame.time));
            }
            if let Some((number, latest)) = sorted.seen {
                seen[reader] = (number, seen[reader].1.max(latest));
            }
        }
    }
    let whole: Vec<Seen> = paths.iter().flat_map(|path| read(path).frames).collect();
    for (reader, lent) in lent.iter().enumerate() {
        assert_eq!(seen[reader], (4_000, whole.iter().map(|f| f.time).max().unwrap()));
        let mut at = Timestamp::ZERO;
        for (i, frame) in whole.iter().enumerate() {
            let number = i as u64 + 1;
            let mine = match lot(&frame.data) {
                Lot::One(lot) => usize::from(lot) % READERS == reader,
                Lot::First => reader == 0,
                Lot::All => true,
            };
            let begins = frame.time.seconds() > at.seconds();
            at = if i == 2_000 { frame.time } else { at.max(frame.time) };
            let is_lent = lent.binary_search(&(number, frame.time)).is_ok();
            assert!(is_lent == (mine || begins || i == 2_000), "frame {number}, reader {reader}");
        }
    }
}
