//! The model's end of a vfio-user socket.
//!
//! Of the crate's server (0.1.7) a caller must know: it speaks to one client at a time and ends with it; it gives regions
//! and vectors unchecked to its backend, so bounds are checked here; it loses its place after a message that it does not
//! know, after which the client hangs up.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_INFO_EVENTFD, VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD,
    VFIO_REGION_INFO_FLAG_READ, VFIO_REGION_INFO_FLAG_WRITE, vfio_region_info,
};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, IrqInfo, ServerBackend, ServerRegion};

use super::memory::Memory;
use super::{index, region};
use crate::{Bus, DeviceError, Peer, Region, Shape, Strays};

/// A model behind a socket, for one client after another.
pub struct Server {
    socket: vfio_user::Server,
    backend: Backend,
}

impl Server {
    /// Makes the socket; who may write its file may connect. It is removed on drop.
    ///
    /// # Errors
    /// When the path is taken, or the socket cannot be made there.
    pub fn listen<P: Peer + 'static>(path: &Path, peer: Arc<Mutex<P>>) -> Result<Self, DeviceError> {
        let peer: Arc<Mutex<dyn Peer>> = peer;
        let memory = Arc::new(Memory::default());
        let shape = {
            let mut model = lock(&peer);
            model.attach(Arc::clone(&memory) as Arc<dyn Bus>);
            model.shape()
        };
        let socket = vfio_user::Server::new(path, true, vectors(shape), regions(shape)).map_err(|error| {
            let remove = "if no server runs there, remove it";
            let say = match error {
                vfio_user::Error::SocketPathExists => format!("{} exists already: {remove}", path.display()),
                other => format!("{}: {other}", path.display()),
            };
            DeviceError::Unusable(say)
        })?;
        Ok(Self { socket, backend: Backend { peer, memory, shape } })
    }

    /// Waits for a client and serves it until it leaves; then resets the model and forgets the client's memory.
    ///
    /// # Errors
    /// When the socket fails. A client that breaks off is none.
    pub fn serve_one(&mut self) -> Result<(), DeviceError> {
        let served = self.socket.run(&mut self.backend);
        self.backend.memory.disconnect();
        lock(&self.backend.peer).reset();
        self.backend.memory.clear();
        match served {
            Err(vfio_user::Error::SocketAccept(error)) => {
                Err(DeviceError::Refused("accept a vfio-user client", error))
            }
            _ => Ok(()),
        }
    }

    /// What the model touched outside of its client's memory.
    #[must_use]
    pub fn strays(&self) -> Strays {
        self.backend.memory.strays.clone()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({:?})", self.backend.shape)
    }
}

struct Backend {
    peer: Arc<Mutex<dyn Peer>>,
    memory: Arc<Memory>,
    shape: Shape,
}

impl Backend {
    /// The region and offset of an access that lies inside of it. Regions that are not there read as zeros.
    fn place(&self, number: u32, offset: u64, bytes: usize) -> io::Result<(Region, u32)> {
        let found =
            [(region::BAR0, Region::Bar0), (region::BAR3, Region::Bar3), (region::CONFIG, Region::Config)];
        let found = found.into_iter().find(|(at, _)| *at == number).map(|(_, found)| found);
        let region = found.ok_or(ErrorKind::InvalidInput)?;
        let end = offset.checked_add(bytes as u64).filter(|end| *end <= self.shape.bytes(region).into());
        let inside = end.and(u32::try_from(offset).ok()).ok_or(ErrorKind::InvalidInput)?;
        Ok((region, inside))
    }
}

impl ServerBackend for Backend {
    fn region_read(&mut self, number: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        let (region, offset) = self.place(number, offset, data.len())?;
        lock(&self.peer).read(region, offset, data);
        Ok(())
    }

    fn region_write(&mut self, number: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        let (region, offset) = self.place(number, offset, data.len())?;
        lock(&self.peer).write(region, offset, data);
        Ok(())
    }

    fn dma_map(
        &mut self,
        _: DmaMapFlags,
        offset: u64,
        address: u64,
        bytes: u64,
        file: Option<File>,
    ) -> io::Result<()> {
        self.memory.map(address, bytes, file.map(|file| (file, offset)))
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, address: u64, bytes: u64) -> io::Result<()> {
        if flags.contains(DmaUnmapFlags::UNMAP_ALL) {
            self.memory.forget_pieces();
            return Ok(());
        }
        self.memory.unmap(address, bytes)
    }

    fn reset(&mut self) -> io::Result<()> {
        lock(&self.peer).reset();
        Ok(())
    }

    /// Connects vectors from `start` on (clients send them in blocks), disconnects all (no data, count 0), or signals.
    fn set_irqs(
        &mut self,
        number: u32,
        flags: u32,
        start: u32,
        count: u32,
        files: Vec<File>,
    ) -> io::Result<()> {
        if number != index::MSIX || flags & VFIO_IRQ_SET_ACTION_TRIGGER == 0 {
            return Ok(());
        }
        let has = u32::from(self.shape.vectors);
        if start.checked_add(count).is_none_or(|end| end > has) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let (first, many) = (start as usize, count as usize);
        if flags & VFIO_IRQ_SET_DATA_EVENTFD != 0 {
            let files = files.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            self.memory.connect(first, files.take(many));
        } else if count == 0 {
            self.memory.disconnect();
        } else {
            let vectors = (start..start + count).filter_map(|vector| u16::try_from(vector).ok());
            vectors.for_each(|vector| self.memory.signal(vector));
        }
        Ok(())
    }
}

fn vectors(shape: Shape) -> Vec<IrqInfo> {
    let count = |at| if at == index::MSIX { u32::from(shape.vectors) } else { 0 };
    // Without NORESIZE: vectors may be connected one after another.
    let flags = VFIO_IRQ_INFO_EVENTFD;
    (0..index::COUNT).map(|at| IrqInfo { index: at, flags, count: count(at) }).collect()
}

fn regions(shape: Shape) -> Vec<ServerRegion> {
    let bytes = |at| match at {
        region::BAR0 => shape.bar0,
        region::BAR3 => shape.bar3,
        region::CONFIG => shape.config,
        _ => 0,
    };
    let one = |at| {
        let size = u64::from(bytes(at));
        let flags = if size == 0 { 0 } else { VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE };
        let argsz = u32::try_from(size_of::<vfio_region_info>()).unwrap_or(u32::MAX);
        let region_info = vfio_region_info { argsz, flags, index: at, cap_offset: 0, size, offset: 0 };
        ServerRegion { region_info, sparse_areas: Vec::new(), mmap_fd: None }
    };
    (0..region::COUNT).map(one).collect()
}

fn lock(of: &Mutex<dyn Peer>) -> MutexGuard<'_, dyn Peer + 'static> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
