//! Bench-driver: what receiving a frame costs, without a wire and without a NIC.
//!
//! Gives: `cargo run --release -p bench --bin bench-driver`, a table and the same as JSON. May depend on: the drivers,
//! the software NIC that brings them up, decoding and flows. Will never know: parsers, outputs, the sensor.
//!
//! The software NIC brings the function up; then a replay takes its place and writes finished descriptors into the ring,
//! a ring full at a time, and only the time in which the queue is emptied counts. The replay writes what hardware writes
//! in the same order, so the driver does all that it does on hardware: acquire loads, claims, posting, one doorbell a
//! burst. What a NIC would add is the distance of memory: "near" leaves descriptors and frames where the replay wrote
//! them, in the core's own caches; "far" pushes them out into the last-level cache first, where a NIC's writes arrive,
//! and with them all that the walk had there, page tables included, before each round: more than a NIC does.
//!
//! Answers are checked: every frame of every round must come, once, in order, and with the bytes that were written.

#![forbid(unsafe_code)]

mod figure;
mod replay;
mod station;
mod traffic;
mod walk;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use figure::{Clock, Figure};
use station::{Card, Near, Station};
use walk::Walk;

/// Measures what receiving a frame costs, alone and through decoding and flow lookup.
#[derive(Debug, Parser)]
#[command(name = "bench-driver", version)]
struct Cli {
    /// Rings full of frames for each line of the table
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    rounds: u32,
    /// Flows of the last lines
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(2..=16_000_000))]
    flows: u32,
    /// Descriptors of the ring
    #[arg(long, value_name = "N", default_value_t = 1024)]
    descriptors: u16,
    /// Write the results here as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            let _ = writeln!(io::stderr(), "bench-driver: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), String> {
    let clock = Clock::measure();
    let mut figures = Vec::new();
    for near in [Near::Core, Near::Cache] {
        figures.extend(receive(cli, near)?);
    }
    for flows in [1, cli.flows] {
        for near in [Near::Core, Near::Cache] {
            figures.push(walk(cli, Card::X710, flows, near)?);
        }
    }
    figures.push(walk(cli, Card::E810, 1, Near::Core)?);
    let mut out = io::stdout().lock();
    let text = |e: io::Error| e.to_string();
    writeln!(out, "64-byte frames, ring of {}, core at {:.2} GHz; iavf reads legacy descriptors, vf-ice flexible ones (RXDID 22)", cli.descriptors, clock.ghz)
        .map_err(text)?;
    writeln!(out, "{}", Figure::HEADER).map_err(text)?;
    for figure in &figures {
        writeln!(out, "{}", figure.line(&clock)).map_err(text)?;
    }
    if let Some(path) = &cli.json {
        let all: Vec<_> = figures.iter().map(|figure| figure.to_json(&clock)).collect();
        let text = format!("{:#}\n", serde_json::json!({ "ghz": clock.ghz, "figures": all }));
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// The drivers alone: the first line of each frame is read, and no more. Their rounds take turns, so that whatever else the
/// machine does meets both alike.
fn receive(cli: &Cli, near: Near) -> Result<Vec<Figure>, String> {
    let mut stations = Vec::new();
    for card in Card::ALL {
        let figure = Figure::new(card.name(), card.work(), 0, near.name());
        stations.push((Station::new(card, cli.descriptors)?, figure));
    }
    let mut numbers = 0..;
    for _ in 0..cli.rounds {
        for (station, figure) in &mut stations {
            let mut sum = 0_u64;
            let round = station.round(near, &mut numbers, &mut |frames| {
                sum = frames.iter().map(traffic::number_of).fold(sum, u64::wrapping_add);
            })?;
            if sum != round.sum {
                return Err(format!("frames hold {sum}, written was {}", round.sum));
            }
            figure.add(round.frames, round.time);
        }
    }
    stations.iter().try_for_each(|(station, _)| station.check())?;
    Ok(stations.into_iter().map(|(_, figure)| figure).collect())
}

/// The same through decoding and flow lookup.
fn walk(cli: &Cli, card: Card, flows: u32, near: Near) -> Result<Figure, String> {
    let mut station = Station::new(card, cli.descriptors)?;
    let mut walk = Walk::new(flows);
    let mut order = traffic::order(flows);
    let mut opened = 0;
    while opened < u64::from(flows) {
        opened += station.round(Near::Core, &mut order, &mut |frames| walk.burst(frames))?.frames;
    }
    let mut figure = Figure::new(card.name(), "decode and flow", flows, near.name());
    for _ in 0..cli.rounds {
        let round = station.round(near, &mut order, &mut |frames| walk.burst(frames))?;
        figure.add(round.frames, round.time);
    }
    walk.check(flows, station.frames())?;
    station.check()?;
    Ok(figure)
}
