//! Why a function cannot be used. Each text says what whoever runs the host must change.

use std::fmt;
use std::time::Duration;

use avf::virtchnl::{Malformed, Status, Version};
use device::DeviceError;

use crate::Step;

/// What stands in the way.
#[derive(Debug)]
pub enum VfError {
    /// A setting makes no sense; the text gives what was read and what is allowed.
    Settings(String),
    /// The device itself cannot be used.
    Device(DeviceError),
    /// The function is not one of this driver's.
    Foreign {
        /// Vendor id.
        vendor: u16,
        /// Device id.
        device: u16,
    },
    /// Registers read as all ones: the function is no longer on the bus.
    Gone(Duration),
    /// The system asked for the function back.
    AskedBack,
    /// The PF did not finish resetting the function.
    NeverReady(Duration),
    /// The PF leaves messages unanswered.
    Unanswered(Step),
    /// The PF refused something that cannot be done without.
    Refused(Step, Status),
    /// The PF speaks another version.
    Version(Version),
    /// The PF's answer makes no sense.
    Nonsense(Step, Malformed),
    /// The PF's answer has no VSI for this function, or no queue.
    Nothing(&'static str),
    /// The mailbox's registers do not hold what is written into them.
    Mailbox(&'static str),
    /// The function was reset again and again before it was up.
    ResetLoop(u32),
    /// A worker did not give its ring back.
    Worker(u16, Duration),
}

impl fmt::Display for VfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(say) => f.write_str(say),
            Self::Device(error) => write!(f, "{error}"),
            Self::Foreign { vendor, device } => write!(
                f,
                "{vendor:04x}:{device:04x} is no virtual function of X710, X722 or E810 (8086:154c, 1571, 37cd, 374d, 1889)"
            ),
            Self::Gone(after) => write!(
                f,
                "the function has been off the bus for {} s: its host removed it, or took its VFs away; create and pass it through again",
                after.as_secs()
            ),
            Self::AskedBack => {
                f.write_str("the system asked for the function back: it was unplugged, or its driver unbound")
            }
            Self::NeverReady(after) => write!(
                f,
                "the PF has not set the function free for {} s: on the host, see that the PF's driver (i40e, ice) is loaded and its interface up",
                after.as_secs()
            ),
            Self::Unanswered(step) => write!(
                f,
                "the PF does not answer ({step}): on the host, look for \"VF disabled\" or a malicious driver event in the kernel log, and set the VF up anew (ip link set PF vf N state auto, or mdd-auto-reset-vf on)"
            ),
            Self::Refused(step, status) => {
                write!(f, "the PF refused to {step}: {status}; {}", step.advice())
            }
            Self::Version(version) => write!(
                f,
                "the PF speaks virtchnl {version}, 1.1 is needed: its host's driver is too old, or neither i40e nor ice"
            ),
            Self::Nonsense(step, why) => write!(
                f,
                "the PF's answer makes no sense ({step}): {why}; see that its host's driver and firmware belong together"
            ),
            Self::Nothing(what) => write!(
                f,
                "the PF gives the function no {what}: on the host, take its VFs away and create them anew"
            ),
            Self::Mailbox(register) => write!(
                f,
                "{register} does not hold what is written into it: the function is not initialised; on the host, reset it (echo 1 > /sys/bus/pci/devices/ADDRESS/reset)"
            ),
            Self::ResetLoop(times) => write!(
                f,
                "the function was reset {times} times before it was up: on the host, something sets its MAC, VLAN or trust again and again"
            ),
            Self::Worker(queue, after) => write!(
                f,
                "the worker of queue {queue} has not given its ring back for {} s: it hangs",
                after.as_secs()
            ),
        }
    }
}

impl std::error::Error for VfError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Device(error) => Some(error),
            Self::Nonsense(_, why) => Some(why),
            _ => None,
        }
    }
}

impl From<DeviceError> for VfError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}
