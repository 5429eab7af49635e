//! Bench: vigie beside Suricata on the same traffic, in one run.
//!
//! Gives: `cargo run --release -p bench`, a table and the same as JSON. May depend on: nothing of the sensor, only its
//! command line. Will never know: what is inside either of them.
//!
//! Answers are checked before any time is shown: both must have seen every packet of the capture, vigie's ledger must
//! balance, and both must have ended well. Runs take turns, so that a busy moment of the machine hits everyone alike.

#![forbid(unsafe_code)]

mod mix;
mod peer;
mod process;
mod report;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Measures vigie beside Suricata 8 on the same capture.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Cli {
    /// The vigie to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/vigie")]
    vigie: PathBuf,
    /// Measure on this capture instead of the benchmark mix
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// How often each one runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    times: u32,
    /// Pin everyone to these cores, as taskset names them
    #[arg(long, value_name = "LIST")]
    cores: Option<String>,
    /// Leave Suricata out
    #[arg(long)]
    alone: bool,
    /// Write the results here as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = writeln!(io::stderr(), "bench: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), String> {
    let root = workspace_root();
    let vigie = std::path::absolute(&cli.vigie).map_err(|e| e.to_string())?;
    if !vigie.exists() {
        return Err(format!("no {}: build it with 'cargo build --release' first", vigie.display()));
    }
    let capture = match &cli.capture {
        Some(path) => std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))?,
        None => mix::capture(&root)?,
    };
    let counted = mix::count(&capture)?;
    say(&format!("{}: {} packets, {} bytes", capture.display(), counted.packets, counted.bytes));

    let scratch = Scratch::new()?;
    let place = peer::Place { capture, scratch: scratch.0.clone(), cores: cli.cores.clone() };
    let mut everyone = vec![peer::Contender::vigie(&vigie, 1), peer::Contender::vigie(&vigie, 2)];
    if !cli.alone {
        everyone.push(peer::Contender::suricata(&root)?);
    }
    // the first turn warms the page cache and is checked, but not measured
    for turn in 0..=cli.times {
        for contender in &mut everyone {
            let result = contender.run(&place, counted.packets)?;
            if turn > 0 {
                contender.results.push(result);
            }
        }
        say(&format!("turn {turn} of {}", cli.times));
    }
    let report = report::Report::new(&everyone, &counted, &place);
    let _ = write!(io::stdout(), "{report}");
    if let Some(path) = &cli.json {
        let text = format!("{:#}\n", report.to_json());
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "bench: {text}");
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder for outputs, gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("vigie-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_catalogue_of_options_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_missing_vigie_is_named() {
        let cli = Cli::parse_from(["bench", "--vigie", "nowhere/vigie"]);
        assert!(run(&cli).unwrap_err().contains("nowhere/vigie"));
    }
}
