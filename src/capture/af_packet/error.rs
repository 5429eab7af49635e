//! Why an interface could not be captured.

use std::io;

use crate::ebpf::SteeringError;

/// What stands in the way. Each text says what to do about it.
#[derive(Debug)]
pub enum OpenError {
    /// A setting makes no sense; the text gives what was read and what is allowed.
    Settings(String),
    /// There is no such interface; and these there are.
    NoInterface(String, Vec<String>),
    /// The process lacks this capability for this step.
    Capability(&'static str, &'static str),
    /// There is no such network namespace.
    Namespace(String, io::Error),
    /// The machine has no memory for rings of so many bytes: they may take half of it.
    Memory(u64),
    /// The interface is down, and frames of an interface that is down cannot be dealt out to several workers.
    Down(String),
    /// The interface is of a hardware type (ARPHRD) whose frames nobody here can read.
    Hardware(String, u16),
    /// The kernel cannot deal frames out by the program that was asked for.
    Steering(SteeringError),
    /// The kernel refused this step.
    Refused(&'static str, io::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settings(text) => write!(f, "{text}"),
            Self::NoInterface(name, known) => {
                write!(f, "no interface is called {name:?}; there are: {}", known.join(", "))
            }
            Self::Capability(capability, step) => {
                write!(f, "to {step} the process needs {capability}: run it as root, or grant it that")
            }
            Self::Namespace(path, e) => write!(f, "no network namespace {path}: {e}"),
            Self::Memory(bytes) => {
                write!(
                    f,
                    "rings of {bytes} bytes are more than this machine can give, which is half of its memory at most: \
                     use fewer or smaller blocks"
                )
            }
            Self::Down(name) => {
                write!(f, "interface {name} is down, and must be up to be shared by several workers")
            }
            Self::Hardware(name, kind) => {
                write!(f, "interface {name} is of hardware type {kind}, whose frames are not known")
            }
            Self::Steering(e) => write!(f, "{e}"),
            Self::Refused(step, e) => write!(f, "the kernel refused to {step}: {e}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_, e) | Self::Namespace(_, e) => Some(e),
            _ => None,
        }
    }
}
