//! New settings for a running sensor: what can be taken over is, key by key, and the rest is named.

use crate::settings::{KEYS, Settings, Value};
use crate::watch::Watch;
use crate::worker::WorkerSettings;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A key whose value is not the running one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which key.
    pub path: &'static str,
    /// Its new value.
    pub value: Value,
    /// Whether it is in force now; otherwise it needs a restart.
    pub taken: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, value, .. } = self;
        if self.taken {
            write!(f, "{path} is now {value}")
        } else {
            write!(f, "{path} = {value} needs a restart")
        }
    }
}

/// Takes over what can be taken over of `new`, into `running` and into the run.
pub fn reload(running: &mut Settings, new: &Settings, watch: &Watch) -> Vec<Change> {
    let mut changes = Vec::new();
    for key in KEYS {
        let value = (key.show)(new);
        if value == (key.show)(running) {
            continue;
        }
        if key.reload {
            (key.put)(running, value.clone());
        }
        changes.push(Change { path: key.path, value, taken: key.reload });
    }
    if changes.iter().any(|change| change.taken) {
        watch.stats_interval.store(running.stats_interval, Ordering::Relaxed);
        let store = watch.told().store.clone();
        watch.tell(Arc::new(WorkerSettings { store, ..running.worker.clone() }));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::set;

    #[test]
    fn what_can_be_taken_over_is_and_the_rest_is_named() {
        let (mut running, mut new, watch) = (Settings::default(), Settings::default(), Watch::default());
        for text in [
            "events.arp=false",
            "file.md5=true",
            "stats.interval=3",
            "flow.memory=2MiB",
            "events.without=dns",
        ] {
            set(&mut new, text).expect("a key");
        }
        let changes: Vec<String> =
            reload(&mut running, &new, &watch).iter().map(ToString::to_string).collect();
        assert_eq!(
            changes,
            [
                "flow.memory = 2097152 needs a restart",
                "file.md5 is now true",
                "events.arp is now false",
                "events.without is now [\"dns\"]",
                "stats.interval is now 3",
            ]
        );
        let told = watch.told();
        assert!(!told.events.arp && told.files.md5 && told.events.without == ["dns"]);
        assert_eq!(told.flow, Settings::default().worker.flow);
        assert_eq!(watch.stats_interval.load(Ordering::Relaxed), 3);
        assert_eq!(watch.edition(), 1);
        // The second time only what was not taken over differs still.
        assert_eq!(reload(&mut running, &new, &watch).len(), 1);
        assert_eq!(watch.edition(), 1);
    }

    /// What a worker reads from its settings at every use is what a reload reaches.
    #[test]
    fn keys_say_rightly_what_can_be_reloaded() {
        for key in KEYS {
            let by_use = key.path.starts_with("events.")
                || matches!(key.path, "file.md5" | "file.sha1" | "file.sha256" | "stats.interval")
                || matches!(
                    key.path,
                    "bypass.depth" | "bypass.encrypted" | "bypass.networks" | "bypass.rate"
                );
            assert_eq!(key.reload, by_use, "{}", key.path);
        }
    }
}
