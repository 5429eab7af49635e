//! Transmit onto an interface, through a packet socket, only ever inside a network namespace of a test's own.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, MultiHeaders, SockFlag, SockType, bind, sendmmsg, setsockopt, socket,
    sockopt,
};

use crate::Source;

/// How fast to send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as the interface takes them.
    Unlimited,
    /// So many frames a second.
    PerSecond(f64),
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sent {
    /// Frames the interface took.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Frames the interface would never take, such as ones larger than its MTU.
    pub refused: u64,
    /// How long it took.
    pub time: Duration,
}

/// Why nothing can be sent.
#[derive(Debug)]
pub enum TransmitError {
    /// This is the machine's own network, not one that a test made.
    InitialNamespace,
    /// No such interface here.
    NoInterface(String, Vec<String>),
    /// The operating system refused.
    Io(&'static str, io::Error),
}

impl std::fmt::Display for TransmitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InitialNamespace => f.write_str(
                "refusing to send: this is the machine's own network. Make a namespace and run inside it: \
                 ip netns add NAME; ip netns exec NAME ...",
            ),
            Self::NoInterface(name, known) => {
                write!(f, "no interface '{name}' in this namespace; there are: {}", known.join(", "))
            }
            Self::Io(doing, error) => write!(f, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for TransmitError {}

/// An interface, open for sending.
#[derive(Debug)]
pub struct Transmit {
    socket: OwnedFd,
}

impl Transmit {
    const BURST: usize = 64;
    /// How long a full queue may stay full before sending gives up.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Opens `interface` for sending.
    ///
    /// # Errors
    /// In the machine's initial network namespace, always; when there is no such interface; without `CAP_NET_RAW`.
    pub fn open(interface: &str) -> Result<Self, TransmitError> {
        if !is_made_namespace() {
            return Err(TransmitError::InitialNamespace);
        }
        let address = link_address(interface)?;
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)
            .map_err(|e| TransmitError::Io("opening a packet socket (needs CAP_NET_RAW)", e.into()))?;
        bind(socket.as_raw_fd(), &address)
            .map_err(|e| TransmitError::Io("binding to the interface", e.into()))?;
        // a larger buffer only saves system calls, so a refusal changes nothing that matters
        let _ = setsockopt(&socket, sockopt::SndBuf, &(4 << 20));
        Ok(Self { socket })
    }

    /// Sends everything `source` gives, at `pace`.
    ///
    /// # Errors
    /// When the interface goes away, or stays full for five seconds.
    pub fn send(&self, source: &mut dyn Source, pace: Pace) -> Result<Sent, TransmitError> {
        let begin = Instant::now();
        let mut sent = Sent::default();
        let mut burst: Vec<Vec<u8>> = vec![Vec::new(); Self::BURST];
        let mut headers = MultiHeaders::preallocate(Self::BURST, None);
        loop {
            let due = wait_until_due(begin, sent.frames + sent.refused, pace);
            let ready =
                burst.iter_mut().take(due).map_while(|frame| source.fill(frame).then_some(())).count();
            self.send_burst(&burst[..ready], &mut headers, &mut sent)?;
            if ready < due {
                sent.time = begin.elapsed();
                return Ok(sent);
            }
        }
    }

    fn send_burst(
        &self,
        burst: &[Vec<u8>],
        headers: &mut MultiHeaders<LinkAddr>,
        sent: &mut Sent,
    ) -> Result<(), TransmitError> {
        let mut at = 0;
        let mut full_since = None;
        while at < burst.len() {
            let slices: Vec<[IoSlice<'_>; 1]> = burst[at..].iter().map(|f| [IoSlice::new(f)]).collect();
            let to = vec![None; slices.len()];
            let taken = sendmmsg(self.socket.as_raw_fd(), headers, &slices, &to, [], MsgFlags::empty())
                .map(|results| results.count());
            match taken {
                Ok(taken) => {
                    sent.frames += taken as u64;
                    sent.bytes += burst[at..at + taken].iter().map(|f| f.len() as u64).sum::<u64>();
                    at += taken;
                    full_since = None;
                }
                Err(Errno::EMSGSIZE | Errno::EINVAL) => {
                    sent.refused += 1;
                    at += 1;
                }
                Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::EINTR)
                    if full_since.get_or_insert_with(Instant::now).elapsed() < Self::PATIENCE =>
                {
                    std::thread::sleep(Duration::from_micros(20));
                }
                Err(other) => return Err(TransmitError::Io("sending", other.into())),
            }
        }
        Ok(())
    }
}

/// Sleeps until at least one frame is due and tells how many are.
fn wait_until_due(begin: Instant, gone: u64, pace: Pace) -> usize {
    let Pace::PerSecond(rate) = pace else { return Transmit::BURST };
    loop {
        let due = (begin.elapsed().as_secs_f64() * rate) as u64 + 1;
        if due > gone {
            return usize::try_from(due - gone).unwrap_or(usize::MAX).min(Transmit::BURST);
        }
        let next = (gone as f64 / rate - begin.elapsed().as_secs_f64()).max(0.0);
        // short waits are spun: a sleep of less than 60 µs comes back late
        if next > 0.000_06 {
            std::thread::sleep(Duration::from_secs_f64((next - 0.000_05).min(0.1)));
        }
    }
}

/// Whether this process lives in a network that somebody made: another one than that of process 1, or, where process 1
/// may not be looked at, one that has a name (`ip netns add`). What cannot be known counts as no.
fn is_made_namespace() -> bool {
    let of = |who: &str| std::fs::read_link(format!("/proc/{who}/ns/net"));
    let Ok(own) = of("thread-self") else { return false };
    match of("1") {
        Ok(first) => own != first,
        Err(_) => named_namespaces().any(|inode| own.as_os_str() == format!("net:[{inode}]").as_str()),
    }
}

fn named_namespaces() -> impl Iterator<Item = u64> {
    let entries = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(std::fs::metadata(entry.path()).ok()?.ino()))
}

fn link_address(interface: &str) -> Result<LinkAddr, TransmitError> {
    let all = getifaddrs().map_err(|e| TransmitError::Io("listing interfaces", e.into()))?;
    let mut known = Vec::new();
    for entry in all {
        let link = entry.address.as_ref().and_then(|a| a.as_link_addr().copied());
        match link {
            Some(address) if entry.interface_name == interface => return Ok(address),
            Some(_) => known.push(entry.interface_name),
            None => {}
        }
    }
    Err(TransmitError::NoInterface(interface.to_owned(), known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_in_the_machines_own_network() {
        if !is_made_namespace() {
            let error = Transmit::open("lo").unwrap_err();
            assert!(error.to_string().starts_with("refusing to send"), "{error}");
        }
    }

    #[test]
    fn an_unknown_interface_is_named_with_those_there_are() {
        let error = link_address("nosuch0").unwrap_err().to_string();
        assert!(error.contains("'nosuch0'") && error.contains("lo"), "{error}");
    }

    #[test]
    fn a_pace_is_kept() {
        let begin = Instant::now();
        let mut gone = 0;
        while gone < 100 {
            gone += wait_until_due(begin, gone, Pace::PerSecond(10_000.0)) as u64;
        }
        let took = begin.elapsed().as_secs_f64();
        assert!(took > 0.008, "100 frames at 10,000 a second took {took} s");
    }
}
