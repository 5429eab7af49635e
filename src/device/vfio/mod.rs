//! A function through the kernel's VFIO.
//!
//! The crate `vfio-ioctls` opens the function (by group and container, or by iommufd) and maps memory; what it leaves
//! unchecked or unsaid is asked of the kernel in `ioctl.rs`.

mod advice;
#[expect(unsafe_code, reason = "memory given to a device")]
mod arena;
#[expect(unsafe_code, reason = "registers of a device")]
mod bar;
#[expect(unsafe_code, reason = "system calls on descriptors of VFIO")]
mod ioctl;
mod open;

use std::fmt;
use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vfio_bindings::bindings::vfio::{
    VFIO_PCI_BAR0_REGION_INDEX, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_ERR_IRQ_INDEX,
    VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX, VFIO_REGION_INFO_FLAG_MMAP,
};
use vfio_ioctls::VfioDevice;

use crate::eventfd::Event;
use crate::pci::{PciAddress, System};
use crate::{Device, DeviceError, Dma, Identity, Interrupt, Registers, Window, config};

use arena::Arena;
pub use open::Route;

/// How often a reset is tried while the bus is busy, and the pause between.
const RESETS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// A function that vfio-pci lent to us.
pub struct Vfio {
    identity: Identity,
    route: Route,
    /// Connected vectors.
    events: Vec<Arc<Event>>,
    vectors: u16,
    leaving: Signal,
    failed: Signal,
    arena: Arena,
    /// Dropped before `file`, whose descriptor keeps the function ours until the crate has put the group back: it looks
    /// for it in sysfs then, where a function that is being unplugged stays for just as long.
    device: VfioDevice,
    file: Arc<File>,
}

/// A request or error interrupt: once raised, it stays.
struct Signal {
    event: Option<Event>,
    raised: AtomicBool,
}

impl Vfio {
    /// Opens a virtual function that is bound to vfio-pci, by iommufd where system and kernel have it, else by its
    /// group. The function is reset by being opened.
    ///
    /// # Errors
    /// When it is not bound, its group is not free, there is no IOMMU, or a permission or limit is missing. The text
    /// says what to do.
    pub fn open(system: &System, address: PciAddress) -> Result<Self, DeviceError> {
        match open::route(system, address) {
            Route::Container => Self::open_by(system, address, Route::Container),
            // Its devices may be there and still be denied to us, where the group is not.
            Route::Iommufd => Self::open_by(system, address, Route::Iommufd)
                .or_else(|first| Self::open_by(system, address, Route::Container).map_err(|_| first)),
        }
    }

    /// As [`Vfio::open`], by a given route.
    ///
    /// # Errors
    /// As [`Vfio::open`].
    pub fn open_by(system: &System, address: PciAddress, route: Route) -> Result<Self, DeviceError> {
        let opened = open::open(system, address, route)?;
        let file = Arc::new(opened.file);
        let vectors = opened.device.get_irq_info(VFIO_PCI_MSIX_IRQ_INDEX).map_or(0, |info| info.count);
        let mut vfio = Self {
            identity: Identity::default(),
            route,
            events: Vec::new(),
            vectors: u16::try_from(vectors).unwrap_or(u16::MAX),
            leaving: Signal::connect(&opened.device, &file, VFIO_PCI_REQ_IRQ_INDEX),
            failed: Signal::connect(&opened.device, &file, VFIO_PCI_ERR_IRQ_INDEX),
            arena: Arena::new(opened.maps, opened.space),
            device: opened.device,
            file,
        };
        vfio.identity = vfio.read_identity(address)?;
        vfio.change_command(config::with_memory)?;
        Ok(vfio)
    }

    /// How it was opened.
    #[must_use]
    pub fn route(&self) -> Route {
        self.route
    }

    fn read_identity(&self, address: PciAddress) -> Result<Identity, DeviceError> {
        let mut failed = None;
        let identity = config::identity(address.to_string(), |at, into| {
            failed = failed
                .take()
                .or(self.config(|file, region| file.read_exact_at(into, region + u64::from(at))).err());
        });
        failed.map_or(Ok(identity), Err)
    }

    /// An access to configuration space, told where in the descriptor it begins.
    fn config(&self, access: impl FnOnce(&File, u64) -> std::io::Result<()>) -> Result<(), DeviceError> {
        let region = self.device.get_region_offset(VFIO_PCI_CONFIG_REGION_INDEX);
        access(&self.file, region).map_err(|error| DeviceError::Refused("reach configuration space", error))
    }

    fn change_command(&self, to: impl FnOnce([u8; 2]) -> [u8; 2]) -> Result<(), DeviceError> {
        let at = u64::from(config::COMMAND);
        let mut command = [0; 2];
        self.config(|file, region| file.read_exact_at(&mut command, region + at))?;
        if command == [0xFF; 2] {
            return Err(DeviceError::Gone(format!(
                "{}: its command register reads all ones",
                self.identity.place
            )));
        }
        self.config(|file, region| file.write_all_at(&to(command), region + at))
    }

    fn disconnect(&mut self) -> Result<(), DeviceError> {
        if !self.events.is_empty() {
            ioctl::set_vectors(&self.file, VFIO_PCI_MSIX_IRQ_INDEX, &[])
                .map_err(|error| DeviceError::Refused("disconnect vectors", error))?;
            self.events.clear();
        }
        Ok(())
    }
}

impl Device for Vfio {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn registers(&mut self) -> Result<Registers, DeviceError> {
        let bytes = self.device.get_region_size(VFIO_PCI_BAR0_REGION_INDEX);
        let offset = self.device.get_region_offset(VFIO_PCI_BAR0_REGION_INDEX);
        let mappable =
            self.device.get_region_flags(VFIO_PCI_BAR0_REGION_INDEX) & VFIO_REGION_INFO_FLAG_MMAP != 0;
        let window: Arc<dyn Window> = if mappable {
            Arc::new(bar::Mapped::new(Arc::clone(&self.file), offset, bytes)?)
        } else {
            Arc::new(bar::Called::new(Arc::clone(&self.file), offset, bytes)?)
        };
        Ok(Registers(window))
    }

    fn dma(&mut self, bytes: usize) -> Result<Dma, DeviceError> {
        self.arena.block(bytes)
    }

    fn interrupts(&mut self, count: u16) -> Result<Vec<Interrupt>, DeviceError> {
        if count > self.vectors {
            return Err(config::too_many_vectors(count, self.vectors));
        }
        self.disconnect()?;
        let made: Result<Vec<Event>, _> = (0..count).map(|_| Event::new()).collect();
        let made = made.map_err(|error| DeviceError::Refused("make an eventfd", error))?;
        let events: Vec<Arc<Event>> = made.into_iter().map(Arc::new).collect();
        let fds: Vec<RawFd> = events.iter().map(|event| event.as_raw_fd()).collect();
        if !fds.is_empty() {
            // All in one call: kernels before 6.5 cannot add a vector to those connected.
            ioctl::set_vectors(&self.file, VFIO_PCI_MSIX_IRQ_INDEX, &fds)
                .map_err(|error| DeviceError::Refused("connect vectors", error))?;
        }
        self.events = events;
        Ok(self.events.iter().map(|event| Interrupt(Box::new(Arc::clone(event)))).collect())
    }

    fn vectors(&self) -> u16 {
        self.vectors
    }

    fn set_master(&mut self, on: bool) -> Result<(), DeviceError> {
        // A reset from outside takes the BARs too, where the bus implements that bit.
        self.change_command(|command| {
            let command = config::with_master(command, on);
            if on { config::with_memory(command) } else { command }
        })
    }

    fn reset(&mut self) -> Result<(), DeviceError> {
        self.disconnect()?;
        // The kernel would restore it after the reset.
        self.set_master(false)?;
        let mut tried = ioctl::reset(&self.file);
        for _ in 1..RESETS {
            match &tried {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                _ => break,
            }
            tried = ioctl::reset(&self.file);
        }
        tried.map_err(|error| DeviceError::Refused("reset the function", error))?;
        self.failed.clear();
        self.change_command(config::with_memory)
    }

    fn is_leaving(&self) -> bool {
        self.leaving.is_raised()
    }

    fn has_failed(&self) -> bool {
        self.failed.is_raised()
    }

    fn notes(&self) -> Vec<String> {
        self.arena.notes()
    }
}

impl Drop for Vfio {
    fn drop(&mut self) {
        // The kernel undoes all of this when the descriptor is closed; here it is done before memory is freed.
        let _ = self.disconnect();
        let _ = self.set_master(false);
    }
}

impl fmt::Debug for Vfio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vfio({} by {})", self.identity.place, self.route)
    }
}

impl Signal {
    /// Connects one of the kernel's own interrupts; a function without it never raises it.
    fn connect(device: &VfioDevice, file: &File, index: u32) -> Self {
        let has = device.get_irq_info(index).is_some_and(|info| info.count > 0);
        let event = if has { Event::new().ok() } else { None };
        let event = event.filter(|event| ioctl::set_vectors(file, index, &[event.as_raw_fd()]).is_ok());
        Self { event, raised: AtomicBool::new(false) }
    }

    fn is_raised(&self) -> bool {
        if self.event.as_ref().is_some_and(Event::take) {
            self.raised.store(true, Ordering::Relaxed);
        }
        self.raised.load(Ordering::Relaxed)
    }

    fn clear(&self) {
        let _ = self.is_raised();
        self.raised.store(false, Ordering::Relaxed);
    }
}
