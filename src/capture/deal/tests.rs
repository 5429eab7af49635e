//! Every frame reaches the worker that the rule names, in order, and the source is accounted for once.

use super::*;
use frame::{Checksum, LinkType, TapId};

/// So many frames, numbered; then the end, or an error.
struct Source {
    left: u64,
    sent: u64,
    data: Vec<u8>,
    fails: bool,
}

impl Source {
    fn boxed(left: u64, fails: bool) -> Box<dyn RxQueue> {
        Box::new(Self { left, sent: 0, data: vec![0; 700], fails })
    }
}

impl RxQueue for Source {
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        if self.left == 0 && self.fails {
            return Err(RxError::Gone("taken away".into()));
        }
        if self.left == 0 {
            return Ok(Batch { frames: Vec::new(), status: RxStatus::End });
        }
        self.left -= 1;
        self.sent += 1;
        let number = self.sent;
        self.data[..8].copy_from_slice(&number.to_be_bytes());
        let frame = Frame {
            data: &self.data,
            wire_len: 700,
            time: Timestamp::from_nanos(number),
            number,
            link: LinkType::ETHERNET,
            vlan: None,
            checksum: Checksum::Good,
            tap: TapId(3),
        };
        Ok(Batch { frames: vec![frame], status: RxStatus::More })
    }

    fn account(&mut self, ledger: &mut Ledger) {
        ledger.received += self.sent_now();
    }
}

impl Source {
    /// Frames are accounted for when the source ends, so that a test sees whether that is heard.
    fn sent_now(&mut self) -> u64 {
        if self.left == 0 { std::mem::replace(&mut self.sent, 0) } else { 0 }
    }
}

fn by_number(count: u32) -> Rule {
    Arc::new(move |frame: &Frame<'_>| u32::try_from(frame.number).unwrap_or(0) % count)
}

/// Numbers of the frames that a worker saw, and how it ended.
fn drain(queue: &mut dyn RxQueue) -> (Vec<u64>, Option<RxError>) {
    let mut seen = Vec::new();
    loop {
        match queue.burst() {
            Err(error) => return (seen, Some(error)),
            Ok(batch) => {
                for frame in &batch.frames {
                    assert_eq!(frame.data[..8], frame.number.to_be_bytes());
                    assert_eq!(
                        (frame.data.len(), frame.tap, frame.checksum),
                        (700, TapId(3), Checksum::Good)
                    );
                    seen.push(frame.number);
                }
                if batch.status == RxStatus::End {
                    return (seen, None);
                }
            }
        }
    }
}

#[test]
fn every_worker_gets_its_own_in_order() {
    let queues = deal(Source::boxed(50_000, false), 3, by_number(3)).expect("a thread");
    let worker = |mut queue: Box<dyn RxQueue>| {
        std::thread::spawn(move || {
            let (seen, error) = drain(queue.as_mut());
            let mut ledger = Ledger::default();
            queue.account(&mut ledger);
            (seen, error.is_none(), ledger.received)
        })
    };
    // All at once: a worker that takes nothing holds the others up.
    let threads: Vec<_> = queues.into_iter().map(worker).collect();
    let ended: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    assert_eq!(ended.iter().map(|(seen, ..)| seen.len()).sum::<usize>(), 50_000);
    for (worker, (seen, well, _)) in (0..).zip(&ended) {
        assert!(*well && seen.iter().all(|n| n % 3 == worker), "worker {worker}");
        assert!(seen.is_sorted());
    }
    assert_eq!(ended.iter().map(|(.., received)| *received).collect::<Vec<_>>(), [50_000, 0, 0]);
}

#[test]
fn a_source_that_fails_is_heard_of_by_one_and_ends_all() {
    let mut queues = deal(Source::boxed(10, true), 2, by_number(2)).expect("a thread");
    let errors = queues.iter_mut().filter_map(|queue| drain(queue.as_mut()).1).count();
    assert_eq!(errors, 1);
}

#[test]
fn frames_of_a_worker_that_went_away_are_counted() {
    let mut queues = deal(Source::boxed(60_000, false), 2, by_number(2)).expect("a thread");
    drop(queues.pop());
    let (seen, _) = drain(queues[0].as_mut());
    let mut ledger = Ledger::default();
    queues[0].account(&mut ledger);
    assert_eq!(seen.len(), 30_000);
    assert!(ledger.lost(Loss::WorkerLost) > 20_000, "{ledger:?}");
}
