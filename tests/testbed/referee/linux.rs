//! Linux's own driver, as Debian ships it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::guest::{Kernel, Machine, Shape};
use world::{Builder, PcapWriter};

use crate::role::{E810, Role, X710};
use crate::stage::{Plan, Stage, number};

/// How long the driver may take from insertion, or from a reset, to a link.
const LINK: Duration = Duration::from_secs(30);
/// Frames of the function's own, Ethernet's header included: least, around Linux's receive buffers of 1,536 bytes and
/// at exact multiples of them, and the largest that the issue of jumbo frames asks for.
const SIZES: [u64; 11] = [64, 65, 128, 512, 1514, 1536, 1537, 3072, 4608, 8999, 9000];

#[test]
fn linux_of_debian_13() {
    judge("linux-stable", Kernel::Stable, X710);
}

#[test]
fn linux_of_backports() {
    judge("linux-backports", Kernel::Backports, X710);
}

#[test]
fn linux_of_debian_13_on_an_e810() {
    judge("linux-stable", Kernel::Stable, E810);
}

#[test]
fn linux_of_backports_on_an_e810() {
    judge("linux-backports", Kernel::Backports, E810);
}

fn judge(name: &'static str, kernel: Kernel, role: Role) {
    // a kernel that speaks no IPv6 sends nothing by itself, so that counts are exact
    let shape = Shape { processors: 4, kernel_words: "ipv6.disable=1", ..Shape::default() };
    let frames = Path::new(env!("CARGO_BIN_EXE_guest-frames"));
    let plan = Plan {
        name,
        kernel,
        shape,
        role,
        nic: &["--loopback", "echo"],
        pack: &|image| image.module("iavf").program("/usr/sbin/ethtool", &[]).own_program(frames),
    };
    let Some(mut stage) = Stage::set(&plan) else { return };
    probes(&mut stage);
    counts(&mut stage);
    large(&mut stage);
    echoes(&mut stage);
    answers(&mut stage);
    if role.is_flexible {
        steers(&mut stage);
        spreads(&mut stage);
        strips(&mut stage, kernel);
    }
    survives_resets(&mut stage);
    // how it comes and goes does not depend on the function: often once, then once more
    comes_and_goes(&mut stage, if role.is_flexible { 2 } else { 10 });
    stage.close();
}

/// The driver is inserted and has a link, at the speed and with the queues that the function offers.
fn probes(stage: &mut Stage) {
    // the kernel's own choice, fq_codel, drops what waits for more than a few milliseconds, as frames do on a busy machine
    stage.machine.run("echo pfifo >/proc/sys/net/core/default_qdisc");
    insert(stage);
    let driver = stage.machine.run("ethtool -i eth0 | sed -n 's/^driver: //p'");
    assert_eq!(driver.trim(), "iavf");
    let speed = stage.machine.number("cat /sys/class/net/eth0/speed");
    assert_eq!(speed, stage.role.mbps, "Mbps");
    let queues = stage.machine.number("ls -d /sys/class/net/eth0/queues/rx-* | wc -l");
    assert_eq!(queues, 4);
    stage.note("probed", driver.trim());
}

/// As many frames are counted as were sent, over all queues.
fn counts(stage: &mut Stage) {
    let before = queues(&mut stage.machine, "rx");
    for size in [64, 1514] {
        stage.receive(2048, size, &mut received);
    }
    // what the PF says it delivered; the driver asks every two seconds
    stage.machine.until(LINK, "[ $(cat /sys/class/net/eth0/statistics/rx_packets) = 4096 ]");
    let after = queues(&mut stage.machine, "rx");
    let busy = before.iter().zip(&after).filter(|(before, after)| after > before).count();
    assert_eq!(busy, 4, "queues that had frames: {before:?} {after:?}");
    stage.note("counted", format!("{after:?}"));
}

/// A larger MTU, which the driver takes through a reset of its own.
fn large(stage: &mut Stage) {
    recovers(stage, "mtu", |stage| {
        stage.machine.run("ip link set eth0 mtu 9000");
    });
    stage.receive(512, 9000, &mut received);
}

/// What the guest sends comes back whole, over all queues.
fn echoes(stage: &mut Stage) {
    let before = queues(&mut stage.machine, "tx");
    // what sizes do to buffers is the same for every function: all of them once
    let step = if stage.role.is_flexible { 3 } else { 1 };
    let sizes: Vec<u64> = SIZES.into_iter().step_by(step).collect();
    for size in &sizes {
        returns(stage, *size);
    }
    let after = queues(&mut stage.machine, "tx");
    let busy = before.iter().zip(&after).filter(|(before, after)| after > before).count();
    assert_eq!(busy, 4, "queues that sent: {before:?} {after:?}");
    stage.note("echoed", format!("{sizes:?}"));
}

/// One program a processor, each with flows enough that no queue is left out: the kernel deals them by a hash of its own
/// chance, and of 16 flows one boot in 25 would leave a queue without any.
fn returns(stage: &mut Stage, size: u64) {
    let script = format!(
        "for mask in 1 2 4 8; do
            taskset $mask guest-frames eth0 {size} 64 64
        done"
    );
    for line in stage.machine.run(&script).lines() {
        let answer: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let expected = json!({ "sent": 64, "returned": 64, "damaged": 0 });
        assert!(answer == expected, "{size} bytes: {answer}\n{}", witness(stage));
    }
}

/// The guest's kernel answers pings of every size from outside.
fn answers(stage: &mut Stage) {
    let peer = "02:00:00:00:00:99";
    let script = format!("ip addr add 192.0.2.2/24 dev eth0; arp -s 192.0.2.1 {peer}");
    stage.machine.run(&script);
    let own = stage.machine.run("cat /sys/class/net/eth0/address");
    let capture = stage.path().join("pings.pcap");
    let pings = pings(&capture, address(own.trim()), address(peer));
    let before = number(&stage.nic.stats(), "tx_packets");
    let _ = stage.nic.ask(&json!({ "do": "play", "file": capture, "rate": 200 }));
    let since = Instant::now();
    let answered = |stage: &Stage| number(&stage.nic.stats(), "tx_packets") - before;
    while answered(stage) < pings && since.elapsed() < LINK {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(answered(stage), pings, "pings answered; {}", stage.machine.run("cat /proc/net/snmp"));
    stage.machine.run("ip addr del 192.0.2.2/24 dev eth0");
    stage.note("answered", pings);
}

/// A capture of echo requests to the guest, and their number.
fn pings(path: &Path, guest: [u8; 6], peer: [u8; 6]) -> u64 {
    let mut out = PcapWriter::new(std::fs::File::create(path).expect("a file")).expect("room");
    let mut count = 0;
    for size in SIZES {
        for sequence in 0..8_u8 {
            // after Ethernet, IPv4 and ICMP
            let payload = vec![sequence; usize::try_from(size).expect("small") - 14 - 20 - 8];
            let frame = Builder::ethernet_between(peer, guest)
                .ipv4([192, 0, 2, 1], [192, 0, 2, 2])
                .icmp4(8, 0, [0, 1, 0, sequence])
                .payload(&payload)
                .build();
            out.write(1_700_000_000_000_000_000 + count * 1_000_000, &frame).expect("room");
            count += 1;
        }
    }
    out.finish().expect("room");
    count
}

/// A rule of flow director takes one flow to a queue; another one drops it.
fn steers(stage: &mut Stage) {
    // of the frames that the NIC makes up, one flow is this one
    let flow = "flow-type udp4 src-ip 198.18.0.0 dst-ip 198.19.0.1 src-port 16384 dst-port 12345";
    asks(stage, "ethtool -K eth0 ntuple on");
    for queue in [3, 1] {
        let before = queues(&mut stage.machine, "rx");
        asks(stage, &format!("ethtool -N eth0 {flow} action {queue} loc 0"));
        await_stats(stage, "rules", &json!(1));
        let _ = stage.nic.inject(64, 64, 1);
        let all = before.iter().sum::<u64>() + 64;
        stage.await_count(all, &mut received);
        let after = queues(&mut stage.machine, "rx");
        assert_eq!(after[queue] - before[queue], 64, "{before:?} {after:?}");
        asks(stage, "ethtool -N eth0 delete 0");
        await_stats(stage, "rules", &json!(0));
    }
    asks(stage, &format!("ethtool -N eth0 {flow} action -1 loc 0"));
    await_stats(stage, "rules", &json!(1));
    let fed = stage.nic.inject(64, 64, 1);
    assert_eq!((number(&fed, "received"), number(&fed, "dropped")), (0, 64), "{fed}");
    asks(stage, "ethtool -N eth0 delete 0");
    await_stats(stage, "rules", &json!(0));
    stage.note("steered", "queue 3, queue 1, dropped");
}

/// A table that names half of the queues, and a pattern of headers to be hashed.
fn spreads(stage: &mut Stage) {
    asks(stage, "ethtool -N eth0 rx-flow-hash udp4 sdfn");
    asks(stage, "ethtool -X eth0 equal 2");
    await_stats(stage, "patterns", &json!(1));
    let before = queues(&mut stage.machine, "rx");
    stage.receive(512, 64, &mut received);
    let after = queues(&mut stage.machine, "rx");
    let given: Vec<bool> = before.iter().zip(&after).map(|(before, after)| after > before).collect();
    assert_eq!(given[..4], [true, true, false, false], "{before:?} {after:?}");
    asks(stage, "ethtool -X eth0 default");
    stage.note("spread", format!("{after:?}"));
}

/// Stripping of tags is turned off and on.
fn strips(stage: &mut Stage, kernel: Kernel) {
    for (word, strips) in [("off", false), ("on", true)] {
        asks(stage, &format!("ethtool -K eth0 rx-vlan-offload {word}"));
        await_stats(stage, "strips", &json!(strips));
    }
    // the newer kernel asks for the clock, and takes descriptors with room for it where it is granted
    let formats = stage.nic.stats()["formats"].clone();
    assert_eq!(formats, if kernel == Kernel::Backports { json!([2]) } else { json!([1]) });
    stage.note("formats", formats);
}

/// Asks the driver for something. It gives up with EINVAL when its own watchdog has held its lock for 50 µs, so it is asked
/// again.
fn asks(stage: &mut Stage, command: &str) {
    stage.machine.until(LINK, command);
}

/// Waits until the NIC says so of itself: the driver sends messages when its watchdog next runs.
fn await_stats(stage: &Stage, name: &str, wanted: &Value) {
    let since = Instant::now();
    while stage.nic.stats()[name] != *wanted {
        assert!(since.elapsed() < LINK, "{name} is to be {wanted}: {}", stage.nic.stats());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Each kind of reset is noticed, recovered from, and costs no frame afterwards.
fn survives_resets(stage: &mut Stage) {
    let function = stage.function();
    for kind in ["pf", "vf"] {
        recovers(stage, kind, |stage| stage.reset(kind));
        works(stage);
    }
    recovers(stage, "flr", |stage| {
        stage.machine.run(&format!("echo 1 >/sys/bus/pci/devices/{function}/reset"));
    });
    works(stage);
}

/// Out of the kernel and in again.
fn comes_and_goes(stage: &mut Stage, times: u32) {
    for time in 1..=times {
        stage.machine.run("rmmod iavf");
        insert(stage);
        stage.receive(64, 64, &mut received);
        stage.note("inserted", time);
    }
    works(stage);
}

/// What both sides counted, for when they do not agree.
fn witness(stage: &mut Stage) -> String {
    let guest = stage.machine.run("ethtool -S eth0 | grep -v ': 0$'; dmesg | tail -n 20");
    format!("guest: {guest}\nNIC: {} {}", stage.nic.stats(), stage.nic.told())
}

fn works(stage: &mut Stage) {
    stage.receive(512, 64, &mut received);
    returns(stage, 1514);
}

fn insert(stage: &mut Stage) {
    let since = Instant::now();
    stage.machine.run("insert-iavf");
    stage.machine.until(LINK, "ip link set eth0 up");
    stage.machine.until(LINK, "[ $(cat /sys/class/net/eth0/carrier) = 1 ]");
    stage.note("link_ms", since.elapsed().as_millis());
}

/// Does something that resets the function, and waits until its link was lost and is back.
fn recovers(stage: &mut Stage, what: &str, task: impl FnOnce(&mut Stage)) {
    let before = stage.machine.number("cat /sys/class/net/eth0/carrier_changes");
    let since = Instant::now();
    task(stage);
    let script = format!(
        "cd /sys/class/net/eth0
        [ $(cat carrier_changes) -ge $(({before} + 2)) ] && [ $(cat carrier) = 1 ]"
    );
    stage.machine.until(LINK, &script);
    stage.note(&format!("{what}_recovered_ms"), since.elapsed().as_millis());
}

/// Frames that the driver took from all of its queues.
fn received(machine: &mut Machine) -> u64 {
    queues(machine, "rx").iter().sum()
}

/// Frames a queue, by the driver's own count.
fn queues(machine: &mut Machine, way: &str) -> Vec<u64> {
    let script = format!("ethtool -S eth0 | sed -n 's/^ *{way}-[0-9]*\\.packets: //p'");
    machine.run(&script).lines().map(|line| line.trim().parse().expect("a number")).collect()
}

fn address(text: &str) -> [u8; 6] {
    let mut bytes = text.split(':').map(|byte| u8::from_str_radix(byte, 16).expect("an address"));
    std::array::from_fn(|_| bytes.next().expect("six bytes"))
}
