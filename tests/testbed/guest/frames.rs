//! Frames from inside a guest: `guest-frames INTERFACE SIZE COUNT FLOWS` sends so many frames to the interface's own
//! address and says what came back from the NIC.
//!
//! SIZE counts from the Ethernet header on, without the checksum at the end. The answer is one line of JSON: frames
//! sent, frames that came back as they were sent, and frames that came back damaged.

use std::error::Error;
use std::os::fd::AsRawFd as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send, setsockopt,
    socket, sockopt,
};
use nix::sys::time::TimeVal;
use std::os::fd::OwnedFd;
use world::Builder;

/// Ethernet, IPv4 and UDP.
const HEADERS: usize = 14 + 20 + 8;
/// Frames under way at once: fewer than a ring holds, even of the largest.
const WINDOW: usize = 32;
/// How long a frame may be under way.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the kernel says of a copy of what this machine sent (packet(7)).
const OUTGOING: u8 = 4;

#[derive(Default)]
struct Count {
    sent: usize,
    returned: usize,
    damaged: usize,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match echo(&words) {
        Ok(Count { sent, returned, damaged }) => {
            let answer = serde_json::json!({ "sent": sent, "returned": returned, "damaged": damaged });
            #[expect(clippy::print_stdout, reason = "a program's answer")]
            {
                println!("{answer}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("guest-frames: {error}");
            ExitCode::FAILURE
        }
    }
}

fn echo(words: &[String]) -> Result<Count, Box<dyn Error>> {
    let [interface, size, count, flows] = words else {
        return Err("four words wanted: INTERFACE SIZE COUNT FLOWS".into());
    };
    let (size, count, flows): (usize, usize, u16) = (size.parse()?, count.parse()?, flows.parse()?);
    if size < HEADERS + 8 || flows == 0 {
        return Err(format!("SIZE from {} on, FLOWS from 1 on", HEADERS + 8).into());
    }
    let (socket, own) = open(interface)?;
    let mut total = Count::default();
    for first in (0..count).step_by(WINDOW) {
        let numbers = first..count.min(first + WINDOW);
        let mut awaited: Vec<Vec<u8>> = numbers.map(|n| frame(own, size, n, flows)).collect();
        for frame in &awaited {
            total.sent += send(socket.as_raw_fd(), frame, MsgFlags::empty()).map(|_| 1)?;
        }
        gather(&socket, &mut awaited, &mut total)?;
    }
    Ok(total)
}

/// Takes what comes back until nothing is awaited any more, or nothing comes for too long.
fn gather(socket: &OwnedFd, awaited: &mut Vec<Vec<u8>>, total: &mut Count) -> Result<(), Errno> {
    let mut buffer = vec![0; 1 << 16];
    let mut last = Instant::now();
    while !awaited.is_empty() && last.elapsed() < PATIENCE {
        let (length, from) = match recvfrom::<LinkAddr>(socket.as_raw_fd(), &mut buffer) {
            Ok(received) => received,
            Err(Errno::EAGAIN | Errno::EINTR) => continue,
            Err(other) => return Err(other),
        };
        let frame = &buffer[..length];
        // others speak here as well: only UDP from this program's ports counts
        if from.is_some_and(|link| link.pkttype() == OUTGOING) || !is_ours(frame) {
            continue;
        }
        last = Instant::now();
        match awaited.iter().position(|sent| same(sent, frame)) {
            Some(at) => {
                awaited.swap_remove(at);
                total.returned += 1;
            }
            None => total.damaged += 1,
        }
    }
    Ok(())
}

/// Whether a frame is UDP to the port that [`frame`] sends to.
fn is_ours(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[8, 0]) && frame.get(23) == Some(&17) && frame.get(36..38) == Some(&[0, 7])
}

/// A frame shorter than Ethernet's least may come back padded.
fn same(sent: &[u8], got: &[u8]) -> bool {
    got.strip_prefix(sent).is_some_and(|rest| rest.is_empty() || got.len() == 60)
}

/// UDP from and to the interface's own address, to port 7 (echo), from a port that tells its flow.
fn frame(own: [u8; 6], size: usize, number: usize, flows: u16) -> Vec<u8> {
    let flow = u16::try_from(number % usize::from(flows)).unwrap_or_default();
    let mut payload = vec![0; size - HEADERS];
    for (at, byte) in payload.iter_mut().enumerate() {
        *byte = (at.wrapping_mul(31).wrapping_add(number) & 0xff) as u8;
    }
    payload[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let [_, low] = flow.to_be_bytes();
    Builder::ethernet_between(own, own)
        .ipv4([198, 51, 100, low], [203, 0, 113, 1])
        .udp(20_000 + flow, 7)
        .payload(&payload)
        .build()
}

fn open(interface: &str) -> Result<(OwnedFd, [u8; 6]), Box<dyn Error>> {
    let link = nix::ifaddrs::getifaddrs()?
        .filter(|entry| entry.interface_name == interface)
        .find_map(|entry| entry.address.as_ref().and_then(|address| address.as_link_addr().copied()))
        .ok_or_else(|| format!("no interface {interface}"))?;
    let own = link.addr().ok_or("it has no address")?;
    let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
    bind(socket.as_raw_fd(), &link)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(0, 50_000))?;
    // frames of several pages each wait there while this program is busy
    setsockopt(&socket, sockopt::RcvBuf, &(8 << 20))?;
    Ok((socket, own))
}
