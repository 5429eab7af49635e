//! Sending, as fast as the cable takes frames or at a pace.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{LinkAddr, MsgFlags, MultiHeaders, sendmmsg};

use super::frames::{Frames, Shape};
use crate::af_packet::Outlet;

/// Frames of one system call.
const BURST: usize = 64;
/// How long a cable may take nothing before sending gives up.
const PATIENCE: Duration = Duration::from_secs(2);
/// A sleep comes back late by about this much; what is due sooner is waited for awake.
const LATE: Duration = Duration::from_micros(60);

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Frames that the cable took.
    pub frames: u64,
    /// How long it took them.
    pub time: Duration,
}

/// Sends for `time` into an interface, at `rate` frames a second or as fast as it goes, as sender `index` of `senders`.
///
/// # Errors
/// When there is no such interface, or it takes nothing for two seconds.
pub fn send(
    interface: &str,
    shape: Shape,
    rate: Option<u64>,
    time: Duration,
    (index, senders): (u32, u32),
) -> io::Result<Sent> {
    let outlet = Outlet::open(interface)?;
    let mut frames = Frames::new(shape, index, senders);
    let mut burst = vec![Frames::template(shape); BURST];
    let mut headers = MultiHeaders::<LinkAddr>::preallocate(BURST, None);
    let begin = Instant::now();
    let mut sent = Sent::default();
    while begin.elapsed() < time {
        let due = until_due(begin, sent.frames, rate);
        let ready = burst.get_mut(..due).unwrap_or_default();
        ready.iter_mut().for_each(|frame| frames.write(frame));
        sent.frames += whole(&outlet, ready, &mut headers)?;
    }
    sent.time = begin.elapsed();
    Ok(sent)
}

/// Sends these frames, all of them.
fn whole(outlet: &Outlet, frames: &[Vec<u8>], headers: &mut MultiHeaders<LinkAddr>) -> io::Result<u64> {
    let mut at = 0;
    let mut since = None;
    while let Some(rest) = frames.get(at..).filter(|rest| !rest.is_empty()) {
        let slices: Vec<[IoSlice<'_>; 1]> = rest.iter().map(|frame| [IoSlice::new(frame)]).collect();
        let to = vec![None; slices.len()];
        let fd = outlet.as_fd().as_raw_fd();
        let taken = sendmmsg(fd, headers, &slices, &to, [], MsgFlags::empty()).map(Iterator::count);
        match taken {
            Ok(taken) => {
                at += taken;
                since = None;
            }
            Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::EINTR)
                if since.get_or_insert_with(Instant::now).elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_micros(20));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(frames.len() as u64)
}

/// Waits until a frame is due, and tells how many are.
fn until_due(begin: Instant, gone: u64, rate: Option<u64>) -> usize {
    let Some(rate) = rate else { return BURST };
    loop {
        let rate = rate.max(1);
        let due = begin.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000 + 1;
        if let Some(ready) = due.checked_sub(u128::from(gone)).filter(|ready| *ready > 0) {
            return usize::try_from(ready).unwrap_or(BURST).min(BURST);
        }
        let at = u128::from(gone) * 1_000_000_000 / u128::from(rate);
        let next =
            Duration::from_nanos(u64::try_from(at).unwrap_or(u64::MAX)).saturating_sub(begin.elapsed());
        if next > LATE {
            std::thread::sleep(next.saturating_sub(LATE).min(Duration::from_millis(100)));
        }
    }
}
