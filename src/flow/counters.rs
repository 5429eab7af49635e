//! What the table counts. The byte equation: `payload = delivered + skipped + duplicate + depth + lost_* + stored`,
//! where `stored` is [`crate::Memory::stored`], what waits in stream buffers now.

frame::counters! {
    /// What the flow table and the stream engine count.
    pub struct Counters("flow") {
        /// Flows.
        flows: "flows made",
        /// Flows.
        tcp: "TCP flows made",
        /// Flows.
        udp: "UDP flows made",
        /// Flows.
        icmp: "ICMP and ICMPv6 flows made",
        /// Flows.
        other: "flows made of other transport protocols",
        /// Packets.
        packets: "packets counted on a flow",
        /// Packets.
        bypassed: "packets only counted, on bypassed flows",
        /// Packets.
        not_a_flow: "packets that belong to no flow",
        /// Packets.
        table_full: "packets refused because the table was full",
        /// Packets.
        related: "ICMP errors counted on the flow they speak of",
        /// Ends.
        end_timeout: "flows that ended by timeout",
        /// Ends.
        end_closed: "flows that were closed and ended",
        /// Ends.
        end_reused: "flows replaced by a new connection with the same key",
        /// Ends.
        end_forced: "flows that ended with the run",
        /// Ends.
        evicted_new: "evicted flows that were never answered",
        /// Ends.
        evicted_closed: "evicted flows that were closed",
        /// Ends.
        evicted_idle: "evicted answered flows of other protocols than TCP",
        /// Ends.
        evicted_half: "evicted TCP flows that were answered but carried no data both ways",
        /// Emergency.
        emergency: "times the table became nearly full",
        /// Emergency.
        emergency_timeout: "flows that ended by the shorter timeouts of a nearly full table",
        /// Index.
        chain_full: "new flows refused because one stretch of the index was full",
        /// TCP.
        tcp_invalid: "TCP packets that the state machine refused",
        /// TCP.
        tcp_bad_checksum: "TCP packets with a wrong checksum, not used",
        /// TCP.
        tcp_midstream: "TCP sessions picked up without a handshake",
        /// TCP.
        tcp_syn: "SYN packets",
        /// TCP.
        tcp_synack: "SYN/ACK packets",
        /// TCP.
        tcp_rst: "RST packets",
        /// TCP.
        tcp_established: "TCP sessions that became established",
        /// TCP.
        tcp_keepalive: "keep-alives",
        /// TCP.
        tcp_probe: "zero-window probes",
        /// TCP.
        tcp_retransmission: "packets that repeat data",
        /// TCP.
        tcp_overlap: "segments that overlap stored ones",
        /// TCP.
        tcp_overlap_different: "overlapping segments whose bytes differ",
        /// TCP.
        tcp_gaps: "gaps in streams",
        /// TCP.
        tcp_gap_bytes: "bytes missing in streams",
        /// TCP.
        tcp_urgent: "urgent bytes taken out of band",
        /// Bytes.
        payload: "payload bytes received on flows",
        /// Bytes.
        delivered: "payload bytes given to parsers",
        /// Bytes.
        skipped: "payload bytes nobody wanted: stopped, skipped or bypassed streams",
        /// Bytes.
        duplicate: "payload bytes that were there already, or whose other copy won",
        /// Bytes.
        depth: "payload bytes beyond the configured depth",
        /// Bytes.
        lost_budget: "payload bytes dropped because a memory limit was reached",
        /// Bytes.
        lost_window: "payload bytes of packets that the state machine refused",
        /// Bytes.
        lost_untracked: "payload bytes of TCP flows without handshake",
        /// Bytes.
        lost_urgent: "payload bytes dropped by the urgent policy",
        /// Bytes.
        lost_checksum: "payload bytes of packets with a wrong checksum",
    }
}
