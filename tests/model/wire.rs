//! The wire: what the driver sent, until someone takes it.

use std::collections::VecDeque;

/// Frames kept at most; older ones give way.
const KEPT: usize = 65_536;

/// Frames that the driver sent, oldest first.
#[derive(Debug, Default)]
pub struct Wire {
    frames: VecDeque<Vec<u8>>,
    /// All frames that were sent, kept or not.
    pub sent: Sent,
    /// Frames that gave way because nobody took them.
    pub lost: u64,
}

/// Frames that were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many.
    pub frames: u64,
    /// Their bytes, without check sequences.
    pub bytes: u64,
}

impl Wire {
    /// A frame leaves the function, wherever it goes.
    pub(crate) fn leave(&mut self, frame: &[u8]) {
        self.sent.frames += 1;
        self.sent.bytes += frame.len() as u64;
    }

    /// Puts a frame on the wire.
    pub fn put(&mut self, frame: Vec<u8>) {
        if self.frames.len() == KEPT {
            self.frames.pop_front();
            self.lost += 1;
        }
        self.frames.push_back(frame);
    }

    /// Takes the oldest frame.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }

    /// Lets every frame go.
    pub fn clear(&mut self) {
        self.frames.clear();
    }

    /// How many frames wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}
