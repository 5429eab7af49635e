//! Who takes frames from the cable: the sensor, or Suricata 8 with TPACKET_V3 and no rules. Both have a ring of 64 MiB a
//! worker and write their events nowhere.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::{End, Network, Running, bound, processor_time};

/// How long Suricata may take to begin, and to end.
const SOON: Duration = Duration::from_secs(60);
/// 64 blocks of 1 MiB, as the number of frames that Suricata divides into blocks of 655.
const RING: &str = "41920";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Vigie,
    Suricata,
}

/// One of them at work.
pub(crate) enum Started {
    Vigie(Running, Duration),
    Suricata { child: Child, folder: tempfile::TempDir, before: Duration },
}

/// What it says at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) analysed: u64,
    pub(crate) bypassed: u64,
    pub(crate) dropped: u64,
    /// Processor time that it has had since it was ready.
    pub(crate) spent: Duration,
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vigie => "vigie",
            Self::Suricata => "Suricata",
        }
    }

    /// At work at the right end; nothing where it cannot be had.
    pub(crate) fn start(self, network: &Network, workers: u32) -> Option<Started> {
        match self {
            Self::Vigie => {
                let args =
                    ["--workers".to_owned(), workers.to_string(), "--set=eve.file=/dev/null".to_owned()];
                Some(vigie(network, &args))
            }
            Self::Suricata => suricata(network, workers),
        }
    }
}

/// Our sensor at the right end, told this.
pub(crate) fn vigie<A: AsRef<OsStr>>(network: &Network, args: &[A]) -> Started {
    let running = Running::start(network, End::Right, args);
    let before = running.processor_time();
    Started::Vigie(running, before)
}

fn suricata(network: &Network, workers: u32) -> Option<Started> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/suricata.sh");
    let made = Command::new(&script).arg("make").stdout(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        return None;
    }
    let folder = tempfile::tempdir().ok()?;
    let mut command: Command = network.command(End::Right, &script.display().to_string());
    let interface = End::Right.interface();
    command.args(["run", &format!("--af-packet={interface}"), "--runmode", "workers", "-k", "none"]);
    command.args(["-S", "/dev/null", "-l"]).arg(Path::new("/host").join(inside(folder.path())));
    let ours = [
        format!("interface={interface}"),
        format!("threads={workers}"),
        "tpacket-v3=yes".to_owned(),
        "block-size=1048576".to_owned(),
        format!("ring-size={RING}"),
        "cluster-type=cluster_flow".to_owned(),
    ];
    for setting in ours {
        command.arg("--set").arg(format!("af-packet.0.{setting}"));
    }
    command.args(["--set", "outputs.1.eve-log.filename=/dev/null"]);
    let mut command = bound(&command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let mut started = Started::Suricata { child, folder, before: Duration::ZERO };
    started.wait_for_engine().then_some(started)
}

/// An absolute path, to be put behind another folder.
fn inside(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

impl Started {
    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Vigie(running, _) => running.pid(),
            Self::Suricata { child, .. } => child.id(),
        }
    }

    fn log(&self) -> String {
        match self {
            Self::Vigie(..) => String::new(),
            Self::Suricata { folder, .. } => log_of(folder.path()),
        }
    }

    fn wait_for_engine(&mut self) -> bool {
        let since = Instant::now();
        while since.elapsed() < SOON && !self.log().contains("Engine started") {
            if let Self::Suricata { child, .. } = self
                && !matches!(child.try_wait(), Ok(None))
            {
                eprintln!("live-rate: Suricata ended: {}", self.log());
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if let Self::Suricata { child, before, .. } = self {
            *before = processor_time(child.id()).unwrap_or_default();
        }
        self.log().contains("Engine started")
    }

    /// Ends it and asks what it saw.
    pub(crate) fn end(self) -> Answer {
        let (log, spent) = match self {
            Self::Vigie(running, before) => {
                let spent = running.processor_time().saturating_sub(before);
                return Answer { spent, ..of_ledger(&running.end().ledger()) };
            }
            Self::Suricata { mut child, folder, before } => {
                let spent = processor_time(child.id()).unwrap_or_default().saturating_sub(before);
                let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
                let _ = child.wait();
                (log_of(folder.path()), spent)
            }
        };
        let answer = of_log(&log).map(|answer| Answer { spent, ..answer });
        answer.unwrap_or_else(|| panic!("Suricata does not say what it saw: {log}"))
    }
}

/// What Suricata has said so far, whatever bytes are among it.
fn log_of(folder: &Path) -> String {
    let bytes = fs::read(folder.join("suricata.log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn of_ledger(ledger: &Value) -> Answer {
    let number = |path: &str| ledger.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    Answer {
        analysed: number("/analysed"),
        bypassed: number("/bypassed"),
        dropped: number("/lost/kernel.drop"),
        ..Answer::default()
    }
}

/// `device: right: packets: 1200, drops: 34 (2.83%), invalid chksum: 0`; its packets include the drops.
fn of_log(log: &str) -> Option<Answer> {
    let line = log.lines().rfind(|line| line.contains("packets: ") && line.contains("drops: "))?;
    let number = |name: &str| {
        let rest = line.split(name).nth(1)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    let dropped = number("drops: ")?;
    Some(Answer { analysed: number("packets: ")?.saturating_sub(dropped), dropped, ..Answer::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_suricata_is_read() {
        let log = "Notice: device: right: packets: 1200, drops: 34 (2.83%), invalid chksum: 0\n";
        let answer = of_log(log).expect("an answer");
        assert_eq!((answer.analysed, answer.dropped), (1166, 34));
        assert!(of_log("Notice: nothing").is_none());
    }
}
