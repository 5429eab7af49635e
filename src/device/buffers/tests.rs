use std::sync::Mutex;

use super::*;
use crate::echo::Echo;
use crate::{Device, Local, Time};

const PAGE: usize = 4096;

fn buffers(bytes: usize, size: usize) -> Buffers {
    let mut device = Local::new(Arc::new(Mutex::new(Echo::default())), Time::Virtual);
    Buffers::new(device.dma(bytes).expect("a block"), size).expect("buffers")
}

/// Numbers in an order that looks random (Knuth's multiplier).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn only_sizes_that_divide_a_block_into_words_make_buffers() {
    let mut device = Local::new(Arc::new(Mutex::new(Echo::default())), Time::Virtual);
    for size in [0, 7, 2044, PAGE + 8, usize::MAX] {
        assert!(Buffers::new(device.dma(PAGE).expect("a block"), size).is_none(), "{size}");
    }
    for (size, slots) in [(8, 512), (2048, 2), (1536, 2), (PAGE, 1)] {
        let buffers = Buffers::new(device.dma(PAGE).expect("a block"), size).expect("buffers");
        assert_eq!((buffers.slots(), buffers.size()), (slots, size));
    }
}

#[test]
fn addresses_follow_each_other_and_end() {
    let mut buffers = buffers(PAGE, 1024);
    let first = buffers.address(0).expect("slot 0");
    assert_eq!(buffers.post(3), Some(first + 3 * 1024));
    assert_eq!((buffers.address(4), buffers.post(4)), (None, None));
    assert_eq!(buffers.post(usize::MAX), None);
    assert_eq!(buffers.with_device(), 1);
}

#[test]
fn what_the_device_has_is_neither_lent_nor_filled() {
    let mut buffers = buffers(PAGE, 1024);
    assert!(buffers.fill(1, b"abc"));
    assert!(buffers.post_run(1, 2));
    assert_eq!(buffers.lend(1, 3), None);
    assert!(!buffers.fill(2, b"x"));
    assert!(!buffers.fill(0, &[0; 1025]), "its second half is the device's");
    assert!(buffers.lend_run(0, 4).is_none());
    assert_eq!(buffers.lend(0, 1024).map(<[u8]>::len), Some(1024));
    buffers.returned(1);
    assert_eq!(buffers.lend(1, 3), Some(&b"abc"[..]));
    assert_eq!(buffers.with_device(), 1);
    buffers.take_back();
    assert_eq!(buffers.with_device(), 0);
}

#[test]
fn a_frame_over_several_buffers_is_one_slice_and_a_run_has_an_end() {
    let mut buffers = buffers(4 * PAGE, 2048);
    let frame: Vec<u8> = (0..5000u32).map(|n| n as u8).collect();
    assert!(buffers.fill(2, &frame));
    assert_eq!(buffers.lend(2, 5000), Some(&frame[..]));
    assert!(!buffers.fill(6, &frame), "two buffers are left");
    assert_eq!(buffers.lend(6, 5000), None);
    let run = buffers.lend_run(2, 3).expect("ours");
    assert_eq!(run.frame(0, 5000), Some(&frame[..]));
    assert_eq!(run.frame(2, 904), Some(&frame[4096..]));
    assert_eq!(run.frame(2, 2049), None);
    assert_eq!((run.frame(3, 0), run.frame(3, 1), run.frame(4, 0)), (Some(&[][..]), None, None));
    assert_eq!((run.frame(usize::MAX, 1), run.frame(1, usize::MAX)), (None, None));
    assert_eq!(run.buffers(1).map(<[u8]>::len).collect::<Vec<_>>(), [2048, 2048]);
    assert_eq!(run.buffers(3).count() + run.buffers(usize::MAX).count(), 0);
}

#[test]
fn an_empty_run_is_empty_and_no_run_leaves_the_pool() {
    let mut buffers = buffers(PAGE, 64);
    assert_eq!(buffers.lend_run(64, 0).expect("nothing").frame(0, 0), Some(&[][..]));
    assert!(buffers.post_run(64, 0));
    assert!(buffers.lend_run(65, 0).is_none() && !buffers.post_run(65, 0));
    assert!(buffers.lend_run(1, usize::MAX).is_none() && !buffers.post_run(1, usize::MAX));
    buffers.returned_run(usize::MAX, usize::MAX);
    buffers.returned_run(60, 5);
    buffers.prefetch(63);
    buffers.prefetch(64);
    assert_eq!(buffers.with_device(), 0);
}

/// Random calls on pools of many sizes, held against a plain list of who has what and what was written.
#[test]
fn every_sequence_of_calls_keeps_ownership_and_contents() {
    for seed in 0..60 {
        let mut numbers = Numbers(seed);
        let (size, pages) = (8 << numbers.below(9), 1 + numbers.below(4));
        let mut buffers = buffers(pages * PAGE, size);
        let slots = buffers.slots();
        let mut posted = vec![false; slots];
        let mut contents = vec![0u8; slots * size];
        for _ in 0..400 {
            let first = numbers.below(slots + 2);
            let count = numbers.below(slots.min(140) + 2);
            let run = first..first.saturating_add(count);
            let inside = run.end <= slots && first <= slots;
            match numbers.below(6) {
                0 => {
                    assert_eq!(buffers.post_run(first, count), inside);
                    if inside {
                        posted[run].fill(true);
                    }
                }
                1 => {
                    buffers.returned_run(first, count);
                    if inside {
                        posted[run].fill(false);
                    }
                }
                2 => {
                    let ours = inside && posted[run.clone()].iter().all(|with_device| !with_device);
                    let lent = buffers.lend_run(first, count);
                    assert_eq!(lent.is_some(), ours, "seed {seed}");
                    if let Some(lent) = lent {
                        let expect = &contents[first * size..run.end * size];
                        assert_eq!(lent.frame(0, count * size), Some(expect), "seed {seed}");
                    }
                }
                3 => {
                    let bytes = vec![numbers.below(256) as u8; 1 + numbers.below(3 * size)];
                    let touched = first..first + bytes.len().div_ceil(size);
                    let ours = touched.end <= slots && posted[touched].iter().all(|with_device| !with_device);
                    assert_eq!(buffers.fill(first, &bytes), ours, "seed {seed}");
                    if ours {
                        contents[first * size..][..bytes.len()].copy_from_slice(&bytes);
                    }
                }
                4 if numbers.below(20) == 0 => {
                    buffers.take_back();
                    posted.fill(false);
                }
                _ => {
                    assert_eq!(buffers.post(first).is_some(), first < slots);
                    if first < slots {
                        posted[first] = true;
                    }
                }
            }
            assert_eq!(buffers.with_device(), posted.iter().filter(|with_device| **with_device).count());
        }
    }
}

#[test]
fn the_bus_sees_the_same_borders() {
    let posted = Posted::new(100, 200);
    posted.set(63, 2);
    assert!(posted.covers(6300, 200) && posted.covers(6499, 1) && posted.covers(6300, 0));
    assert!(!posted.covers(6299, 2) && !posted.covers(6499, 2) && !posted.covers(6500, 0));
    assert!(!posted.covers(20_000, 100) && !posted.covers(1 << 40, 8));
    posted.set(0, 200);
    posted.clear(128, 72);
    assert!(posted.covers(0, 12_800) && !posted.covers(0, 12_801));
    assert_eq!(posted.count(), 128);
}
