//! A front end for tests: its memory, its rings, and whatever it wants to put into them.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};
use vhost::vhost_user::message::{VhostUserHeaderFlag, VhostUserProtocolFeatures};
use vhost::vhost_user::{Frontend, VhostUserFrontend as _};
use vhost::{VhostBackend as _, VhostUserMemoryRegionInfo, VringConfigData};
use vm_memory::{FileOffset, MmapRegion, VolatileMemory as _};
use vmm_sys_util::epoll::{ControlOperation, Epoll, EpollEvent, EventSet};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

pub(super) const VERSION_1: u64 = 1 << 32;
pub(super) const EVENT_IDX: u64 = 1 << 29;
pub(super) const INDIRECT: u64 = 1 << 28;
pub(super) const PROTOCOL: u64 = 1 << 30;
pub(super) const PLAIN: u64 = VERSION_1 | INDIRECT | PROTOCOL;

/// Flags of descriptors.
pub(super) const NEXT: u16 = 1;
pub(super) const WRITE: u16 = 2;
pub(super) const TABLE: u16 = 4;

/// Where the front end's memory begins, in the guest and in its own process.
pub(super) const GUEST: u64 = 0x1_0000_0000;
const USER: u64 = 0x7000_0000_0000;
pub(super) const SIZE: usize = 2 << 20;
/// Each ring has so many bytes of it, buffers included.
const SHARE: usize = 256 << 10;
/// Within a share.
const AVAILABLE: usize = 0x4000;
const USED: usize = 0x8000;
pub(super) const BUFFERS: usize = 0x10000;
pub(super) const DESCRIPTORS: u16 = 256;

pub(super) struct Front {
    pub(super) link: Frontend,
    /// The same connection, for what the protocol does not say.
    pub(super) socket: UnixStream,
    pub(super) file: File,
    pub(super) memory: MmapRegion,
    pub(super) features: u64,
    pub(super) kicks: Vec<EventFd>,
    pub(super) calls: Vec<EventFd>,
    /// Index of the next entry of each available ring, and the next buffer's place.
    next: Vec<u16>,
    place: usize,
}

/// A descriptor to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Desc(pub(super) u64, pub(super) u32, pub(super) u16, pub(super) u16);

impl Front {
    /// Connects, once somebody listens.
    pub(super) fn connect(path: &Path) -> UnixStream {
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            match UnixStream::connect(path) {
                Ok(stream) => return stream,
                Err(e) if Instant::now() > until => panic!("{}: {e}", path.display()),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Connects, negotiates, and starts so many pairs of rings.
    pub(super) fn join(path: &Path, features: u64, pairs: usize) -> Self {
        let mut front = Self::meet(Self::connect(path), features, pairs);
        front.share();
        for ring in (1..2 * pairs).step_by(2) {
            front.start(ring);
        }
        front
    }

    /// Negotiates.
    pub(super) fn meet(stream: UnixStream, features: u64, pairs: usize) -> Self {
        let file = File::from(memfd_create(c"front", MFdFlags::empty()).unwrap());
        file.set_len(SIZE as u64).unwrap();
        let memory =
            MmapRegion::from_file(FileOffset::new(file.try_clone().unwrap(), 0), SIZE).expect("memory");
        let socket = stream.try_clone().unwrap();
        let mut link = Frontend::from_stream(stream, 256);
        link.set_owner().unwrap();
        let offered = link.get_features().unwrap();
        assert_eq!(features & !offered, 0, "offered {offered:#x}");
        if features & PROTOCOL != 0 {
            let protocol = link.get_protocol_features().unwrap();
            assert!(!protocol.contains(VhostUserProtocolFeatures::STATUS));
            link.set_protocol_features(protocol).unwrap();
            link.set_hdr_flags(VhostUserHeaderFlag::NEED_REPLY);
        }
        link.set_features(features).unwrap();
        let events = || (0..2 * pairs).map(|_| EventFd::new(EFD_NONBLOCK).unwrap()).collect::<Vec<EventFd>>();
        let (kicks, calls) = (events(), events());
        Self { link, socket, file, memory, features, kicks, calls, next: vec![0; 2 * pairs], place: 0 }
    }

    pub(super) fn region(&self) -> VhostUserMemoryRegionInfo {
        VhostUserMemoryRegionInfo {
            guest_phys_addr: GUEST,
            memory_size: SIZE as u64,
            userspace_addr: USER,
            mmap_offset: 0,
            mmap_handle: self.file.as_raw_fd(),
        }
    }

    pub(super) fn share(&mut self) {
        self.link.set_mem_table(&[self.region()]).unwrap();
    }

    pub(super) fn addresses(ring: usize) -> VringConfigData {
        let begin = USER + (ring / 2 * SHARE) as u64;
        VringConfigData {
            queue_max_size: DESCRIPTORS,
            queue_size: DESCRIPTORS,
            flags: 0,
            desc_table_addr: begin,
            used_ring_addr: begin + USED as u64,
            avail_ring_addr: begin + AVAILABLE as u64,
            log_addr: None,
        }
    }

    pub(super) fn start(&mut self, ring: usize) {
        self.start_at(ring, self.next[ring]);
    }

    /// Starts a ring from this entry on.
    pub(super) fn start_at(&mut self, ring: usize, base: u16) {
        self.link.set_vring_num(ring, DESCRIPTORS).unwrap();
        self.link.set_vring_base(ring, base).unwrap();
        self.link.set_vring_addr(ring, &Self::addresses(ring)).unwrap();
        self.link.set_vring_call(ring, &self.calls[ring]).unwrap();
        self.link.set_vring_kick(ring, &self.kicks[ring]).unwrap();
        if self.features & PROTOCOL != 0 {
            self.link.set_vring_enable(ring, true).unwrap();
        }
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        self.memory.get_slice(at, bytes.len()).unwrap().copy_from(bytes);
    }

    fn word(&self, at: usize) -> u16 {
        let mut word = [0; 2];
        self.memory.get_slice(at, 2).unwrap().copy_to(&mut word);
        u16::from_le_bytes(word)
    }

    fn set_word(&self, at: usize, value: u16) {
        use std::sync::atomic::{AtomicU16, Ordering};
        self.memory.get_atomic_ref::<AtomicU16>(at).unwrap().store(value.to_le(), Ordering::SeqCst);
    }

    /// Writes a descriptor of a ring's table.
    pub(super) fn describe(&self, ring: usize, number: u16, desc: Desc) {
        self.describe_at(ring / 2 * SHARE, number, desc);
    }

    /// Writes a descriptor of the table at `table`, an offset.
    pub(super) fn describe_at(&self, table: usize, number: u16, Desc(address, len, flags, next): Desc) {
        let at = table + 16 * usize::from(number);
        self.write(at, &address.to_le_bytes());
        self.write(at + 8, &len.to_le_bytes());
        self.write(at + 12, &flags.to_le_bytes());
        self.write(at + 14, &next.to_le_bytes());
    }

    /// Bytes into a buffer of a ring; gives their place in the guest.
    pub(super) fn put(&mut self, ring: usize, bytes: &[u8]) -> u64 {
        let room = SHARE - BUFFERS;
        if self.place + bytes.len() > room {
            self.place = 0;
        }
        let at = ring / 2 * SHARE + BUFFERS + self.place;
        self.place += bytes.len().next_multiple_of(16);
        self.write(at, bytes);
        GUEST + at as u64
    }

    /// Hands a chain over, without kicking.
    pub(super) fn offer(&mut self, ring: usize, head: u16) {
        let at = ring / 2 * SHARE + AVAILABLE;
        let next = self.next[ring];
        self.set_word(at + 4 + 2 * usize::from(next % DESCRIPTORS), head);
        self.next[ring] = next.wrapping_add(1);
        self.set_word(at + 2, self.next[ring]);
    }

    pub(super) fn set_available(&self, ring: usize, index: u16) {
        self.set_word(ring / 2 * SHARE + AVAILABLE + 2, index);
    }

    /// What the driver writes where its wish for interrupts is: flags, or an index behind the entries.
    pub(super) fn set_flags(&self, ring: usize, flags: u16) {
        self.set_word(ring / 2 * SHARE + AVAILABLE, flags);
    }

    pub(super) fn set_used_event(&self, ring: usize, index: u16) {
        self.set_word(ring / 2 * SHARE + AVAILABLE + 4 + 2 * usize::from(DESCRIPTORS), index);
    }

    /// Index of the used ring, its flags, and the event index behind its entries.
    pub(super) fn used(&self, ring: usize) -> (u16, u16, u16) {
        let at = ring / 2 * SHARE + USED;
        (self.word(at + 2), self.word(at), self.word(at + 4 + 8 * usize::from(DESCRIPTORS)))
    }

    pub(super) fn kick(&self, ring: usize) {
        self.kicks[ring].write(1).unwrap();
    }

    /// Hands a frame over: header and bytes in one buffer, by the descriptor of the same number as the entry.
    pub(super) fn send(&mut self, ring: usize, frame: &[u8]) {
        let head = self.next[ring] % DESCRIPTORS;
        let bytes = [&[0; 12][..], frame].concat();
        let at = self.put(ring, &bytes);
        self.describe(ring, head, Desc(at, u32::try_from(bytes.len()).unwrap(), 0, 0));
        self.offer(ring, head);
    }

    /// Whether the other end hung up, within a few seconds.
    pub(super) fn is_hung_up(&self) -> bool {
        let epoll = Epoll::new().unwrap();
        let event = EpollEvent::new(EventSet::READ_HANG_UP, 0);
        epoll.ctl(ControlOperation::Add, self.socket.as_raw_fd(), event).unwrap();
        epoll.wait(5000, &mut [EpollEvent::default()]).unwrap() == 1
    }
}

/// A frame of so many bytes that says which it is.
pub(super) fn numbered(number: u32, len: usize) -> Vec<u8> {
    let mut frame = vec![0xee; len.max(18)];
    frame[14..18].copy_from_slice(&number.to_be_bytes());
    frame
}
