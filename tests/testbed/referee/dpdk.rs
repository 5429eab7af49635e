//! DPDK's driver, in testpmd over vfio-pci and a virtual IOMMU.

use std::time::Duration;

use testbed::guest::{Kernel, Machine, Shape};

use crate::stage::{Plan, Stage, number};

const TESTPMD: &str = "/usr/bin/dpdk-testpmd";
/// Where plug-ins lie; only those named one by one are found.
const PLUGINS: &str = "/usr/lib/x86_64-linux-gnu/dpdk/pmds-25.0";
const NAMES: [&str; 5] = ["mempool_ring", "bus_pci", "bus_vdev", "common_iavf", "net_iavf"];
/// What the C library opens to end a thread.
const UNWIND: &str = "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1";
/// What makes it write each line at once, though it does not write to a terminal (stdbuf(1)).
const LINES: &str = "/usr/libexec/coreutils/libstdbuf.so";
/// How long testpmd may take to start, and for any of its commands.
const COMMAND: Duration = Duration::from_secs(60);
/// How long the NIC takes for a reset, at the most.
const RESET: Duration = Duration::from_millis(500);
const QUEUES: u32 = 4;
const FRAMES: u64 = 2048;

#[test]
fn dpdk_24_11() {
    let plugins = NAMES.map(|name| format!("{PLUGINS}/librte_{name}.so.25"));
    let plugins: Vec<&str> = plugins.iter().map(String::as_str).chain([UNWIND, LINES]).collect();
    let plan = Plan {
        name: "dpdk",
        kernel: Kernel::Stable,
        shape: Shape { processors: 2, memory: 1024, kernel_words: "hugepages=128", nic: None },
        // what testpmd forwards must not come back to be forwarded for ever
        nic: &["--persona", "i40e", "--loopback", "off"],
        pack: &|image| image.module("vfio-pci").program(TESTPMD, &plugins),
    };
    let Some(mut stage) = Stage::set(&plan) else { return };
    starts(&mut stage);
    forwards(&mut stage, "rxonly", 0);
    forwards(&mut stage, "io", FRAMES);
    tell_all(&mut stage.machine, &["port stop 0", "port start 0"]);
    forwards(&mut stage, "io", FRAMES);
    tell_all(&mut stage.machine, &["port stop 0", "port reset 0", "port start 0"]);
    forwards(&mut stage, "io", FRAMES);
    // testpmd may not notice: without a mailbox interrupt the driver looks every 50 ms, and the reset clears the cause
    stage.reset("pf");
    std::thread::sleep(RESET);
    tell_all(&mut stage.machine, &["port stop 0", "port reset 0", "port start 0"]);
    forwards(&mut stage, "rxonly", 0);
    let said = tell(&mut stage.machine, "show port info 0");
    assert!(said.contains("Driver name: net_iavf"), "{said}");
    stage.close();
}

/// testpmd takes commands from a pipe that is kept open for it.
fn starts(stage: &mut Stage) {
    let function = stage.bind_vfio();
    let plugins: String =
        NAMES.iter().map(|name| format!("-d /opt/dpdk-testpmd/librte_{name}.so.25 ")).collect();
    stage.machine.run(&format!(
        "mkdir -p /dev/hugepages
        mount -t hugetlbfs none /dev/hugepages
        mkfifo /run/tell
        sleep 100000 >/run/tell 2>&1 &
        export LD_PRELOAD=/opt/dpdk-testpmd/libstdbuf.so _STDBUF_O=L
        : >/run/said
        dpdk-testpmd -l 0,1 -a {function} {plugins} --iova-mode=va -- --interactive --rxq={QUEUES} --txq={QUEUES} \
            --total-num-mbufs=16384 </run/tell >>/run/said 2>&1 &
        echo $! >/run/process"
    ));
    prompt(&mut stage.machine);
    stage.note("testpmd", "started");
}

/// Every frame is received, and `sent` of them are sent on, by testpmd's count and by the NIC's.
fn forwards(stage: &mut Stage, mode: &str, sent: u64) {
    let before = number(&stage.nic.stats(), "tx_packets");
    tell(&mut stage.machine, &format!("set fwd {mode}"));
    tell(&mut stage.machine, "clear fwd stats all");
    tell(&mut stage.machine, "start");
    stage.receive(FRAMES, 64, &mut |machine| forwarded(machine, "RX-packets"));
    stage.await_count(sent, &mut |machine| forwarded(machine, "TX-packets"));
    tell(&mut stage.machine, "stop");
    let after = number(&stage.nic.stats(), "tx_packets");
    assert_eq!(after - before, sent, "frames that the NIC was given");
    stage.note(mode, format!("{FRAMES}/{sent}"));
}

/// A number of testpmd's own forward statistics, over all ports.
fn forwarded(machine: &mut Machine, what: &str) -> u64 {
    let said = tell(machine, "show fwd stats all");
    let all = said.split("Accumulated forward statistics").nth(1);
    let mut words = all.unwrap_or_default().split_whitespace().skip_while(|word| *word != format!("{what}:"));
    let number = words.nth(1).and_then(|word| word.parse().ok());
    number.unwrap_or_else(|| panic!("no {what} in: {said}"))
}

/// Gives testpmd a command, and returns what it says to it.
fn tell(machine: &mut Machine, command: &str) -> String {
    machine.run(&format!("cat /run/said >>/run/history; : >/run/said; echo '{command}' >/run/tell"));
    prompt(machine)
}

fn tell_all(machine: &mut Machine, commands: &[&str]) {
    for command in commands {
        tell(machine, command);
    }
}

/// Waits until testpmd asks for a command, and returns what it said before.
fn prompt(machine: &mut Machine) -> String {
    machine.until(COMMAND, "tail -c 9 /run/said | grep -q 'testpmd> ' || ! kill -0 $(cat /run/process)");
    let said = machine.run("cat /run/said");
    assert!(said.ends_with("testpmd> "), "testpmd has ended: {said}");
    said
}
