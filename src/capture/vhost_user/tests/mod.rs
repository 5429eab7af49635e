//! What front ends do, good ones and others.

mod frames;
mod front;
mod hostile;
mod socket;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use frame::{Checksum, Ledger, RxQueue, RxStatus};
use tempfile::TempDir;

use super::{VhostSettings, open};

/// A source in a folder of its own.
struct Stage {
    _folder: TempDir,
    path: PathBuf,
    queues: Vec<Box<dyn RxQueue>>,
    ledger: Ledger,
    warnings: Vec<String>,
}

impl Stage {
    fn set(queues: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card");
        let settings = VhostSettings { queues, wait_ms: 20, ..VhostSettings::new(&path) };
        let queues = open(&settings).unwrap();
        Self { _folder: folder, path, queues, ledger: Ledger::default(), warnings: Vec::new() }
    }

    /// One burst of a queue: the frames, copied, and the status.
    fn burst(&mut self, queue: usize) -> (Vec<(Vec<u8>, Checksum)>, RxStatus) {
        let batch = self.queues[queue].burst().unwrap();
        let copy = |frame: &frame::Frame<'_>| {
            assert_eq!(frame.wire_len as usize, frame.data.len());
            (frame.data.to_vec(), frame.checksum)
        };
        let burst = (batch.frames.iter().map(copy).collect::<Vec<_>>(), batch.status);
        self.ledger.analysed += burst.0.len() as u64;
        self.account();
        burst
    }

    fn account(&mut self) {
        for queue in &mut self.queues {
            queue.account(&mut self.ledger);
            self.warnings.extend(queue.warnings());
        }
    }

    /// Bursts of a queue until so many frames came.
    fn frames(&mut self, queue: usize, count: usize) -> Vec<Vec<u8>> {
        let until = Instant::now() + Duration::from_secs(10);
        let mut frames = Vec::new();
        while frames.len() < count {
            frames.extend(self.burst(queue).0.into_iter().map(|(data, _)| data));
            assert!(Instant::now() < until, "{} of {count} frames; {:?}", frames.len(), self.warnings);
        }
        assert_eq!(frames.len(), count);
        frames
    }

    /// Bursts of the first queue until a warning speaks of this.
    fn until_warned(&mut self, of: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.warnings.iter().any(|warning| warning.contains(of)) {
            self.burst(0);
            assert!(Instant::now() < until, "nobody speaks of {of:?}: {:?}", self.warnings);
        }
    }

    /// Checks that nothing is unaccounted for.
    fn assert_balanced(&mut self) {
        self.account();
        assert_eq!(self.ledger.imbalance(), 0, "{:?}", self.ledger);
    }
}
