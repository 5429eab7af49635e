//! Orders for a model at work, each a JSON object with its answer.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::feed::{Feed, lines};
use super::hosted::lock;
use super::{Capture, Generator, Shared};
use crate::fault::Plan;
use crate::{Model, Reset};

/// How long orders that need an enabled queue wait for one.
const ENABLED: Duration = Duration::from_secs(5);

/// What can be ordered: `{"do":"inject","count":100}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Frames that are made up, as many and as long as wanted, over flows for so many queues.
    Inject {
        /// How many.
        count: u64,
        /// Bytes of each, without check sequence.
        #[serde(default = "sixty_four")]
        size: u64,
        /// Queues that are to see some.
        #[serde(default = "one")]
        queues: u64,
        /// Frames a second.
        rate: Option<u64>,
    },
    /// Frames of a capture. Answered when all were given.
    Play {
        /// The file, by its path here.
        file: PathBuf,
        /// Frames a second.
        rate: Option<u64>,
    },
    /// A reset.
    Reset {
        /// Which.
        kind: Kind,
    },
    /// What was counted, and how things stand.
    Stats {},
    /// The host trusts the function, or not.
    Trust {
        /// Whether.
        on: bool,
    },
    /// The host sets the function's address, `02:00:00:00:00:01`; null leaves it to the function.
    Mac {
        /// The address.
        mac: Option<String>,
    },
    /// The host puts the port into a VLAN; null takes it out.
    Vlan {
        /// The VLAN.
        vlan: Option<u16>,
    },
    /// The link goes up or down.
    Link {
        /// Which.
        up: bool,
    },
    /// Another plan of faults; an empty one ends them.
    Faults {
        /// Its lines.
        plan: String,
    },
    /// What happened lately.
    Notes {},
    /// The function is pulled out, for ever.
    Remove {},
}

/// Resets that can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Of the PF, announced.
    Pf,
    /// Of the function, at function level: bus mastering is off after it.
    Flr,
    /// Of the function, by its host, announced.
    Vf,
}

fn one() -> u64 {
    1
}

fn sixty_four() -> u64 {
    64
}

impl Order {
    /// Does as a line says; the answer is an object with `ok` or `error`.
    #[must_use]
    pub fn obey(line: &str, model: &Shared) -> Value {
        let done = serde_json::from_str::<Self>(line).map_err(|error| error.to_string());
        match done.and_then(|order| order.run(model)) {
            Ok(mut answer) => {
                answer.insert("ok".into(), json!(true));
                Value::Object(answer)
            }
            Err(error) => json!({ "error": error }),
        }
    }

    fn run(self, shared: &Shared) -> Result<Map<String, Value>, String> {
        let on = |what: &dyn Fn(&mut Model)| {
            lock(shared).now(what);
            Ok(Map::new())
        };
        match self {
            Self::Inject { count, size, queues, rate } => inject(shared, count, size, queues, rate),
            Self::Play { file, rate } => play(shared, &file, rate),
            Self::Reset { kind: Kind::Pf } => on(&|model| model.reset_pf()),
            Self::Reset { kind: Kind::Flr } => on(&|model| model.reset(Reset::Flr)),
            Self::Reset { kind: Kind::Vf } => on(&|model| model.reset_vf()),
            Self::Stats {} => Ok(lock(shared).now(|model| stats(model))),
            Self::Trust { on: trusted } => on(&|model| model.set_trust(trusted)),
            Self::Mac { mac } => {
                let mac = mac.map(|mac| address(&mac).ok_or("no MAC address")).transpose()?;
                on(&|model| model.set_mac(mac))
            }
            Self::Vlan { vlan: Some(vlan) } if vlan > 4094 => Err("VLANs end at 4094".into()),
            Self::Vlan { vlan } => on(&|model| model.set_port_vlan(vlan)),
            Self::Link { up } => on(&|model| model.set_link(up)),
            Self::Faults { plan } => {
                let plan: Plan = plan.parse().map_err(|error| format!("{error}"))?;
                on(&|model| model.plan = plan.clone())
            }
            Self::Notes {} => Ok(lock(shared).now(|model| notes(model))),
            Self::Remove {} => on(&|model| model.remove()),
        }
    }
}

fn inject(
    shared: &Shared,
    count: u64,
    size: u64,
    queues: u64,
    rate: Option<u64>,
) -> Result<Map<String, Value>, String> {
    let feed = enabled(shared, rate)?;
    let to = lock(shared).now(|model| destination(model));
    let count = usize::try_from(count).map_err(|error| error.to_string())?;
    Ok(object(json!(feed.give(Generator::new(to, size, queues).take(count)))))
}

fn play(shared: &Shared, file: &std::path::Path, rate: Option<u64>) -> Result<Map<String, Value>, String> {
    let mut capture = Capture::open(file)?;
    let feed = enabled(shared, rate)?;
    let mut answer = object(json!(feed.give(capture.by_ref())));
    answer.insert("foreign".into(), json!(capture.foreign));
    match capture.broken {
        Some(why) => Err(format!("{}: it breaks off: {why}", file.display())),
        None => Ok(answer),
    }
}

fn enabled(shared: &Shared, rate: Option<u64>) -> Result<Feed, String> {
    let feed = Feed::new(shared, rate);
    if feed.wait(ENABLED) { Ok(feed) } else { Err("no receive queue is enabled".into()) }
}

/// The address that the function goes by.
pub(super) fn destination(model: &Model) -> [u8; 6] {
    let own = model.function.vf.own.or(model.function.host.mac);
    own.unwrap_or([0xFF; 6])
}

fn stats(model: &Model) -> Map<String, Value> {
    let tally = model.tally();
    let (host, vf) = (&model.function.host, &model.function.vf);
    let state = match () {
        () if model.is_removed() => "removed",
        () if model.is_resetting() => "resetting",
        () if vf.granted.is_some() => "negotiated",
        () => "active",
    };
    let mut answer = object(json!({
        "state": state,
        "rx_packets": tally.frames.received,
        "tx_packets": tally.sent.frames,
        "tx_bytes": tally.sent.bytes,
        "strayed": tally.strays,
        "stray": model.memory.strays().first().map(ToString::to_string),
        "resets": tally.resets,
        "signals": tally.signals,
        "odd_writes": tally.odd_writes,
        "requests_at_once": tally.requests_at_once,
        "ignored": tally.ignored,
        "formats": formats(model),
        "queues": vf.rx.iter().map(|rx| rx.frames).collect::<Vec<u64>>(),
        "strips": vf.strip.is_on(),
        "patterns": vf.rss.patterns.len(),
        "rules": vf.steered.len() + vf.subscribed.len(),
        "malice": model.malice.map(|malice| malice.to_string()),
        "trusted": host.trusted,
        "link_up": host.link_up,
        "pairs": host.pairs,
        "enabled": vf.rx.iter().filter(|rx| rx.enabled).count(),
    }));
    let frames = lines(&tally.frames).map(|(name, count)| (name.to_owned(), json!(count)));
    answer.insert("frames".into(), Value::Object(frames.into_iter().collect()));
    answer
}

/// Descriptor formats of the receive queues that run.
fn formats(model: &Model) -> Vec<u8> {
    let running = model.function.vf.rx.iter().filter(|rx| rx.enabled);
    let all: BTreeSet<u8> = running.map(|rx| rx.rxdid).collect();
    all.into_iter().collect()
}

fn notes(model: &Model) -> Map<String, Value> {
    let lines: Vec<_> =
        model.notes.iter().map(|(at, note)| format!("{:.6} {note}", at.as_secs_f64())).collect();
    object(json!({ "notes": lines }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn address(text: &str) -> Option<[u8; 6]> {
    let bytes: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::host::Hosted;
    use crate::{Options, Persona};

    fn shared() -> Shared {
        Arc::new(Mutex::new(Hosted::new(Model::new(Persona::i40e(), Options::default()))))
    }

    #[test]
    fn orders_are_read_and_answered() {
        let model = shared();
        let stats = Order::obey(r#"{"do":"stats"}"#, &model);
        assert_eq!(
            (&stats["ok"], &stats["state"], &stats["strayed"]),
            (&json!(true), &json!("active"), &json!(0))
        );
        for (order, key, value) in [
            (r#"{"do":"trust","on":false}"#, "trusted", json!(false)),
            (r#"{"do":"link","up":false}"#, "link_up", json!(false)),
            (r#"{"do":"reset","kind":"flr"}"#, "state", json!("resetting")),
            (r#"{"do":"remove"}"#, "state", json!("removed")),
        ] {
            assert_eq!(Order::obey(order, &model), json!({ "ok": true }), "{order}");
            assert_eq!(Order::obey(r#"{"do":"stats"}"#, &model)[key], value, "{order}");
        }
    }

    #[test]
    fn the_host_sets_addresses_vlans_and_faults() {
        let model = shared();
        for order in [
            r#"{"do":"mac","mac":"02:00:00:00:00:09"}"#,
            r#"{"do":"vlan","vlan":12}"#,
            r#"{"do":"faults","plan":"reply 3: drop"}"#,
        ] {
            assert_eq!(Order::obey(order, &model), json!({ "ok": true }), "{order}");
        }
        let host = lock(&model).now(|model| model.function.host.clone());
        assert_eq!((host.mac, host.port_vlan), (Some([2, 0, 0, 0, 0, 9]), Some(12)));
        assert_eq!(lock(&model).now(|model| model.plan.to_string()), "reply 3: drop\n");
        let notes = Order::obey(r#"{"do":"notes"}"#, &model);
        assert!(notes["notes"].to_string().contains("reset (Admin)"), "{notes}");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let model = shared();
        for order in [
            "",
            "{}",
            r#"{"do":"dance"}"#,
            r#"{"do":"stats","more":1}"#,
            r#"{"do":"mac","mac":"02:00"}"#,
            r#"{"do":"vlan","vlan":4095}"#,
            r#"{"do":"faults","plan":"reply 3"}"#,
            r#"{"do":"play","file":"/nowhere.pcap"}"#,
        ] {
            assert!(Order::obey(order, &model)["error"].is_string(), "{order}");
        }
    }
}
