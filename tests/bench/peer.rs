//! Those who are measured: how each is started, and whether its answer is right.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::{self, Cost};

/// Where and on what everyone runs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) capture: PathBuf,
    pub(crate) scratch: PathBuf,
    pub(crate) cores: Option<String>,
}

/// One measured run.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) cost: Cost,
    /// Time from ready to the last packet, by the contender's own account; the rest of the wall time is starting and
    /// stopping.
    pub(crate) processing: Option<Duration>,
    /// Bytes of EVE written.
    pub(crate) eve: u64,
}

/// Somebody who is measured.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    kind: Kind,
    pub(crate) results: Vec<Measured>,
}

#[derive(Clone, Debug)]
enum Kind {
    Vigie { program: PathBuf, workers: u32 },
    Suricata { script: PathBuf },
}

impl Contender {
    pub(crate) fn vigie(program: &Path, workers: u32) -> Self {
        let name = format!("vigie, {workers} worker{}", if workers == 1 { "" } else { "s" });
        Self { name, kind: Kind::Vigie { program: program.to_owned(), workers }, results: Vec::new() }
    }

    /// Makes Suricata's root folder where it is missing.
    pub(crate) fn suricata(root: &Path) -> Result<Self, String> {
        let script = root.join("tests/testbed/peers/suricata.sh");
        let made =
            Command::new(&script).arg("make").status().map_err(|e| format!("{}: {e}", script.display()))?;
        if !made.success() {
            return Err("no Suricata to compare with; '--alone' measures without it".into());
        }
        Ok(Self { name: "Suricata 8.0.8".into(), kind: Kind::Suricata { script }, results: Vec::new() })
    }

    /// Runs once and checks the answer.
    pub(crate) fn run(&self, place: &Place, packets: u64) -> Result<Measured, String> {
        let folder = place.scratch.join("run");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let cost = process::run(&self.command(&place.capture), &folder, place.cores.as_deref())?;
        let eve = std::fs::metadata(folder.join("eve.json"))
            .map_err(|e| format!("{}: eve.json: {e}", self.name))?;
        let (seen, processing) = match self.kind {
            Kind::Vigie { .. } => vigie_answer(&cost.output)?,
            Kind::Suricata { .. } => {
                let log = folder.join("suricata.log");
                suricata_answer(
                    &std::fs::read_to_string(&log).map_err(|e| format!("{}: {e}", log.display()))?,
                )?
            }
        };
        if seen != packets {
            return Err(format!("{} saw {seen} packets of {packets}: no time is worth showing", self.name));
        }
        Ok(Measured { cost, processing, eve: eve.len() })
    }

    fn command(&self, capture: &Path) -> Vec<String> {
        let capture = capture.display();
        let words = match &self.kind {
            Kind::Vigie { program, workers } => {
                format!(
                    "{} read {capture} --eve eve.json --quiet --json --workers {workers}",
                    program.display()
                )
            }
            Kind::Suricata { script } => {
                format!("{} run -r /host{capture} --runmode single -k none -l .", script.display())
            }
        };
        words.split(' ').map(str::to_owned).collect()
    }
}

/// Packets received, from the summary; an error when its ledger does not balance.
fn vigie_answer(output: &str) -> Result<(u64, Option<Duration>), String> {
    let summary: Value =
        serde_json::from_str(output).map_err(|e| format!("vigie's summary is not JSON: {e}"))?;
    let ledger = &summary["ledger"];
    let number = |name: &str| ledger[name].as_u64().ok_or(format!("vigie's ledger has no number '{name}'"));
    let lost = ledger["lost"].as_object().ok_or("vigie's ledger has no object 'lost'")?;
    let lost: u64 = lost.iter().filter(|(name, _)| *name != "total").filter_map(|(_, n)| n.as_u64()).sum();
    let received = number("received")?;
    let accounted = number("analysed")? + number("bypassed")? + number("filtered")? + lost;
    if received != accounted {
        return Err(format!(
            "vigie's ledger does not balance: received {received}, accounted for {accounted}"
        ));
    }
    Ok((received, summary["seconds"].as_f64().map(Duration::from_secs_f64)))
}

/// Packets read and the time between engine start and end, from Suricata's log.
fn suricata_answer(log: &str) -> Result<(u64, Option<Duration>), String> {
    let number_before =
        |line: &str, word: &str| -> Option<f64> { line.split(word).next()?.rsplit(' ').next()?.parse().ok() };
    let packets =
        log.lines().filter(|l| l.contains(" packets, ")).find_map(|l| number_before(l, " packets, "));
    let packets = packets.ok_or("Suricata's log does not tell how many packets it read")?;
    let elapsed = log.lines().find_map(|l| number_before(l.split_once("time elapsed ")?.1, "s"));
    Ok((packets as u64, elapsed.map(Duration::from_secs_f64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_must_balance() {
        let good = r#"{"seconds":0.5,"ledger":{"received":10,"analysed":7,"bypassed":1,"filtered":0,
            "lost":{"decode.error":2}}}"#;
        assert_eq!(vigie_answer(good).unwrap(), (10, Some(Duration::from_millis(500))));
        let bad = good.replace("\"analysed\":7", "\"analysed\":6");
        assert!(vigie_answer(&bad).unwrap_err().contains("received 10, accounted for 9"));
        assert!(vigie_answer("{}").is_err());
    }

    #[test]
    fn the_log_tells_packets_and_time() {
        let log = "[1] Info: suricata: time elapsed 1.134s\n[2] Notice: pcap: read 1 file, 652488 packets, 257 bytes\n";
        assert_eq!(suricata_answer(log).unwrap(), (652_488, Some(Duration::from_millis(1134))));
        assert!(suricata_answer("nothing").is_err());
    }

    #[test]
    fn a_short_count_hides_the_time() {
        let folder = std::env::temp_dir().join(format!("vigie-bench-peer-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let stand_in = folder.join("vigie");
        let script = "#!/bin/sh\n: >eve.json\necho '{\"ledger\":{\"received\":3,\"analysed\":3,\"bypassed\":0,\"filtered\":0,\"lost\":{}}}'\n";
        std::fs::write(&stand_in, script).unwrap();
        std::fs::set_permissions(&stand_in, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let place = Place { capture: folder.join("x.pcap"), scratch: folder.clone(), cores: None };
        let contender = Contender::vigie(&stand_in, 1);
        assert_eq!(contender.run(&place, 3).unwrap().eve, 0);
        assert!(contender.run(&place, 4).unwrap_err().contains("saw 3 packets of 4"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
