//! Every descriptor format with every place of a tag, every state of checksums and every number of buffers: what the NIC
//! wrote comes out as it went in.

use std::time::Duration;

use avf::rx::{Format, Rxdid};
use avf::virtchnl::Caps;
use avf_driver::Settings;
use frame::{Checksum, VlanTag};
use model::{Options, Persona};
use world::Builder;

use crate::{Rig, Taken};

/// The formats that a function can be given.
const FORMATS: [u8; 11] = [1, 2, 6, 16, 17, 18, 19, 20, 21, 22, 23];

/// How tags come, and what is done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tags {
    /// There is none.
    None,
    /// One, left in its frame.
    Kept,
    /// One, taken out, into the first place of the descriptor.
    First,
    /// One, taken out, into the second place: double VLAN mode.
    Second,
    /// Two, of which the outer one is taken out.
    Outer,
}

const TAGS: [Tags; 5] = [Tags::None, Tags::Kept, Tags::First, Tags::Second, Tags::Outer];

/// What the checksums of a frame are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sums {
    Good,
    BadTransport,
    BadIp,
    /// A protocol without a transport checksum of its own.
    None,
    /// Of a fragment nobody can tell.
    Fragment,
}

const SUMS: [Sums; 5] = [Sums::Good, Sums::BadTransport, Sums::BadIp, Sums::None, Sums::Fragment];

/// Buffers of a frame, by its length: one, one to the brim, three, five to the brim with an empty segment behind them.
const LENGTHS: [(usize, usize); 4] = [(120, 1), (1024, 2), (2500, 3), (5120, 6)];

const OUTER: u16 = 0xA123;
const INNER: u16 = 0x0045;

fn frame(tags: Tags, sums: Sums, length: usize) -> Vec<u8> {
    let begin = match tags {
        Tags::None => Builder::ethernet(),
        Tags::Outer => Builder::ethernet().tag(0x8100, OUTER).tag(0x8100, INNER),
        _ => Builder::ethernet().tag(0x8100, OUTER),
    };
    let flat = begin.ipv4([192, 0, 2, 1], [198, 51, 100, 1]);
    // A tag that is taken out is not in the buffers.
    let beside = if tags == Tags::None || tags == Tags::Kept { 0 } else { 4 };
    let headers = flat.clone().udp(1, 2).build().len();
    let payload = vec![7; length + beside - headers];
    let mut bytes = match sums {
        Sums::None => flat.icmp4(8, 0, [0; 4]).payload(&payload).build(),
        Sums::Fragment => {
            let ip = headers - 28;
            let whole = flat.udp(1, 2).payload(&payload).build();
            let mut bytes = whole;
            // More fragments follow; the header's checksum with it.
            bytes[ip + 6] = 0x20;
            bytes[ip + 10..ip + 12].fill(0);
            let sum = world::internet(&bytes[ip..ip + 20]);
            bytes[ip + 10..ip + 12].copy_from_slice(&sum.to_be_bytes());
            bytes
        }
        _ => flat.udp(1, 2).payload(&payload).build(),
    };
    match sums {
        Sums::BadTransport => *bytes.last_mut().unwrap() ^= 1,
        Sums::BadIp => bytes[headers - 28 + 8] ^= 1,
        _ => {}
    }
    bytes
}

fn rig(format: u8, tags: Tags) -> Rig {
    let options = Options {
        rxdids: Some(1 << 1 | 1 << format),
        double_vlan: matches!(tags, Tags::Second | Tags::Outer),
        ..Options::default()
    };
    let strip_vlan = !matches!(tags, Tags::None | Tags::Kept);
    let settings =
        Settings { buffer: 1024, max_frame: 9000, descriptors: 64, strip_vlan, ..Settings::new(1) };
    let mut rig = Rig::new(Persona::ice(), options, settings).unwrap();
    rig.up();
    let agreed = rig.control().negotiated().unwrap();
    assert_eq!(agreed.format, Rxdid(format));
    // Fresh time, where this format has room for it.
    rig.run(Duration::from_millis(60));
    rig
}

fn judge(taken: &Taken, sent: &[u8], tags: Tags, sums: Sums) {
    let stripped = !matches!(tags, Tags::None | Tags::Kept);
    let tag = stripped.then_some(VlanTag { tpid: 0x8100, tci: OUTER });
    assert_eq!(taken.vlan, tag);
    if stripped {
        assert_eq!([&taken.data[..12], &sent[12..16], &taken.data[12..]].concat(), sent);
    } else {
        assert_eq!(taken.data, sent);
    }
    let sum = if sums == Sums::Good { Checksum::Good } else { Checksum::Unknown };
    assert_eq!(taken.checksum, sum);
}

#[test]
fn what_the_nic_wrote_comes_out_as_it_went_in() {
    let mut combinations = 0;
    for format in FORMATS {
        for tags in TAGS {
            let mut rig = rig(format, tags);
            let mut bad = 0;
            for sums in SUMS {
                for (length, buffers) in LENGTHS {
                    let sent = frame(tags, sums, length);
                    let before = rig.queues[0].counters().clone();
                    rig.inject(&sent);
                    rig.run(Duration::from_micros(100));
                    let taken =
                        rig.taken.pop().unwrap_or_else(|| panic!("{format} {tags:?} {sums:?} {length}"));
                    judge(&taken, &sent, tags, sums);
                    let after = rig.queues[0].counters();
                    assert_eq!(after.chained - before.chained, u64::from(buffers > 1), "{length}");
                    bad += u64::from(matches!(sums, Sums::BadTransport | Sums::BadIp));
                    combinations += 1;
                }
            }
            let counters = rig.queues[0].counters();
            assert_eq!(counters.bad_checksum, bad, "{format} {tags:?}");
            let has_time =
                matches!(Format::of(Rxdid(format)), Some(Format::Nic | Format::Nic2 | Format::Ovs));
            assert_eq!(counters.stamped, if has_time { counters.frames } else { 0 }, "{format}");
            assert_eq!(rig.said, Vec::<String>::new());
            rig.check().unwrap();
        }
    }
    assert_eq!(combinations, FORMATS.len() * TAGS.len() * SUMS.len() * LENGTHS.len());
}

#[test]
fn frames_carry_the_time_at_which_the_nic_saw_them() {
    for (grants, stamped) in [(true, true), (false, false)] {
        let refuses = if grants { Caps::empty() } else { Caps::PTP };
        let options = Options { refuses, ..Options::default() };
        let mut rig = Rig::new(Persona::ice(), options, Settings::new(1)).unwrap();
        rig.up();
        rig.run(Duration::from_millis(100));
        // Over four turns of the low bits that descriptors carry.
        let mut last = None;
        for number in 0..100_u64 {
            rig.working = false;
            let seen = rig.now();
            rig.inject(&crate::udp(number));
            rig.run(Duration::from_millis(3));
            rig.working = true;
            let late = rig.now();
            rig.run(Duration::from_millis(170));
            let time = rig.taken.pop().unwrap().time;
            if !stamped {
                assert!(u128::from(time.nanos()) >= late.as_nanos(), "when its worker came for it");
                continue;
            }
            // The NIC's clock does not show the time of the rig's: what is between them is measured.
            let off = i128::from(time.nanos()) - seen.as_nanos() as i128;
            let jitter = off - last.unwrap_or(off);
            assert!(jitter.abs() < 100_000, "{number}: {off} ns, {jitter} ns more than the first");
            last = last.or(Some(off));
        }
        assert_eq!(rig.queues[0].counters().stamped, if stamped { 100 } else { 0 });
        rig.check().unwrap();
    }
}

#[test]
fn what_a_pf_does_not_serve_is_done_without() {
    let each =
        [Caps::RX_FLEX_DESC, Caps::VLAN_V2, Caps::ADV_RSS_PF, Caps::PTP, Caps::FDIR_PF, Caps::ADV_LINK_SPEED];
    for refuses in each {
        let options = Options { refuses, ..Options::default() };
        let mut rig = Rig::new(Persona::ice(), options, Settings::new(4)).unwrap();
        rig.up();
        let agreed = rig.control().negotiated().unwrap();
        assert_eq!(agreed.driver, "vf-ice");
        assert_eq!(agreed.format, if refuses == Caps::RX_FLEX_DESC { Rxdid::LEGACY } else { Rxdid::OVS });
        assert!(agreed.rss && agreed.stripping, "{refuses:?}: {agreed:?}");
        for number in 0..200 {
            rig.inject(&crate::udp(number));
        }
        rig.run(Duration::from_millis(2));
        assert_eq!(rig.lent, 200, "{refuses:?}");
        assert_eq!(rig.said, Vec::<String>::new(), "{refuses:?}");
        rig.check().unwrap();
    }
    // Without any of what only the 800 series has, it is a function like any other, whatever its device id says.
    let refuses = Caps::RX_FLEX_DESC | Caps::ADV_RSS_PF | Caps::VLAN_V2;
    let mut rig =
        Rig::new(Persona::ice(), Options { refuses, ..Options::default() }, Settings::new(4)).unwrap();
    rig.up();
    assert_eq!(rig.control().negotiated().unwrap().driver, "iavf");
    for number in 0..200 {
        rig.inject(&crate::udp(number));
    }
    rig.run(Duration::from_millis(2));
    assert_eq!(rig.lent, 200);
}

#[test]
fn the_link_is_down_until_queues_run_and_told_in_the_form_that_was_agreed_on() {
    for (refuses, mbps) in [(Caps::empty(), Some(100_000)), (Caps::ADV_LINK_SPEED, None)] {
        let options = Options { refuses, ..Options::default() };
        let mut rig = Rig::new(Persona::ice(), options, Settings::new(2)).unwrap();
        let told = rig.run_until(Duration::from_secs(1), |rig| rig.control().link().is_some());
        assert!(told && rig.control().link().is_some_and(|link| !link.up), "{:?}", rig.control().link());
        rig.up();
        rig.run(Duration::from_millis(60));
        let link = rig.control().link().unwrap();
        assert_eq!((link.up, link.mbps), (true, mbps), "the old form knows no 100 Gbit/s");
    }
}
