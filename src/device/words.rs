//! Bytes in and out of shared words, at any offset: how the device's side of the memory is reached from a process.

use std::sync::atomic::{AtomicU64, Ordering};

/// Copies bytes from `at` on. The caller has checked that they are there; what is not stays as it was.
pub(crate) fn read(words: &[AtomicU64], at: usize, into: &mut [u8]) {
    let mut into = into;
    let mut at = at;
    while !into.is_empty() {
        let skip = at % 8;
        let take = into.len().min(8 - skip);
        let (now, rest) = into.split_at_mut(take);
        let Some(word) = words.get(at / 8) else { return };
        let value = word.load(Ordering::Acquire).to_le_bytes();
        for (to, from) in now.iter_mut().zip(value.iter().skip(skip)) {
            *to = *from;
        }
        into = rest;
        at += take;
    }
}

/// Copies bytes to `at` on. The caller has checked that there is room; what has none is left out.
pub(crate) fn write(words: &[AtomicU64], at: usize, bytes: &[u8]) {
    let mut bytes = bytes;
    let mut at = at;
    while !bytes.is_empty() {
        let skip = at % 8;
        let (now, rest) = bytes.split_at(bytes.len().min(8 - skip));
        let Some(word) = words.get(at / 8) else { return };
        put(word, skip, now);
        bytes = rest;
        at += now.len();
    }
}

/// Whole words are stored; of others the neighbouring bytes are kept even while somebody else writes them.
fn put(word: &AtomicU64, skip: usize, bytes: &[u8]) {
    if let Ok(whole) = bytes.try_into() {
        word.store(u64::from_le_bytes(whole), Ordering::Release);
        return;
    }
    let splice = |old: u64| {
        let mut value = old.to_le_bytes();
        for (to, from) in value.iter_mut().skip(skip).zip(bytes) {
            *to = *from;
        }
        Some(u64::from_le_bytes(value))
    };
    // The closure always answers, so this cannot fail.
    let _ = word.fetch_update(Ordering::AcqRel, Ordering::Acquire, splice);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zeroed(words: usize) -> Vec<AtomicU64> {
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn what_is_written_at_any_offset_is_read_back_and_neighbours_stay() {
        let bytes: Vec<u8> = (1..=40).collect();
        for at in 0..17 {
            for len in 0..=bytes.len() {
                let words = zeroed(8);
                write(&words, 0, &[0xEE; 64]);
                write(&words, at, &bytes[..len]);
                let mut whole = [0; 64];
                read(&words, 0, &mut whole);
                let mut expect = [0xEE; 64];
                expect[at..at + len].copy_from_slice(&bytes[..len]);
                assert_eq!(whole, expect, "{len} bytes at {at}");
                let mut part = vec![0; len];
                read(&words, at, &mut part);
                assert_eq!(part, bytes[..len]);
            }
        }
    }

    #[test]
    fn the_end_is_the_end() {
        let words = zeroed(1);
        write(&words, 4, &[7; 9]);
        let mut seen = [1; 9];
        read(&words, 4, &mut seen);
        assert_eq!(seen, [7, 7, 7, 7, 1, 1, 1, 1, 1]);
    }
}
