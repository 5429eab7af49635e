//! Exit codes, and errors on their way to the user.

use capture::af_packet::OpenError;
use std::process::ExitCode;

/// Every exit code. Stable; documented in the man page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Success = 0,
    /// A source failed, or nothing could be read from it.
    Source = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// An output failed: events were lost.
    Output = 4,
    /// The operating system refused: permission, interface, memory.
    System = 5,
    /// No running sensor answers.
    NoSensor = 6,
}

/// Code and meaning, for the man page.
pub(crate) const CODES: &[(Exit, &str)] = &[
    (Exit::Success, "done"),
    (Exit::Source, "a capture could not be opened or read"),
    (Exit::Usage, "the command line is wrong"),
    (Exit::Configuration, "the configuration is wrong; every mistake was told"),
    (Exit::Output, "an output could not be opened, or failed and events were lost"),
    (Exit::System, "the operating system refused: permission, interface, memory"),
    (Exit::NoSensor, "no running sensor answers on the control socket"),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What went wrong, in words, and the code it ends with.
#[derive(Debug)]
pub(crate) struct Told {
    exit: Exit,
    text: String,
}

impl Told {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into() }
    }

    /// Prints it and gives the code.
    pub(crate) fn tell(self) -> Exit {
        for line in self.text.lines() {
            eprintln!("vigie: {line}");
        }
        self.exit
    }
}

impl From<sensor::Failure> for Told {
    fn from(failure: sensor::Failure) -> Self {
        let exit = match &failure {
            sensor::Failure::Open(_) | sensor::Failure::Source(_) => Exit::Source,
            sensor::Failure::Output(..) => Exit::Output,
            sensor::Failure::Live(OpenError::Settings(_)) | sensor::Failure::Settings(_) => {
                Exit::Configuration
            }
            sensor::Failure::Live(_)
            | sensor::Failure::Vf(_)
            | sensor::Failure::Vhost(_)
            | sensor::Failure::Cable(_)
            | sensor::Failure::Thread(_) => Exit::System,
        };
        Self::new(exit, failure.to_string())
    }
}
