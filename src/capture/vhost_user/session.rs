//! One front end's messages: what is offered to it, what it chose, and where its memory and rings are.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vhost::vhost_user::message::{
    VhostTransferStateDirection, VhostTransferStatePhase, VhostUserConfigFlags, VhostUserInflight,
    VhostUserLog, VhostUserMemoryRegion, VhostUserProtocolFeatures, VhostUserShMemConfig, VhostUserSharedMsg,
    VhostUserSingleMemoryRegion, VhostUserVirtioFeatures, VhostUserVringAddrFlags, VhostUserVringState,
};
use vhost::vhost_user::{Error, GpuBackend, Result, VhostUserBackendReqHandlerMut};

use super::bell;
use super::memory::{Memory, REGIONS};
use super::ring::{Addresses, MOST, Plan, Ring};
use super::seat::Seat;
use super::server::House;

/// Most pairs of rings: messages with a file name the ring in eight bits.
pub(super) const PAIRS: usize = 128;
/// How long workers have to empty rings that go away.
const PATIENCE: Duration = Duration::from_millis(500);

/// Feature bits (virtio 1.2, sections 5.1.3 and 6).
const MRG_RXBUF: u64 = 1 << 15;
const CTRL_VQ: u64 = 1 << 17;
const MQ: u64 = 1 << 22;
const ANY_LAYOUT: u64 = 1 << 27;
const INDIRECT_DESC: u64 = 1 << 28;
const EVENT_IDX: u64 = 1 << 29;
const VERSION_1: u64 = 1 << 32;
const IN_ORDER: u64 = 1 << 35;

/// What is offered, each for a reason:
/// - VERSION_1, ANY_LAYOUT: the header is read as the first bytes of a chain, in whatever descriptors it lies;
/// - INDIRECT_DESC: tables elsewhere in memory are followed, once;
/// - EVENT_IDX: fewer notifications both ways;
/// - IN_ORDER: buffers are given back in the order in which they came;
/// - MRG_RXBUF: is about frames that we would send, of which there are none; drivers want it for large MTUs;
/// - CTRL_VQ, MQ: several rings; the control queue is the front end's own business.
///
/// What is not: checksums and segmentation (CSUM, HOST_TSO4, ...), so that frames come as they would on a cable;
/// packed rings (RING_PACKED), which are not read; VHOST_F_LOG_ALL, as pages we write to (used rings) are not logged:
/// a machine cannot migrate while its card is connected to us.
const OFFERED: u64 = MRG_RXBUF
    | CTRL_VQ
    | MQ
    | ANY_LAYOUT
    | INDIRECT_DESC
    | EVENT_IDX
    | VERSION_1
    | IN_ORDER
    | VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits();

/// What the front end said of one ring.
#[derive(Debug, Default)]
struct Vring {
    size: u16,
    addresses: Option<Addresses>,
    next: u16,
    /// Set by the message that starts the ring; it may come without a file.
    started: bool,
    enabled: bool,
    /// With the ring, once it is placed.
    kick: Option<File>,
    call: Option<File>,
    placed: bool,
}

/// What one connection is about.
pub(super) struct Session {
    house: Arc<House>,
    features: u64,
    memory: Arc<Memory>,
    vrings: Vec<Vring>,
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::ReqHandlerError(io::Error::other(why.to_string()))
}

impl Session {
    pub(super) fn new(house: Arc<House>) -> Self {
        let vrings = (0..2 * PAIRS).map(|_| Vring::default()).collect();
        Self { house, features: 0, memory: Arc::default(), vrings }
    }

    /// Whose ring this is; rings of even numbers are those that the front end receives by, and nobody's.
    fn seat(&self, index: usize) -> Option<&Seat> {
        let seats = &self.house.seats;
        let turn = (index / 2).checked_rem(seats.len())?;
        if index.is_multiple_of(2) { None } else { seats.get(turn) }
    }

    /// Whether features are agreed on, those of the protocol among them.
    pub(super) fn is_agreed(&self) -> bool {
        self.has(VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits())
    }

    fn has(&self, feature: u64) -> bool {
        self.features & feature != 0
    }

    /// Changes a ring: where it is running, it is stopped first and then started anew, as it is now.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Vring)) -> Result<()> {
        self.lift(&[index]);
        let vring = self.vrings.get_mut(index);
        change(vring.ok_or_else(|| refused(format!("there is no ring {index}")))?);
        self.place(index)
    }

    /// Stops rings when what they hold has been taken.
    fn lift(&mut self, which: &[usize]) {
        let is_placed = |index: &usize| self.vrings.get(*index).is_some_and(|vring| vring.placed);
        let placed: Vec<usize> = which.iter().copied().filter(is_placed).collect();
        for index in &placed {
            self.seat(*index).into_iter().for_each(|seat| seat.close(*index));
        }
        let patience = if self.house.is_stopping() { Duration::ZERO } else { PATIENCE };
        let deadline = Instant::now() + patience;
        for index in placed {
            let ring = self.seat(index).and_then(|seat| seat.remove(index, deadline));
            let Some(vring) = self.vrings.get_mut(index) else { continue };
            vring.placed = false;
            if let Some(ring) = ring {
                vring.next = ring.next();
                (vring.kick, vring.call) = (ring.kick, ring.call);
            }
        }
    }

    fn lift_all(&mut self) {
        self.lift(&(0..self.vrings.len()).collect::<Vec<_>>());
    }

    /// Starts a ring when everything has been said that it needs.
    fn place(&mut self, index: usize) -> Result<()> {
        // Without the protocol's features nobody says that a ring is enabled.
        let enabled = !self.has(VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits());
        let header = if self.has(VERSION_1 | MRG_RXBUF) { 12 } else { 10 };
        let event_idx = self.has(EVENT_IDX);
        let memory = Arc::clone(&self.memory);
        let Some(vring) = self.vrings.get_mut(index) else { return Ok(()) };
        let (Some(addresses), true) = (vring.addresses, vring.started && (vring.enabled || enabled)) else {
            return Ok(());
        };
        if index.is_multiple_of(2) {
            return Ok(());
        }
        let (size, next) = (vring.size, vring.next);
        let mut ring = Ring::new(Plan { memory, addresses, size, next, header, event_idx })
            .ok_or_else(|| refused(format!("ring {index}, of {size}, does not lie in its memory")))?;
        (ring.kick, ring.call) = (vring.kick.take(), vring.call.take());
        vring.placed = true;
        self.seat(index).map_or(Ok(()), |seat| seat.place(index, ring)).map_err(refused)
    }

    fn place_all(&mut self) -> Result<()> {
        (0..self.vrings.len()).try_for_each(|index| self.place(index))
    }

    /// Goes over to another memory.
    fn remember(&mut self, memory: Memory) -> Result<()> {
        self.lift_all();
        self.memory = Arc::new(memory);
        self.place_all()
    }

    /// Stops everything: what is in the rings is taken first.
    pub(super) fn end(&mut self) {
        self.lift_all();
        self.memory = Arc::default();
    }
}

fn number(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl VhostUserBackendReqHandlerMut for Session {
    fn set_owner(&mut self) -> Result<()> {
        Ok(())
    }

    /// Long deprecated: "used to be sent to request disabling all rings"; it is not to be acted upon.
    fn reset_owner(&mut self) -> Result<()> {
        Ok(())
    }

    fn reset_device(&mut self) -> Result<()> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn get_features(&mut self) -> Result<u64> {
        Ok(OFFERED)
    }

    fn set_features(&mut self, features: u64) -> Result<()> {
        if features & !OFFERED != 0 {
            return Err(refused(format!("features {:#x} that were not offered", features & !OFFERED)));
        }
        self.lift_all();
        self.features = features;
        self.place_all()
    }

    fn set_mem_table(
        &mut self,
        regions: &[VhostUserMemoryRegion],
        files: Vec<File>,
        _postcopy: Option<bool>,
    ) -> Result<Option<Vec<u64>>> {
        let memory = Memory::map(regions, files).map_err(refused)?;
        self.remember(memory)?;
        Ok(None)
    }

    fn set_vring_num(&mut self, index: u32, num: u32) -> Result<()> {
        let size = u16::try_from(num).ok().filter(|size| size.is_power_of_two() && *size <= MOST);
        let size = size.ok_or_else(|| refused(format!("a ring of {num}: powers of two up to {MOST}")))?;
        self.change(number(index), |vring| vring.size = size)
    }

    fn set_vring_addr(
        &mut self,
        index: u32,
        _flags: VhostUserVringAddrFlags,
        descriptors: u64,
        used: u64,
        available: u64,
        _log: u64,
    ) -> Result<()> {
        let addresses = Some(Addresses { descriptors, available, used });
        self.change(number(index), |vring| vring.addresses = addresses)
    }

    fn set_vring_base(&mut self, index: u32, base: u32) -> Result<()> {
        let next = u16::try_from(base).map_err(refused)?;
        self.change(number(index), |vring| vring.next = next)
    }

    fn get_vring_base(&mut self, index: u32) -> Result<VhostUserVringState> {
        let at = number(index);
        self.change(at, |vring| {
            vring.started = false;
            (vring.kick, vring.call) = (None, None);
        })?;
        let next = self.vrings.get(at).map_or(0, |vring| vring.next);
        Ok(VhostUserVringState::new(index, u32::from(next)))
    }

    fn set_vring_kick(&mut self, index: u8, file: Option<File>) -> Result<()> {
        let kick = file.map(bell::eventfd).transpose().map_err(refused)?;
        self.change(usize::from(index), |vring| {
            vring.started = true;
            vring.kick = kick;
        })
    }

    /// Front ends change this while the ring is running, to mask interrupts.
    fn set_vring_call(&mut self, index: u8, file: Option<File>) -> Result<()> {
        let call = file.map(bell::eventfd).transpose().map_err(refused)?;
        let index = usize::from(index);
        match self.vrings.get_mut(index) {
            Some(Vring { placed: true, .. }) => {
                if let Some(seat) = self.seat(index) {
                    seat.set_call(index, call);
                }
            }
            Some(vring) => vring.call = call,
            None => return Err(refused(format!("there is no ring {index}"))),
        }
        Ok(())
    }

    fn set_vring_err(&mut self, _index: u8, _file: Option<File>) -> Result<()> {
        Ok(())
    }

    fn get_protocol_features(&mut self) -> Result<VhostUserProtocolFeatures> {
        // REPLY_ACK is added where messages are answered. STATUS is not to be: nobody there handles it.
        Ok(VhostUserProtocolFeatures::MQ | VhostUserProtocolFeatures::CONFIGURE_MEM_SLOTS)
    }

    fn set_protocol_features(&mut self, features: u64) -> Result<()> {
        let offered = self.get_protocol_features()? | VhostUserProtocolFeatures::REPLY_ACK;
        match features & !offered.bits() {
            0 => Ok(()),
            more => Err(refused(format!("protocol features {more:#x} that were not offered"))),
        }
    }

    /// For a network card, of pairs.
    fn get_queue_num(&mut self) -> Result<u64> {
        Ok(PAIRS as u64)
    }

    fn set_vring_enable(&mut self, index: u32, enable: bool) -> Result<()> {
        let at = number(index);
        if self.vrings.get(at).is_some_and(|vring| vring.enabled == enable) {
            return Ok(());
        }
        self.change(at, |vring| vring.enabled = enable)
    }

    fn get_config(&mut self, _offset: u32, _size: u32, _flags: VhostUserConfigFlags) -> Result<Vec<u8>> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn set_config(&mut self, _offset: u32, _buf: &[u8], _flags: VhostUserConfigFlags) -> Result<()> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn set_gpu_socket(&mut self, _gpu: GpuBackend) -> Result<()> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn get_shared_object(&mut self, _uuid: VhostUserSharedMsg) -> Result<File> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn get_inflight_fd(&mut self, _inflight: &VhostUserInflight) -> Result<(VhostUserInflight, File)> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn set_inflight_fd(&mut self, _inflight: &VhostUserInflight, _file: File) -> Result<()> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn get_max_mem_slots(&mut self) -> Result<u64> {
        Ok(REGIONS as u64)
    }

    fn add_mem_region(
        &mut self,
        region: &VhostUserSingleMemoryRegion,
        file: File,
        _postcopy: Option<bool>,
    ) -> Result<Option<u64>> {
        let memory = self.memory.with(region, file).map_err(refused)?;
        self.remember(memory)?;
        Ok(None)
    }

    fn remove_mem_region(&mut self, region: &VhostUserSingleMemoryRegion) -> Result<()> {
        let memory = self.memory.without(region).map_err(refused)?;
        self.remember(memory)
    }

    fn set_device_state_fd(
        &mut self,
        _direction: VhostTransferStateDirection,
        _phase: VhostTransferStatePhase,
        _file: File,
    ) -> Result<Option<File>> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn check_device_state(&mut self) -> Result<()> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn get_shmem_config(&mut self) -> Result<VhostUserShMemConfig> {
        Err(Error::InvalidOperation("not offered"))
    }

    fn set_log_base(&mut self, _log: &VhostUserLog, _file: File) -> Result<()> {
        Err(Error::InvalidOperation("not offered"))
    }
}
