//! A worker's desk: encodes its events, hands them to the hub, answers questions, passes settings and warnings on.

use crate::watch::Watch;
use crate::worker::{Handover, Worker};
use event::{Batch, Key};
use frame::{RxError, RxQueue};
use output::eve::{Block, Encoder};
use output::hub::Port;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Blocks are handed over when they have so many bytes.
const BLOCK: usize = 128 * 1024;
/// Or, of a capture file, after so many bursts; of live traffic, after every one.
const PATIENCE: u32 = 32;
/// Most warnings of one worker that are told once more at the end.
const WARNINGS: usize = 64;

/// How one worker ended.
#[derive(Default)]
pub(crate) struct End {
    pub(crate) warnings: Vec<String>,
    pub(crate) failure: Option<RxError>,
}

/// A worker's desk.
pub(crate) struct Desk {
    index: usize,
    port: Port,
    encoder: Encoder,
    block: Block,
    /// Calls since the last block went.
    calls: u32,
    /// Calls after which a block goes even if it is small or empty: others wait for what it says of its end.
    patience: u32,
    live: bool,
    silent: bool,
    /// A burst has ended.
    paused: bool,
    answered: u64,
    edition: u64,
    warnings: Vec<String>,
    watch: Arc<Watch>,
}

impl Desk {
    /// The desk of worker `index`. A live one tells warnings as they come; a silent one writes no events.
    pub(crate) fn new(
        index: usize,
        port: Port,
        encoder: Encoder,
        live: bool,
        silent: bool,
        watch: Arc<Watch>,
    ) -> Self {
        Self {
            index,
            port,
            encoder,
            block: Block::default(),
            calls: 0,
            patience: if live { 1 } else { PATIENCE },
            live,
            silent,
            paused: false,
            answered: 0,
            edition: watch.edition(),
            warnings: Vec::new(),
            watch,
        }
    }

    /// Has the worker walk its queue to the end.
    pub(crate) fn walk(mut self, worker: &mut Worker, queue: &mut dyn RxQueue) -> End {
        // A parser's mistake must not take the other workers' flows with it: the worker ends, its frames are lost.
        let walked = std::panic::catch_unwind(AssertUnwindSafe(|| worker.run(queue, &mut self)));
        let failure = match walked {
            Ok(result) => result.err(),
            Err(_) => {
                self.warn(format!("worker {} failed; its frames are counted as lost", self.index));
                None
            }
        };
        for warning in queue.warnings() {
            self.warn(warning);
        }
        self.watch.publish(self.index, u64::MAX, worker.conclude());
        End { warnings: self.warnings, failure }
    }

    fn warn(&mut self, text: String) {
        if self.live {
            self.watch.notices.say(text.clone());
        }
        if self.warnings.len() < WARNINGS {
            self.warnings.push(text);
        }
    }
}

impl Handover for Desk {
    fn events(&mut self, batch: &mut Batch, upto: Key) {
        if self.silent {
            return;
        }
        if self.block.bytes.capacity() == 0 {
            self.block.bytes.reserve(BLOCK * 2);
        }
        self.encoder.encode(batch, &mut self.block);
        self.calls += 1;
        let due = self.calls >= self.patience && (self.patience > 1 || !self.block.lines.is_empty());
        if due || self.block.bytes.len() >= BLOCK || upto.packet == u64::MAX {
            self.calls = 0;
            self.block = self.port.send(std::mem::take(&mut self.block), upto);
        }
    }

    fn pause(&mut self, worker: &mut Worker, queue: &mut dyn RxQueue) -> bool {
        if let Some((done, all)) = queue.progress() {
            self.watch.progress.0.fetch_max(done, Ordering::Relaxed);
            self.watch.progress.1.store(all, Ordering::Relaxed);
        }
        if !self.paused && self.index == 0 && self.watch.vf().is_some() && worker.drops_nothing() {
            self.warn(
                "bypassed flows are received still, and then not looked at: this function's NIC or driver drops no \
                 single flows"
                    .into(),
            );
        }
        self.paused = true;
        if self.live {
            for warning in queue.warnings() {
                self.warn(warning);
            }
        }
        let edition = self.watch.edition();
        if edition != self.edition {
            self.edition = edition;
            worker.tell(self.watch.told());
        }
        let question = self.watch.question();
        if question > self.answered {
            self.answered = question;
            self.watch.publish(self.index, question, worker.report());
        }
        !self.watch.stop.load(Ordering::Acquire)
    }
}
