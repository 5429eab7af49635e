//! The programs that drop frames of bypassed flows: `bypass.bpf.c`, loaded, tried, and with its maps at hand.

use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use aya::maps::Map as AnyMap;
use aya::programs::xdp::XdpMode;
use aya::programs::{
    Program, ProgramError, SchedClassifier, SocketFilter, TestRun as _, TestRunOptions, Xdp as XdpProgram,
};
use aya::{Ebpf, EbpfError, EbpfLoader};
use frame::bypass::{Around, Ends, Half, Kind, Level};

use super::maps::Map;
use super::trial::{WRAPPINGS, ipv4};
use super::{Tunnels, innermost, refused};
use crate::bypass::key::{self, KEY4, KEY6, PLACE};

/// What clang made of `bypass.bpf.c`, aligned as its reader wants it.
static AT_SOCKET: &[u8] = aya::include_bytes_aligned!("bypass.bpf.o");
/// The same for the beginning of an interface's receive path.
static AT_INTERFACE: &[u8] = aya::include_bytes_aligned!("bypass_xdp.bpf.o");
/// Bytes of `struct counts`, for one CPU.
pub(crate) const COUNTS: usize = 32;
/// Bytes of `struct shown`.
const SHOWN: usize = KEY6 + PLACE + 8;
/// The one key of maps with one entry.
pub(crate) const ONLY: [u8; 4] = [0; 4];

/// Where on its way into the machine a frame is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Xdp {
    /// At the socket: whoever else has the frame keeps it.
    #[default]
    Off,
    /// In the kernel's receive path, by any driver.
    Generic,
    /// In the driver.
    Native,
}

/// What the programs are told before they are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterSettings {
    /// What is taken for a tunnel; where mirror sessions are stripped, their outermost source ports say nothing.
    pub tunnels: Tunnels,
    /// Tunnels in one another that are opened.
    pub levels: u8,
    /// Frames begin with IP, without a link layer.
    pub raw_link: bool,
    /// Most halves of IPv4 flows.
    pub ipv4: u32,
    /// Most halves of IPv6 flows.
    pub ipv6: u32,
}

/// Why the kernel drops nothing for us.
#[derive(Debug)]
pub enum FilterError {
    /// The object could not be loaded.
    Load(EbpfError),
    /// The program was refused, or could not be run.
    Program(ProgramError),
    /// The interface takes no program.
    Attach(ProgramError),
    /// A map could not be used.
    Map(io::Error),
    /// It read a frame wrongly: which.
    Trial(&'static str),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(e) => refused(f, e),
            Self::Program(e) => refused(f, e),
            Self::Map(e) => refused(f, e),
            Self::Attach(e) => {
                write!(f, "the interface or its driver takes no XDP program: {}", innermost(e))
            }
            Self::Trial(what) => write!(f, "the eBPF program failed its trial: {what}"),
        }
    }
}

impl std::error::Error for FilterError {}

impl From<EbpfError> for FilterError {
    fn from(error: EbpfError) -> Self {
        Self::Load(error)
    }
}

impl From<ProgramError> for FilterError {
    fn from(error: ProgramError) -> Self {
        Self::Program(error)
    }
}

/// The maps, as their user in this process has them.
#[derive(Debug)]
pub(crate) struct Maps {
    pub(crate) halves4: Map<KEY4>,
    pub(crate) halves6: Map<KEY6>,
    pub(crate) places: Map<PLACE>,
    pub(crate) total: Map<4>,
    pub(crate) active: Map<4>,
}

/// The program, loaded and tried.
#[derive(Debug)]
pub struct Filter {
    object: Ebpf,
}

/// Where a program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In front of one socket's ring.
    Socket,
    /// At the beginning of an interface's receive path.
    Interface,
}

impl Filter {
    /// Loads the program, and tries it on a conversation, plain and in every kind of tunnel.
    ///
    /// # Errors
    /// When the kernel refuses, or a frame was read wrongly.
    pub fn load(settings: &FilterSettings, at: At) -> Result<Self, FilterError> {
        let mut filter = Self::another(settings, at)?;
        trial(&mut filter.object, settings, at)?;
        Ok(filter)
    }

    /// Loads one more of a program that was tried.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn another(settings: &FilterSettings, at: At) -> Result<Self, FilterError> {
        let mut filter = Self { object: object(settings, at)? };
        match at {
            At::Socket => filter.program_mut::<SocketFilter>()?.load()?,
            At::Interface => filter.program_mut::<XdpProgram>()?.load()?,
        }
        Ok(filter)
    }

    /// Puts the program at an interface, until this is dropped or the interface goes.
    ///
    /// # Errors
    /// When the kernel or the driver refuses.
    pub fn attach(&mut self, index: u32, native: bool) -> Result<(), FilterError> {
        let mode = if native { XdpMode::Driver } else { XdpMode::Skb };
        self.program_mut::<XdpProgram>()?.attach_to_if_index(index, mode).map_err(FilterError::Attach)?;
        Ok(())
    }

    /// Takes the program away from the interface.
    pub fn detach(&mut self) {
        if let Ok(program) = self.program_mut::<XdpProgram>() {
            let _ = program.unload();
        }
    }

    fn program_mut<'a, P>(&'a mut self) -> Result<&'a mut P, ProgramError>
    where
        &'a mut P: TryFrom<&'a mut Program, Error = ProgramError>,
    {
        self.object.program_mut("bypass").ok_or(ProgramError::NotLoaded)?.try_into()
    }

    pub(crate) fn fd(&self) -> Result<BorrowedFd<'_>, ProgramError> {
        let program: &SocketFilter =
            self.object.program("bypass").ok_or(ProgramError::NotLoaded)?.try_into()?;
        Ok(program.fd()?.as_fd())
    }

    pub(crate) fn maps(&self) -> Result<Maps, FilterError> {
        let cpus = aya::util::nr_cpus().map_err(|(_, e)| FilterError::Map(e))?;
        let fd = |name| map(&self.object, name).map_err(FilterError::Map);
        Ok(Maps {
            halves4: Map::new(fd("halves4")?, cpus * COUNTS),
            halves6: Map::new(fd("halves6")?, cpus * COUNTS),
            places: Map::new(fd("places")?, 4),
            total: Map::new(fd("total")?, cpus * COUNTS),
            active: Map::new(fd("active")?, 4),
        })
    }
}

fn object(settings: &FilterSettings, at: At) -> Result<Ebpf, EbpfError> {
    let FilterSettings { tunnels, levels, raw_link, ipv4, ipv6 } = settings;
    let flags = [tunnels.teredo, tunnels.erspan1, !tunnels.tenant, *raw_link].map(u8::from);
    let [teredo, erspan1, strips, raw_link] = &flags;
    let mut loader = EbpfLoader::new();
    loader.override_global("vxlan_ports", tunnels.vxlan.as_slice(), true);
    loader.override_global("geneve_ports", tunnels.geneve.as_slice(), true);
    loader.override_global("gtp_ports", tunnels.gtp.as_slice(), true);
    loader.override_global("with_teredo", teredo, true);
    loader.override_global("with_erspan1", erspan1, true);
    loader.override_global("strips", strips, true);
    loader.override_global("raw_link", raw_link, true);
    loader.override_global("most_levels", levels, true);
    loader.map_max_entries("halves4", (*ipv4).max(2));
    loader.map_max_entries("halves6", (*ipv6).max(2));
    loader.map_max_entries("places", ipv4.saturating_add(*ipv6).max(2));
    loader.load(if at == At::Socket { AT_SOCKET } else { AT_INTERFACE })
}

fn map(object: &Ebpf, name: &str) -> io::Result<OwnedFd> {
    match object.map(name) {
        Some(
            AnyMap::HashMap(data)
            | AnyMap::PerCpuHashMap(data)
            | AnyMap::Array(data)
            | AnyMap::PerCpuArray(data),
        ) => data.fd().as_fd().try_clone_to_owned(),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// The program that tells what the walk finds, beside the one that acts on it.
#[derive(Debug)]
pub struct Show<'a> {
    object: &'a Ebpf,
    at: At,
    seen: Map<4>,
}

impl<'a> Show<'a> {
    fn load(object: &'a mut Ebpf, at: At) -> Result<Self, FilterError> {
        let program = object.program_mut("show").ok_or(ProgramError::NotLoaded)?;
        match at {
            At::Socket => <&mut SchedClassifier>::try_from(program)?.load()?,
            At::Interface => <&mut XdpProgram>::try_from(program)?.load()?,
        }
        let seen = Map::new(map(object, "seen").map_err(FilterError::Map)?, SHOWN);
        Ok(Self { object, at, seen })
    }

    /// What the kernel finds in an Ethernet frame: key, what is around it, and bytes of the innermost packet.
    fn answer(&self, frame: &[u8]) -> Result<Option<[u8; SHOWN]>, FilterError> {
        let program = self.object.program("show").ok_or(ProgramError::NotLoaded)?;
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::new() };
        let run = match self.at {
            At::Socket => <&SchedClassifier>::try_from(program)?.test_run(options),
            At::Interface => <&XdpProgram>::try_from(program)?.test_run(options),
        };
        if run?.return_value == 0 {
            return Ok(None);
        }
        let mut shown = [0; SHOWN];
        self.seen.read(&ONLY, &mut shown).map_err(FilterError::Map)?;
        Ok(Some(shown))
    }

    /// Whether the kernel finds exactly this half in an Ethernet frame, with so many bytes from its IP header on; or
    /// nothing, where nothing is expected.
    ///
    /// # Errors
    /// When the kernel cannot run the program, as with a frame that is too short.
    pub fn agrees(&self, frame: &[u8], half: Option<(&Half, u32)>) -> Result<bool, FilterError> {
        Ok(self.answer(frame)? == half.map(|(half, inner)| expected(half, inner)))
    }
}

fn expected(half: &Half, inner: u32) -> [u8; SHOWN] {
    let mut shown = [0; SHOWN];
    let version = u32::from(half.version);
    let parts: [&[u8]; 4] =
        [&key::long(half, 0), &key::place(&half.around), &version.to_ne_bytes(), &inner.to_ne_bytes()];
    shown.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(to, from)| *to = *from);
    shown
}

/// Loads the program by which the walk can be asked.
///
/// # Errors
/// As [`Filter::load`].
pub fn ask(settings: &FilterSettings, at: At, with: impl FnOnce(&Show<'_>)) -> Result<(), FilterError> {
    let mut object = object(settings, at)?;
    with(&Show::load(&mut object, at)?);
    Ok(())
}

/// What the kernel finds in frames of our own making is what stands in them.
fn trial(object: &mut Ebpf, settings: &FilterSettings, at: At) -> Result<(), FilterError> {
    if settings.raw_link {
        // The program that shows is given Ethernet frames.
        return Ok(());
    }
    let tunnels = &settings.tunnels;
    let show = Show::load(object, at)?;
    let segment = [0x9c, 0x41, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0];
    let inner = ipv4([10, 0, 0, 1], [192, 0, 2, 77], 6, &segment);
    for (name, wrap) in WRAPPINGS {
        let Some(frame) = wrap(&inner, tunnels) else { continue };
        let half = half_of(name, &frame, tunnels);
        if usize::from(settings.levels) > half.around.levels.iter().filter(|l| l.kind != Kind::None).count()
            && !show.agrees(&frame, Some((&half, 40)))?
        {
            return Err(FilterError::Trial(name));
        }
    }
    Ok(())
}

/// What stands in a frame of the trial.
fn half_of(name: &str, frame: &[u8], tunnels: &Tunnels) -> Half {
    let four = |[a, b, c, d]: [u8; 4]| [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let ends =
        Ends { src: four([10, 0, 0, 1]), dst: four([192, 0, 2, 77]), ports: [40_001, 443], vlans: [0; 3] };
    let mut half = Half { ends, protocol: 6, version: 4, ..Half::default() };
    let port =
        |at: usize| frame.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |b| u16::from_be_bytes(*b));
    let outer = |at: usize, kind, id, strips: bool| {
        let from = if strips { 0 } else { port(at) };
        let ports = if at == 0 { [0, 0] } else { [from, port(at + 2)] };
        let ends = Ends { src: four([198, 51, 100, 1]), dst: four([198, 51, 100, 2]), ports, vlans: [0; 3] };
        Level { ends, id, kind }
    };
    let strips = !tunnels.tenant;
    let mut options = [0; frame::bypass::OPTIONS];
    options.iter_mut().zip([1, 8, 0, 1, 0xde, 0xad, 0xbe, 0xef]).for_each(|(to, from)| *to = from);
    let geneve =
        |second| Around { levels: [outer(34, Kind::Geneve, 9, strips), second], options, options_len: 8 };
    let none = Level::default();
    match name {
        "two VLAN tags" => half.ends.vlans = [7, 7, 0],
        "VXLAN" => half.around.levels = [outer(34, Kind::Vxlan, 42, strips), none],
        "VXLAN in GENEVE" => half.around = geneve(outer(34 + 8 + 16 + 34, Kind::Vxlan, 42, false)),
        "ERSPAN type II" => {
            half.around.levels = [outer(0, Kind::Erspan, 0x1005_0003, strips), none];
            half.ends.vlans = [5, 0, 0];
        }
        "plain" => {}
        _ => half.around = geneve(none),
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_objects_are_those_that_were_made_of_the_source() {
        let line = |bytes: &[u8], name: &str| {
            let digest = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
            format!("{digest}  {name}\n")
        };
        let expected = [
            line(include_bytes!("walk.bpf.h"), "walk.bpf.h"),
            line(include_bytes!("bypass.bpf.c"), "bypass.bpf.c"),
            line(AT_SOCKET, "bypass.bpf.o"),
            line(AT_INTERFACE, "bypass_xdp.bpf.o"),
        ];
        assert_eq!(include_str!("bypass.sha256"), expected.concat(), "run `make ebpf`");
    }
}
