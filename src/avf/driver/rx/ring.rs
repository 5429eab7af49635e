//! A receive ring: descriptors, the buffers behind them, and a doorbell.
//!
//! Descriptor `n` always stands for buffer `n`: frames are lent for one burst, so a buffer is back before its descriptor
//! is posted again, and no table is needed to tell which is which. Buffers of consecutive descriptors are adjacent in
//! memory, so a frame over several of them is one slice, unless it runs past the end of the ring.
//!
//! Indices, all modulo the ring's length: `head` is the next descriptor to look at; `tail` is where the doorbell stands.
//! The device has `head..tail`; those in `tail..head` are ours. The doorbell stands on multiples of 8, the largest one
//! that is below `head`: the 800 series ignores the three low bits, and a tail that meets the head means an empty ring.

use std::sync::atomic::{AtomicU64, Ordering};

use avf::register::Register;
use avf::rx;
use device::{Buffers, Device, DeviceError, Dma, Lent, Registers};

/// The doorbell moves in steps of this.
const STEP: usize = 8;

/// Descriptors that are worth a doorbell while frames keep coming.
const WORTH: usize = 32;

/// A receive ring.
#[derive(Debug)]
pub(crate) struct RxRing {
    descriptors: Dma,
    buffers: Buffers,
    doorbell: (Registers, u32),
    /// Length less one; the length is a power of two.
    mask: usize,
    head: usize,
    tail: usize,
}

/// What one look found: done descriptors, claimed but not yet consumed.
#[derive(Debug)]
pub struct Done<'a> {
    /// The ring's descriptors, as the device sees them.
    descriptors: &'a Dma,
    mask: usize,
    /// First descriptor of it.
    first: usize,
    /// How many there are.
    pub count: usize,
    /// Their buffers up to the end of the ring, and from its beginning on.
    runs: [Lent<'a>; 2],
    /// How many lie in the first run.
    split: usize,
    head: &'a mut usize,
}

impl RxRing {
    /// Memory for a ring of `length` descriptors and as many buffers of `buffer` bytes. Nothing is posted.
    ///
    /// # Errors
    /// When the device has no memory for it.
    pub(crate) fn new(
        device: &mut dyn Device,
        registers: &Registers,
        queue: u16,
        length: u16,
        buffer: u16,
    ) -> Result<Self, DeviceError> {
        debug_assert!(length.is_power_of_two() && length >= 64);
        let slots = usize::from(length);
        let descriptors = device.dma(slots * rx::BYTES)?;
        let memory = device.dma(slots * usize::from(buffer))?;
        let buffers = Buffers::new(memory, usize::from(buffer))
            .ok_or_else(|| DeviceError::Memory(format!("no buffers of {buffer} bytes")))?;
        let doorbell = (registers.clone(), Register::QrxTail(queue).offset());
        Ok(Self { descriptors, buffers, doorbell, mask: slots - 1, head: 0, tail: 0 })
    }

    /// Where the device sees the descriptors.
    pub(crate) fn address(&self) -> u64 {
        self.descriptors.address()
    }

    /// Starts anew after the device has stopped: everything is posted from descriptor 0 on, and nothing is done. The
    /// doorbell is not rung.
    pub(crate) fn rewind(&mut self) {
        self.buffers.take_back();
        for words in self.descriptors.words() {
            words.store(0, Ordering::Relaxed);
        }
        self.head = 0;
        self.tail = 0;
        self.post(self.mask + 1 - STEP);
    }

    /// Takes every buffer back and posts nothing, after the device has stopped.
    pub(crate) fn take_back(&mut self) {
        self.buffers.take_back();
        self.head = 0;
        self.tail = 0;
    }

    /// Tells the device how far the posted descriptors go.
    pub(crate) fn ring(&self) {
        let (registers, offset) = &self.doorbell;
        // The window orders this write after the stores into descriptors: that is its promise.
        registers.write(*offset, u32::try_from(self.tail).unwrap_or(0));
    }

    /// How many descriptors the device has.
    pub(crate) fn posted(&self) -> usize {
        self.tail.wrapping_sub(self.head) & self.mask
    }

    /// Posts what was lent in the burst before, when it is enough to be worth a doorbell or nothing else is to be done;
    /// one doorbell at the most.
    #[inline]
    pub(crate) fn give_back(&mut self, idle: bool) {
        // Equal to head only when a whole ring's groups are out, which one step of slack excludes.
        let target = (self.head.wrapping_sub(1) & self.mask) & !(STEP - 1);
        let ours = target.wrapping_sub(self.tail) & self.mask;
        if ours >= WORTH || (idle && ours > 0) {
            self.post(ours);
            self.ring();
        }
    }

    /// Posts `count` descriptors from the tail on.
    fn post(&mut self, count: usize) {
        let first = count.min(self.mask + 1 - self.tail);
        self.post_run(self.tail, first);
        self.post_run(0, count - first);
        self.tail = (self.tail + count) & self.mask;
    }

    fn post_run(&mut self, first: usize, count: usize) {
        let Some(base) = self.buffers.address(first) else { return };
        if count == 0 || !self.buffers.post_run(first, count) {
            return;
        }
        let size = self.buffers.size() as u64;
        let (descriptors, _) = self.descriptors.words().as_chunks::<{ rx::WORDS }>();
        let run = descriptors.iter().skip(first).take(count);
        for (words, nth) in run.zip(0_u64..) {
            // Writing the read format takes back an old "done" as well. Its other half means nothing.
            let [buffer, header, ..] = rx::Read::post(base + nth * size);
            let [first, second, ..] = words;
            first.store(buffer, Ordering::Relaxed);
            second.store(header, Ordering::Relaxed);
        }
    }

    /// Whether the next descriptor is done.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        let status = self.descriptors.words().get(self.head * rx::WORDS + rx::STATUS_WORD);
        self.posted() != 0 && status.is_some_and(|word| rx::is_done(word.load(Ordering::Acquire)))
    }

    /// Claims the descriptors that are done, `most` at the most.
    #[inline]
    pub(crate) fn done(&mut self, most: usize) -> Option<Done<'_>> {
        let count = self.count(most.min(self.posted()));
        let split = count.min(self.mask + 1 - self.head);
        self.buffers.returned_run(self.head, split);
        self.buffers.returned_run(0, count - split);
        let buffers = &self.buffers;
        let runs = [buffers.lend_run(self.head, split)?, buffers.lend_run(0, count - split)?];
        let first = self.head;
        let head = &mut self.head;
        Some(Done { descriptors: &self.descriptors, mask: self.mask, first, count, runs, split, head })
    }

    /// How many of the next `most` descriptors are done, without a gap. The acquire loads order every later read of
    /// their other words and of their buffers.
    #[inline]
    fn count(&self, most: usize) -> usize {
        let (descriptors, _) = self.descriptors.words().as_chunks::<{ rx::WORDS }>();
        let straight = most.min(self.mask + 1 - self.head);
        let done = |[_, status, ..]: &[AtomicU64; rx::WORDS]| rx::is_done(status.load(Ordering::Acquire));
        let run = |from: usize, to: usize| leading(descriptors.get(from..to).unwrap_or_default(), done);
        let count = run(self.head, self.head + straight);
        if count < straight {
            return count;
        }
        count + run(0, most - straight)
    }
}

/// How many of these there are in a row, from the first on, that are so: looked at eight at a time while they are.
#[inline]
fn leading<T>(items: &[T], is_so: impl Fn(&T) -> bool) -> usize {
    let (groups, _) = items.as_chunks::<8>();
    let whole = 8 * groups.iter().take_while(|group| group.iter().all(&is_so)).count();
    whole + items.iter().skip(whole).take_while(|item| is_so(item)).count()
}

impl<'a> Done<'a> {
    /// The words of one, by its place in this look.
    #[inline]
    pub fn words(&self, at: usize) -> rx::Words {
        let (descriptors, _) = self.descriptors.words().as_chunks::<{ rx::WORDS }>();
        descriptors
            .get((self.first + at) & self.mask)
            .map(|words| words.each_ref().map(|word| word.load(Ordering::Relaxed)))
            .unwrap_or_default()
    }

    /// Descriptors and their buffers from `at` on, up to the end of what is done, or of the ring.
    #[inline]
    pub fn from(
        &self,
        at: usize,
    ) -> (&'a [[AtomicU64; rx::WORDS]], impl Iterator<Item = &'a [u8]> + use<'a>) {
        let [straight, wrapped] = &self.runs;
        let (buffers, end) = match at < self.split {
            true => (straight.buffers(at), self.split),
            false => (wrapped.buffers(at - self.split), self.count),
        };
        let (descriptors, _) = self.descriptors.words().as_chunks();
        let first = (self.first + at) & self.mask;
        (descriptors.get(first..first + end.saturating_sub(at)).unwrap_or_default(), buffers)
    }

    /// `len` bytes from the buffer at `at` on; none when they leave what was claimed or run past the end of the ring.
    #[inline]
    pub fn bytes(&self, at: usize, len: usize) -> Option<&'a [u8]> {
        let [straight, wrapped] = &self.runs;
        if at < self.split { straight.frame(at, len) } else { wrapped.frame(at - self.split, len) }
    }

    /// Done with the first `count` of them: their descriptors will be posted again after the burst.
    #[inline]
    pub fn consume(self, count: usize) {
        debug_assert!(count <= self.count);
        *self.head = (self.first + count) & self.mask;
    }
}
