//! A queue whose frames are recorded.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError};

use frame::{Batch, Frame, Ledger, RxError, RxQueue, RxStatus, Timestamp};

use super::{CHUNK, Chunk, LONGEST_WAIT, Shared};
use crate::pcap::Writer;

/// One worker's queue and the chunk that it is filling.
pub(super) struct Tee {
    inner: Box<dyn RxQueue>,
    filling: Filling,
}

/// What gathers frames for the writer.
struct Filling {
    section: Option<Writer<Vec<u8>>>,
    bytes: usize,
    frames: u64,
    first: Timestamp,
    chunks: SyncSender<Chunk>,
    shared: Arc<Shared>,
}

impl Tee {
    pub(super) fn new(inner: Box<dyn RxQueue>, chunks: SyncSender<Chunk>, shared: Arc<Shared>) -> Self {
        let first = Timestamp::default();
        let filling = Filling { section: None, bytes: 0, frames: 0, first, chunks, shared };
        Self { inner, filling }
    }
}

impl Filling {
    fn add(&mut self, frame: &Frame<'_>) {
        if self.section.is_none() {
            self.first = frame.time;
            self.section = Writer::pcapng(Vec::with_capacity(CHUNK + CHUNK / 8)).ok();
        }
        let written = self.section.as_mut().map(|section| section.write(frame));
        if !matches!(written, Some(Ok(()))) {
            // Longer than a record may be: memory itself does not refuse.
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.frames += 1;
        self.bytes += frame.data.len();
        if self.bytes >= CHUNK || self.is_due(frame.time) {
            self.hand_over(false);
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.frames > 0
            && u128::from(now.nanos().saturating_sub(self.first.nanos())) >= LONGEST_WAIT.as_nanos()
    }

    /// Gives the chunk to the writer; at the end of the source it may wait for room, before that it never does.
    fn hand_over(&mut self, may_wait: bool) {
        let Some(section) = self.section.take() else { return };
        let (frames, first) = (std::mem::take(&mut self.frames), self.first);
        self.bytes = 0;
        let chunk = section.finish().map(|bytes| Chunk { bytes, frames, first });
        let refused = match chunk {
            Ok(chunk) if may_wait => self.chunks.send(chunk).is_err(),
            Ok(chunk) => match self.chunks.try_send(chunk) {
                Ok(()) => false,
                Err(TrySendError::Full(_)) => {
                    self.shared.warn("recording: the disk is too slow; frames are not recorded".to_owned());
                    true
                }
                Err(TrySendError::Disconnected(_)) => true,
            },
            Err(_) => true,
        };
        if refused {
            self.shared.lost.fetch_add(frames, Ordering::Relaxed);
        }
    }
}

impl RxQueue for Tee {
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        let Self { inner, filling } = self;
        let batch = inner.burst().inspect_err(|_| filling.hand_over(true))?;
        batch.frames.iter().for_each(|frame| filling.add(frame));
        match batch.status {
            RxStatus::Idle(now) if filling.is_due(now) => filling.hand_over(false),
            RxStatus::End => filling.hand_over(true),
            RxStatus::Idle(_) | RxStatus::More => {}
        }
        Ok(batch)
    }

    fn account(&mut self, ledger: &mut Ledger) {
        self.inner.account(ledger);
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.inner.progress()
    }

    fn warnings(&mut self) -> Vec<String> {
        let mut warnings = self.inner.warnings();
        warnings.extend(self.filling.shared.take_warnings());
        warnings
    }

    fn taps(&self) -> &[String] {
        self.inner.taps()
    }

    fn stop(&mut self) {
        self.inner.stop();
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        self.filling.hand_over(true);
    }
}
