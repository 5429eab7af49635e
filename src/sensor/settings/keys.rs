//! The catalogue of keys. Sorted by room, as a packet meets them.

use super::key::{
    Key, capture_bypass, capture_bypass_name, fanout, fanout_name, lines, number, ports, shown_lines,
    shown_ports, text,
};
use super::value::{Form, Kind, Value};
use crate::bypass::Depth;
use capture::af_packet::{Clock, Profile};
use capture::vhost_user::Role;
use std::time::Duration;

/// Every key.
pub static KEYS: &[Key] = &[
    number!(
        "workers",
        Kind::Number(0, 256, "threads"),
        "Worker threads; 0 for one a core, up to 16. Capture files are read by 16 at the most.",
        workers,
        u16
    ),
    text!("name", "Name of this sensor, written as `host` into every event; empty for none.", name),
    text!(
        "control.socket",
        "Where a running sensor listens for `vigie counters`; empty for nowhere.",
        control
    ),
    // capture
    text!("capture.interface", "Interface to listen on.", live.interface),
    text!(
        "capture.namespace",
        "Network namespace that the interface is in: a name that `ip netns` knows, or a path such as /proc/PID/ns/net; empty \
         for the sensor's own.",
        live.namespace
    ),
    Key {
        path: "capture.profile",
        kind: Kind::Word(&["latency", "standard", "burst"]),
        text: "What rings are sized for: events within milliseconds at up to 1 Gb/s (64 blocks of 256 KiB, 4 ms), a cloud sensor \
               (64 of 1 MiB, 10 ms), or bursts of 25 Gb/s (64 of 4 MiB, 20 ms). The next three keys say otherwise.",
        reload: false,
        put: |s, v| {
            s.profile = match text(v).as_str() {
                "latency" => Profile::Latency,
                "burst" => Profile::Burst,
                _ => Profile::Standard,
            }
        },
        show: |s| {
            let name = match s.profile {
                Profile::Latency => "latency",
                Profile::Standard => "standard",
                Profile::Burst => "burst",
            };
            Value::Text(name.into())
        },
    },
    number!(
        "capture.block_size",
        Kind::Bytes(0, 67_108_864),
        "Size of one block of the kernel's ring, 128 KiB at least; a frame larger than a block is cut. 0 for what the profile \
         says.",
        live.block_size,
        u32
    ),
    number!(
        "capture.blocks",
        Kind::Number(0, 65_536, "blocks"),
        "Blocks of each worker's ring, 2 at least; 0 for what the profile says.",
        live.blocks,
        u32
    ),
    number!(
        "capture.retire",
        Kind::Number(0, 1000, "milliseconds"),
        "How long the kernel may keep a block that is not full; 0 for what the profile says.",
        live.retire_ms,
        u32
    ),
    Key {
        path: "capture.timestamps",
        kind: Kind::Word(&["arrival", "nic"]),
        text: "Whose time frames bear: the kernel's when it takes them from the driver, or the NIC's where they have one. The NIC \
               must be told to stamp them (`hwstamp_ctl -i IF -r 1`), and its clock be kept in step.",
        reload: false,
        put: |s, v| s.live.clock = if text(v) == "nic" { Clock::Nic } else { Clock::Arrival },
        show: |s| Value::Text(if s.live.clock == Clock::Nic { "nic" } else { "arrival" }.into()),
    },
    flag!("capture.promiscuous", "Receive frames that are addressed to others.", live.promiscuous),
    number!(
        "capture.patience",
        Kind::Number(0, 86_400_000, "milliseconds"),
        "How long an interface may be away before the sensor gives up and ends.",
        live.patience_ms,
        u32
    ),
    Key {
        path: "capture.fanout",
        kind: Kind::Word(&["inner", "here", "hash", "cpu", "queue", "none"]),
        text: "How frames are dealt out to several workers: by the innermost address pair, found through VLAN tags and \
               tunnels by a program in the kernel, or by this process where the kernel takes no program (`here`); by the \
               kernel's hash of outer addresses and ports, by the CPU or the NIC's queue that took them in; or not at \
               all: one worker.",
        reload: false,
        put: |s, v| s.live.fanout = fanout(&text(v)),
        show: |s| Value::Text(fanout_name(s.live.fanout).into()),
    },
    flag!(
        "capture.mirror_only",
        "The interface carries nothing but mirrored copies: nobody but this sensor has use for its frames.",
        mirror_only
    ),
    flag!("capture.ignore_outgoing", "Leave out frames that this machine sends.", live.ignore_outgoing),
    number!(
        "steering.percent",
        Kind::Number(0, 100, "percent"),
        "Share of the flows of a stretch of time, seen in halves by workers, at which an event says that steering is broken; 0 \
         for never.",
        steering.percent,
        u8
    ),
    number!(
        "steering.seconds",
        Kind::Number(1, 3600, "seconds"),
        "Length of such a stretch of time.",
        steering.seconds,
        u32
    ),
    number!(
        "steering.flows",
        Kind::Number(1, 1_000_000, "flows"),
        "Flows without which nothing is concluded from it.",
        steering.flows,
        u32
    ),
    // virtual functions
    text!(
        "vf.place",
        "Virtual function to drive in place of an interface: its PCI address (0000:03:02.0), or vfio-user:PATH.",
        vf.place
    ),
    number!(
        "vf.descriptors",
        Kind::Number(64, 4096, "descriptors"),
        "Descriptors of each queue's ring: a power of two.",
        vf.descriptors,
        u16
    ),
    number!(
        "vf.buffer",
        Kind::Number(1024, 16_256, "bytes"),
        "Bytes of each receive buffer: a multiple of 128, best an odd one. Frames that are longer take several and are copied \
         together.",
        vf.buffer,
        u16
    ),
    number!(
        "vf.max_frame",
        Kind::Number(64, 9728, "bytes"),
        "Longest frame, without its check sequence; the NIC drops longer ones.",
        vf.max_frame,
        u16
    ),
    flag!(
        "vf.strip_vlan",
        "The NIC takes the outer VLAN tag out of frames and hands it over beside them.",
        vf.strip_vlan
    ),
    flag!(
        "vf.nic_time",
        "Frames carry the time at which the NIC saw them, where the PF lets the function have it (E810); otherwise that at which they \
         are seen here.",
        vf.nic_time
    ),
    Key {
        path: "vf.vlans",
        kind: Kind::Numbers(0, 4095),
        text: "VLANs to receive, where the host prunes those that were not asked for.",
        reload: false,
        put: |s, v| s.vf.vlans = ports(&v),
        show: |s| shown_ports(&s.vf.vlans),
    },
    Key {
        path: "vf.addresses",
        kind: Kind::Texts,
        text: "MAC addresses to receive for beside the function's own, such as `02:00:00:00:00:01`; for hosts that do not \
               trust the function.",
        reload: false,
        put: |s, v| {
            if let Value::Texts(list) = v {
                s.vf.addresses = list
            }
        },
        show: |s| Value::Texts(s.vf.addresses.clone()),
    },
    Key {
        path: "vf.subscribe",
        kind: Kind::Texts,
        text: "Flows to have copies of without being promiscuous, where the PF gives them (E810 with Intel's driver, trusted): `ip`, \
               `tcp`, `udp`, or with a port as `udp:4789`.",
        reload: false,
        put: |s, v| {
            if let Value::Texts(list) = v {
                s.vf.subscribe = list
            }
        },
        show: |s| Value::Texts(s.vf.subscribe.clone()),
    },
    Key {
        path: "vf.fanout",
        kind: Kind::Word(&["nic", "here"]),
        text: "How frames are dealt out to several workers: by the NIC, which has a queue for each and looks at the outer \
               addresses of most tunnels; or by this process from one queue, by the innermost address pair.",
        reload: false,
        put: |s, v| s.vf.deal_here = text(v) == "here",
        show: |s| Value::Text(if s.vf.deal_here { "here" } else { "nic" }.into()),
    },
    // vhost-user
    text!(
        "vhost.path",
        "Socket of a vhost-user front end (a virtual switch or a VM) to take frames from.",
        vhost.path
    ),
    Key {
        path: "vhost.role",
        kind: Kind::Word(&["server", "client"]),
        text: "Who makes that socket: this sensor, or the front end, to which it connects again and again.",
        reload: false,
        put: |s, v| s.vhost.role = if text(v) == "client" { Role::Client } else { Role::Server },
        show: |s| Value::Text(if s.vhost.role == Role::Client { "client" } else { "server" }.into()),
    },
    // record
    Key {
        path: "record.folder",
        kind: Kind::Text,
        text: "Folder in which a running sensor keeps every frame, as a rolling ring of pcapng files; empty for none.",
        reload: false,
        put: |s, v| s.record.folder = text(v).into(),
        show: |s| Value::Text(s.record.folder.display().to_string()),
    },
    number!(
        "record.size",
        Kind::Bytes(1 << 20, u64::MAX),
        "Bytes of all files of the record together; the oldest file goes when a new one would pass it.",
        record.size,
        u64
    ),
    number!(
        "record.file_size",
        Kind::Bytes(1 << 20, 1 << 40),
        "Bytes of one file of the record, at which the next is begun.",
        record.file_size,
        u64
    ),
    number!(
        "record.file_age",
        Kind::Number(0, 31_536_000, "seconds"),
        "Time that one file of the record spans; 0 for no limit.",
        record.file_seconds,
        u64
    ),
    number!(
        "record.keep",
        Kind::Number(0, 315_360_000, "seconds"),
        "Age at which a file of the record is deleted; 0 for never.",
        record.keep_seconds,
        u64
    ),
    // decode
    flag!(
        "decode.checksums",
        "Verify IP and transport checksums; packets with wrong ones do not reach streams.",
        worker.decode.checksums
    ),
    number!(
        "decode.tunnel_depth",
        Kind::Number(1, 16, "layers"),
        "Tunnels inside tunnels that are opened.",
        worker.decode.tunnel_depth,
        u8
    ),
    ports!("decode.vxlan_ports", "UDP ports on which VXLAN is expected.", worker.decode.vxlan_ports),
    ports!("decode.geneve_ports", "UDP ports on which GENEVE is expected.", worker.decode.geneve_ports),
    ports!("decode.gtp_ports", "UDP ports on which GTP-U is expected.", worker.decode.gtp_ports),
    flag!("decode.teredo", "Look for IPv6 in UDP.", worker.decode.teredo),
    flag!(
        "decode.erspan_type1",
        "Read GRE with protocol 0x88be and no sequence number as ERSPAN type I.",
        worker.decode.erspan_type1
    ),
    // mirrors
    Key {
        path: "mirror.mode",
        kind: Kind::Word(&["decode", "strip"]),
        text: "What becomes of tunnels that are mirror sessions: decoded as traffic, with a flow of their own, or taken off, \
               so that what they carry looks as if it had been captured where it was copied.",
        reload: false,
        put: |s, v| s.worker.decode.mirror.strip = text(v) == "strip",
        show: |s| Value::Text(if s.worker.decode.mirror.strip { "strip" } else { "decode" }.into()),
    },
    Key {
        path: "mirror.sessions",
        kind: Kind::Lines(Form::Session),
        text: "Which outermost tunnels are mirror sessions, by interface, outer destination and outer source, and by which ids \
               their tenants are told apart. The first line that fits counts.",
        reload: false,
        put: |s, v| s.worker.decode.mirror.sessions = lines(&v),
        show: |s| shown_lines(&s.worker.decode.mirror.sessions),
    },
    Key {
        path: "mirror.tenants",
        kind: Kind::Lines(Form::Tenant),
        text: "Names of tenants, by the ids of their mirror sessions; ids of one name are one tenant. The first line that fits \
               counts, and an id that its session does not tell tenants by never fits.",
        reload: false,
        put: |s, v| s.worker.decode.mirror.names = lines(&v),
        show: |s| shown_lines(&s.worker.decode.mirror.names),
    },
    Key {
        path: "mirror.dedupe",
        kind: Kind::Number(0, 1000, "milliseconds"),
        text: "How long after a packet a copy of it, from another mirror or another port, is dropped; 0 for never.",
        reload: false,
        put: |s, v| s.worker.decode.mirror.dedupe.window = Duration::from_millis(number(&v, u64::MAX)),
        show: |s| {
            let window = s.worker.decode.mirror.dedupe.window;
            Value::Number(u64::try_from(window.as_millis()).unwrap_or(u64::MAX))
        },
    },
    number!(
        "mirror.dedupe_memory",
        Kind::Bytes(65_536, 1 << 40),
        "Memory of each worker for the packets of that time; the oldest go first, and are counted when they go too early.",
        worker.decode.mirror.dedupe.memory,
        usize
    ),
    number!(
        "defrag.memory",
        Kind::Bytes(65_536, 1 << 40),
        "Memory for fragments of each worker.",
        worker.decode.defrag.memory,
        usize
    ),
    number!(
        "defrag.trackers",
        Kind::Number(16, 16_777_216, "packets"),
        "Packets being put together at once.",
        worker.decode.defrag.trackers,
        usize
    ),
    number!(
        "defrag.timeout",
        Kind::Number(1, 3600, "seconds"),
        "How long a fragment waits for the others.",
        worker.decode.defrag.timeout,
        u32
    ),
    Key {
        path: "defrag.policy",
        kind: Kind::Word(&["bsd", "bsd-right", "linux", "windows", "solaris", "first", "last"]),
        text: "Whose rule decides which copy of overlapping fragments counts.",
        reload: false,
        put: |s, v| {
            if let Some(policy) = decode::fragment::Policy::from_name(&text(v)) {
                s.worker.decode.defrag.policy = policy;
            }
        },
        show: |s| Value::Text(s.worker.decode.defrag.policy.name().into()),
    },
    // flows
    number!(
        "flow.memory",
        Kind::Bytes(1 << 20, 1 << 44),
        "Memory for flow records of all workers together.",
        worker.flow.memory,
        usize
    ),
    flag!(
        "flow.every_protocol",
        "Packets of transport protocols that are not read (IGMP, OSPF, VRRP, ...) have flows, too.",
        worker.flow.every_protocol
    ),
    flag!("flow.vlan", "VLAN ids tell flows apart.", worker.flow.use_vlan),
    number!(
        "flow.timeout.tcp.new",
        Kind::Number(1, 86_400, "seconds"),
        "Silence after which a TCP flow without a handshake is over.",
        worker.flow.timeouts.tcp.new,
        u32
    ),
    number!(
        "flow.timeout.tcp.established",
        Kind::Number(1, 604_800, "seconds"),
        "Silence after which an established TCP flow is over.",
        worker.flow.timeouts.tcp.established,
        u32
    ),
    number!(
        "flow.timeout.tcp.closed",
        Kind::Number(0, 86_400, "seconds"),
        "How long a closed TCP flow is remembered.",
        worker.flow.timeouts.tcp.closed,
        u32
    ),
    number!(
        "flow.timeout.udp.new",
        Kind::Number(1, 86_400, "seconds"),
        "Silence after which a UDP flow that nobody answered is over.",
        worker.flow.timeouts.udp.new,
        u32
    ),
    number!(
        "flow.timeout.udp.established",
        Kind::Number(1, 604_800, "seconds"),
        "Silence after which a UDP flow with traffic both ways is over.",
        worker.flow.timeouts.udp.established,
        u32
    ),
    number!(
        "flow.timeout.icmp.new",
        Kind::Number(1, 86_400, "seconds"),
        "Silence after which an ICMP flow that nobody answered is over.",
        worker.flow.timeouts.icmp.new,
        u32
    ),
    number!(
        "flow.timeout.icmp.established",
        Kind::Number(1, 604_800, "seconds"),
        "Silence after which an ICMP flow with traffic both ways is over.",
        worker.flow.timeouts.icmp.established,
        u32
    ),
    number!(
        "flow.timeout.other.new",
        Kind::Number(1, 86_400, "seconds"),
        "Silence after which a flow of another protocol that nobody answered is over.",
        worker.flow.timeouts.other.new,
        u32
    ),
    number!(
        "flow.timeout.other.established",
        Kind::Number(1, 604_800, "seconds"),
        "Silence after which a flow of another protocol with traffic both ways is over.",
        worker.flow.timeouts.other.established,
        u32
    ),
    // streams
    number!(
        "stream.memory",
        Kind::Bytes(1 << 20, 1 << 44),
        "Memory for stream data of all workers together.",
        worker.flow.reassembly_memory,
        usize
    ),
    number!(
        "stream.depth",
        Kind::Bytes(0, u64::MAX),
        "Bytes of each side that are read; 0 for all.",
        worker.flow.depth,
        u64
    ),
    flag!("stream.midstream", "Read TCP flows whose handshake was not seen.", worker.flow.midstream),
    flag!(
        "stream.async_oneside",
        "Read TCP flows of which only one side is seen.",
        worker.flow.async_oneside
    ),
    flag!(
        "stream.check_overlap",
        "Compare overlapping data and report where it differs.",
        worker.flow.check_overlap
    ),
    number!(
        "stream.regions",
        Kind::Number(0, 255, "stretches"),
        "Separate stretches of data that one side may have waiting; 0 for no limit but memory.",
        worker.flow.regions,
        u8
    ),
    Key {
        path: "stream.policy",
        kind: Kind::Word(&[
            "bsd",
            "old-linux",
            "linux",
            "solaris",
            "hpux10",
            "hpux11",
            "irix",
            "macos",
            "windows",
            "vista",
            "windows2k3",
            "first",
            "last",
        ]),
        text: "Whose TCP stack decides which copy of overlapping data counts.",
        reload: false,
        put: |s, v| {
            if let Some(policy) = flow::Policy::from_name(&text(v)) {
                s.worker.flow.policy = policy;
            }
        },
        show: |s| Value::Text(s.worker.flow.policy.name().into()),
    },
    flag!(
        "inline.simulate",
        "Read data when it comes and not when it is acknowledged, as an inline sensor must.",
        worker.flow.inline
    ),
    // bypass
    Key {
        path: "bypass.capture",
        kind: Kind::Word(&["off", "socket", "xdp", "xdp-generic"]),
        text: "Where frames of bypassed flows are dropped before they reach this process: nowhere, at its sockets, or at the \
               interface by its driver (`xdp`) or by the kernel (`xdp-generic`), which needs capture.mirror_only. What \
               drops them counts them. Of a virtual function each but `off` has its NIC drop them, where it can.",
        reload: false,
        put: |s, v| s.drops.at = capture_bypass(&text(v)),
        show: |s| Value::Text(capture_bypass_name(s.drops.at).into()),
    },
    number!(
        "bypass.ipv4",
        Kind::Number(2, 16_777_216, "directions"),
        "Directions of IPv4 flows that are dropped at once, all workers together; a flow has two.",
        drops.ipv4,
        u32
    ),
    number!(
        "bypass.ipv6",
        Kind::Number(2, 16_777_216, "directions"),
        "The same of IPv6 flows.",
        drops.ipv6,
        u32
    ),
    Key {
        path: "bypass.depth",
        kind: Kind::Word(&["off", "both", "one"]),
        text: "Whether TCP flows are bypassed whose streams were read to stream.depth: when both sides were, or when one was.",
        reload: true,
        put: |s, v| s.worker.bypass.depth = Depth::from_name(&text(v)),
        show: |s| Value::Text(s.worker.bypass.depth.name().into()),
    },
    Key {
        path: "bypass.encrypted",
        kind: Kind::Lines(Form::Encrypted),
        text: "Protocols whose flows are bypassed once all that follows is encrypted.",
        reload: true,
        put: |s, v| s.worker.bypass.encrypted = lines(&v),
        show: |s| shown_lines(&s.worker.bypass.encrypted),
    },
    Key {
        path: "bypass.networks",
        kind: Kind::Lines(Form::Network),
        text: "Flows that are bypassed from their first packet on, by address and port of one of their ends.",
        reload: true,
        put: |s, v| s.worker.bypass.networks = lines(&v),
        show: |s| shown_lines(&s.worker.bypass.networks),
    },
    number!(
        "bypass.rate",
        Kind::Bytes(0, 1 << 40),
        "Bytes in one second from which on a flow is bypassed, once its protocol is known; 0 for never.",
        worker.bypass.rate,
        u64,
        true
    ),
    // parsers
    number!(
        "app.carry",
        Kind::Bytes(16_384, 1 << 30),
        "Unread bytes that a parser may let wait on one side.",
        worker.parse.carry,
        usize
    ),
    number!(
        "app.transactions",
        Kind::Number(1, 1_000_000, "transactions"),
        "Transactions open at once in one flow.",
        worker.parse.transactions,
        usize
    ),
    number!(
        "app.body",
        Kind::Bytes(0, u64::MAX),
        "Bytes of one body that are decoded.",
        worker.parse.body,
        u64
    ),
    number!(
        "app.decompress",
        Kind::Bytes(0, 1 << 40),
        "Bytes that one body may grow to by decompression.",
        worker.parse.decompress,
        u64
    ),
    number!(
        "app.decompress_layers",
        Kind::Number(0, 8, "layers"),
        "Layers of compression taken off one body.",
        worker.parse.decompress_layers,
        u32
    ),
    flag!("app.fingerprints", "Compute JA3, JA3S and JA4.", worker.parse.fingerprints),
    flag!("app.hassh", "Compute HASSH.", worker.parse.hassh),
    flag!("app.http.all_headers", "Write every HTTP header into the event.", worker.parse.all_headers),
    flag!("app.tls.certificates", "Write whole certificates into the event.", worker.parse.certificates),
    // files
    flag!("file.md5", "Compute the MD5 of files.", worker.files.md5, true),
    flag!("file.sha1", "Compute the SHA-1 of files.", worker.files.sha1, true),
    flag!("file.sha256", "Compute the SHA-256 of files.", worker.files.sha256, true),
    number!(
        "file.most",
        Kind::Bytes(0, u64::MAX),
        "Bytes of one file that are hashed; a larger one gets no hashes.",
        worker.files.most,
        u64
    ),
    text!(
        "file.store",
        "Folder in which whole files are kept, each under its SHA-256, which is then always computed; empty for none.",
        worker.files.store
    ),
    number!(
        "file.store_quota",
        Kind::Bytes(0, u64::MAX),
        "Bytes that this folder may hold, what it held before included; then nothing more is written, and counted.",
        worker.files.store_quota,
        u64
    ),
    number!(
        "file.store_most",
        Kind::Bytes(0, u64::MAX),
        "Bytes of the largest file that is kept.",
        worker.files.store_most,
        u64
    ),
    // events
    flag!("events.flow", "Write `flow` events.", worker.events.flow, true),
    flag!("events.netflow", "Write `netflow` events.", worker.events.netflow, true),
    flag!("events.arp", "Write `arp` events.", worker.events.arp, true),
    flag!("events.fileinfo", "Write `fileinfo` events.", worker.events.fileinfo, true),
    flag!(
        "events.anomaly.decode",
        "Write `anomaly` events of decoding; they are always counted.",
        worker.events.anomaly_decode,
        true
    ),
    flag!(
        "events.anomaly.stream",
        "Write `anomaly` events of TCP streams; they are always counted.",
        worker.events.anomaly_stream,
        true
    ),
    flag!(
        "events.anomaly.applayer",
        "Write `anomaly` events of application protocols; they are always counted.",
        worker.events.anomaly_applayer,
        true
    ),
    flag!("events.ethernet", "Write Ethernet addresses into events.", worker.events.ethernet, true),
    Key {
        path: "events.without",
        kind: Kind::Texts,
        text: "Event types of protocols that are not written, such as `dns`.",
        reload: true,
        put: |s, v| {
            if let Value::Texts(list) = v {
                s.worker.events.without = list
            }
        },
        show: |s| Value::Texts(s.worker.events.without.clone()),
    },
    Key {
        path: "events.community_id",
        kind: Kind::Flag,
        text: "Write the community id of the flow into its events.",
        reload: true,
        put: |s, v| s.worker.events.community_id = (v == Value::Flag(true)).then_some(0),
        show: |s| Value::Flag(s.worker.events.community_id.is_some()),
    },
    // packets of events
    Key {
        path: "packets.on",
        kind: Kind::Texts,
        text: "Events that have packets kept, when they are written: a type such as `alert`, or one with its kind, such as \
               `anomaly.stream`.",
        reload: false,
        put: |s, v| {
            if let Value::Texts(list) = v {
                s.worker.packets.on = list
            }
        },
        show: |s| Value::Texts(s.worker.packets.on.clone()),
    },
    flag!(
        "packets.in_events",
        "Such events carry the frame that caused them: `packet` and `packet_info`.",
        worker.packets.in_events
    ),
    text!(
        "packets.folder",
        "Folder in which the flow of such an event is captured, a pcapng file each; empty for none.",
        worker.packets.folder
    ),
    number!(
        "packets.memory",
        Kind::Bytes(65_536, 1 << 40),
        "Memory for frames of flows before such an event, of all workers together; the oldest frames go first, and are \
         counted.",
        worker.packets.memory,
        usize
    ),
    number!(
        "packets.before",
        Kind::Bytes(0, u64::MAX),
        "Bytes of each flow that are remembered there, from its beginning on.",
        worker.packets.before,
        u64
    ),
    number!(
        "packets.after",
        Kind::Bytes(0, u64::MAX),
        "Bytes of each flow that are captured after the event.",
        worker.packets.after,
        u64
    ),
    number!(
        "packets.quota",
        Kind::Bytes(1 << 20, u64::MAX),
        "Bytes of all captures in the folder; the oldest goes when a new one would pass it. Each worker has its part.",
        worker.packets.quota,
        u64
    ),
    number!(
        "packets.keep",
        Kind::Number(0, 315_360_000, "seconds"),
        "Age at which a capture of a flow is deleted; 0 for never.",
        worker.packets.keep,
        u64
    ),
    // outputs
    text!("eve.file", "File that EVE JSON is written to, `-` for standard output; empty for none.", eve.file),
    text!("eve.socket", "UNIX stream socket that EVE JSON is written to; empty for none.", eve.socket),
    number!(
        "eve.rotate.size",
        Kind::Bytes(0, u64::MAX),
        "Size at which a running sensor begins a new file; 0 for never.",
        eve.rotation.size,
        u64
    ),
    Key {
        path: "eve.rotate.age",
        kind: Kind::Number(0, 31_536_000, "seconds"),
        text: "Age at which a running sensor begins a new file; 0 for never.",
        reload: false,
        put: |s, v| s.eve.rotation.age = Duration::from_secs(number(&v, u64::MAX)),
        show: |s| Value::Number(s.eve.rotation.age.as_secs()),
    },
    number!(
        "eve.rotate.keep",
        Kind::Number(0, 1_000_000, "files"),
        "Old files that are kept; 0 for all.",
        eve.rotation.keep,
        u32
    ),
    number!(
        "stats.interval",
        Kind::Number(0, 86_400, "seconds"),
        "How often a running sensor writes a `stats` event; 0 for only at the end.",
        stats_interval,
        u64,
        true
    ),
];
