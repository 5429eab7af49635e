//! Sinks: where lines end up. Each has a policy for when it is slow. One that loses lines then has a thread and a bounded
//! queue of its own, so that it holds nobody up; one that everybody waits for is written to by the hub's thread.

mod counters;
mod file;
mod socket;

pub use counters::{SinkCounts, SinkReport};
pub use file::{File, Rotation};
pub use socket::Socket;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Chunks that may wait for a sink with a thread of its own.
const QUEUE: usize = 16;

/// How long a sink with nothing to write waits before it looks after itself.
const LOOK: Duration = Duration::from_millis(200);

/// What happens when a sink's queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The producers wait: nothing is lost, everything slows down. For capture files, which can wait.
    Wait,
    /// The lines are dropped and counted: capture goes on. For live traffic, which cannot.
    Drop,
}

/// What became of lines that a sink took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// They were written.
    All,
    /// They were lost, the sink goes on: its reader went away and may come back.
    Lost,
    /// They were written, to a reader that had been away.
    Returned,
}

/// Whole lines on their way to sinks, which share them.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) lines: u64,
}

/// Whatever lines can be written to. Called on one thread, with whole lines.
pub trait Write: Send {
    /// Writes whole lines.
    ///
    /// # Errors
    /// When the sink cannot go on: it is stopped, what follows is counted as lost.
    fn write(&mut self, lines: &[u8]) -> io::Result<Wrote>;

    /// Called when nothing waits, on a thread of the sink's own.
    ///
    /// # Errors
    /// As for `write`.
    fn idle(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Opens its target anew when that was moved away, or when this sink has `failed`. Whether it did.
    ///
    /// # Errors
    /// As for `write`.
    fn reopen(&mut self, failed: bool) -> io::Result<bool> {
        let _ = failed;
        Ok(false)
    }
}

impl<F: FnMut(&[u8]) -> io::Result<()> + Send> Write for F {
    fn write(&mut self, lines: &[u8]) -> io::Result<Wrote> {
        self(lines).map(|()| Wrote::All)
    }
}

/// Standard output.
#[derive(Debug, Default)]
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, lines: &[u8]) -> io::Result<Wrote> {
        let mut out = io::stdout().lock();
        io::Write::write_all(&mut out, lines)?;
        io::Write::flush(&mut out)?;
        Ok(Wrote::All)
    }
}

/// A sink at work.
pub struct Sink {
    counts: Arc<SinkCounts>,
    way: Way,
}

/// How lines get to where they are written.
enum Way {
    /// At once.
    Direct(Box<dyn Write>),
    /// By a thread, as far as its queue has room.
    Queued(Sender<Chunk>, JoinHandle<()>),
}

impl Sink {
    /// Starts a sink.
    ///
    /// # Errors
    /// When the operating system has no thread for it.
    pub fn start(name: &str, policy: Policy, target: impl Write + 'static) -> io::Result<Self> {
        let counts = Arc::new(SinkCounts::new(name));
        let way = match policy {
            Policy::Wait => Way::Direct(Box::new(target)),
            Policy::Drop => {
                let (chunks, inbox) = bounded(QUEUE);
                let shared = Arc::clone(&counts);
                let thread = std::thread::Builder::new().name(format!("sink {name}"));
                Way::Queued(chunks, thread.spawn(move || run(target, &inbox, &shared))?)
            }
        };
        Ok(Self { counts, way })
    }

    /// What it counted, for whoever reports it.
    #[must_use]
    pub fn counts(&self) -> Arc<SinkCounts> {
        Arc::clone(&self.counts)
    }

    /// Counts lines that were produced for it.
    pub(crate) fn count(&self, lines: u64) {
        self.counts.produce(lines);
    }

    /// Offers a chunk of whole lines, by policy.
    pub(crate) fn offer(&mut self, chunk: &Chunk) {
        match &mut self.way {
            Way::Direct(target) => {
                reopen(target.as_mut(), &self.counts);
                write(target.as_mut(), chunk, &self.counts);
            }
            Way::Queued(chunks, _) => {
                if chunks.try_send(chunk.clone()).is_err() {
                    self.counts.drop_slow(chunk.lines);
                }
            }
        }
    }

    /// Waits until everything offered was written.
    pub(crate) fn end(self) {
        if let Way::Queued(chunks, thread) = self.way {
            drop(chunks);
            // A panic of the sink has been printed by the hook; the ledger shows what it did not write.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// Writes what comes until no more can come, and has the target look after itself in between.
fn run(mut target: impl Write, inbox: &Receiver<Chunk>, counts: &SinkCounts) {
    loop {
        let next = inbox.recv_timeout(LOOK);
        reopen(&mut target, counts);
        match next {
            Ok(chunk) => write(&mut target, &chunk, counts),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if inbox.is_empty() && !counts.is_stopped() {
            target.idle().unwrap_or_else(|e| counts.stop(&e));
        }
    }
}

fn write(target: &mut dyn Write, chunk: &Chunk, counts: &SinkCounts) {
    if counts.is_stopped() {
        counts.drop_stopped(chunk.lines);
        return;
    }
    match target.write(&chunk.bytes) {
        Ok(Wrote::All) => counts.wrote(chunk.lines, chunk.bytes.len() as u64),
        Ok(Wrote::Returned) => {
            counts.reader_returned();
            counts.wrote(chunk.lines, chunk.bytes.len() as u64);
        }
        Ok(Wrote::Lost) => counts.drop_gone(chunk.lines),
        Err(error) => {
            counts.drop_stopped(chunk.lines);
            counts.stop(&error);
        }
    }
}

/// Opens the target anew, if somebody has asked for that.
fn reopen(target: &mut dyn Write, counts: &SinkCounts) {
    if !counts.is_to_reopen() {
        return;
    }
    match target.reopen(counts.is_stopped()) {
        Ok(true) => counts.reopened(),
        Ok(false) => {}
        Err(error) => counts.stop(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(policy: Policy, target: impl Write + 'static, chunks: usize) -> SinkReport {
        let mut sink = Sink::start("test", policy, target).expect("a thread");
        let counts = sink.counts();
        let chunk = Chunk { bytes: Arc::new(b"one\ntwo\n".to_vec()), lines: 2 };
        for _ in 0..chunks {
            sink.count(2);
            sink.offer(&chunk);
        }
        sink.end();
        counts.report()
    }

    #[test]
    fn a_failed_sink_stops_and_the_ledger_balances() {
        let mut left = 2;
        let report = run(
            Policy::Wait,
            move |_: &[u8]| {
                left -= 1;
                if left < 0 { Err(io::Error::other("disk full")) } else { Ok(()) }
            },
            5,
        );
        assert_eq!((report.written, report.lost_stopped, report.lost_slow), (4, 6, 0));
        assert_eq!(report.produced, 10);
        assert_eq!(report.stopped.as_deref(), Some("disk full"));
    }

    #[test]
    fn a_slow_sink_loses_by_policy_only() {
        let slow = |_: &[u8]| {
            std::thread::sleep(std::time::Duration::from_millis(2));
            Ok(())
        };
        let report = run(Policy::Drop, slow, 100);
        assert!(report.lost_slow > 0);
        assert_eq!(report.produced, report.written + report.lost_slow);
        assert_eq!(run(Policy::Wait, slow, 20).written, 40);
    }
}
