//! `world`: makes traffic, into a capture or onto an interface.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use world::{
    Among, Crowd, CrowdKind, Fragments, Overlap, Pace, PcapReader, PcapWriter, Replay, Source, SynFlood,
    Talk, Transmit, Tunnels,
};

/// A seeded generator of traffic for tests: the same options give the same bytes.
#[derive(Debug, Parser)]
#[command(name = "world", version)]
struct Cli {
    #[command(subcommand)]
    scene: Scene,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
struct To {
    /// Write a pcap file; '-' is standard output
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "interface")]
    out: Option<PathBuf>,
    /// Send onto this interface, only inside a network namespace that is not the machine's own
    #[arg(long, global = true, value_name = "IF")]
    interface: Option<String>,
    /// Frames a second: of packet time in a file (default 1000000), of real time on an interface (default: unlimited)
    #[arg(long, global = true, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// What decides everything that looks like chance
    #[arg(long, global = true, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Mix this many well-behaved conversations in
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    legit: u64,
    /// One frame of the conversations after so many others
    #[arg(long, global = true, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u64).range(1..))]
    legit_every: u64,
}

#[derive(Debug, Subcommand)]
enum Scene {
    /// Spoofed TCP SYN from everywhere (20 million)
    Synflood(Count),
    /// Fragments that mostly never become packets (2 million)
    Fragments(Count),
    /// Tunnels in tunnels (100,000 frames)
    Tunnels {
        #[command(flatten)]
        count: Count,
        /// Most tunnels around one packet
        #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
        depth: u32,
    },
    /// Storms of overlapping TCP segments, ten thousand each (one storm)
    Overlap(Count),
    /// Flows that are all alive at the same time (1 million)
    Flows {
        #[command(flatten)]
        count: Count,
        /// Transport protocol
        #[arg(long, value_enum, default_value_t = Transport::Udp)]
        protocol: Transport,
        /// Frames of each flow
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
        packets: u32,
    },
    /// Whole conversations: web, TLS, DNS (10,000)
    Talk {
        #[command(flatten)]
        count: Count,
        /// How many at once
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
        at_once: u32,
    },
    /// The frames of a pcap file
    Replay {
        /// Little-endian pcap, Ethernet
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Count {
    /// How many, where the scene's own number is not wanted
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

impl Count {
    fn or(&self, number: u64) -> u64 {
        self.count.unwrap_or(number)
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Transport {
    Udp,
    Tcp,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e9 => Ok(rate),
        _ => Err("expected frames a second, more than 0 and at most 1e9".into()),
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = writeln!(io::stderr(), "world: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), String> {
    let mut source = source(cli)?;
    match (&cli.to.interface, &cli.to.out) {
        (Some(interface), _) => transmit(source.as_mut(), interface, cli.to.rate),
        (None, Some(path)) => write(source.as_mut(), path, cli.to.rate.unwrap_or(1e6)),
        (None, None) => Err("say where to: --out FILE, --out - or --interface IF".into()),
    }
}

fn source(cli: &Cli) -> Result<Box<dyn Source>, String> {
    let seed = cli.to.seed;
    let scene: Box<dyn Source> = match &cli.scene {
        Scene::Synflood(n) => Box::new(SynFlood::new(n.or(20_000_000), seed)),
        Scene::Fragments(n) => Box::new(Fragments::new(n.or(2_000_000), seed)),
        Scene::Tunnels { count, depth } => Box::new(Tunnels::new(count.or(100_000), *depth, seed)),
        Scene::Overlap(n) => Box::new(Overlap::new(n.or(10_000), seed)),
        Scene::Flows { count, protocol, packets } => {
            let kind = match protocol {
                Transport::Udp => CrowdKind::Udp,
                Transport::Tcp => CrowdKind::Tcp,
            };
            Box::new(Crowd::new(kind, count.or(1_000_000), *packets))
        }
        Scene::Talk { count, at_once } => Box::new(Talk::new(count.or(10_000), *at_once as usize, seed)),
        Scene::Replay { file } => Box::new(replay(file)?),
    };
    if cli.to.legit == 0 {
        return Ok(scene);
    }
    let good = Talk::new(cli.to.legit, 64, seed ^ 0x1e91);
    Ok(Box::new(Among::new(scene, good, cli.to.legit_every)))
}

fn replay(path: &Path) -> Result<Replay<io::BufReader<File>>, String> {
    let named = |e: io::Error| format!("{}: {e}", path.display());
    let reader = PcapReader::new(io::BufReader::new(File::open(path).map_err(named)?)).map_err(named)?;
    match reader.link() {
        1 => Ok(Replay::new(reader)),
        other => Err(format!("{}: link type {other}, only Ethernet (1) can be sent", path.display())),
    }
}

fn write(source: &mut dyn Source, path: &Path, rate: f64) -> Result<(), String> {
    let named = |e: io::Error| format!("{}: {e}", path.display());
    let to: Box<dyn Write> = match path.to_str() {
        Some("-") => Box::new(io::stdout()),
        _ => Box::new(File::create(path).map_err(named)?),
    };
    let mut pcap = PcapWriter::new(BufWriter::with_capacity(1 << 20, to)).map_err(named)?;
    // the first frame is seen at this second of 2023; each next one a step later
    let (begin, step) = (1_700_000_000_000_000_000_u64, 1e9 / rate);
    let (mut frame, mut count) = (Vec::with_capacity(2048), 0_u64);
    while source.fill(&mut frame) {
        pcap.write(begin + (count as f64 * step) as u64, &frame).map_err(named)?;
        count += 1;
    }
    pcap.finish().map_err(named)?;
    let _ = writeln!(io::stderr(), "world: {count} frames");
    Ok(())
}

fn transmit(source: &mut dyn Source, interface: &str, rate: Option<f64>) -> Result<(), String> {
    let pace = rate.map_or(Pace::Unlimited, Pace::PerSecond);
    let sent = Transmit::open(interface).and_then(|out| out.send(source, pace)).map_err(|e| e.to_string())?;
    let seconds = sent.time.as_secs_f64();
    let _ = writeln!(
        io::stdout(),
        "{{\"frames\":{},\"bytes\":{},\"refused\":{},\"seconds\":{seconds:.6},\"frames_per_second\":{:.0}}}",
        sent.frames,
        sent.bytes,
        sent.refused,
        sent.frames as f64 / seconds.max(1e-9),
    );
    Ok(())
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
    fn wrong_values_are_told() {
        for wrong in ["0", "-1", "fast", "inf"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        let cli = Cli::try_parse_from(["world", "synflood", "--count", "5"]).unwrap();
        assert!(run(&cli).unwrap_err().contains("--out"));
    }
}
