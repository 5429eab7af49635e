//! Any bytes as a capture file, through the whole sensor: it ends, and the ledger balances.

#![no_main]

use capture::pcap::FileSettings;
use libfuzzer_sys::fuzz_target;
use sensor::{Settings, Watch};
use std::sync::Arc;

fuzz_target!(|bytes: &[u8]| {
    let mut settings = Settings { workers: 1, ..Settings::default() };
    settings.worker.flow.memory = 4 << 20;
    settings.worker.flow.reassembly_memory = 4 << 20;
    settings.worker.decode.defrag.memory = 1 << 20;
    fuzzing::in_a_file(bytes, |path| {
        let watch = Arc::new(Watch::default());
        let Ok(outcome) = sensor::read(&[path.to_owned()], &settings, FileSettings::default(), &watch) else {
            return;
        };
        assert_eq!(outcome.snapshot.ledger.imbalance(), 0, "{:?}", outcome.snapshot.ledger);
        assert_eq!(outcome.snapshot.report.flows, 0, "every flow has ended");
    });
});
