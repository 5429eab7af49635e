//! `model`: the software NIC behind a vfio-user socket.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use device::vfio_user::Server;
use model::fault::Plan;
use model::host::{Capture, Control, Feed, Generator, Hosted, Order, Shared, keep_time};
use model::{Loopback, Model, Options, Persona};

/// A software NIC with one virtual function, for drivers that have no hardware.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Serve the function at a vfio-user socket, to one client after another.
    Serve(Box<Serve>),
    /// Print the plan of faults that a seed makes.
    Plan {
        /// The seed.
        seed: u64,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// Socket that drivers and hypervisors connect to.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Whom to play.
    #[arg(long, value_enum, default_value_t = Who::I40e)]
    persona: Who,
    /// Queue pairs that the function begins with [default: what its PF gives].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16))]
    queues: Option<u16>,
    /// MSI-X vectors [default: one for each queue pair and one for the mailbox].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=65))]
    vectors: Option<u16>,
    /// Whether the host trusts the function.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    trusted: bool,
    /// Write descriptors back as hardware does, in groups, and enforce every rule (the default).
    #[arg(long, conflicts_with = "lenient")]
    strict: bool,
    /// Write descriptors back at once, and let rules pass that some PFs let pass.
    #[arg(long)]
    lenient: bool,
    /// What becomes of frames that the driver sends.
    #[arg(long, value_enum, default_value_t = Back::Off)]
    loopback: Back,
    /// Capture whose frames arrive once a receive queue is enabled.
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    play: Option<PathBuf>,
    /// Make up frames of so many bytes without end, once a receive queue is enabled.
    #[arg(long, value_name = "BYTES")]
    generate: Option<u64>,
    /// Frames a second, played or made up.
    #[arg(long, value_name = "PPS", default_value_t = 1000)]
    rate: u64,
    /// Plan of faults, as text or JSON.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Seed of a random plan of faults, which is printed.
    #[arg(long, value_name = "SEED", conflicts_with = "faults")]
    chaos: Option<u64>,
    /// Socket for orders, a JSON object a line.
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Print a line of statistics each second.
    #[arg(long)]
    status: bool,
    /// Print what happens.
    #[arg(long)]
    trace: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    /// A virtual function of an X710 under i40e.
    I40e,
    /// A virtual function of an X722 under i40e.
    X722,
    /// A virtual function of an E810 under ice.
    Ice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Back {
    /// They are gone.
    Off,
    /// They come back as they are.
    Echo,
    /// They come back with their MAC addresses exchanged.
    Swap,
    /// A host answers ARP, neighbour discovery and pings, and sends payloads back.
    Answer,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let done = match Cli::parse().what {
        What::Serve(settings) => serve(&settings),
        What::Plan { seed } => write!(std::io::stdout(), "{}", Plan::random(seed)).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "model: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(settings: &Serve) -> Outcome<()> {
    let mut hosted = Hosted::new(settings.model()?);
    hosted.traced = settings.trace;
    let shared = Arc::new(Mutex::new(hosted));
    keep_time(&shared)?;
    clear(&settings.socket)?;
    let mut server = Server::listen(&settings.socket, Arc::clone(&shared))?;
    if let Some(path) = &settings.control {
        clear(path)?;
        let (control, model) = (Control::listen(path)?, Arc::clone(&shared));
        thread("control", move || told("control", control.serve(&model)))?;
    }
    settings.feed(&shared)?;
    if settings.status {
        thread("status", move || status(&shared))?;
    }
    loop {
        server.serve_one()?;
    }
}

impl Serve {
    fn model(&self) -> Outcome<Model> {
        let persona = match self.persona {
            Who::I40e => Persona::i40e(),
            Who::X722 => Persona::x722(),
            Who::Ice => Persona::ice(),
        };
        let loopback = match self.loopback {
            Back::Off => Loopback::Off,
            Back::Echo => Loopback::Echo,
            Back::Swap => Loopback::Swap,
            Back::Answer => Loopback::Answer,
        };
        let base = if self.lenient { Options::lenient() } else { Options::default() };
        let options =
            Options { trusted: self.trusted, pairs: self.queues, vectors: self.vectors, loopback, ..base };
        Ok(Model::new(persona, options).with_plan(self.plan()?))
    }

    fn plan(&self) -> Outcome<Plan> {
        if let Some(seed) = self.chaos {
            let plan = Plan::random(seed);
            write!(std::io::stderr(), "{plan}")?;
            return Ok(plan);
        }
        let Some(path) = &self.faults else { return Ok(Plan::default()) };
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(text.parse().map_err(|error| format!("{}: {error}", path.display()))?)
    }

    /// Begins to give frames, if any are to be given.
    fn feed(&self, to: &Shared) -> Outcome<()> {
        let (feed, to) = (Feed::new(to, Some(self.rate)), Arc::clone(to));
        if let Some(path) = &self.play {
            let capture = Capture::open(path)?;
            thread("play", move || {
                while !feed.wait(Duration::from_secs(1)) {}
                let fed = feed.give(capture);
                told("play", writeln!(std::io::stderr(), "played: {fed:?}"));
            })?;
        } else if let Some(bytes) = self.generate {
            thread("generate", move || {
                while !feed.wait(Duration::from_secs(1)) {}
                feed.give(Generator::to(&to, bytes));
            })?;
        }
        Ok(())
    }
}

/// Removes a socket that nobody listens at any more.
fn clear(path: &Path) -> Outcome<()> {
    if path.exists() && UnixStream::connect(path).is_err() {
        fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn status(shared: &Shared) {
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let line = Order::obey(r#"{"do":"stats"}"#, shared);
        if writeln!(std::io::stdout(), "{line}").is_err() {
            return;
        }
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Outcome<()> {
    std::thread::Builder::new().name(name.into()).spawn(run)?;
    Ok(())
}

fn told(who: &str, done: std::io::Result<()>) {
    if let Err(error) = done {
        let _ = writeln!(std::io::stderr(), "model: {who}: {error}");
    }
}
