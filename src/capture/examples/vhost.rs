//! `cargo run --release -p capture --example vhost -- [--client] SOCKET [QUEUES] [SECONDS]`: what a vhost-user front end
//! transmits, counted, with nothing behind the capture: how fast that alone is, and whether every frame arrives.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capture::vhost_user::{Role, VhostSettings, open};
use frame::{Ledger, RxQueue, RxStatus};

static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let role = words.next_if(|word| word == "--client").map_or(Role::Server, |_| Role::Client);
    let Some(path) = words.next() else {
        let _ = writeln!(std::io::stderr(), "vhost: [--client] SOCKET [QUEUES] [SECONDS]");
        return ExitCode::FAILURE;
    };
    let mut number = |default| words.next().and_then(|word| word.parse().ok()).unwrap_or(default);
    let (queues, seconds) = (number(1), number(10));
    let queues = usize::try_from(queues).unwrap_or(1);
    let settings = VhostSettings { queues, role, ..VhostSettings::new(path) };
    let queues = match open(&settings) {
        Ok(queues) => queues,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "vhost: {error}");
            return ExitCode::FAILURE;
        }
    };
    let threads: Vec<_> = queues.into_iter().map(|queue| std::thread::spawn(|| count(queue))).collect();
    std::thread::sleep(Duration::from_secs(seconds));
    STOP.store(true, Ordering::Relaxed);
    for (queue, thread) in threads.into_iter().enumerate() {
        let Ok((ledger, busy, bursts)) = thread.join() else { return ExitCode::FAILURE };
        let rate = ledger.analysed as f64 / busy.as_secs_f64().max(1e-9) / 1e6;
        let _ = writeln!(
            std::io::stdout(),
            "queue {queue}: {} frames, {} bytes, {rate:.3} M frames/s from first to last, {} a burst, {} lost",
            ledger.analysed,
            ledger.received_bytes,
            ledger.analysed.checked_div(bursts).unwrap_or(0),
            ledger.lost_in_all(),
        );
    }
    ExitCode::SUCCESS
}

/// Everything that one queue lends: how much, in which time from the first frame to the last, in how many bursts.
fn count(mut queue: Box<dyn RxQueue>) -> (Ledger, Duration, u64) {
    let (mut ledger, mut bursts, mut busy) = (Ledger::default(), 0, Duration::ZERO);
    let mut begun: Option<Instant> = None;
    let mut stopping = false;
    loop {
        if !stopping && STOP.load(Ordering::Relaxed) {
            queue.stop();
            stopping = true;
        }
        let Ok(batch) = queue.burst() else { break };
        let status = batch.status;
        if !batch.frames.is_empty() {
            ledger.analysed += batch.frames.len() as u64;
            bursts += 1;
            busy = begun.get_or_insert_with(Instant::now).elapsed();
        }
        if status == RxStatus::End {
            break;
        }
        for warning in queue.warnings() {
            let _ = writeln!(std::io::stderr(), "vhost: {warning}");
        }
    }
    queue.account(&mut ledger);
    (ledger, busy, bursts)
}
