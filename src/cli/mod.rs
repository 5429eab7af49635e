//! The command line: a contract that tools rely on. Flags are declared once, in [`flags`]; help, man page and shell
//! completions derive from them.

mod appliance;
mod bench;
mod config;
mod control;
mod counters;
mod exit;
mod flags;
mod health;
mod notify;
mod probe;
mod progress;
mod protocols;
mod read;
mod run;
mod settings;
mod signals;
mod tell;
mod vf;

use clap::{CommandFactory as _, Parser as _};
use exit::Exit;
use flags::{Cli, Command};
use std::io::Write as _;
use std::process::ExitCode;

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and version itself, to the right stream.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() };
        }
    };
    let done = match cli.command {
        Command::Read(args) => read::read(&args),
        Command::Run(args) => run::run(&args),
        Command::Protocols(args) => protocols::protocols(args.json),
        Command::Config(args) => config::config(&args.action),
        Command::Counters(args) => counters::counters(&args),
        Command::Health(args) => health::health(&args),
        Command::Provision(args) => appliance::provision(&args),
        Command::Prepare(args) => appliance::prepare(&args),
        Command::Console(args) => appliance::console(&args),
        Command::Support => appliance::support(),
        Command::Bench(args) => bench::bench(&args),
        Command::Vf(args) => vf::vf(&args),
        Command::Completions(args) => completions(args.shell),
        Command::Man => man(),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(told) => told.tell().into(),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, exit::Told> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vigie", &mut text);
    print(&text)
}

fn man() -> Result<Exit, exit::Told> {
    let mut text = Vec::new();
    flags::man(&mut text).map_err(|e| exit::Told::new(Exit::Output, format!("the man page: {e}")))?;
    print(&text)
}

/// Writes to standard output; a reader that has seen enough (a closed pipe) is no failure.
fn print(text: &[u8]) -> Result<Exit, exit::Told> {
    match std::io::stdout().lock().write_all(text) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(exit::Told::new(Exit::Output, format!("standard output: {e}")))
        }
        _ => Ok(Exit::Success),
    }
}
