//! Programs in the kernel: one deals frames out to the workers of an interface, one drops those of bypassed flows.
//!
//! The first:
//! `steer.bpf.c` is its source, `steer.bpf.o` what clang made of it (`make ebpf`, a developer's step), and
//! `steer.sha256` ties the two together. It is loaded with aya, told the ports of tunnels, and asked about frames of its
//! own making before it is trusted: [`Steering::load`] fails where it cannot be loaded or answers wrongly.

mod filter;
pub(crate) mod maps;
#[cfg(test)]
mod tests;
mod trial;

use std::fmt;
use std::os::fd::{AsFd as _, BorrowedFd};

use aya::programs::{ProgramError, SocketFilter, TestRun as _, TestRunOptions};
use aya::{Ebpf, EbpfError, EbpfLoader};

pub use filter::{At, Filter, FilterError, FilterSettings, Show, Xdp, ask};
pub(crate) use filter::{COUNTS, Maps, ONLY};

/// What clang made of `steer.bpf.c`, aligned as its reader wants it.
static OBJECT: &[u8] = aya::include_bytes_aligned!("steer.bpf.o");
/// Ports of one kind of tunnel that the program looks at.
pub const PORTS: usize = 8;

/// Which UDP ports mean a tunnel; 0 for an empty place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnels {
    /// VXLAN, by destination.
    pub vxlan: [u16; PORTS],
    /// GENEVE, by destination.
    pub geneve: [u16; PORTS],
    /// GTP-U, by either.
    pub gtp: [u16; PORTS],
    /// Whether Teredo is looked through.
    pub teredo: bool,
    /// Whether GRE with protocol 0x88be and without sequence is ERSPAN type I.
    pub erspan1: bool,
    /// Whether virtual networks are dealt out apart. Not where mirrors give the two directions of a conversation, or the
    /// copies of both its ends, numbers of their own.
    pub tenant: bool,
}

impl Default for Tunnels {
    fn default() -> Self {
        Self {
            vxlan: [4789, 4790, 8472, 0, 0, 0, 0, 0],
            geneve: [6081, 0, 0, 0, 0, 0, 0, 0],
            gtp: [2152, 0, 0, 0, 0, 0, 0, 0],
            teredo: true,
            erspan1: true,
            tenant: true,
        }
    }
}

/// Why the kernel does not steer.
#[derive(Debug)]
pub enum SteeringError {
    /// The object could not be loaded.
    Load(EbpfError),
    /// The program was refused, or could not be run.
    Program(ProgramError),
    /// It answered wrongly: what it was asked.
    Trial(&'static str),
}

impl fmt::Display for SteeringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(e) => refused(f, e),
            Self::Program(e) => refused(f, e),
            Self::Trial(what) => write!(f, "the eBPF program failed its trial: {what}"),
        }
    }
}

impl std::error::Error for SteeringError {}

fn refused(f: &mut fmt::Formatter<'_>, error: &dyn std::error::Error) -> fmt::Result {
    write!(
        f,
        "the kernel took no eBPF program, for which a process needs CAP_BPF and CAP_NET_ADMIN: {}",
        innermost(error)
    )
}

/// The last cause: what stands above it only says that loading failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

impl From<EbpfError> for SteeringError {
    fn from(error: EbpfError) -> Self {
        Self::Load(error)
    }
}

impl From<ProgramError> for SteeringError {
    fn from(error: ProgramError) -> Self {
        Self::Program(error)
    }
}

/// The program, loaded and tried.
#[derive(Debug)]
pub struct Steering(Ebpf);

impl Steering {
    /// Loads the program and tries it on conversations in both directions, plain and in every kind of tunnel.
    ///
    /// # Errors
    /// When the kernel refuses, or an answer is wrong.
    pub fn load(tunnels: &Tunnels) -> Result<Self, SteeringError> {
        let flags = [tunnels.teredo, tunnels.erspan1, tunnels.tenant].map(u8::from);
        let [teredo, erspan1, tenant] = &flags;
        let mut loader = EbpfLoader::new();
        loader.override_global("vxlan_ports", tunnels.vxlan.as_slice(), true);
        loader.override_global("geneve_ports", tunnels.geneve.as_slice(), true);
        loader.override_global("gtp_ports", tunnels.gtp.as_slice(), true);
        loader.override_global("with_teredo", teredo, true);
        loader.override_global("with_erspan1", erspan1, true);
        loader.override_global("with_tenant", tenant, true);
        let mut steering = Self(loader.load(OBJECT)?);
        let program: &mut SocketFilter = match steering.0.program_mut("steer") {
            Some(program) => program.try_into()?,
            None => return Err(SteeringError::Trial("the object has no program")),
        };
        program.load()?;
        trial::hold(&steering, tunnels)?;
        Ok(steering)
    }

    fn program(&self) -> Result<&SocketFilter, ProgramError> {
        self.0.program("steer").ok_or(ProgramError::NotLoaded)?.try_into()
    }

    /// What the kernel would answer for an Ethernet frame that comes in.
    ///
    /// # Errors
    /// When the kernel cannot run it, as with a frame shorter than an Ethernet header.
    pub fn answer(&self, frame: &[u8]) -> Result<u32, SteeringError> {
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::new() };
        Ok(self.program()?.test_run(options)?.return_value)
    }

    pub(crate) fn fd(&self) -> Result<BorrowedFd<'_>, ProgramError> {
        Ok(self.program()?.fd()?.as_fd())
    }
}
