//! A NIC that is a software NIC until its function is up, and then replays finished descriptors.

use std::sync::Arc;

use avf::ptype::Ptype;
use avf::register::Register;
use avf::rx::{self, Checks, DeviceTime, Format, Rxdid, STATUS_WORD, WriteBack};
use device::{Bus, Peer, Region, Shape};
use model::Model;

use crate::traffic;

/// UDP over IPv4 in the table of packet types.
const UDP: Ptype = Ptype(24);

/// A model, and what takes its place in the ring of its first queue.
pub(crate) struct Replay {
    /// The NIC until the function is up.
    pub(crate) model: Model,
    /// How descriptors are laid out.
    profile: Rxdid,
    /// What the NIC's clock shows, where frames carry that.
    time: Option<DeviceTime>,
    bus: Option<Arc<dyn Bus>>,
    ring: Option<Ring>,
    tail: u32,
    /// Doorbells of the first queue.
    pub(crate) doorbells: u64,
    /// Doorbells that were no multiple of 8.
    pub(crate) crooked: u64,
}

#[derive(Debug)]
struct Ring {
    base: u64,
    length: u32,
    head: u32,
}

/// What one filling came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filled {
    /// Frames.
    pub(crate) frames: u64,
    /// Sum of their numbers.
    pub(crate) sum: u64,
}

impl Replay {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            profile: Rxdid::LEGACY,
            time: None,
            bus: None,
            ring: None,
            tail: 0,
            doorbells: 0,
            crooked: 0,
        }
    }

    /// From now on the first queue is the replay's, whose descriptors have this profile, and the time where frames are
    /// `stamped`.
    pub(crate) fn begin(&mut self, profile: Rxdid, stamped: bool) -> Result<(), String> {
        self.profile = profile;
        let clock = self.model.function.clock;
        self.time = stamped.then_some(DeviceTime { nanoseconds: clock as u32, fraction: 0 });
        let queue = self.model.function.vf.rx.first().ok_or("no queue")?;
        if !queue.is_open() {
            return Err("the first queue is not enabled".to_owned());
        }
        self.ring = Some(Ring { base: queue.base, length: queue.len, head: queue.head });
        Ok(())
    }

    /// Finishes every descriptor that is posted, each with the frame of the next number.
    pub(crate) fn fill(&mut self, numbers: &mut dyn Iterator<Item = u32>) -> Result<Filled, String> {
        let (Some(bus), Some(ring)) = (&self.bus, &mut self.ring) else { return Err("not begun".to_owned()) };
        let mut filled = Filled::default();
        let format = Format::of(self.profile).ok_or("no such profile")?;
        let mut bytes = [0; traffic::BYTES];
        while ring.head != self.tail {
            let number = numbers.next().ok_or("no more numbers")?;
            traffic::write(number, &mut bytes);
            let words = format.emit(self.profile, &WriteBack { time: self.time, ..said(number) });
            finish(bus.as_ref(), ring.base + u64::from(ring.head) * rx::BYTES as u64, &bytes, &words)?;
            ring.head = (ring.head + 1) % ring.length;
            filled.frames += 1;
            filled.sum += u64::from(number);
        }
        Ok(filled)
    }
}

/// Writes a frame where a descriptor says, then the descriptor, its status last.
fn finish(
    bus: &dyn Bus,
    descriptor: u64,
    frame: &[u8; traffic::BYTES],
    words: &rx::Words,
) -> Result<(), String> {
    let stray = |e: device::Stray| e.to_string();
    let mut address = [0; 8];
    bus.read(descriptor, &mut address).map_err(stray)?;
    bus.write(u64::from_le_bytes(address), frame).map_err(stray)?;
    for at in [0, 2, 3, STATUS_WORD] {
        bus.store(descriptor + 8 * at as u64, words[at]).map_err(stray)?;
    }
    Ok(())
}

/// What hardware says of such a frame.
fn said(hash: u32) -> WriteBack {
    WriteBack {
        length: traffic::BYTES as u16,
        last: true,
        ptype: UDP,
        hash: Some(hash),
        checks: Checks::GOOD,
        ..WriteBack::default()
    }
}

impl Peer for Replay {
    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn read(&mut self, region: Region, offset: u32, into: &mut [u8]) {
        Peer::read(&mut self.model, region, offset, into);
    }

    fn write(&mut self, region: Region, offset: u32, bytes: &[u8]) {
        if region == Region::Bar0
            && offset == Register::QrxTail(0).offset()
            && let Ok(value) = bytes.try_into()
        {
            self.tail = u32::from_le_bytes(value);
            self.doorbells += 1;
            self.crooked += u64::from(!self.tail.is_multiple_of(8));
        }
        if self.ring.is_none() || region != Region::Bar0 {
            Peer::write(&mut self.model, region, offset, bytes);
        }
    }

    fn reset(&mut self) {
        self.ring = None;
        Peer::reset(&mut self.model);
    }

    fn attach(&mut self, bus: Arc<dyn Bus>) {
        self.bus = Some(Arc::clone(&bus));
        Peer::attach(&mut self.model, bus);
    }
}
