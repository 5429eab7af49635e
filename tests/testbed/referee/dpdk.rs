//! DPDK's driver, in testpmd over vfio-pci and a virtual IOMMU.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testbed::guest::{Kernel, Machine, Shape};
use world::{Builder, PcapWriter};

use crate::role::{E810, Role, X710};
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
/// Bits that it may take at a time, which decides how it receives: by vectors (AVX2), or one by one.
const VECTORS: u32 = 256;
const SCALAR: u32 = 64;
const FRAMES: u64 = 2048;

#[test]
fn dpdk_24_11() {
    judge(X710);
}

#[test]
fn dpdk_24_11_on_an_e810() {
    judge(E810);
}

fn judge(role: Role) {
    let plugins = NAMES.map(|name| format!("{PLUGINS}/librte_{name}.so.25"));
    let plugins: Vec<&str> = plugins.iter().map(String::as_str).chain([UNWIND, LINES]).collect();
    let plan = Plan {
        name: "dpdk",
        kernel: Kernel::Stable,
        shape: Shape { processors: 2, memory: 1024, kernel_words: "hugepages=128", nic: None },
        role,
        // what testpmd forwards must not come back to be forwarded for ever
        nic: if role.is_flexible { &["--loopback", "off", "--double-vlan"] } else { &["--loopback", "off"] },
        pack: &|image| image.module("vfio-pci").program(TESTPMD, &plugins),
    };
    let Some(mut stage) = Stage::set(&plan) else { return };
    let function = stage.bind_vfio();
    stage.machine.run("mkdir -p /dev/hugepages; mount -t hugetlbfs none /dev/hugepages");
    starts(&mut stage, &function, VECTORS);
    if role.is_flexible {
        describes(&mut stage);
    }
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
    if role.is_flexible {
        stage.machine.run("echo quit >/run/tell");
        stage.machine.until(COMMAND, "! kill -0 $(cat /run/process) 2>/dev/null");
        starts(&mut stage, &function, SCALAR);
        describes(&mut stage);
        forwards(&mut stage, "io", FRAMES);
    }
    stage.close();
}

/// testpmd takes commands from a pipe that is kept open for it. It says how it receives.
fn starts(stage: &mut Stage, function: &str, bits: u32) {
    let plugins: String =
        NAMES.iter().map(|name| format!("-d /opt/dpdk-testpmd/librte_{name}.so.25 ")).collect();
    stage.machine.run(&format!(
        "rm -f /run/tell
        mkfifo /run/tell
        sleep 100000 >/run/tell 2>&1 &
        export LD_PRELOAD=/opt/dpdk-testpmd/libstdbuf.so _STDBUF_O=L
        : >/run/said
        dpdk-testpmd -l 0,1 -a {function} {plugins} --iova-mode=va --force-max-simd-bitwidth={bits} \
            --log-level=pmd.net.iavf.driver:debug -- --interactive --rxq={QUEUES} --txq={QUEUES} \
            --total-num-mbufs=16384 </run/tell >>/run/said 2>&1 &
        echo $! >/run/process"
    ));
    let log = prompt(&mut stage.machine);
    let how = log.lines().find_map(|line| line.split("iavf_set_rx_function(): Using ").nth(1));
    let how = how.unwrap_or_else(|| panic!("it does not say how it receives: {log}"));
    assert_eq!(how.contains("AVX2"), bits == VECTORS, "{how}");
    tell(&mut stage.machine, "set log pmd.net.iavf.driver 5");
    stage.note("testpmd", how);
}

/// testpmd prints what it finds in flexible descriptors: hash, packet type, checksums, the mark of a rule, a tag.
fn describes(stage: &mut Stage) {
    let rule = "eth / ipv4 src is 198.18.0.0 dst is 198.19.0.1 / udp src is 16384 dst is 12345";
    tell_all(&mut stage.machine, &["set fwd rxonly", "set verbose 1", "vlan set strip on 0"]);
    let rule = format!("flow create 0 ingress pattern {rule} / end actions queue index 3 / mark id 7 / end");
    let made = tell(&mut stage.machine, &rule);
    assert!(made.contains("created"), "{made}");
    tell(&mut stage.machine, "start");
    let _ = stage.nic.inject(32, 64, QUEUES.into());
    let said = printed(stage, 32);
    for frame in &said {
        let number = |what: &str| word(frame, what).unwrap_or_else(|| panic!("no {what} in {frame}"));
        let by_rule = frame.contains("FDIR matched ID=0x7");
        assert!(frame.contains("hw ptype: L2_ETHER L3_IPV4_EXT_UNKNOWN L4_UDP"), "{frame}");
        assert!(frame.contains("MBUF_F_RX_IP_CKSUM_GOOD") && !frame.contains("CKSUM_BAD"), "{frame}");
        assert!(
            by_rule && number("RSS queue=0x") == 3
                || number("RSS hash=0x") % QUEUES == number("RSS queue=0x")
        );
    }
    assert_eq!(said.iter().filter(|frame| frame.contains("FDIR matched ID=0x7")).count(), 1, "{said:?}");
    tell_all(&mut stage.machine, &["stop", "start"]);
    let capture = stage.path().join("tagged.pcap");
    tagged(&capture);
    let _ = stage.nic.ask(&json!({ "do": "play", "file": capture }));
    let said = printed(stage, 1);
    assert!(said[0].contains("VLAN tci=0x64") && said[0].contains("length=60"), "{said:?}");
    tell_all(&mut stage.machine, &["stop", "set verbose 0", "flow flush 0", "vlan set strip off 0"]);
    stage.note("formats", stage.nic.stats()["formats"].clone());
}

/// What testpmd has printed of frames, once it has of so many: two lines each.
fn printed(stage: &mut Stage, count: usize) -> Vec<String> {
    let done = format!("[ $(grep -c ol_flags: /run/said) = {count} ]");
    stage.machine.until(COMMAND, &done);
    let said = stage.machine.run("cat /run/said");
    let lines: Vec<&str> = said.lines().collect();
    let frames = lines.windows(2).filter(|pair| pair[1].contains("ol_flags:"));
    frames.map(|pair| pair.concat()).collect()
}

/// A number behind a word, in hexadecimal digits.
fn word(line: &str, what: &str) -> Option<u32> {
    let rest = line.split(what).nth(1)?;
    u32::from_str_radix(rest.split_whitespace().next()?, 16).ok()
}

/// A capture of one frame with a tag.
fn tagged(path: &Path) {
    let mut out = PcapWriter::new(File::create(path).expect("a file")).expect("room");
    let frame = Builder::ethernet()
        .vlan(100)
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2])
        .udp(1, 2)
        .payload(&[0; 18])
        .build();
    out.write(0, &frame).expect("room");
    out.finish().expect("room");
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

/// Waits until testpmd asks for a command, and returns what it said before. Other threads of it may speak after that.
fn prompt(machine: &mut Machine) -> String {
    machine.until(COMMAND, "grep -q 'testpmd> ' /run/said || ! kill -0 $(cat /run/process)");
    let said = machine.run("cat /run/said");
    assert!(said.contains("testpmd> "), "testpmd has ended: {said}");
    said
}
