//! Any bytes as a capture file: frames lie inside it, reading ends, and the ledger balances.

#![no_main]

use capture::pcap::{FileSettings, open};
use frame::{Ledger, RxStatus};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::in_a_file(bytes, |path| {
        for burst in [1, 64] {
            let settings = FileSettings { burst, buffer: 4096, ..FileSettings::default() };
            let Ok(mut queues) = open(&[path.to_owned()], 1, settings) else { return };
            let queue = &mut queues[0];
            let mut ledger = Ledger::default();
            loop {
                let Ok(batch) = queue.burst() else { break };
                ledger.analysed += batch.frames.len() as u64;
                let ended = batch.status == RxStatus::End;
                if ended {
                    break;
                }
            }
            queue.account(&mut ledger);
            assert_eq!(ledger.imbalance(), 0, "{ledger:?}");
        }
    });
});
