//! One worker's queue: lends what lies in the ring, and looks after the interface when nothing comes.
//!
//! This is the one place below the worker that reads a clock: where no packet tells the time, the wall does.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use frame::bypass::Bypass;
use frame::{Batch, Frame, Ledger, LinkType, Loss, RxError, RxQueue, RxStatus, Timestamp};

use libc::c_int;

use super::block::Place;
use super::dropping::Dropper;
use super::setup::{self, Bound, Group};
use super::socket::Waited;
use super::{Clock, LiveSettings, OpenError};
use crate::bypass::Book;

/// Most warnings that wait to be read.
const MAX_WARNINGS: usize = 64;
/// Pause between two looks where the kernel says that something is there and nothing is.
const PAUSE: Duration = Duration::from_millis(1);
/// What the kernel may be late by, beyond the time after which it hands a block over.
const SLACK: Duration = Duration::from_millis(20);

/// What frames may lack.
#[derive(Clone, Copy, Debug, Default)]
struct Lacks {
    /// Their end: they were longer than their block.
    cut: bool,
    /// The NIC's time.
    time: bool,
}

/// A worker's queue.
#[derive(Debug)]
pub(super) struct Queue {
    settings: Arc<LiveSettings>,
    group: Arc<Group>,
    /// Nothing while the interface is absent.
    bound: Option<Bound>,
    /// Where the block that is being lent goes on.
    place: Option<Place>,
    names: Vec<String>,
    number: u64,
    /// What was lent and dropped since this was last asked.
    tally: Ledger,
    /// What the kernel of the present socket counted, and what we did.
    kernel: u64,
    counted: u64,
    warnings: Vec<String>,
    /// What frames lack, and what of it was said.
    lacks: Lacks,
    told: Lacks,
    absent_since: Option<Instant>,
    stopped: bool,
    /// What drops frames of bypassed flows, and the book about it until the worker has it.
    dropper: Option<Dropper>,
    book: Option<Book>,
}

impl Queue {
    /// A queue that lets nothing in before [`Self::begin`].
    pub(super) fn open(settings: Arc<LiveSettings>, group: Arc<Group>) -> Result<Self, OpenError> {
        let bound = Some(setup::bind(&settings, &group)?);
        let names = vec![settings.interface.clone()];
        Ok(Self {
            settings,
            group,
            bound,
            place: None,
            names,
            number: 0,
            tally: Ledger::default(),
            kernel: 0,
            counted: 0,
            warnings: Vec::new(),
            lacks: Lacks::default(),
            told: Lacks::default(),
            absent_since: None,
            stopped: false,
            dropper: None,
            book: None,
        })
    }

    /// Frames of bypassed flows are to be dropped from the beginning on.
    pub(super) fn drops(&mut self, dropper: Dropper, book: Book) {
        (self.dropper, self.book) = (Some(dropper), Some(book));
    }

    pub(super) fn link(&self) -> LinkType {
        self.bound.as_ref().map_or(LinkType::ETHERNET, |bound| bound.link)
    }

    pub(super) fn index(&self) -> Option<c_int> {
        self.bound.as_ref().map(|bound| bound.index)
    }

    /// Whether the interface's driver takes VLAN tags out of frames; one that does not say is taken to leave them.
    pub(super) fn hides_tags(&self) -> bool {
        let asked = self.bound.as_ref().map(|bound| bound.ring.socket().hides_tags(&self.settings.interface));
        matches!(asked, Some(Ok(true)))
    }

    fn let_in(&self, bound: &Bound) -> io::Result<()> {
        match &self.dropper {
            Some(dropper) => dropper.let_in(bound.ring.socket()),
            None => bound.ring.socket().let_in(),
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), OpenError> {
        match &self.bound {
            Some(bound) => self.let_in(bound).map_err(|e| OpenError::Refused("change the filter", e)),
            None => Ok(()),
        }
    }

    /// Gives the block back whose last frame was lent in the burst before.
    fn give_back(&mut self) {
        if let (Some(bound), Some(Place { left: 0, .. })) = (&mut self.bound, self.place) {
            bound.ring.release();
            self.place = None;
        }
    }

    /// Whether a block is there to lend from.
    fn has_block(&mut self) -> bool {
        if self.place.is_none() {
            let block = self.bound.as_ref().and_then(|bound| bound.ring.block());
            self.place = block.map(Place::first);
        }
        self.place.is_some()
    }

    /// Waits for a block; false when none came in time.
    fn wait(&mut self) -> Result<bool, RxError> {
        let limit = Duration::from_millis(u64::from(self.settings.wait_ms));
        // After the last frame has come in, its block is handed over within this time.
        let limit = if self.stopped { self.settled() } else { limit };
        let until = Instant::now() + limit;
        loop {
            if self.has_block() {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let Some(bound) = &self.bound else {
                std::thread::sleep(left);
                return Ok(false);
            };
            let ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1);
            match bound.ring.socket().wait(ms).map_err(RxError::Io)? {
                Waited::Error => self.note_error(),
                // Without this a kernel that says so again and again would have a whole CPU.
                Waited::Ready if !self.has_block() => std::thread::sleep(PAUSE.min(left)),
                Waited::Ready | Waited::Nothing => {}
            }
        }
    }

    fn settled(&self) -> Duration {
        Duration::from_millis(u64::from(self.settings.retire_ms) * 2) + SLACK
    }

    fn note_error(&mut self) {
        let error = self.bound.as_ref().and_then(|bound| bound.ring.socket().error().ok());
        match error {
            None | Some(0) => {}
            Some(libc::ENETDOWN) => {
                self.warn("went down; capturing goes on when it comes up again".to_owned())
            }
            Some(code) => self.warn(format!("{}", std::io::Error::from_raw_os_error(code))),
        }
    }

    pub(super) fn warn(&mut self, text: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(format!("{}: {text}", self.settings.interface));
        }
    }

    /// Sees whether the interface is still the one that the socket is bound to.
    fn look_after(&mut self) -> Result<(), RxError> {
        let name = &self.settings.interface;
        let index = self.bound.as_ref().map(|bound| (bound.index, bound.ring.socket().index_of(name)));
        if let Some((bound, Ok(now))) = &index
            && bound == now
        {
            self.absent_since = None;
            return Ok(());
        }
        let since = match self.absent_since {
            Some(since) => since,
            None => {
                self.tally.absences += 1;
                self.warn("is not there any more".to_owned());
                *self.absent_since.insert(Instant::now())
            }
        };
        // What the old ring still holds comes first.
        if since.elapsed() < self.settled() {
            return Ok(());
        }
        self.bind_again(since)
    }

    /// Binds to an interface of the same name that was made anew, once there is one.
    fn bind_again(&mut self, since: Instant) -> Result<(), RxError> {
        self.read_statistics();
        self.bound = None;
        match setup::bind(&self.settings, &self.group) {
            Ok(bound) => {
                self.let_in(&bound).map_err(RxError::Io)?;
                let refused = self.dropper.as_ref().and_then(|dropper| dropper.again(bound.index).err());
                self.bound = Some(bound);
                self.absent_since = None;
                if let Some(why) = refused {
                    self.warn(format!("frames of bypassed flows are not dropped any more: {why}"));
                }
                (self.kernel, self.counted) = (0, 0);
                self.warn("is there again; capturing goes on".to_owned());
                Ok(())
            }
            Err(e) => {
                let patience = Duration::from_millis(u64::from(self.settings.patience_ms));
                if since.elapsed() < patience {
                    return Ok(());
                }
                Err(RxError::Gone(format!("{}: {e}", self.settings.interface)))
            }
        }
    }

    /// Takes over what the kernel has counted since this was last asked; asking clears it there.
    fn read_statistics(&mut self) {
        let Some(bound) = &self.bound else { return };
        let Ok(statistics) = bound.ring.socket().statistics() else { return };
        let drops = u64::from(statistics.drops);
        self.tally.received += drops;
        self.tally.lose(Loss::KernelDrop, drops);
        self.tally.ring_freezes += u64::from(statistics.freezes);
        self.kernel += u64::from(statistics.packets);
        self.counted += drops;
    }

    /// Checks, when everything has been lent, that the kernel counted the same.
    fn close_the_books(&mut self) {
        self.read_statistics();
        if self.kernel != self.counted {
            let (kernel, counted) = (self.kernel, self.counted);
            self.warn(format!("the kernel counted {kernel} frames, of which {counted} were lent or dropped"));
            (self.kernel, self.counted) = (0, 0);
        }
    }

    /// Says once what frames lack.
    fn note_lacks(&mut self) {
        let Lacks { cut, time } = self.lacks;
        if cut && !self.told.cut {
            self.told.cut = true;
            let size = self.settings.block_size;
            self.warn(format!(
                "frames are longer than a block of {size} bytes can hold, and are cut: enlarge capture.block_size"
            ));
        }
        if time && self.settings.clock == Clock::Nic && !self.told.time {
            self.told.time = true;
            self.warn(
                "frames come without the NIC's time; the time of their arrival is taken instead".to_owned(),
            );
        }
    }

    /// Lends the next frames of the present block.
    fn lend(&mut self) -> Batch<'_> {
        let mut batch = Batch::default();
        let (Some(bound), Some(place)) = (&self.bound, &mut self.place) else { return batch };
        let Some(block) = bound.ring.block() else { return batch };
        let burst = self.settings.burst.max(1);
        batch.frames.reserve_exact(burst.min(place.left as usize));
        while batch.frames.len() < burst {
            let Some(packet) = place.next(block) else {
                // Whatever else the block claims to hold lies outside of it and cannot be lent.
                place.left = 0;
                break;
            };
            self.number += 1;
            self.tally.received_bytes += u64::from(packet.wire_len);
            self.tally.cut += u64::from((packet.data.len() as u64) < u64::from(packet.wire_len));
            self.lacks.cut |= (packet.data.len() as u64) < u64::from(packet.wire_len);
            self.lacks.time |= !packet.from_nic;
            batch.frames.push(Frame {
                data: packet.data,
                wire_len: packet.wire_len,
                time: packet.time,
                number: self.number,
                link: bound.link,
                vlan: packet.vlan,
                checksum: packet.checksum,
                tap: self.settings.tap,
            });
        }
        self.tally.received += batch.frames.len() as u64;
        self.counted += batch.frames.len() as u64;
        batch
    }
}

impl RxQueue for Queue {
    fn burst(&mut self) -> Result<Batch<'_>, RxError> {
        self.give_back();
        if self.has_block() || self.wait()? {
            return Ok(self.lend());
        }
        if self.stopped {
            self.close_the_books();
            return Ok(Batch { frames: Vec::new(), status: RxStatus::End });
        }
        self.look_after()?;
        Ok(Batch { frames: Vec::new(), status: RxStatus::Idle(now()) })
    }

    fn account(&mut self, ledger: &mut Ledger) {
        self.read_statistics();
        ledger.add(&std::mem::take(&mut self.tally));
    }

    fn warnings(&mut self) -> Vec<String> {
        self.note_lacks();
        std::mem::take(&mut self.warnings)
    }

    fn taps(&self) -> &[String] {
        &self.names
    }

    fn bypass(&mut self) -> Option<Box<dyn Bypass>> {
        self.book.take().map(|book| Box::new(book) as Box<dyn Bypass>)
    }

    fn stop(&mut self) {
        self.stopped = true;
        if let Some(dropper) = &self.dropper {
            dropper.end();
        }
        let shut = self.bound.as_ref().map_or(Ok(()), |bound| bound.ring.socket().shut());
        if let Err(e) = shut {
            self.warn(format!("frames go on coming in while the ring is emptied: {e}"));
        }
    }
}

/// Time of the wall, which stands in for packet time while no packet comes.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::ZERO.plus(since)
}
