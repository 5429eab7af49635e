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

use avf::virtchnl::{Caps, PtpPlace};
use clap::{Args, Parser, Subcommand, ValueEnum};
use device::vfio_user::Server;
use model::fault::Plan;
use model::host::{Capture, Control, Feed, Generator, Hosted, Order, Shared, keep_time};
use model::{Loopback, Model, Options, Persona, VectorMapLength};

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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    queues: Option<u16>,
    /// MSI-X vectors [default: one for each queue pair and one for the mailbox].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=65))]
    vectors: Option<u16>,
    #[command(flatten)]
    grants: Grants,
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

/// What the PF grants, so that whatever a driver can do without can be taken from it.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the PF grants")]
struct Grants {
    /// Capabilities granted beyond those of the persona, by name or as a number: LARGE_NUM_QPAIRS, FSUB_PF, ...
    #[arg(long, value_name = "CAPS", value_parser = caps, value_delimiter = ',')]
    grant: Vec<Caps>,
    /// Capabilities not granted, by name or as a number: RX_FLEX_DESC, ADV_RSS_PF, VLAN_V2, FDIR_PF, PTP, QOS, ...
    #[arg(long, value_name = "CAPS", value_parser = caps, value_delimiter = ',')]
    refuse: Vec<Caps>,
    /// Receive descriptor formats that are offered [default: the persona's].
    #[arg(long, value_name = "IDS", value_parser = clap::value_parser!(u8).range(..64), value_delimiter = ',')]
    rxdids: Option<Vec<u8>>,
    /// Entries of the RSS table; more than 64 let a function have 64 or 256 queue pairs, with LARGE_NUM_QPAIRS granted.
    #[arg(long, value_name = "ENTRIES", default_value = "64", value_parser = ["64", "512", "2048"])]
    lut: String,
    /// Queue pairs left for REQUEST_QUEUES beyond those it begins with.
    #[arg(long, value_name = "N", default_value_t = 240)]
    spare_queues: u16,
    /// Take header patterns of inside a tunnel by their word.
    #[arg(long)]
    inner_patterns: bool,
    /// Where the bits of the clock's capabilities lie.
    #[arg(long, value_enum, default_value_t = ClockBits::Both)]
    clock_bits: ClockBits,
    /// Which length of MAP_QUEUE_VECTOR is accepted.
    #[arg(long, value_enum, default_value_t = VectorMap::Either)]
    vector_map: VectorMap,
    /// Traffic classes of the port.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    classes: u8,
    /// The port is in double VLAN mode.
    #[arg(long)]
    double_vlan: bool,
    /// VLAN that the host put the port into.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u16).range(1..=4094))]
    port_vlan: Option<u16>,
    /// UDP ports that the PF knows as VXLAN.
    #[arg(long, value_name = "PORTS", value_delimiter = ',')]
    vxlan: Vec<u16>,
    /// UDP ports that the PF knows as GENEVE.
    #[arg(long, value_name = "PORTS", value_delimiter = ',')]
    geneve: Vec<u16>,
    /// Speed of the link in Mbit/s [default: the persona's].
    #[arg(long, value_name = "MBPS")]
    link_speed: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClockBits {
    /// At offset 0, as Linux has them.
    Front,
    /// At offset 24, as out-of-tree drivers and DPDK have them.
    Middle,
    /// At both.
    Both,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum VectorMap {
    /// 8 + 16n bytes.
    Short,
    /// 24 + 16n bytes.
    Long,
    /// Either.
    Either,
}

/// Capabilities by a name of the specification's, or by their bits.
fn caps(text: &str) -> Result<Caps, String> {
    let bits = text.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16));
    match bits {
        Some(bits) => bits.map(Caps::from_bits_retain).map_err(|error| error.to_string()),
        None => Caps::from_name(text).ok_or_else(|| {
            let known: Vec<&str> = Caps::all().names().collect();
            format!("no capability of that name; there are {}", known.join(", "))
        }),
    }
}

impl Grants {
    fn options(&self, base: Options) -> Options {
        let all = |list: &[Caps]| list.iter().copied().fold(Caps::empty(), |all, caps| all | caps);
        let rxdids = self.rxdids.as_ref().map(|ids| ids.iter().fold(0, |mask, id| mask | 1_u64 << id));
        Options {
            grants: all(&self.grant),
            refuses: all(&self.refuse),
            rxdids,
            lut: self.lut.parse().unwrap_or(base.lut),
            pairs_left: self.spare_queues,
            inner_patterns: self.inner_patterns,
            clock_bits: match self.clock_bits {
                ClockBits::Front => PtpPlace::Front,
                ClockBits::Middle => PtpPlace::Middle,
                ClockBits::Both => PtpPlace::Both,
            },
            vector_map: match self.vector_map {
                VectorMap::Short => VectorMapLength::Short,
                VectorMap::Long => VectorMapLength::Long,
                VectorMap::Either => VectorMapLength::Either,
            },
            classes: self.classes,
            double_vlan: self.double_vlan,
            port_vlan: self.port_vlan,
            vxlan: self.vxlan.clone(),
            geneve: self.geneve.clone(),
            link_mbps: self.link_speed,
            ..base
        }
    }
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
        let base = self.grants.options(base);
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
