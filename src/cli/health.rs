//! `vigie health`: a capture of our own is read and must give what is known of it; then the running sensor must answer,
//! capture, and account for each frame.

use super::exit::{Exit, Told};
use super::flags::Health;
use super::settings::{of_the_machine, settings};
use super::{control, print};
use capture::pcap::FileSettings;
use sensor::{Settings, Watch};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The capture, and what is in it.
const CAPTURE: &[u8] = include_bytes!("../../tests/cases/bundled/dns.pcap");
const FRAMES: u64 = 52;
const EVENTS: (&str, u64) = ("dns", 34);
/// How often a sensor is asked again.
const AGAIN: Duration = Duration::from_millis(500);

pub(crate) fn health(args: &Health) -> Result<Exit, Told> {
    self_test().map_err(|why| Told::new(Exit::System, format!("self-test: {why}")))?;
    print(
        format!("self-test: {FRAMES} frames gave {} {} events, the ledger balances\n", EVENTS.1, EVENTS.0)
            .as_bytes(),
    )?;
    if args.self_test {
        return Ok(Exit::Success);
    }
    let path = settings(&of_the_machine(&args.sources))?.control;
    let until = Instant::now() + Duration::from_secs(args.wait.into());
    loop {
        match captures(Path::new(&path)) {
            Ok(said) => return print(format!("{said}\n").as_bytes()),
            Err(why) if Instant::now() >= until => return Err(Told::new(Exit::NoSensor, why)),
            Err(_) => std::thread::sleep(AGAIN),
        }
    }
}

/// Has the walk read a capture that is known, in memory but for one file.
fn self_test() -> Result<(), String> {
    let mut file =
        tempfile::Builder::new().prefix("vigie-").suffix(".pcap").tempfile().map_err(|e| e.to_string())?;
    file.write_all(CAPTURE).and_then(|()| file.flush()).map_err(|e| e.to_string())?;
    let settings = Settings { workers: 2, ..Settings::default() };
    let files = FileSettings::default();
    let outcome = sensor::read(&[file.path().to_owned()], &settings, files, &Arc::new(Watch::default()));
    let outcome = outcome.map_err(|e| e.to_string())?;
    if let Some(failure) = outcome.failure {
        return Err(failure.to_string());
    }
    let report = &outcome.snapshot.report;
    let ledger = report.ledger();
    let events = report.events.iter().find(|(name, _)| *name == EVENTS.0).map_or(0, |(_, count)| *count);
    if (ledger.received, ledger.analysed, ledger.imbalance(), events) != (FRAMES, FRAMES, 0, EVENTS.1) {
        return Err(format!(
            "{} frames received, {} analysed, imbalance {}, {events} {} events; expected {FRAMES}, {FRAMES}, 0, {}",
            ledger.received,
            ledger.analysed,
            ledger.imbalance(),
            EVENTS.0,
            EVENTS.1
        ));
    }
    Ok(())
}

/// Whether the running sensor answers and accounts for its frames.
fn captures(socket: &Path) -> Result<String, String> {
    let shown = socket.display();
    let answer =
        control::ask(socket, "counters").map_err(|e| format!("no sensor answers at {shown}: {e}"))?;
    let list = answer.as_array().ok_or_else(|| format!("{shown} answers something else: {answer}"))?;
    let sum = |prefix: &str| -> u64 {
        let of = |counter: &Value| {
            let name = counter.get("name")?.as_str()?;
            name.starts_with(prefix).then(|| counter.get("value")?.as_u64())?
        };
        list.iter().filter_map(of).sum()
    };
    let received = sum("ledger.received") - sum("ledger.received_bytes");
    let placed =
        sum("ledger.analysed") + sum("ledger.bypassed") + sum("ledger.filtered") + sum("ledger.lost.");
    if received != placed {
        return Err(format!(
            "the ledger does not balance: {received} frames received, {placed} accounted for"
        ));
    }
    Ok(format!("the sensor captures: {received} frames received, each accounted for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_self_test_knows_its_capture() {
        self_test().expect("healthy");
    }

    #[test]
    fn a_sensor_that_is_not_there_is_not_healthy() {
        let why = captures(Path::new("/nonexistent/control.sock")).expect_err("nobody");
        assert!(why.contains("no sensor answers"), "{why}");
    }
}
