//! Setting a queue up, in the order in which nothing is lost and nothing foreign gets in.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use frame::LinkType;
use libc::c_int;
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::ring::Ring;
use super::socket::{Socket, interfaces, memory};
use super::{Clock, Fanout, LiveSettings, OpenError};
use crate::ebpf::{Steering, Xdp};

/// Smallest block: frames of GSO and GRO, which are 64 KiB long, would be cut by less, silently.
const MIN_BLOCK: u32 = 128 << 10;
/// Largest page of any Linux: what is a multiple of it is a multiple of every page.
const PAGE: u32 = 64 << 10;
/// Most workers of a fanout group, unless it is told otherwise.
const MAX_WORKERS: usize = 256;
/// What the kernel divides blocks by; with packed frames it only has to be allowed.
const FRAME_SIZE: u32 = 2_048;
/// Longest name of an interface (IFNAMSIZ, less the end).
const MAX_NAME: usize = 15;

/// Where `ip netns` keeps namespaces by name.
const NAMESPACES: &str = "/run/netns";

/// Flags of a fanout group (`linux/if_packet.h`).
const UNIQUE_ID: u16 = 0x2000;
const IGNORE_OUTGOING: u16 = 0x4000;

/// The fanout group that the workers of one interface share. A group belongs to an interface: when one is deleted and
/// made again, whoever comes first makes the new group.
#[derive(Debug)]
pub(super) struct Group {
    /// Interface and id of the group.
    made: Mutex<Option<(c_int, u16)>>,
    /// The program that deals frames out, where one does.
    steering: Option<Steering>,
}

impl Group {
    pub(super) fn new(steering: Option<Steering>) -> Self {
        Self { made: Mutex::default(), steering }
    }

    /// Gives the program to a group that was just made; until then its first member has every frame.
    fn steer(&self, socket: &Socket) -> io::Result<()> {
        match &self.steering {
            Some(steering) => socket.steer(steering.fd().map_err(io::Error::other)?),
            None => Ok(()),
        }
    }
}

/// A queue's socket and ring, and what they are bound to.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) ring: Ring,
    pub(super) index: c_int,
    pub(super) link: LinkType,
}

/// Refuses settings that make no sense.
pub(super) fn check(settings: &LiveSettings) -> Result<(), OpenError> {
    let refuse = |text: String| Err(OpenError::Settings(text));
    let name = &settings.interface;
    if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
        return refuse(format!("{name:?} is not the name of an interface: 1 to {MAX_NAME} bytes"));
    }
    if settings.workers == 0 || settings.workers > MAX_WORKERS {
        return refuse(format!(
            "{} workers were asked for: 1 to {MAX_WORKERS} are allowed",
            settings.workers
        ));
    }
    if matches!(settings.fanout, Fanout::None | Fanout::Here) && settings.workers > 1 {
        return refuse(format!("{} workers need a fanout, and none was chosen", settings.workers));
    }
    if settings.block_size < MIN_BLOCK || !settings.block_size.is_multiple_of(PAGE) {
        let size = settings.block_size;
        return refuse(format!("a block of {size} bytes: {MIN_BLOCK} at least, in multiples of {PAGE}"));
    }
    let at_interface = settings.drops.as_ref().is_some_and(|drops| drops.xdp != Xdp::Off);
    if at_interface && !settings.namespace.is_empty() {
        return refuse("frames cannot be dropped at an interface of another network namespace".to_owned());
    }
    if settings.blocks < 2 {
        return refuse(format!("{} blocks: 2 at least", settings.blocks));
    }
    // The kernel would try, take the memory from everybody, and refuse after minutes or not at all.
    let bytes = ring_bytes(settings).saturating_mul(settings.workers as u64);
    if bytes > memory() / 2 {
        return Err(OpenError::Memory(bytes));
    }
    Ok(())
}

fn ring_bytes(settings: &LiveSettings) -> u64 {
    u64::from(settings.block_size) * u64::from(settings.blocks)
}

/// A socket with its ring, bound to the interface and in the group, which lets nothing in yet. A socket belongs to the
/// namespace that it was made in, whoever uses it: where another one is wanted, a thread goes there to make it.
pub(super) fn bind(settings: &LiveSettings, group: &Group) -> Result<Bound, OpenError> {
    if settings.namespace.is_empty() {
        return bind_here(settings, group);
    }
    let path = match settings.namespace.contains('/') {
        true => PathBuf::from(&settings.namespace),
        false => Path::new(NAMESPACES).join(&settings.namespace),
    };
    let no_namespace = |e: io::Error| OpenError::Namespace(path.display().to_string(), e);
    let there = || {
        let space = File::open(&path).map_err(no_namespace)?;
        setns(space, CloneFlags::CLONE_NEWNET).map_err(|e| match e {
            Errno::EPERM => OpenError::Capability("CAP_SYS_ADMIN", "enter a network namespace"),
            other => no_namespace(other.into()),
        })?;
        bind_here(settings, group)
    };
    let failed = || Err(no_namespace(io::Error::other("the thread that entered it failed")));
    std::thread::scope(|scope| scope.spawn(there).join().unwrap_or_else(|_| failed()))
}

fn bind_here(settings: &LiveSettings, group: &Group) -> Result<Bound, OpenError> {
    let name = settings.interface.as_str();
    let socket = Socket::new().map_err(|e| refused("open a packet socket", "CAP_NET_RAW", e))?;
    let index = socket.index_of(name).map_err(|e| absent(name, e))?;
    let hardware = socket.hardware_of(name).map_err(|e| absent(name, e))?;
    let link = link_of(hardware).ok_or_else(|| OpenError::Hardware(name.to_owned(), hardware))?;
    socket.version_3().map_err(|e| refused("use TPACKET_V3", "CAP_NET_RAW", e))?;
    // Without it the kernel's time of copying stands in, which is nearly as good.
    let _ = socket.arrival_times();
    if settings.clock == Clock::Nic {
        socket.nic_times().map_err(|e| refused("ask for the NIC's times", "CAP_NET_RAW", e))?;
    }
    let ring = ring(socket, settings)?;
    let socket = ring.socket();
    socket.shut().map_err(|e| refused("attach a filter", "CAP_NET_RAW", e))?;
    socket.bind(index).map_err(|e| refused("bind to the interface", "CAP_NET_RAW", e))?;
    if settings.promiscuous {
        let step = "receive the frames of other stations";
        socket.promiscuous(index).map_err(|e| refused(step, "CAP_NET_ADMIN", e))?;
    }
    if settings.workers > 1 {
        join(socket, settings, group, index)?;
    } else if settings.ignore_outgoing {
        socket.ignore_outgoing().map_err(|e| refused("leave out sent frames", "CAP_NET_RAW", e))?;
    }
    Ok(Bound { ring, index, link })
}

/// Asks for the ring, and maps it.
fn ring(socket: Socket, settings: &LiveSettings) -> Result<Ring, OpenError> {
    let bytes = ring_bytes(settings);
    let no_memory = |e: io::Error| match e.raw_os_error() {
        Some(libc::ENOMEM) => OpenError::Memory(bytes),
        _ => refused("make a ring", "CAP_NET_RAW", e),
    };
    let frames = (settings.block_size / FRAME_SIZE).checked_mul(settings.blocks);
    let request = libc::tpacket_req3 {
        tp_block_size: settings.block_size,
        tp_block_nr: settings.blocks,
        tp_frame_size: FRAME_SIZE,
        tp_frame_nr: frames.ok_or(OpenError::Memory(bytes))?,
        tp_retire_blk_tov: settings.retire_ms.max(1),
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    socket.ring(&request).map_err(no_memory)?;
    Ring::map(socket, settings.block_size as usize, settings.blocks as usize).map_err(no_memory)
}

/// Joins the interface's group; the first worker makes it, with an id that the kernel chooses.
fn join(socket: &Socket, settings: &LiveSettings, group: &Group, index: c_int) -> Result<(), OpenError> {
    let name = settings.interface.as_str();
    if !socket.is_up(name).map_err(|e| absent(name, e))? {
        return Err(OpenError::Down(name.to_owned()));
    }
    let refuse = |e| refused("join a fanout group", "CAP_NET_RAW", e);
    let mut made = group.made.lock().unwrap_or_else(PoisonError::into_inner);
    let kind = kind_of(settings);
    match *made {
        Some((bound, id)) if bound == index => socket.join(id, kind).map_err(refuse),
        _ => {
            socket.join(0, kind | UNIQUE_ID).map_err(refuse)?;
            *made = Some((index, socket.group().map_err(refuse)?));
            group.steer(socket).map_err(|e| refused("deal frames out by a program", "CAP_NET_ADMIN", e))
        }
    }
}

/// Mode and flags of the group. Within a group the socket's own option to ignore sent frames has no effect.
fn kind_of(settings: &LiveSettings) -> u16 {
    let mode = match settings.fanout {
        Fanout::Hash | Fanout::Here | Fanout::None => 0,
        Fanout::Cpu => 2,
        Fanout::QueueMapping => 5,
        Fanout::Inner => 7,
    };
    if settings.ignore_outgoing { mode | IGNORE_OUTGOING } else { mode }
}

/// How frames of a hardware type (ARPHRD, `linux/if_arp.h`) begin.
fn link_of(hardware: u16) -> Option<LinkType> {
    Some(match hardware {
        // Ethernet, loopback.
        1 | 772 => LinkType::ETHERNET,
        // Raw IP, IP in IP in four ways, and interfaces without any header.
        519 | 768 | 769 | 776 | 65534 => LinkType::RAW,
        801 => LinkType::IEEE802_11,
        803 => LinkType::IEEE802_11_RADIOTAP,
        _ => return None,
    })
}

fn absent(name: &str, e: io::Error) -> OpenError {
    match e.raw_os_error() {
        Some(libc::ENODEV | libc::ENXIO) => OpenError::NoInterface(name.to_owned(), interfaces()),
        _ => OpenError::Refused("look at the interface", e),
    }
}

fn refused(step: &'static str, capability: &'static str, e: io::Error) -> OpenError {
    match e.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => OpenError::Capability(capability, step),
        _ => OpenError::Refused(step, e),
    }
}
