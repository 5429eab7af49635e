//! Where frames come from, one after another: the door that files and interfaces drink from.

use std::io::Read;

use crate::PcapReader;

/// Gives frames, one at a time, without keeping them.
pub trait Source {
    /// Replaces `frame` by the next one; `false`, from then on, when there are no more.
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        (**self).fill(frame)
    }
}

/// A few good hosts among many bad frames: after every `every` frames of the flood comes one of the others, and what is
/// left of them comes at the end.
#[derive(Clone, Debug)]
pub struct Among<F, G> {
    flood: F,
    good: G,
    every: u64,
    count: u64,
}

impl<F: Source, G: Source> Among<F, G> {
    /// Mixes `good` into `flood`.
    pub const fn new(flood: F, good: G, every: u64) -> Self {
        Self { flood, good, every, count: 0 }
    }
}

impl<F: Source, G: Source> Source for Among<F, G> {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.count == self.every {
            self.count = 0;
            if self.good.fill(frame) {
                return true;
            }
        }
        self.count += 1;
        self.flood.fill(frame) || self.good.fill(frame)
    }
}

/// The frames of a capture. Ends early, and keeps the reason, when the capture cannot be read further.
#[derive(Debug)]
pub struct Replay<R> {
    reader: PcapReader<R>,
    /// Why it ended before the end, if it did.
    pub error: Option<std::io::Error>,
}

impl<R: Read> Replay<R> {
    /// Replays what `reader` gives.
    pub const fn new(reader: PcapReader<R>) -> Self {
        Self { reader, error: None }
    }
}

impl<R: Read> Source for Replay<R> {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        match self.reader.read(frame) {
            Ok(time) => time.is_some(),
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `left` frames of one byte.
    struct Byte(u8, u32);

    impl Source for Byte {
        fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
            frame.clear();
            frame.push(self.0);
            self.1 = self.1.wrapping_sub(1);
            self.1 != u32::MAX
        }
    }

    #[test]
    fn good_ones_come_at_their_turn_and_at_the_end() {
        let mut mixed = Among::new(Byte(b'.', 5), Byte(b'g', 4), 2);
        let (mut frame, mut seen) = (Vec::new(), Vec::new());
        while seen.len() < 9 && mixed.fill(&mut frame) {
            seen.extend_from_slice(&frame);
        }
        assert_eq!(String::from_utf8_lossy(&seen), "..g..g.gg");
    }
}
