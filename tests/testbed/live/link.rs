//! What the kernel knows of an interface and an older `ip` has no word for, said by rtnetlink.

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

/// `linux/rtnetlink.h`, `linux/netlink.h`, `linux/if_link.h`.
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const NLM_F_REQUEST: u16 = 0x01;
const NLM_F_ACK: u16 = 0x04;
const NLMSG_ERROR: u16 = 2;
const IFLA_GSO_IPV4_MAX_SIZE: u16 = 63;
const IFLA_GRO_IPV4_MAX_SIZE: u16 = 64;

/// Lengths of a message's header (`struct nlmsghdr`), of what stands between it and attributes (`struct ifinfomsg`), and of
/// an attribute's own.
const HEADER: usize = 16;
const ABOUT: usize = 16;
const ATTRIBUTE: usize = 4;

/// Lets segments of IPv4 be joined up to this length at an interface of this thread's namespace.
pub(crate) fn allow_ipv4_segments(interface: &str, longest: u32) -> io::Result<()> {
    let index = if_nametoindex(interface)?;
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    let wanted = [IFLA_GSO_IPV4_MAX_SIZE, IFLA_GRO_IPV4_MAX_SIZE];
    let attributes = wanted.map(|kind| attribute(kind, longest)).concat();
    match error_in(&ask(&socket, &message(RTM_NEWLINK, NLM_F_ACK, index, &attributes))?) {
        Some(0) => {}
        Some(code) => return Err(Errno::from_raw(-code).into()),
        None => return Err(io::Error::other("no answer of the kernel's")),
    }
    // A kernel passes over what it does not know, and says that all is well.
    let link = ask(&socket, &message(RTM_GETLINK, 0, index, &[]))?;
    let is_so = wanted.iter().all(|kind| value_of(*kind, &link) == Some(longest));
    is_so.then_some(()).ok_or_else(|| io::Error::other("it passes over what it was asked for"))
}

fn ask(socket: &OwnedFd, message: &[u8]) -> io::Result<Vec<u8>> {
    let fd = socket.as_raw_fd();
    sendto(fd, message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = vec![0; 32 << 10];
    let length = recv(fd, &mut answer, MsgFlags::empty())?;
    answer.truncate(length);
    Ok(answer)
}

fn message(kind: u16, flags: u16, index: u32, attributes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + ABOUT + attributes.len()).expect("short");
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    // No number and no sender; of no family, of no kind.
    message.extend([0; 8 + 4]);
    message.extend(index.to_ne_bytes());
    // No flag is changed.
    message.extend([0; 8]);
    message.extend(attributes);
    message
}

fn attribute(kind: u16, value: u32) -> [u8; 8] {
    let [a, b, c, d] = value.to_ne_bytes();
    let ([l, m], [k, n]) = (8_u16.to_ne_bytes(), kind.to_ne_bytes());
    [l, m, k, n, a, b, c, d]
}

/// The code of an answer that is one (`struct nlmsgerr`): 0, or an error's number below it.
fn error_in(answer: &[u8]) -> Option<i32> {
    let code = i32::from_ne_bytes(*answer.get(HEADER..)?.first_chunk()?);
    (short_at(answer, 4)? == NLMSG_ERROR).then_some(code)
}

/// The value of an attribute of an interface.
fn value_of(kind: u16, link: &[u8]) -> Option<u32> {
    let mut rest = link.get(HEADER + ABOUT..)?;
    loop {
        let length = usize::from(short_at(rest, 0)?).max(ATTRIBUTE);
        if short_at(rest, 2)? == kind {
            return Some(u32::from_ne_bytes(*rest.get(ATTRIBUTE..)?.first_chunk()?));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

fn short_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}
