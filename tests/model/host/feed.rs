//! Frames into the model, at a pace.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Shared;
use super::hosted::lock;
use crate::datapath::{Ledger, Verdict};

/// Frames given to the model without letting go of it.
const BURST: u64 = 64;
/// How often a paced feed looks whether frames are due.
const LOOK: Duration = Duration::from_micros(500);

/// A way for frames into a model.
#[derive(Clone, Debug)]
pub struct Feed {
    to: Shared,
    /// Frames a second; none is as fast as can be.
    pub rate: Option<u64>,
}

/// What became of frames that were fed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fed {
    /// All of them.
    pub frames: u64,
    /// In a ring.
    pub received: u64,
    /// Wanted by no filter.
    pub filtered: u64,
    /// Dropped by a rule of the driver's.
    pub dropped: u64,
    /// Wanted, and lost.
    pub lost: u64,
}

impl Fed {
    fn count(&mut self, verdict: Verdict) {
        self.frames += 1;
        match verdict {
            Verdict::Received(_) => self.received += 1,
            Verdict::Filtered => self.filtered += 1,
            Verdict::Dropped => self.dropped += 1,
            _ => self.lost += 1,
        }
    }
}

impl Feed {
    /// A way into `to`, at `rate` frames a second.
    #[must_use]
    pub fn new(to: &Shared, rate: Option<u64>) -> Self {
        Self { to: Shared::clone(to), rate: rate.filter(|rate| *rate != 0) }
    }

    /// Waits until a receive queue is enabled, for `limit` at most; tells whether one is.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        let since = Instant::now();
        while !lock(&self.to).is_receiving() {
            if since.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }

    /// Gives all frames, each when it is due.
    pub fn give(&self, frames: impl IntoIterator<Item = Vec<u8>>) -> Fed {
        let mut fed = Fed::default();
        let began = Instant::now();
        let mut frames = frames.into_iter();
        loop {
            let may = self.due(began.elapsed()).saturating_sub(fed.frames).min(BURST);
            let burst: Vec<_> = frames.by_ref().take(usize::try_from(may).unwrap_or(0)).collect();
            if may != 0 && burst.is_empty() {
                return fed;
            }
            lock(&self.to).now(|model| burst.iter().for_each(|frame| fed.count(model.receive(frame))));
            if may < BURST {
                std::thread::sleep(LOOK);
            }
        }
    }

    /// How many frames are due so long after the first: the first is due at once.
    fn due(&self, since: Duration) -> u64 {
        let Some(rate) = self.rate else { return u64::MAX };
        let due = 1 + since.as_nanos() * u128::from(rate) / 1_000_000_000;
        u64::try_from(due).unwrap_or(u64::MAX)
    }
}

/// The ledger as orders tell it.
pub(super) fn lines(ledger: &Ledger) -> [(&'static str, u64); 10] {
    [
        ("offered", ledger.offered),
        ("received", ledger.received),
        ("filtered", ledger.filtered),
        ("dropped", ledger.dropped),
        ("lost", ledger.lost()),
        ("not_enabled", ledger.not_enabled),
        ("too_long", ledger.too_long),
        ("no_descriptor", ledger.no_descriptor),
        ("denied", ledger.denied),
        ("fault", ledger.fault),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;
    use crate::host::{Hosted, Order};
    use crate::rig::{Rig, Setting};
    use crate::{Options, Persona};

    /// One queue whose ring takes 63 frames.
    fn running() -> Shared {
        let setting = Setting { pairs: 1, ..Setting::default() };
        let rig = Rig::running(Persona::i40e(), Options::lenient(), setting);
        Arc::new(Mutex::new(Hosted::new(rig.model)))
    }

    fn order(model: &Shared, order: &Value) -> Value {
        Order::obey(&order.to_string(), model)
    }

    #[test]
    fn what_is_injected_is_received_or_counted() {
        let model = running();
        let fed = order(&model, &json!({ "do": "inject", "count": 60, "size": 64 }));
        assert_eq!(
            fed,
            json!({ "ok": true, "frames": 60, "received": 60, "filtered": 0, "dropped": 0, "lost": 0 })
        );
        let fed = order(&model, &json!({ "do": "inject", "count": 10, "size": 64, "queues": 4 }));
        assert_eq!((&fed["received"], &fed["lost"]), (&json!(3), &json!(7)), "the ring is full");
        let stats = order(&model, &json!({ "do": "stats" }));
        assert_eq!((&stats["rx_packets"], &stats["frames"]["no_descriptor"]), (&json!(63), &json!(7)));
        assert_eq!((&stats["strayed"], &stats["enabled"]), (&json!(0), &json!(1)));
    }

    #[test]
    fn a_capture_is_played_to_whom_it_concerns() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let mut bytes = Vec::new();
        for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
            bytes.extend(word.to_le_bytes());
        }
        for first in [[0xFF; 6], [0x02; 6]] {
            [1_u32, 0, 60, 60].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
            bytes.extend(first);
            bytes.resize(bytes.len() + 54, 0x08);
        }
        std::io::Write::write_all(&mut file, &bytes).expect("room");
        let played = order(&running(), &json!({ "do": "play", "file": file.path() }));
        let wanted = json!({ "ok": true, "frames": 2, "received": 1, "filtered": 1, "dropped": 0, "lost": 0, "foreign": 0 });
        assert_eq!(played, wanted, "a broadcast, and a frame for somebody else");
    }

    #[test]
    fn a_rate_is_kept() {
        let (feed, since) = (Feed::new(&running(), Some(1000)), Instant::now());
        let fed = feed.give((0..50).map(|_| vec![0xFF; 60]));
        assert_eq!((fed.frames, fed.received), (50, 50));
        assert!(since.elapsed() >= Duration::from_millis(49), "{:?}", since.elapsed());
    }
}
