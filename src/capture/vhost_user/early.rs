//! A message that DPDK's `net_virtio_user` with `server=1` sends out of turn: when another back end connects, it enables and
//! disables rings (`VHOST_USER_SET_VRING_ENABLE`) before features are agreed on. Nothing runs at that time, so it is noted, and
//! answered where the front end wants an answer.

use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;

use nix::sys::socket::{MsgFlags, recv};

/// Header: request, flags, size; each of 32 bits in the machine's own order (vhost-user protocol, "Header").
const HEADER: usize = 12;
const SET_VRING_ENABLE: u32 = 18;
/// `struct vhost_vring_state`: index and number.
const BODY: usize = 8;
/// Flags: version 1, reply, and that an answer is wanted.
const VERSION: u32 = 1;
const REPLY: u32 = 1 << 2;
const NEED_REPLY: u32 = 1 << 3;

/// Takes such messages until another one waits, and notes each: ring, and whether it is enabled. Nothing is out of turn when
/// features are `agreed` on.
///
/// # Errors
/// When the connection ends meanwhile.
pub(super) fn take(
    stream: &mut UnixStream,
    agreed: impl Fn() -> bool,
    mut note: impl FnMut(u32, bool),
) -> std::io::Result<()> {
    while !agreed() {
        let mut header = [0; HEADER];
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_WAITALL;
        let seen = recv(stream.as_raw_fd(), &mut header, flags)?;
        let [request, flags, size] = words(&header);
        if seen < HEADER || request != SET_VRING_ENABLE || size as usize != BODY {
            return Ok(());
        }
        let mut message = [0; HEADER + BODY];
        stream.read_exact(&mut message)?;
        let [.., i0, i1, i2, i3, n0, n1, n2, n3] = message;
        note(u32::from_ne_bytes([i0, i1, i2, i3]), u32::from_ne_bytes([n0, n1, n2, n3]) == 1);
        if flags & NEED_REPLY != 0 {
            let reply = [SET_VRING_ENABLE, VERSION | REPLY, 8, 0, 0].map(u32::to_ne_bytes);
            stream.write_all(reply.as_flattened())?;
        }
    }
    Ok(())
}

fn words(header: &[u8; HEADER]) -> [u32; 3] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *header;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(request: u32, flags: u32, body: [u32; 2]) -> Vec<u8> {
        let words = [request, flags, 8, body[0], body[1]];
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn rings_disabled_before_features_are_agreed_on_are_taken_and_what_follows_is_left() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        theirs.write_all(&message(SET_VRING_ENABLE, 1, [0, 0])).expect("room");
        theirs.write_all(&message(SET_VRING_ENABLE, 1 | NEED_REPLY, [1, 1])).expect("room");
        let next = message(2, 1, [7, 7]);
        theirs.write_all(&next).expect("room");
        let mut noted = Vec::new();
        take(&mut ours, || false, |ring, on| noted.push((ring, on))).expect("a connection");
        assert_eq!(noted, [(0, false), (1, true)]);
        let mut reply = [0; 20];
        theirs.read_exact(&mut reply).expect("an answer");
        assert_eq!(reply.to_vec(), message(SET_VRING_ENABLE, 5, [0, 0]));
        let mut left = [0; 20];
        ours.read_exact(&mut left).expect("the next message");
        assert_eq!(left.to_vec(), next);
    }

    #[test]
    fn what_comes_in_turn_is_left_alone() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        theirs.write_all(&message(SET_VRING_ENABLE, 1, [0, 1])).expect("room");
        take(&mut ours, || true, |_, _| panic!("in turn")).expect("a connection");
        drop(theirs);
        let mut left = Vec::new();
        ours.read_to_end(&mut left).expect("the message");
        assert_eq!(left.len(), 20);
        take(&mut ours, || false, |_, _| panic!("nothing")).expect("its end is the next reader's business");
    }
}
