//! Where live frames come from: which source the settings name, and how it is dealt out to workers.

use crate::Failure;
use crate::settings::{CaptureBypass, Drops, Settings};
use crate::watch::Watch;
use capture::af_packet::{DropSettings, Fanout, LiveSettings, OpenError, Profile};
use capture::deal::deal;
use capture::ebpf::{PORTS, Tunnels, Xdp};
use capture::vf::{Keeper, Place, Subscription, VfSettings};
use capture::vhost_user::VhostSettings;
use frame::RxQueue;
use std::sync::Arc;
use std::time::Duration;

/// An open source.
pub(crate) struct Source {
    /// One a worker.
    pub(crate) queues: Vec<Box<dyn RxQueue>>,
    /// Names of its mirrors.
    pub(crate) taps: Vec<String>,
    /// Who looks after the function that they come from, where it is one.
    pub(crate) keeper: Option<Keeper>,
}

/// Opens what the settings name.
pub(crate) fn open(settings: &Settings, watch: &Watch) -> Result<Source, Failure> {
    let set = |text: &String| !text.is_empty();
    match (set(&settings.live.interface), set(&settings.vf.place), set(&settings.vhost.path)) {
        (false, true, false) => of_function(settings, watch),
        (false, false, true) => {
            cannot_drop(settings, watch, "a front end drops no single flows");
            of_front_end(settings)
        }
        (_, false, false) => of_interface(settings, watch),
        _ => Err(Failure::Settings(
            "capture.interface, vf.place and vhost.path: one of them, not several".into(),
        )),
    }
}

/// Says that flows are bypassed by this process only, when they were to be dropped on the way to it.
fn cannot_drop(settings: &Settings, watch: &Watch, why: &str) {
    if settings.drops.at != CaptureBypass::Off {
        watch.notices.say(format!("bypassed flows are received still, and then not looked at: {why}"));
    }
}

/// A front end need not send both directions of a flow by one ring, so several workers are dealt to here.
fn of_front_end(settings: &Settings) -> Result<Source, Failure> {
    let workers = usize::from(settings.worker_count());
    let vhost = &settings.vhost;
    let wanted = VhostSettings { role: vhost.role, ..VhostSettings::new(&vhost.path) };
    let queues = capture::vhost_user::open(&wanted).map_err(Failure::Vhost)?;
    let queues = if workers > 1 { dealt(queues, workers, settings)? } else { queues };
    Ok(Source { queues, taps: vec![format!("vhost-user:{}", vhost.path)], keeper: None })
}

/// One queue a worker; fewer where the PF has fewer.
fn of_function(settings: &Settings, watch: &Watch) -> Result<Source, Failure> {
    let workers = settings.worker_count();
    let here = settings.vf.deal_here && workers > 1;
    let wanted = function(settings, if here { 1 } else { workers })?;
    let (queues, keeper) = capture::vf::open(&wanted).map_err(Failure::Vf)?;
    watch.is_driven(keeper.watch());
    if !keeper.report().agreed.is_some_and(|agreed| agreed.recognises_flows()) {
        cannot_drop(settings, watch, "the NIC of this function tells no single flows apart");
    }
    let queues = if here { dealt(queues, usize::from(workers), settings)? } else { queues };
    Ok(Source { queues, taps: vec![wanted.place.to_string()], keeper: Some(keeper) })
}

/// What the settings ask of a virtual function.
///
/// # Errors
/// When its place is none.
pub fn function(settings: &Settings, queues: u16) -> Result<VfSettings, Failure> {
    let place: Place = settings.vf.place.parse().map_err(|e| Failure::Settings(format!("vf.place: {e}")))?;
    let mut wanted = VfSettings::new(place, queues);
    let driver = &mut wanted.driver;
    driver.descriptors = settings.vf.descriptors;
    driver.buffer = settings.vf.buffer;
    driver.max_frame = settings.vf.max_frame;
    driver.strip_vlan = settings.vf.strip_vlan;
    driver.nic_time = settings.vf.nic_time;
    driver.vlans.clone_from(&settings.vf.vlans);
    driver.addresses = settings.vf.addresses.iter().map(|text| mac(text)).collect::<Result<_, _>>()?;
    driver.subscriptions = subscriptions(&settings.vf.subscribe)?;
    driver.promiscuous = settings.live.promiscuous;
    driver.patience = Some(Duration::from_millis(settings.live.patience_ms.into()));
    Ok(wanted)
}

/// Flows as they are written.
fn subscriptions(list: &[String]) -> Result<Vec<Subscription>, Failure> {
    let wrong = |text: &String| {
        let say = "is no kind of flow: write ip, tcp, udp, or one of these with a port as udp:4789";
        Failure::Settings(format!("vf.subscribe: `{text}` {say}"))
    };
    let each = list.iter().map(|text| Subscription::parse(text).ok_or_else(|| wrong(text)));
    Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Six bytes in hexadecimal, with colons between.
fn mac(text: &str) -> Result<[u8; 6], Failure> {
    let wrong = || {
        Failure::Settings(format!("vf.addresses: `{text}` is no MAC address: write it as 02:00:00:00:00:01"))
    };
    let byte = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
            .then(|| u8::from_str_radix(part, 16).ok())?
    };
    let bytes: Vec<u8> = text.split(':').map(byte).collect::<Option<_>>().ok_or_else(wrong)?;
    bytes.try_into().map_err(|_| wrong())
}

fn of_interface(settings: &Settings, watch: &Watch) -> Result<Source, Failure> {
    let dealt = settings.live.fanout != Fanout::None;
    let count = if dealt || settings.workers > 0 { settings.worker_count() } else { 1 };
    let queues = interface(settings, usize::from(count), watch)?;
    Ok(Source { queues, taps: vec![settings.live.interface.clone()], keeper: None })
}

fn interface(settings: &Settings, workers: usize, watch: &Watch) -> Result<Vec<Box<dyn RxQueue>>, Failure> {
    let tunnels = tunnels(&settings.worker.decode);
    let drops = drops(settings, watch)?;
    let live = LiveSettings { workers, tunnels, drops, ..settings.live.clone() };
    let live = sized(live, settings.profile);
    if live.fanout == Fanout::Here && workers > 1 {
        return dealt_here(&live, settings, watch);
    }
    match capture::af_packet::open(&live) {
        Err(OpenError::Steering(why)) => {
            watch
                .notices
                .say(format!("{why}; this process deals frames out instead (capture.fanout = \"here\")"));
            dealt_here(&live, settings, watch)
        }
        opened => opened.map_err(Failure::Live),
    }
}

/// How frames of bypassed flows are dropped, if any flow is to be.
fn drops(settings: &Settings, watch: &Watch) -> Result<Option<DropSettings>, Failure> {
    let (Drops { at, ipv4, ipv6 }, decode) = (settings.drops, &settings.worker.decode);
    let xdp = match at {
        CaptureBypass::Off => return Ok(None),
        CaptureBypass::Socket => Xdp::Off,
        CaptureBypass::Xdp => Xdp::Native,
        CaptureBypass::XdpGeneric => Xdp::Generic,
    };
    if xdp != Xdp::Off && !settings.mirror_only {
        return Err(Failure::Settings(
            "bypass.capture: at the interface frames are dropped for everybody, this machine's own traffic included; set \
             capture.mirror_only if it carries nothing but mirrored copies, or use \"socket\""
                .into(),
        ));
    }
    let lists = [&decode.vxlan_ports, &decode.geneve_ports, &decode.gtp_ports];
    let refused = if !settings.record.folder.as_os_str().is_empty() {
        Some("frames that never come could not be recorded (record.folder)".to_owned())
    } else if lists.iter().any(|list| list.len() > PORTS) {
        Some(format!("the program in the kernel knows {PORTS} ports of each kind of tunnel at the most"))
    } else {
        None
    };
    if let Some(why) = refused {
        cannot_drop(settings, watch, &why);
        return Ok(None);
    }
    Ok(Some(DropSettings { xdp, ipv4, ipv6, levels: decode::levels(decode) }))
}

/// Sizes that nobody chose are the profile's.
fn sized(live: LiveSettings, profile: Profile) -> LiveSettings {
    let or = |chosen, otherwise| if chosen == 0 { otherwise } else { chosen };
    let (block_size, blocks, retire_ms) = profile.ring();
    LiveSettings {
        block_size: or(live.block_size, block_size),
        blocks: or(live.blocks, blocks),
        retire_ms: or(live.retire_ms, retire_ms),
        ..live
    }
}

/// One ring, dealt out by the same rule as the program in the kernel.
fn dealt_here(
    live: &LiveSettings,
    settings: &Settings,
    watch: &Watch,
) -> Result<Vec<Box<dyn RxQueue>>, Failure> {
    cannot_drop(settings, watch, "frames are dealt out by this process, behind the ring");
    let one = LiveSettings { workers: 1, drops: None, ..live.clone() };
    let queues = capture::af_packet::open(&one).map_err(Failure::Live)?;
    dealt(queues, live.workers, settings)
}

fn dealt(
    mut queues: Vec<Box<dyn RxQueue>>,
    workers: usize,
    settings: &Settings,
) -> Result<Vec<Box<dyn RxQueue>>, Failure> {
    let decode = settings.worker.decode.clone();
    match queues.pop() {
        Some(queue) => deal(queue, workers, Arc::new(move |frame| decode::spread(&decode, frame)))
            .map_err(Failure::Thread),
        None => Ok(queues),
    }
}

/// What the decoder takes for tunnels, as the program in the kernel wants it.
pub(crate) fn tunnels(decode: &decode::Settings) -> Tunnels {
    Tunnels {
        vxlan: ports(&decode.vxlan_ports),
        geneve: ports(&decode.geneve_ports),
        gtp: ports(&decode.gtp_ports),
        teredo: decode.teredo,
        erspan1: decode.erspan_type1,
        tenant: !decode.mirror.strips(),
    }
}

/// The first few; the decoder may know more, and frames of those are dealt out by their outer addresses.
fn ports(list: &[u16]) -> [u16; PORTS] {
    let mut ports = [0; PORTS];
    ports.iter_mut().zip(list).for_each(|(place, port)| *place = *port);
    ports
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use capture::ebpf::{Steering, SteeringError};
    use frame::{Checksum, Frame, LinkType, TapId, Timestamp};
    use std::path::Path;

    pub(crate) fn frame(data: &[u8]) -> Frame<'_> {
        Frame {
            data,
            wire_len: u32::try_from(data.len()).expect("short"),
            time: Timestamp::ZERO,
            number: 1,
            link: LinkType::ETHERNET,
            vlan: None,
            checksum: Checksum::Unknown,
            tap: TapId(0),
        }
    }

    /// Ethernet frames of the captures below a folder, so many of each.
    pub(crate) fn frames_below(folder: &Path, most: usize, look: &mut dyn FnMut(&[u8])) {
        let settings = capture::pcap::FileSettings::default();
        let mut queues = capture::pcap::open(&[folder.to_owned()], 1, settings).expect("captures");
        let mut taps = std::collections::HashMap::new();
        while let Ok(batch) = queues[0].burst() {
            for frame in &batch.frames {
                let seen: &mut usize = taps.entry(frame.tap.0).or_default();
                *seen += 1;
                if frame.link == LinkType::ETHERNET && *seen <= most {
                    look(frame.data);
                }
            }
            if batch.status == frame::RxStatus::End {
                return;
            }
        }
    }

    #[test]
    fn what_is_asked_of_a_function_is_what_the_settings_say() {
        let mut settings = Settings::default();
        let set = |settings: &mut Settings, text: &str| crate::settings::set(settings, text).expect(text);
        set(&mut settings, "vf.place=03:02.0");
        set(&mut settings, "vf.vlans=[5, 4095]");
        set(&mut settings, "vf.addresses=[\"02:00:00:00:00:0a\"]");
        let wanted = function(&settings, 3).expect("sense");
        assert_eq!((wanted.driver.queues, wanted.driver.vlans), (3, vec![5, 4095]));
        assert_eq!(wanted.driver.addresses, [[2, 0, 0, 0, 0, 10]]);
        for wrong in ["02:00:00:00:00", "02:00:00:00:00:1", "02:00:00:00:00:0g", "+2:00:00:00:00:00"] {
            set(&mut settings, &format!("vf.addresses=[\"{wrong}\"]"));
            assert!(function(&settings, 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_chosen_counts_before_the_profile() {
        let mut settings = Settings::default();
        for text in ["capture.profile=burst", "capture.blocks=7"] {
            crate::settings::set(&mut settings, text).expect(text);
        }
        let live = sized(settings.live, settings.profile);
        assert_eq!((live.block_size, live.blocks, live.retire_ms), (4 << 20, 7, 20));
        let live = sized(Settings::default().live, Profile::default());
        assert_eq!(live, LiveSettings::new(""));
    }

    #[test]
    fn the_kernel_and_we_steer_alike() {
        let mut stripping = decode::Settings::default();
        stripping.mirror.strip = true;
        stripping.mirror.sessions = vec!["vxlan to any tenant vni".parse().expect("a session")];
        assert!(!tunnels(&stripping).tenant);
        for settings in [decode::Settings::default(), stripping] {
            the_kernel_and_we_steer_alike_by(settings);
        }
    }

    fn the_kernel_and_we_steer_alike_by(settings: decode::Settings) {
        let steering = match Steering::load(&tunnels(&settings)) {
            Ok(steering) => steering,
            Err(SteeringError::Trial(what)) => panic!("{what}"),
            Err(why) => return eprintln!("skipped: {why}"),
        };
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/bundled");
        let corpora = std::env::var_os("VIGIE_CORPORA").map(|c| Path::new(&c).join("tcpdump/pcaps"));
        let mut compared = 0_u32;
        for folder in [Some(bundled), corpora].into_iter().flatten() {
            frames_below(&folder, 300, &mut |data| {
                // What is shorter than an Ethernet header and a byte, the kernel does not run a program on.
                if let Ok(answer) = steering.answer(data) {
                    compared += 1;
                    assert_eq!(answer, decode::spread(&settings, &frame(data)), "{data:02x?}");
                }
            });
        }
        assert!(compared > 200, "{compared}");
    }
}
