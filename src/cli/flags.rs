//! The catalogue of flags.

use super::exit::CODES;
use super::settings::CONFIGURATION;
use capture::vf::Place;
use capture::vf::pci::PciAddress;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use std::io;
use std::path::PathBuf;

/// Network detection sensor for cloud and hypervisors.
#[derive(Debug, Parser)]
#[command(name = "vigie", version, about, max_term_width = 110, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read capture files and tell what is in them.
    Read(Read),
    /// Listen to an interface until a signal comes. Without arguments it takes /etc/vigie/vigie.toml.
    Run(Run),
    /// List the protocols and services that are recognised.
    Protocols(Protocols),
    /// Check, show or explain the configuration.
    Config(Config),
    /// Show the counters of a running sensor.
    Counters(Counters),
    /// Virtual functions of Intel NICs on this machine: list, bind, unbind, probe, stats.
    Vf(Vf),
    /// Self-test, and whether the running sensor captures and its ledger balances.
    Health(Health),
    /// Appliance: make what this machine was given into its configuration.
    Provision(Provision),
    /// Appliance: choose the source and set what capturing needs of root.
    Prepare(Prepare),
    /// Appliance: the page on a screen or a serial line.
    Console(Console),
    /// Appliance: write a support bundle (tar.gz) to standard output.
    Support,
    /// Measure what this machine can take. Needs root; nothing reaches a network.
    Bench(Bench),
    /// Print completions for a shell.
    Completions(Completions),
    /// Print the man page.
    Man,
}

/// Where settings come from: the file first, then each `--set` in turn, then the other flags.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Configuration file (TOML); `run` and `counters` take /etc/vigie/vigie.toml when none is named and it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Set one key of the configuration; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// What `read` and `run` share.
#[derive(Args, Clone, Debug)]
pub(crate) struct Walk {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Signature file; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Write EVE JSON to a file, or to standard output with `-`.
    #[arg(long, value_name = "FILE")]
    pub(crate) eve: Option<String>,
    /// Worker threads; 0 for one a core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=256))]
    pub(crate) workers: Option<u16>,
    /// Print no summary and no progress.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Read {
    /// Capture files (pcap or pcapng, also inside gzip), folders of them, or `-` for standard input.
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) walk: Walk,
    /// Most frames of one burst. Changes nothing but speed.
    #[arg(long, value_name = "N", default_value_t = 256, hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) burst: u16,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// Interface to listen on; otherwise `capture.interface` of the configuration.
    #[arg(long, short, value_name = "IF")]
    pub(crate) interface: Option<String>,
    /// Virtual function to drive from user space: its PCI address, or vfio-user:PATH; otherwise `vf.place`.
    #[arg(long, value_name = "FUNCTION", conflicts_with = "interface")]
    pub(crate) vf: Option<Place>,
    /// Socket of a vhost-user front end (virtual switch or VM) to take frames from; otherwise `vhost.path`.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["interface", "vf"])]
    pub(crate) vhost_user: Option<String>,
    /// Queues of the virtual function, one a worker: as --workers.
    #[arg(long, value_name = "N", conflicts_with = "workers", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) queues: Option<u16>,
    /// Keep every frame in a folder, as a rolling ring of pcapng files (`record.*` in the configuration).
    #[arg(long, value_name = "FOLDER")]
    pub(crate) record: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) walk: Walk,
}

#[derive(Args, Debug)]
pub(crate) struct Protocols {
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Read a configuration and report every mistake in it.
    Check(Sources),
    /// Print every key with its value, as TOML.
    Show(Sources),
    /// Explain every key: text, default, range.
    Reference,
}

#[derive(Args, Debug)]
pub(crate) struct Counters {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Repeat every second until interrupted.
    #[arg(long)]
    pub(crate) watch: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Explain every counter instead of asking a sensor.
    #[arg(long)]
    pub(crate) reference: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Vf {
    /// Another root folder than `/`, whose `sys` is looked at.
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub(crate) root: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: VfAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VfAction {
    /// Every virtual function of an Intel NIC: driver, IOMMU group, NUMA node, physical function, state.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a function to vfio-pci, so that vigie can open it; what was before is recorded.
    Bind {
        /// PCI address, such as 0000:03:02.0.
        address: PciAddress,
    },
    /// Bring a function up, print what was agreed on with the PF, watch what comes, and give it back.
    Probe {
        /// PCI address, or vfio-user:PATH.
        function: Place,
        /// Queues that are asked for.
        #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
        queues: u16,
        /// How long it is watched.
        #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=3600))]
        seconds: u16,
        #[command(flatten)]
        sources: Sources,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what the NIC counts for the function of a running sensor.
    Stats {
        #[command(flatten)]
        sources: Sources,
        /// Repeat every second until interrupted.
        #[arg(long)]
        watch: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a function back from vfio-pci and put back what was before.
    Unbind {
        /// PCI address, such as 0000:03:02.0.
        address: PciAddress,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    #[command(subcommand)]
    pub(crate) what: BenchWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchWhat {
    /// The highest rate at which the sensor, as configured, loses no frame of a cable of its own, with the ledger.
    Capture(Capacity),
}

#[derive(Args, Debug)]
pub(crate) struct Capacity {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Frame lengths, with the four bytes of Ethernet's checksum.
    #[arg(long, value_name = "BYTES", value_delimiter = ',', default_values_t = [64, 512, 1518], value_parser = clap::value_parser!(u16).range(64..=9018))]
    pub(crate) length: Vec<u16>,
    /// Conversations alive at once.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) flows: u32,
    /// Threads that send.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) senders: u32,
    /// Make frames in the kernel, at the end that is listened to, in place of sending them: faster, up to 3404 bytes, from
    /// Linux 5.18 on.
    #[arg(long, conflicts_with = "senders")]
    pub(crate) inject: bool,
    /// How long each rate is held.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) seconds: u16,
    /// Worker threads; 0 for one a core.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<u16>,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Health {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// How long a sensor that does not answer yet is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub(crate) wait: u16,
    /// The self-test alone: no sensor is asked.
    #[arg(long)]
    pub(crate) self_test: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Provision {
    /// Read a document (TOML, `#cloud-config`) or an OVF environment, tell every mistake, and change nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cloud", "seed"])]
    pub(crate) check: Option<PathBuf>,
    /// Ask the metadata service of the cloud, rather than drives and credentials.
    #[arg(long)]
    pub(crate) cloud: bool,
    /// A folder in place of a NoCloud drive or a CD with an OVF environment.
    #[arg(long, value_name = "FOLDER", conflicts_with = "cloud")]
    pub(crate) seed: Option<PathBuf>,
    /// Another root folder than `/`: files are written below it, and nothing that runs is told.
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    pub(crate) root: PathBuf,
    /// Where the metadata service is asked.
    #[arg(long, value_name = "URL", default_value = "http://169.254.169.254")]
    pub(crate) metadata: String,
    /// Where Azure is told that this machine is ready.
    #[arg(long, value_name = "URL", default_value = "http://168.63.129.16")]
    pub(crate) fabric: String,
    /// How long a silent metadata service is asked again.
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(0..=600))]
    pub(crate) patience: u16,
}

#[derive(Args, Debug)]
pub(crate) struct Prepare {
    /// Another root folder than `/`.
    #[arg(long, value_name = "FOLDER", default_value = "/", hide = true)]
    pub(crate) root: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Console {
    /// Print the page once, without the menu.
    #[arg(long)]
    pub(crate) once: bool,
    /// Another root folder than `/`.
    #[arg(long, value_name = "FOLDER", default_value = "/", hide = true)]
    pub(crate) root: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// Which shell.
    pub(crate) shell: clap_complete::Shell,
}

/// Writes the man page: every command in turn, and the exit codes.
pub(crate) fn man(out: &mut dyn io::Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    for sub in command.get_subcommands().filter(|s| s.get_name() != "help") {
        writeln!(out, ".SH \"{}\"", sub.get_name().to_uppercase())?;
        let page = clap_mangen::Man::new(sub.clone());
        page.render_synopsis_section(out)?;
        page.render_description_section(out)?;
        page.render_options_section(out)?;
    }
    writeln!(out, ".SH \"EXIT STATUS\"")?;
    for (exit, text) in CODES {
        writeln!(out, ".TP\n.B {}\n{text}", *exit as u8)?;
    }
    writeln!(
        out,
        ".SH \"SIGNALS\"\n.TP\n.B SIGTERM, SIGINT\ndrain and end with the summary; a second one ends at \
        once"
    )?;
    let hangup = "read the configuration again, take over what can be and name what needs a restart; open the EVE file \
        anew if it was moved away";
    writeln!(out, ".TP\n.B SIGHUP\n{hangup}")?;
    writeln!(
        out,
        ".SH \"FILES\"\n.TP\n.I {CONFIGURATION}\nthe configuration of `run` and `counters`, when none is named"
    )?;
    writeln!(out, ".TP\n.I /run/vigie/control.sock\nwhere `counters` asks a running sensor")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_contract_parses() {
        let line =
            "vigie read a.pcap b.pcap --rules r --eve - --config c --set a=1 --set b=2 --workers 2 --quiet";
        let cli = Cli::try_parse_from(line.split(' ')).expect("the contract");
        let Command::Read(read) = cli.command else { panic!("not read") };
        assert_eq!((read.captures.len(), read.walk.sources.set.len(), read.walk.workers), (2, 2, Some(2)));
    }

    #[test]
    fn the_man_page_names_every_command() {
        let mut text = Vec::new();
        man(&mut text).expect("memory");
        let text = String::from_utf8(text).expect("UTF-8");
        for name in ["READ", "RUN", "PROTOCOLS", "CONFIG", "COUNTERS", "EXIT STATUS"] {
            assert!(text.contains(name), "{name}");
        }
    }
}
