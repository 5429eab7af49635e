//! Which copy of a byte survives: every policy, every geometry.

use super::{Bench, Talk, names};
use crate::{Policy, Settings, Side};

/// First and last byte (exclusive) of the stored segment, then of the new one; then who lets the new one win.
struct Row {
    old: (usize, usize),
    new: (usize, usize),
    new_wins: &'static [Policy],
}

use Policy::{Bsd, Hpux10, Hpux11, Irix, Last, Linux, Macos, OldLinux, Solaris, Windows, Windows2k3};

const FRONT: &[Policy] = &[Bsd, Hpux10, Irix, Windows, Windows2k3, OldLinux, Linux, Macos, Last];
const AROUND: &[Policy] =
    &[Bsd, Hpux10, Irix, Windows, Windows2k3, OldLinux, Linux, Macos, Last, Solaris, Hpux11];

const ROWS: &[Row] = &[
    Row { old: (4, 8), new: (4, 6), new_wins: &[Last] },
    Row { old: (4, 8), new: (4, 8), new_wins: &[OldLinux, Solaris, Hpux11, Last] },
    Row { old: (4, 8), new: (4, 10), new_wins: &[Linux, OldLinux, Solaris, Hpux11, Last] },
    Row { old: (4, 8), new: (2, 6), new_wins: FRONT },
    Row { old: (4, 8), new: (2, 8), new_wins: AROUND },
    Row { old: (4, 8), new: (2, 10), new_wins: AROUND },
    Row { old: (4, 8), new: (5, 7), new_wins: &[Last] },
    Row { old: (4, 8), new: (6, 8), new_wins: &[Last] },
    Row { old: (4, 8), new: (6, 10), new_wins: &[Solaris, Hpux11, Last] },
];

/// What the stream looks like: `.` where neither lies.
fn expected(row: &Row, new_wins: bool) -> String {
    let at = |i: usize, (from, to): (usize, usize)| (from..to).contains(&i);
    (0..12)
        .map(|i| match (at(i, row.old), at(i, row.new)) {
            (true, true) => {
                if new_wins {
                    'N'
                } else {
                    'O'
                }
            }
            (true, false) => 'O',
            (false, true) => 'N',
            (false, false) => '.',
        })
        .collect()
}

fn run(settings: &Settings, row: &Row, old_in_order: bool) -> (String, Bench) {
    let mut bench = Bench::new(settings);
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    let filler = [b'.'; 12];
    let sends = |bench: &mut Bench, (from, to): (usize, usize), with: u8| {
        bench.says(&talk, from as i64, &vec![with; to - from]);
    };
    if old_in_order {
        sends(&mut bench, (0, row.old.0.min(row.new.0)), b'.');
    }
    sends(&mut bench, row.old, b'O');
    sends(&mut bench, row.new, b'N');
    // The filler repeats nothing that is stored: it only fills the holes.
    let (from, to) = (row.old.0.min(row.new.0), row.old.1.max(row.new.1));
    if !old_in_order {
        bench.says(&talk, 0, &filler[..from]);
    }
    bench.says(&talk, to as i64, &filler[to..]);
    bench.ack(&talk, 12);
    (bench.text(flow, Side::ToServer), bench)
}

#[test]
fn every_policy_and_geometry() {
    for policy in Policy::ALL {
        let settings = Settings { policy, memory: 4 << 20, ..Settings::default() };
        for row in ROWS {
            let wanted = expected(row, row.new_wins.contains(&policy));
            for old_in_order in [false, true] {
                let (text, mut bench) = run(&settings, row, old_in_order);
                assert_eq!(text, wanted, "{policy:?} old {:?} new {:?} {old_in_order}", row.old, row.new);
                bench.finish();
            }
        }
    }
}

#[test]
fn inline_keeps_the_first_copy_whatever_the_policy() {
    for policy in [Policy::Last, Policy::Linux] {
        let settings = Settings { policy, inline: true, memory: 4 << 20, ..Settings::default() };
        for row in ROWS {
            let (text, _) = run(&settings, row, false);
            assert_eq!(text, expected(row, false), "{policy:?}");
        }
    }
}

#[test]
fn what_was_acknowledged_stays() {
    let settings = Settings { policy: Policy::Last, memory: 4 << 20, ..Settings::default() };
    let mut bench = Bench::new(&settings);
    let talk = Talk::default();
    let flow = bench.shake(&talk);
    bench.says(&talk, 0, b"abcd");
    bench.ack(&talk, 2);
    bench.says(&talk, 0, b"WXYZ");
    bench.ack(&talk, 4);
    assert_eq!(bench.text(flow, Side::ToServer), "abYZ");
}

#[test]
fn different_bytes_are_reported_when_asked_for() {
    let settings = Settings { check_overlap: true, memory: 4 << 20, ..Settings::default() };
    let mut bench = Bench::new(&settings);
    let talk = Talk::default();
    bench.shake(&talk);
    bench.says(&talk, 0, b"abcd");
    assert!(names(&bench.says(&talk, 0, b"abcdef")).is_empty());
    let turn = bench.says(&talk, 2, b"cdXfgh");
    assert_eq!(names(&turn), ["reassembly_overlap_different_data"]);
    assert_eq!(bench.table.counters().tcp_overlap_different, 1);
    bench.finish();
}
