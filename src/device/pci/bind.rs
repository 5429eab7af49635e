//! Giving a virtual function to vfio-pci, and back to whom it was taken from.
//!
//! What was before is written below `/run/vigie/vf` first, so that another process, or this one after a crash, can put
//! it back. driver_override is used, and not `new_id`: it speaks of one function and leaves its siblings alone.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::group::Group;
use super::{Function, PciAddress, State, System, link, text};
use crate::DeviceError;

/// The driver that lends functions to programs.
const VFIO: &str = "vfio-pci";

/// Whose a function was before it was bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Its driver.
    pub driver: Option<String>,
    /// Its driver_override.
    pub over: Option<String>,
}

impl Before {
    fn to_text(&self) -> String {
        let line = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{name} {value}\n")).unwrap_or_default()
        };
        line("driver", &self.driver) + &line("override", &self.over)
    }

    fn from_text(text: &str) -> Self {
        let value = |name| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Self { driver: value("driver").map(str::to_owned), over: value("override").map(str::to_owned) }
    }
}

impl System {
    /// Gives a virtual function to vfio-pci and records what was before. A function that vfio-pci has already stays
    /// there. When a step fails, those before it are undone.
    ///
    /// # Errors
    /// When it is no virtual function of Intel, has no IOMMU, its interface is up, vfio-pci is absent, or the system
    /// refuses; the text says what to do.
    pub fn bind(&self, address: PciAddress) -> Result<Before, DeviceError> {
        let function = self.function(address)?;
        if function.state == State::Ready {
            return Ok(self.before(address).unwrap_or_default());
        }
        self.may_bind(&function)?;
        let folder = self.folder(&address);
        let over = text(&folder.join("driver_override")).filter(|over| over != "(null)");
        let before = Before { driver: function.driver, over };
        self.record(address, &before)?;
        if let Err(error) = self.hand_over(address, before.driver.as_deref(), Some(VFIO)) {
            let undone = self.hand_over(address, None, before.over.as_deref());
            self.forget(address);
            return Err(match undone {
                Ok(()) => error,
                Err(second) => {
                    DeviceError::Unusable(format!("{error}; and putting it back failed: {second}"))
                }
            });
        }
        match link(&folder.join("driver")).as_deref() {
            Some(VFIO) => Ok(before),
            other => {
                let has = other.unwrap_or("nobody").to_owned();
                let _ = self.hand_over(address, other, before.over.as_deref());
                self.forget(address);
                Err(DeviceError::Unusable(format!(
                    "vfio-pci did not take {address} ({has} has it): the kernel's log says why"
                )))
            }
        }
    }

    /// Takes a virtual function from vfio-pci and puts back what was before: as recorded, else the driver that the
    /// system chooses. Waits for whoever holds the function open.
    ///
    /// # Errors
    /// When it is no virtual function of Intel, vfio-pci does not have it, or the system refuses.
    pub fn unbind(&self, address: PciAddress) -> Result<Before, DeviceError> {
        let function = self.function(address)?;
        if function.state != State::Ready {
            let has = function.driver.unwrap_or_else(|| "nobody".to_owned());
            return Err(DeviceError::Unusable(format!("{address} is not with vfio-pci: {has} has it")));
        }
        let before = self.before(address);
        let was = before.clone().unwrap_or_default();
        self.hand_over(address, function.driver.as_deref(), was.over.as_deref())?;
        let now = link(&self.folder(&address).join("driver"));
        self.forget(address);
        match (was.driver, now) {
            (Some(was), now) if now.as_deref() != Some(was.as_str()) => Err(DeviceError::Unusable(format!(
                "{address} was with {was} and is now with {}: is the module {was} loaded?",
                now.as_deref().unwrap_or("nobody")
            ))),
            (driver, now) => Ok(Before { driver: driver.or(now), over: was.over }),
        }
    }

    /// What was recorded when a function was bound.
    #[must_use]
    pub fn before(&self, address: PciAddress) -> Option<Before> {
        Some(Before::from_text(&fs::read_to_string(self.note(address)).ok()?))
    }

    fn may_bind(&self, function: &Function) -> Result<(), DeviceError> {
        let address = function.address;
        Group::of(self, address)?;
        if let State::Kernel { interface: Some((name, true)) } = &function.state {
            return Err(DeviceError::Unusable(format!(
                "{address} is interface {name}, and up: `ip link set {name} down` first, if nothing needs it"
            )));
        }
        if !self.driver(VFIO).is_dir() {
            return Err(DeviceError::Unusable(
                "the driver vfio-pci is absent: `modprobe vfio-pci`".to_owned(),
            ));
        }
        Ok(())
    }

    /// Takes a function from `from`, and has the system look for a driver under `over`.
    fn hand_over(
        &self,
        address: PciAddress,
        from: Option<&str>,
        over: Option<&str>,
    ) -> Result<(), DeviceError> {
        let name = address.to_string();
        // An empty line takes the override away.
        self.tell("driver_override", self.folder(&address).join("driver_override"), over.unwrap_or("\n"))?;
        if let Some(driver) = from {
            self.tell("unbind", self.driver(driver).join("unbind"), &name)?;
        }
        match self.set(&self.path("sys/bus/pci/drivers_probe"), &name) {
            // Nobody wants it: it stays free, as it may have been before.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            other => other.map_err(|error| refused("drivers_probe", error)),
        }
    }

    fn tell(&self, what: &'static str, path: PathBuf, text: &str) -> Result<(), DeviceError> {
        self.set(&path, text).map_err(|error| refused(what, error))
    }

    fn note(&self, address: PciAddress) -> PathBuf {
        self.path("run/vigie/vf").join(address.to_string())
    }

    fn record(&self, address: PciAddress, before: &Before) -> Result<(), DeviceError> {
        let note = self.note(address);
        let folder = note.parent().unwrap_or(&note);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&note, before.to_text()))
            .map_err(|error| DeviceError::Refused("record the driver in /run/vigie/vf", error))
    }

    fn forget(&self, address: PciAddress) {
        // A note that stays behind is overwritten by the next bind.
        let _ = fs::remove_file(self.note(address));
    }
}

fn refused(what: &'static str, error: io::Error) -> DeviceError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return DeviceError::Unusable(format!("writing {what} needs root: {error}"));
    }
    DeviceError::Unusable(format!("the system refused to write {what}: {error}"))
}
