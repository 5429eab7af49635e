//! The driver's end of a vfio-user socket.

use std::ffi::OsStr;
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_NONE,
};

use super::link::Link;
use super::{index, region};
use crate::dma::Keep;
use crate::eventfd::Event;
use crate::iova::{NARROW, Space};
use crate::pages::{PAGE, Pages};
use crate::{Device, DeviceError, Dma, Identity, Interrupt, Registers, Window, config};

/// Descriptors that one message may carry.
const BLOCK: usize = 16;

/// A function behind a socket.
pub struct VfioUser {
    shared: Arc<Shared>,
    identity: Identity,
    bar0: u32,
    vectors: u16,
    /// Connected vectors, kept open for as long as the server may signal them.
    events: Vec<Arc<Event>>,
}

struct Shared {
    link: Mutex<Link>,
    space: Mutex<Space>,
}

impl VfioUser {
    /// Connects to the server at `path`.
    ///
    /// # Errors
    /// When there is no server, it is busy, or what it serves is no PCI function with registers.
    pub fn connect(path: &Path) -> Result<Self, DeviceError> {
        Self::over(path, Link::connect(path)?)
    }

    /// As [`VfioUser::connect`], with another limit than 5 s for each answer of the server.
    ///
    /// # Errors
    /// As [`VfioUser::connect`].
    pub fn connect_within(path: &Path, limit: Duration) -> Result<Self, DeviceError> {
        Self::over(path, Link::connect_within(path, limit)?)
    }

    fn over(path: &Path, mut link: Link) -> Result<Self, DeviceError> {
        let bar0 =
            link.ask("ask for BAR 0", |client| Ok(client.region(region::BAR0).map_or(0, |bar| bar.size)))?;
        let vectors = link.ask("ask for vectors", |client| client.get_irq_info(index::MSIX))?.count;
        let place = format!("vfio-user:{}", path.display());
        let mut failed = None;
        let identity = config::identity(place, |at, into| {
            let read =
                link.ask("read who it is", |client| client.region_read(region::CONFIG, at.into(), into));
            failed = failed.take().or(read.err());
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let bar0 = u32::try_from(bar0).ok().filter(|size| *size >= 4).ok_or_else(|| {
            DeviceError::Unusable(format!("{}: BAR 0 has {bar0} bytes, no registers of ours", path.display()))
        })?;
        let vectors = u16::try_from(vectors).unwrap_or(u16::MAX);
        let shared = Shared { link: Mutex::new(link), space: Mutex::new(Space::new(&[NARROW])) };
        Ok(Self { shared: Arc::new(shared), identity, bar0, vectors, events: Vec::new() })
    }

    fn disconnect(&mut self) -> Result<(), DeviceError> {
        if !self.events.is_empty() {
            self.shared.set_vectors(0, &[])?;
            self.events.clear();
        }
        Ok(())
    }
}

impl Shared {
    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn space(&self) -> MutexGuard<'_, Space> {
        self.space.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects vectors from `start` on, or disconnects all where there are none.
    fn set_vectors(&self, start: usize, events: &[Arc<Event>]) -> Result<(), DeviceError> {
        let fds: Vec<RawFd> = events.iter().map(|event| event.as_raw_fd()).collect();
        let data = if fds.is_empty() { VFIO_IRQ_SET_DATA_NONE } else { VFIO_IRQ_SET_DATA_EVENTFD };
        let flags = data | VFIO_IRQ_SET_ACTION_TRIGGER;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.link().ask("connect vectors", |client| {
            client.set_irqs(index::MSIX, flags, count(start), count(fds.len()), &fds)
        })
    }
}

impl Device for VfioUser {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn registers(&mut self) -> Result<Registers, DeviceError> {
        Ok(Registers(Arc::new(Bar { shared: Arc::clone(&self.shared), size: self.bar0 })))
    }

    fn dma(&mut self, bytes: usize) -> Result<Dma, DeviceError> {
        let (file, pages) = shared_memory(bytes).map_err(|error| {
            DeviceError::Memory(format!(
                "no memory for a block of {bytes} bytes to share with the server: {error}"
            ))
        })?;
        let bytes = pages.bytes();
        let address = self.shared.space().take(bytes as u64, PAGE as u64);
        let address =
            address.ok_or_else(|| DeviceError::Memory(format!("no device addresses for {bytes} bytes")))?;
        let mapped = Mapped { shared: Arc::clone(&self.shared), address, pages };
        self.shared
            .link()
            .ask("map memory", |client| client.dma_map(0, address, bytes as u64, file.as_raw_fd()))?;
        Ok(mapped.into_block())
    }

    fn interrupts(&mut self, count: u16) -> Result<Vec<Interrupt>, DeviceError> {
        if count > self.vectors {
            return Err(config::too_many_vectors(count, self.vectors));
        }
        self.disconnect()?;
        let made: Result<Vec<Event>, _> = (0..count).map(|_| Event::new()).collect();
        let made = made.map_err(|error| DeviceError::Refused("make an eventfd", error))?;
        self.events = made.into_iter().map(Arc::new).collect();
        for (block, events) in self.events.chunks(BLOCK).enumerate() {
            self.shared.set_vectors(block * BLOCK, events)?;
        }
        Ok(self.events.iter().map(|event| Interrupt(Box::new(Arc::clone(event)))).collect())
    }

    fn vectors(&self) -> u16 {
        self.vectors
    }

    fn set_master(&mut self, on: bool) -> Result<(), DeviceError> {
        let mut command = [0; 2];
        let mut link = self.shared.link();
        let at = config::COMMAND.into();
        link.ask("read the command register", |client| client.region_read(region::CONFIG, at, &mut command))?;
        let command = config::with_master(command, on);
        link.ask("write the command register", |client| client.region_write(region::CONFIG, at, &command))
    }

    fn reset(&mut self) -> Result<(), DeviceError> {
        self.disconnect()?;
        self.shared.link().ask("reset", vfio_user::Client::reset)
    }

    fn is_leaving(&self) -> bool {
        self.shared.link().is_gone()
    }
}

impl Drop for VfioUser {
    fn drop(&mut self) {
        // A server that has left needs neither.
        let _ = self.disconnect();
        let _ = self.set_master(false);
    }
}

impl fmt::Debug for VfioUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VfioUser({})", self.identity.place)
    }
}

/// BAR 0 by messages.
struct Bar {
    shared: Arc<Shared>,
    size: u32,
}

impl Bar {
    fn has(&self, offset: u32) -> bool {
        offset.is_multiple_of(4) && offset < self.size
    }
}

impl Window for Bar {
    fn read(&self, offset: u32) -> u32 {
        let mut value = [0xFF; 4];
        if self.has(offset) {
            let mut link = self.shared.link();
            let read =
                |client: &mut vfio_user::Client| client.region_read(region::BAR0, offset.into(), &mut value);
            if link.ask("read a register", read).is_err() {
                return u32::MAX;
            }
        }
        u32::from_le_bytes(value)
    }

    fn write(&self, offset: u32, value: u32) {
        if self.has(offset) {
            let mut link = self.shared.link();
            let bytes = value.to_le_bytes();
            // A device that is gone takes no writes; the next read says so.
            let _ = link
                .ask("write a register", |client| client.region_write(region::BAR0, offset.into(), &bytes));
        }
    }

    fn size(&self) -> u32 {
        self.size
    }
}

/// A block of memory that the server has too.
struct Mapped {
    shared: Arc<Shared>,
    address: u64,
    pages: Pages,
}

impl Mapped {
    fn into_block(self) -> Dma {
        Dma::over_pages(self.address, self)
    }
}

impl AsRef<Pages> for Mapped {
    fn as_ref(&self) -> &Pages {
        &self.pages
    }
}

impl Keep for Mapped {}

impl Drop for Mapped {
    fn drop(&mut self) {
        let bytes = self.pages.bytes() as u64;
        // A server that has left has no mapping of it either.
        let _ = self.shared.link().ask("unmap memory", |client| client.dma_unmap(self.address, bytes));
        self.shared.space().give_back(self.address);
    }
}

/// Memory that another process may map. It is sealed: nobody can make it shorter under those who have it mapped.
fn shared_memory(bytes: usize) -> std::io::Result<(OwnedFd, Pages)> {
    let whole = bytes.max(1).checked_next_multiple_of(PAGE).and_then(|bytes| i64::try_from(bytes).ok());
    let length = whole.ok_or(std::io::ErrorKind::OutOfMemory)?;
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = memfd_create(OsStr::new("vigie dma"), flags)?;
    ftruncate(&file, length)?;
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    let pages = Pages::shared(&file, bytes)?;
    Ok((file, pages))
}
