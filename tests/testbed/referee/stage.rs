//! What every referee stands on: the software NIC and a guest that has it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::guest::{Image, Kernel, Machine, Nic, Root, Shape};

use crate::role::Role;

/// How long a count may take to be complete.
const COUNT: Duration = Duration::from_secs(20);
/// Frames given at once: fewer than one queue's ring holds, in case all of them go to one.
const BURST: u64 = 256;

/// A guest and its NIC. One at a time, in whatever process, as a guest without hardware virtualisation takes what
/// cores there are.
pub(crate) struct Stage {
    pub(crate) machine: Machine,
    pub(crate) nic: Nic,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) role: Role,
    name: &'static str,
    begun: Instant,
    /// Unlocked when it is closed.
    _turn: File,
}

/// What differs between guests.
pub(crate) struct Plan<'a> {
    /// What it is called in what is noted.
    pub(crate) name: &'static str,
    pub(crate) kernel: Kernel,
    pub(crate) shape: Shape,
    /// Whom its NIC plays.
    pub(crate) role: Role,
    /// What its NIC is told beside that and its sockets.
    pub(crate) nic: &'a [&'a str],
    /// What is in its image.
    pub(crate) pack: &'a dyn Fn(Image) -> Image,
}

impl Stage {
    /// A guest that has booted, or nothing where there is none to be had; the reason is told.
    pub(crate) fn set(plan: &Plan<'_>) -> Option<Self> {
        let turn = File::create(std::env::temp_dir().join("vigie-guests")).expect("a file");
        turn.lock().expect("a lock");
        let told = |reason: &testbed::guest::NoGuests| {
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        };
        let root = Root::find().inspect_err(told).ok()?;
        let begun = Instant::now();
        let folder = tempfile::tempdir().expect("a folder");
        let nic = Nic::start(folder.path(), &[&["--persona", plan.role.persona], plan.nic].concat());
        let shape = Shape { nic: Some(Nic::SOCKET), ..plan.shape.clone() };
        let machine = Machine::boot((plan.pack)(Image::new(&root, plan.kernel)), &shape, folder.path());
        let (name, role) = (plan.name, plan.role);
        let mut stage = Self { machine, nic, folder, role, name, begun, _turn: turn };
        let release = stage.machine.run("uname -r");
        stage.note("booted", release.trim());
        Some(stage)
    }

    /// A line for whoever reads the log: guest, seconds since it was begun, what happened.
    pub(crate) fn note(&self, what: &str, value: impl std::fmt::Display) {
        let at = self.begun.elapsed().as_secs_f64();
        let _ = writeln!(std::io::stderr(), "referee guest={} at={at:.1} {what}={value}", self.name);
    }

    /// Address of the function on the guest's PCI bus.
    pub(crate) fn function(&mut self) -> String {
        let script = format!("cd /sys/bus/pci/devices; grep -l {} */device | cut -d/ -f1", self.role.device);
        let found = self.machine.run(&script);
        assert_eq!(found.lines().count(), 1, "one function is expected: {found:?} {}", self.nic.told());
        found.trim().to_owned()
    }

    /// Gives the function to vfio-pci.
    pub(crate) fn bind_vfio(&mut self) -> String {
        let function = self.function();
        self.machine.run(&format!(
            "insert-vfio-pci
            cd /sys/bus/pci/devices/{function}
            echo vfio-pci >driver_override
            echo {function} >/sys/bus/pci/drivers_probe
            readlink driver | grep '/vfio-pci$'"
        ));
        self.note("vfio-pci", &function);
        function
    }

    /// Resets the function from the host's side: "pf", "flr" or "vf".
    pub(crate) fn reset(&self, kind: &str) {
        let _ = self.nic.ask(&json!({ "do": "reset", "kind": kind }));
    }

    /// Injects frames in bursts and waits for each to be counted: `count` gives what was received so far.
    pub(crate) fn receive(&mut self, frames: u64, size: u64, count: &mut dyn FnMut(&mut Machine) -> u64) {
        let before = count(&mut self.machine);
        let mut given = 0;
        while given < frames {
            let burst = BURST.min(frames - given);
            self.nic.inject(burst, size, 4);
            given += burst;
            self.await_count(before + given, count);
        }
    }

    /// Waits for a count, which must be met and not passed.
    pub(crate) fn await_count(&mut self, wanted: u64, count: &mut dyn FnMut(&mut Machine) -> u64) {
        let since = Instant::now();
        let mut seen = count(&mut self.machine);
        while seen < wanted && since.elapsed() < COUNT {
            std::thread::sleep(Duration::from_millis(50));
            seen = count(&mut self.machine);
        }
        assert_eq!(seen, wanted, "frames counted; NIC: {} {}", self.nic.stats(), self.nic.told());
    }

    /// Nothing was amiss: not in the guest's kernel, nor in what it did with the NIC's memory.
    pub(crate) fn close(mut self) {
        let faults = self.machine.faults();
        assert!(faults.is_empty(), "{faults:#?}\n{}", self.machine.run("dmesg | tail -n 100"));
        let stats = self.nic.stats();
        assert_eq!((number(&stats, "strayed"), &stats["malice"]), (0, &Value::Null), "{stats}");
        self.note("closed", stats);
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A number of an answer.
pub(crate) fn number(answer: &Value, name: &str) -> u64 {
    answer[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {answer}"))
}
