//! Frames made in the kernel, where they would arrive: nothing is sent, nothing crosses the cable, and so a sensor's limit
//! can be found on few cores.
//!
//! `inject.bpf.c` is an XDP program that makes each frame the next one; the kernel runs it on live frames
//! (`BPF_PROG_TEST_RUN`, Linux 5.18) and gives them to the stack as if the interface had received them: packet sockets see
//! them, then they are dropped, being addressed to nobody here. The program keeps the pace itself, awake: a core is busy with
//! it, as it would be with sending.

use std::io;
use std::time::Duration;

use aya::programs::{ProgramError, TestRun as _, TestRunAttrs, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};

use super::frames::{Frames, Shape};
use super::send::Sent;

/// What clang made of `inject.bpf.c`, aligned as its reader wants it.
static OBJECT: &[u8] = aya::include_bytes_aligned!("inject.bpf.o");
/// Frames of one run as fast as it goes: the kernel takes some tens of milliseconds to begin and to end one.
const RUN: u32 = 1 << 20;
/// Frames that the kernel hands to the stack at once.
const BATCH: u32 = 64;
/// `struct xdp_md` (`linux/bpf.h`): six words, of which the second is the length and the fourth the interface.
const CONTEXT: usize = 24;
/// Longest frame: a page, without what the kernel puts around it.
const LONGEST: usize = 3400;

/// Frames of a shape, ready to be put in front of an interface.
pub struct Injector {
    program: Ebpf,
    frame: Vec<u8>,
    context: [u8; CONTEXT],
    rate: Option<u64>,
}

impl Injector {
    /// Slowest pace that the program can wait for, in frames a second.
    pub const SLOWEST: u64 = 20_000;

    /// For an interface of this thread's namespace, at `rate` frames a second or as fast as it goes. To be used by this
    /// thread.
    ///
    /// # Errors
    /// When there is no such interface, frames are longer than a page, the pace is too slow to be kept, or the kernel takes
    /// no program.
    pub fn load(interface: &str, shape: Shape, rate: Option<u64>) -> io::Result<Self> {
        let refused = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
        let index = nix::net::if_::if_nametoindex(interface)?;
        let frame = Frames::template(shape);
        let length = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= LONGEST);
        let length = length.ok_or_else(|| {
            refused(format!("frames of {} bytes cannot be injected: {LONGEST} at most", shape.length))
        })?;
        if let Some(rate @ ..Self::SLOWEST) = rate {
            return Err(refused(format!(
                "{rate} frames a second cannot be injected: {} at least",
                Self::SLOWEST
            )));
        }
        let (flows, pace) = (shape.conversations(), rate.unwrap_or(0));
        let mut loader = EbpfLoader::new();
        loader.override_global("flows", &flows, true);
        loader.override_global("rate", &pace, true);
        let mut program = loader.load(OBJECT).map_err(io::Error::other)?;
        xdp(&mut program).and_then(Xdp::load).map_err(io::Error::other)?;
        let words = [0, length, 0, index, 0, 0_u32].map(u32::to_ne_bytes);
        let mut context = [0; CONTEXT];
        context.iter_mut().zip(words.as_flattened()).for_each(|(to, from)| *to = *from);
        Ok(Self { program, frame, context, rate })
    }

    /// Injects for about `time`.
    ///
    /// # Errors
    /// When the kernel refuses: it runs programs on live frames from 5.18 on.
    pub fn pour(&mut self, time: Duration) -> io::Result<Sent> {
        if let Some(rate) = self.rate {
            let frames = u128::from(rate) * time.as_nanos() / 1_000_000_000;
            return self.run(u32::try_from(frames).unwrap_or(u32::MAX));
        }
        let mut sent = Sent::default();
        while sent.time < time {
            let more = self.run(RUN)?;
            sent = Sent { frames: sent.frames + more.frames, time: sent.time + more.time };
        }
        Ok(sent)
    }

    fn run(&mut self, frames: u32) -> io::Result<Sent> {
        let options = TestRunOptions {
            data_in: Some(&self.frame),
            ctx_in: Some(&self.context),
            repeat: frames,
            attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
            ..TestRunOptions::new()
        };
        let program = xdp(&mut self.program).map_err(io::Error::other)?;
        let ran = program.test_run(options).map_err(io::Error::other)?;
        // What the kernel tells is the mean time of one frame, without what it takes to begin and to end.
        Ok(Sent { frames: frames.into(), time: ran.duration * frames })
    }
}

fn xdp(program: &mut Ebpf) -> Result<&mut Xdp, ProgramError> {
    program.program_mut("inject").ok_or(ProgramError::NotLoaded)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::af_packet::{LiveSettings, open};
    use crate::generator::Cable;
    use frame::{Ledger, RxStatus};
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_object_is_the_one_that_was_made_of_the_source() {
        let digest =
            |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let expected = [
            format!("{}  inject.bpf.c\n", digest(include_bytes!("inject.bpf.c"))),
            format!("{}  inject.bpf.o\n", digest(OBJECT)),
        ];
        assert_eq!(include_str!("inject.sha256"), expected.concat(), "run `make ebpf`");
    }

    /// Every frame that is injected is received once, and is byte for byte the one that would have been sent.
    #[test]
    fn what_is_injected_is_what_would_be_sent_and_all_of_it_arrives() {
        let cable = match Cable::lay() {
            Ok(cable) => cable,
            Err(why) => return eprintln!("skipped: {why}"),
        };
        let shape = Shape { length: 128, flows: 7 };
        let mut queue = open(&LiveSettings::new(cable.far())).expect("a ring").remove(0);
        let mut injector = match Injector::load(cable.far(), shape, None) {
            Ok(injector) => injector,
            Err(why) => return eprintln!("skipped: {why}"),
        };
        let sent = match injector.run(5_000) {
            Ok(sent) => sent,
            Err(why) => return eprintln!("skipped: {why}"),
        };
        let (mut frames, mut expected) = (Frames::new(shape, 0, 1), Frames::template(shape));
        let mut seen = 0;
        loop {
            let batch = queue.burst().expect("frames");
            for frame in &batch.frames {
                frames.write(&mut expected);
                assert_eq!(frame.data, expected, "frame {seen}");
                seen += 1;
            }
            match batch.status {
                RxStatus::More => {}
                RxStatus::Idle(_) => queue.stop(),
                RxStatus::End => break,
            }
        }
        let mut ledger = Ledger::default();
        queue.account(&mut ledger);
        assert_eq!((seen, ledger.received, ledger.lost_in_all()), (sent.frames, sent.frames, 0));
    }

    #[test]
    fn what_cannot_be_injected_is_refused() {
        let load = |length, rate| Injector::load("lo", Shape { length, flows: 1 }, rate).err();
        assert!(load(9000, None).is_some_and(|why| why.to_string().contains("3400")));
        assert!(load(64, Some(7)).is_some_and(|why| why.to_string().contains("20000 at least")));
    }
}
