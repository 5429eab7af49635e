//! vigie: a network detection sensor. This file hands over; `cli` knows flags, `sensor` does the work.

#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
