//! Sinks: where lines end up. Each has a thread of its own, a bounded queue, and a policy for when it is slow.

mod counters;
mod file;
mod socket;

pub use counters::{SinkCounts, SinkReport};
pub use file::{File, Rotation};
pub use socket::Socket;

use crossbeam_channel::{RecvTimeoutError, Sender, TrySendError, bounded};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Chunks that may wait for one sink.
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

/// Whatever lines can be written to. Called on the sink's own thread, with whole lines.
pub trait Write: Send {
    /// Writes whole lines.
    ///
    /// # Errors
    /// When the sink cannot go on: it is stopped, what follows is counted as lost.
    fn write(&mut self, lines: &[u8]) -> io::Result<Wrote>;

    /// Called when nothing waits.
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
#[derive(Debug)]
pub struct Sink {
    chunks: Sender<Chunk>,
    policy: Policy,
    counts: Arc<SinkCounts>,
    thread: JoinHandle<()>,
}

impl Sink {
    /// Starts a sink's thread.
    ///
    /// # Errors
    /// When the operating system has no thread for it.
    pub fn start(name: &str, policy: Policy, mut target: impl Write + 'static) -> io::Result<Self> {
        let (chunks, inbox) = bounded::<Chunk>(QUEUE);
        let counts = Arc::new(SinkCounts::new(name));
        let shared = Arc::clone(&counts);
        let thread = std::thread::Builder::new().name(format!("sink {name}")).spawn(move || {
            loop {
                let next = inbox.recv_timeout(LOOK);
                if shared.is_to_reopen() {
                    reopen(&mut target, &shared);
                }
                match next {
                    Ok(chunk) => write(&mut target, &chunk, &shared),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if inbox.is_empty() && !shared.is_stopped() {
                    target.idle().unwrap_or_else(|e| shared.stop(&e));
                }
            }
        })?;
        Ok(Self { chunks, policy, counts, thread })
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
    pub(crate) fn offer(&self, chunk: &Chunk) {
        let refused = match self.policy {
            Policy::Wait => self.chunks.send(chunk.clone()).is_err(),
            Policy::Drop => match self.chunks.try_send(chunk.clone()) {
                Ok(()) => false,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => true,
            },
        };
        if refused {
            self.counts.drop_slow(chunk.lines);
        }
    }

    /// Waits until everything offered was written.
    pub(crate) fn end(self) {
        drop(self.chunks);
        // A panic of the sink has been printed by the hook; the ledger shows what it did not write.
        let _ = self.thread.join();
    }
}

fn write(target: &mut impl Write, chunk: &Chunk, counts: &SinkCounts) {
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

fn reopen(target: &mut impl Write, counts: &SinkCounts) {
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
        let sink = Sink::start("test", policy, target).expect("a thread");
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
