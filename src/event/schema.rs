//! Fields of the events that belong to no protocol: flow, netflow, anomaly, arp, fileinfo, stats.
//! Names are EVE's (Suricata 8); `app` and `tap` are our own.

/// Flow, netflow, TCP state and the recognised application.
pub mod flow {
    parse::fields! {
        /// Counters of both directions.
        FLOW: Object("", "flow") "a conversation, both directions";
        /// Packets from the client.
        PKTS_TOSERVER: Number("flow.", "pkts_toserver") "packets from the client", element(0, 2);
        /// Packets from the server.
        PKTS_TOCLIENT: Number("flow.", "pkts_toclient") "packets from the server", element(29305, 2);
        /// Bytes from the client.
        BYTES_TOSERVER: Number("flow.", "bytes_toserver") "bytes from the client", element(0, 1);
        /// Bytes from the server.
        BYTES_TOCLIENT: Number("flow.", "bytes_toclient") "bytes from the server", element(29305, 1);
        /// First packet.
        START: Time("flow.", "start") "time of the first packet", element(0, 154);
        /// Last packet.
        END: Time("flow.", "end") "time of the last packet", element(0, 155);
        /// Seconds between them.
        AGE: Number("flow.", "age") "whole seconds from start to end";
        /// Bypass.
        BYPASS: Text("flow.", "bypass") "who stopped looking at the flow: local or capture";
        /// What bypass kept from being looked at.
        BYPASSED: Object("flow.", "bypassed") "packets that were not looked at, and why; those of the object itself were dropped by the capture";
        /// Why.
        BYPASSED_REASON: Text("flow.bypassed.", "reason") "depth, encryption, policy or rate";
        /// Packets from the client.
        BYPASSED_PKTS_TOSERVER: Number("flow.bypassed.", "pkts_toserver") "packets from the client";
        /// Packets from the server.
        BYPASSED_PKTS_TOCLIENT: Number("flow.bypassed.", "pkts_toclient") "packets from the server";
        /// Bytes from the client.
        BYPASSED_BYTES_TOSERVER: Number("flow.bypassed.", "bytes_toserver") "bytes from the client";
        /// Bytes from the server.
        BYPASSED_BYTES_TOCLIENT: Number("flow.bypassed.", "bytes_toclient") "bytes from the server";
        /// Those that came.
        BYPASSED_LOCAL: Object("flow.bypassed.", "local") "packets that came, and were only counted";
        /// Final state.
        STATE: Text("flow.", "state") "new, established, closed or bypassed";
        /// Why it ended.
        REASON: Text("flow.", "reason") "timeout, forced or shutdown", element(0, 136);
        /// Whether a signature matched.
        ALERTED: Flag("flow.", "alerted") "whether a signature matched in it";
        /// Emergency.
        EMERGENCY: Flag("flow.", "emergency") "whether it was ended early because the table was nearly full";
        /// Transactions.
        TX_CNT: Number("flow.", "tx_cnt") "transactions seen in it";
        /// TCP details.
        TCP: Object("", "tcp") "TCP state of the flow";
        /// All flags.
        TCP_FLAGS: Text("tcp.", "tcp_flags") "flags of both sides together, hexadecimal";
        /// Client's flags.
        TCP_FLAGS_TS: Text("tcp.", "tcp_flags_ts") "flags sent by the client, hexadecimal", element(0, 6);
        /// Server's flags.
        TCP_FLAGS_TC: Text("tcp.", "tcp_flags_tc") "flags sent by the server, hexadecimal", element(29305, 6);
        /// SYN seen.
        SYN: Flag("tcp.", "syn") "a SYN was seen";
        /// FIN seen.
        FIN: Flag("tcp.", "fin") "a FIN was seen";
        /// RST seen.
        RST: Flag("tcp.", "rst") "a RST was seen";
        /// PSH seen.
        PSH: Flag("tcp.", "psh") "a PSH was seen";
        /// ACK seen.
        ACK: Flag("tcp.", "ack") "an ACK was seen";
        /// URG seen.
        URG: Flag("tcp.", "urg") "an URG was seen";
        /// ECE seen.
        ECN: Flag("tcp.", "ecn") "an ECN echo was seen";
        /// CWR seen.
        CWR: Flag("tcp.", "cwr") "a congestion window reduction was seen";
        /// State of the machine.
        TCP_STATE: Text("tcp.", "state") "state of the connection at its end";
        /// Gap from the client.
        TS_GAP: Flag("tcp.", "ts_gap") "bytes of the client were lost";
        /// Gap from the server.
        TC_GAP: Flag("tcp.", "tc_gap") "bytes of the server were lost";
        /// Regions.
        TS_MAX_REGIONS: Number("tcp.", "ts_max_regions") "most disjoint stretches of the client's data held at once";
        /// Regions.
        TC_MAX_REGIONS: Number("tcp.", "tc_max_regions") "most disjoint stretches of the server's data held at once";
        /// Urgent bytes.
        TS_URGENT: Number("tcp.", "ts_urgent_oob_data") "urgent bytes of the client taken out of band";
        /// Urgent bytes.
        TC_URGENT: Number("tcp.", "tc_urgent_oob_data") "urgent bytes of the server taken out of band";
        /// One direction.
        NETFLOW: Object("", "netflow") "one direction of a conversation";
        /// Packets.
        PKTS: Number("netflow.", "pkts") "packets", element(0, 2);
        /// Bytes.
        BYTES: Number("netflow.", "bytes") "bytes", element(0, 1);
        /// First packet.
        NETFLOW_START: Time("netflow.", "start") "time of the first packet", element(0, 154);
        /// Last packet.
        NETFLOW_END: Time("netflow.", "end") "time of the last packet", element(0, 155);
        /// Seconds.
        NETFLOW_AGE: Number("netflow.", "age") "whole seconds from start to end";
        /// Smallest TTL.
        MIN_TTL: Number("netflow.", "min_ttl") "smallest time to live", element(0, 52);
        /// Largest TTL.
        MAX_TTL: Number("netflow.", "max_ttl") "largest time to live", element(0, 53);
        /// Transactions.
        NETFLOW_TX_CNT: Number("netflow.", "tx_cnt") "transactions seen in the flow";
        /// Application protocol of the client's bytes, when the two sides differ.
        APP_PROTO_TS: Text("", "app_proto_ts") "protocol seen from the client, when the sides differ";
        /// Application protocol of the server's bytes, when the two sides differ.
        APP_PROTO_TC: Text("", "app_proto_tc") "protocol seen from the server, when the sides differ";
        /// IPsec.
        SPI: Number("", "spi") "ESP: security parameters index";
        /// Protocol before a switch.
        APP_PROTO_ORIG: Text("", "app_proto_orig") "protocol spoken before the switch to another";
        /// Protocol announced by a switch that did not come.
        APP_PROTO_EXPECTED: Text("", "app_proto_expected") "protocol that a switch announced";
        /// Our own account of what the flow is.
        APP: Object("", "app") "what the flow is, by vigie's recognition";
        /// Protocol.
        APP_PROTOCOL: Text("app.", "protocol") "protocol spoken, `vigie protocols` lists them";
        /// Service.
        APP_SERVICE: Text("app.", "service") "service on top, from the host names seen";
        /// Category.
        APP_CATEGORY: Text("app.", "category") "purpose of the protocol or service";
        /// Confidence.
        APP_CONFIDENCE: Text("app.", "confidence") "parser, content, pattern, port: how it was recognised";
    }
}

/// The mirror that a packet came by, when its wrapping was taken off.
pub mod tap {
    parse::fields! {
        /// The object.
        TAP: Object("", "tap") "the mirror that the packet came by";
        /// What copies are wrapped in.
        KIND: Text("tap.", "kind") "vxlan, geneve, geneve+vxlan, erspan or gre";
        /// Tenant.
        TENANT: Text("tap.", "tenant") "its name, or the ids that it is told by";
        /// Network number.
        VNI: Number("tap.", "vni") "network number in the mirror's VXLAN or GENEVE";
        /// Endpoint.
        ENDPOINT: Hex("tap.", "endpoint") "endpoint of the gateway load balancer";
        /// ERSPAN session.
        SESSION: Number("tap.", "session") "ERSPAN session";
        /// Google's network.
        NETWORK: Number("tap.", "network") "Google Cloud's number of the network";
        /// GRE key.
        KEY: Number("tap.", "key") "GRE key";
        /// Who sent the copy.
        OUTER_SRC: Address("tap.", "outer_src") "who sent the copy";
        /// Direction.
        DIRECTION: Text("tap.", "direction") "ingress or egress, as the mirrored port sees it, where the mirror says so";
        /// Truncation.
        TRUNCATED: Flag("tap.", "truncated") "the copy lacks its end; of a flow, one of its copies does";
    }
}

/// Anomalies.
pub mod anomaly {
    parse::fields! {
        /// The object.
        ANOMALY: Object("", "anomaly") "something a conforming peer would not have sent";
        /// Which part saw it.
        KIND: Text("anomaly.", "type") "decode, stream, applayer or capture";
        /// What.
        EVENT: Text("anomaly.", "event") "name of the anomaly";
        /// Layer.
        LAYER: Text("anomaly.", "layer") "proto_detect or proto_parser";
        /// Protocol.
        APP_PROTO: Text("anomaly.", "app_proto") "application protocol it was seen in";
        /// Flows looked at.
        FLOWS: Number("anomaly.", "flows") "of capture: flows noted, of a torn flow each half";
        /// Flows concerned.
        HALVES: Number("anomaly.", "halves") "of capture: those of them that were seen in halves";
        /// Stretch of time.
        SECONDS: Number("anomaly.", "seconds") "of capture: the time in which they were noted";
    }
}

/// The packet that caused an event, and the capture of its flow.
pub mod packet {
    parse::fields! {
        /// The packet.
        PACKET: Text("", "packet") "the frame that caused the event, from its link-layer header on, in base64";
        /// About it.
        PACKET_INFO: Object("", "packet_info") "how to read `packet`";
        /// Link type.
        LINKTYPE: Number("packet_info.", "linktype") "its link type, as libpcap numbers them: 1 is Ethernet";
        /// Capture.
        CAPTURE_FILE: Text("", "capture_file") "file in `packets.folder` that the packets of the flow are in";
    }
}

/// ARP.
pub mod arp {
    parse::fields! {
        /// The object.
        ARP: Object("", "arp") "an ARP message";
        /// Hardware type.
        HW_TYPE: Text("arp.", "hw_type") "hardware type";
        /// Protocol type.
        PROTO_TYPE: Text("arp.", "proto_type") "protocol type";
        /// Operation.
        OPCODE: Text("arp.", "opcode") "operation", element(8057, 33);
        /// Sender's hardware address.
        SRC_MAC: Hex("arp.", "src_mac") "sender's hardware address", element(8057, 34);
        /// Sender's address.
        SRC_IP: Address("arp.", "src_ip") "sender's protocol address", element(8057, 35);
        /// Target's hardware address.
        DEST_MAC: Hex("arp.", "dest_mac") "target's hardware address", element(8057, 36);
        /// Target's address.
        DEST_IP: Address("arp.", "dest_ip") "target's protocol address", element(8057, 37);
    }
}

/// Files.
pub mod fileinfo {
    parse::fields! {
        /// The object.
        FILEINFO: Object("", "fileinfo") "a file seen in a transaction";
        /// Name.
        FILENAME: Text("fileinfo.", "filename") "its name, as sent";
        /// Gaps.
        GAPS: Flag("fileinfo.", "gaps") "bytes of it were lost";
        /// State.
        STATE: Text("fileinfo.", "state") "CLOSED, TRUNCATED or ERROR";
        /// MD5.
        MD5: Hex("fileinfo.", "md5") "MD5 of its bytes";
        /// SHA-1.
        SHA1: Hex("fileinfo.", "sha1") "SHA-1 of its bytes";
        /// SHA-256.
        SHA256: Hex("fileinfo.", "sha256") "SHA-256 of its bytes";
        /// Whether it was written out.
        STORED: Flag("fileinfo.", "stored") "whether it was written to the extraction folder";
        /// Which file in that folder.
        FILE_ID: Number("fileinfo.", "file_id") "its number in the extraction folder";
        /// Size.
        SIZE: Number("fileinfo.", "size") "bytes seen of it";
        /// Transaction.
        TX_ID: Number("fileinfo.", "tx_id") "transaction that carried it";
        /// First byte of a range.
        START: Number("fileinfo.", "start") "first byte, when only a range was sent";
        /// Last byte of a range.
        END: Number("fileinfo.", "end") "last byte, when only a range was sent";
    }
}
