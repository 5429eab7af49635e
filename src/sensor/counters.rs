//! The catalogue of counters: ledger, rooms, sinks. What `stats` events, `vigie counters` and the summary show.

use crate::halves::Noted;
use crate::worker::Report;
use capture::record::{FlowReport, RecordReport};
use capture::vf::VfCounters;
use frame::{Counter, Ledger, Loss};
use output::files::StoreReport;
use output::sink::SinkReport;
use serde_json::{Map, Value, json};

/// Everything counted, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// All workers together.
    pub report: Report,
    /// Frames, settled.
    pub ledger: Ledger,
    /// Events, by sink.
    pub sinks: Vec<SinkReport>,
    /// Files kept, when there is a folder for them.
    pub store: Option<StoreReport>,
    /// Frames kept, when they are recorded.
    pub record: Option<RecordReport>,
    /// The virtual function that frames come from, when there is one: what it and its PF counted.
    pub vf: Option<VfCounters>,
    /// Captures of flows, where events have them made.
    pub captured: Option<FlowReport>,
    /// What the watch over steering noted of live flows.
    pub noted: Noted,
}

impl Snapshot {
    pub(crate) fn new(report: Report, sinks: Vec<SinkReport>, store: Option<StoreReport>) -> Self {
        Self {
            ledger: report.ledger(),
            report,
            sinks,
            store,
            record: None,
            captured: None,
            vf: None,
            noted: Noted::default(),
        }
    }

    /// Shows every counter of the catalogue, in the order in which a packet meets them.
    pub fn each(&self, show: &mut dyn FnMut(Counter)) {
        each_of_ledger(&self.ledger, show);
        self.vf.clone().unwrap_or_default().each(show);
        self.report.decode.each(show);
        self.report.flow.each(show);
        each_of_steering(&self.noted, show);
        self.report.bypass.each(show);
        show(Counter {
            name: "bypass.halves",
            text: "directions of flows whose frames the source drops now",
            value: self.report.halves,
        });
        show(Counter { name: "flow.active", text: "flows in the table now", value: self.report.flows });
        show(Counter {
            name: "memory.flows",
            text: "bytes held by flow records and stream data now",
            value: self.report.memory,
        });
        each_of_sinks(&self.sinks, show);
        each_of_store(&self.store.clone().unwrap_or_default(), show);
        each_of_record(&self.record.unwrap_or_default(), show);
        self.report.remembered.each(show);
        each_of_captures(&self.captured.clone().unwrap_or_default(), show);
    }

    /// All counters as one nested object: `decode.ipv4` stands under `decode`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        self.each(&mut |counter| {
            put(&mut all, counter.name, counter.value);
        });
        Value::Object(all)
    }

    /// The body of a `stats` event: Suricata's names where it has the counter, all of ours under `vigie`.
    ///
    /// `with_state` adds what says how things stand now (memory, files on the disk) and so depends on the machine; events
    /// read from a capture file leave it out, and what the sinks have done so far.
    #[must_use]
    pub fn stats(&self, uptime: u64, with_state: bool) -> Value {
        let d = &self.report.decode;
        let f = &self.report.flow;
        let mut ours = self.to_json();
        if let (false, Some(ours)) = (with_state, ours.as_object_mut()) {
            ours.remove("memory");
            ours.remove("files");
            ours.remove("output");
            ours.remove("record");
            ours.remove("packets");
            ours.remove("vf");
            ours.remove("nic");
            ours.remove("steering");
        }
        json!({
            "uptime": uptime,
            "capture": {
                "kernel_packets": self.ledger.received,
                "kernel_drops": self.ledger.lost(Loss::KernelDrop),
            },
            "decoder": {
                "pkts": self.ledger.received,
                "bytes": self.ledger.received_bytes,
                "invalid": d.malformed,
                "ipv4": d.ipv4,
                "ipv6": d.ipv6,
                "ethernet": d.ethernet,
                "arp": d.arp,
                "tcp": d.tcp,
                "udp": d.udp,
                "sctp": d.sctp,
                "esp": d.esp,
                "icmpv4": d.icmpv4,
                "icmpv6": d.icmpv6,
                "gre": d.gre,
                "vlan": d.vlan,
                "vlan_qinq": d.vlan_qinq,
                "mpls": d.mpls,
                "erspan": d.erspan,
                "vxlan": d.vxlan,
                "geneve": d.geneve,
                "teredo": d.teredo,
            },
            "flow": { "total": f.flows, "tcp": f.tcp, "udp": f.udp, "tcp_reuse": f.end_reused },
            "flow_bypassed": self.flow_bypassed(),
            "tcp": {
                "syn": f.tcp_syn,
                "synack": f.tcp_synack,
                "rst": f.tcp_rst,
                "sessions": f.tcp_established,
                "midstream_pickups": f.tcp_midstream,
                "reassembly_gap": f.tcp_gaps,
                "overlap": f.tcp_overlap,
                "overlap_diff_data": f.tcp_overlap_different,
                "invalid_checksum": f.tcp_bad_checksum,
                "segment_memcap_drop": f.lost_budget,
            },
            "vigie": ours,
        })
    }
}

impl Snapshot {
    /// Suricata counts what came apart from what came although the capture drops it.
    fn flow_bypassed(&self) -> Value {
        let b = &self.report.bypass;
        json!({
            "local_pkts": b.local_packets - b.queued_packets,
            "local_bytes": b.local_bytes - b.queued_bytes,
            "local_capture_pkts": b.queued_packets,
            "local_capture_bytes": b.queued_bytes,
            "closed": b.ended,
            "pkts": b.capture_packets,
            "bytes": b.capture_bytes,
        })
    }
}

fn each_of_ledger(ledger: &Ledger, show: &mut dyn FnMut(Counter)) {
    let mut say = |name, text, value| show(Counter { name, text, value });
    say("ledger.received", "frames that reached the source, those it lost included", ledger.received);
    say("ledger.received_bytes", "bytes of them on the wire", ledger.received_bytes);
    say("ledger.analysed", "frames that went the whole walk", ledger.analysed);
    say("ledger.bypassed", "frames of flows that were only counted", ledger.bypassed);
    say("ledger.filtered", "frames that the configuration excludes", ledger.filtered);
    for loss in Loss::ALL {
        say(lost_name(loss), loss.text(), ledger.lost(loss));
    }
    say("ledger.ring_freezes", "stalls of the kernel's ring", ledger.ring_freezes);
    say(
        "ledger.cut",
        "frames longer than a block of the kernel's ring, analysed as far as they were kept",
        ledger.cut,
    );
    say("ledger.absences", "times a worker's interface went away", ledger.absences);
}

/// `ledger.lost.` before the name of a loss.
fn lost_name(loss: Loss) -> &'static str {
    match loss {
        Loss::FileTruncated => "ledger.lost.file_truncated",
        Loss::FileMalformed => "ledger.lost.file_malformed",
        Loss::KernelDrop => "ledger.lost.kernel_drop",
        Loss::UnknownLink => "ledger.lost.unknown_link",
        Loss::DecodeError => "ledger.lost.decode_error",
        Loss::FragmentBudget => "ledger.lost.fragment_budget",
        Loss::TenantBudget => "ledger.lost.tenant_budget",
        Loss::TableFull => "ledger.lost.table_full",
        Loss::WorkerLost => "ledger.lost.worker_lost",
        Loss::NicNoBuffer => "ledger.lost.nic_no_buffer",
        Loss::NicReset => "ledger.lost.nic_reset",
        Loss::NicDamaged => "ledger.lost.nic_damaged",
        Loss::NicBroken => "ledger.lost.nic_broken",
    }
}

fn each_of_steering(noted: &Noted, show: &mut dyn FnMut(Counter)) {
    let mut say = |name, text, value| show(Counter { name, text, value });
    say(
        "steering.flows",
        "live flows noted: seen from both sides, or as one of the halves below",
        noted.flows,
    );
    say("steering.split", "halves of flows whose other half another worker saw", noted.split);
    say("steering.one_sided", "halves of TCP flows whose other half nobody saw", noted.one_sided);
    say("steering.alarms", "events raised because too many flows were seen in halves", noted.alarms);
}

fn each_of_sinks(sinks: &[SinkReport], show: &mut dyn FnMut(Counter)) {
    let sum = |of: fn(&SinkReport) -> u64| sinks.iter().map(of).sum();
    let mut say = |name, text, value| show(Counter { name, text, value });
    say("output.produced", "events produced, for all sinks together", sum(|s| s.produced));
    say("output.written", "events written", sum(|s| s.written));
    say("output.bytes", "bytes written", sum(|s| s.bytes));
    say("output.lost_slow", "events dropped because a sink was slow", sum(|s| s.lost_slow));
    say("output.lost_gone", "events dropped because a sink's reader was away", sum(|s| s.lost_gone));
    say("output.lost_stopped", "events dropped because a sink had failed", sum(|s| s.lost_stopped));
}

fn each_of_store(store: &StoreReport, show: &mut dyn FnMut(Counter)) {
    let mut say = |name, text, value| show(Counter { name, text, value });
    say("files.kept", "files written to the folder", store.kept);
    say("files.bytes", "bytes of them", store.bytes);
    say("files.known", "files that the folder had already", store.known);
    say("files.lost_quota", "files not kept because the quota was reached", store.quota);
    say("files.lost_large", "files not kept because they are larger than one may be", store.large);
    say("files.lost_slow", "files not kept because the disk was slow, or too many were open", store.slow);
    say("files.lost_failed", "files not kept because the disk refused", store.failed);
    say("files.lost_incomplete", "files not kept because they never became whole", store.incomplete);
}

fn each_of_record(record: &RecordReport, show: &mut dyn FnMut(Counter)) {
    let mut say = |name, text, value| show(Counter { name, text, value });
    say("record.frames", "frames written to the record", record.frames);
    say("record.bytes", "bytes written to the record", record.bytes);
    say(
        "record.lost",
        "frames not recorded because the disk was slow or refused; they were analysed",
        record.lost,
    );
    say("record.files", "files of the record begun", record.files);
    say("record.deleted", "files of the record deleted because of size or age", record.deleted);
}

fn each_of_captures(captured: &FlowReport, show: &mut dyn FnMut(Counter)) {
    let mut say = |name, text, value| show(Counter { name, text, value });
    say("packets.files", "captures of flows begun because of an event", captured.files);
    say("packets.frames", "frames written to them", captured.frames);
    say("packets.bytes", "bytes written to them", captured.bytes);
    say(
        "packets.lost",
        "frames that are in no capture because the disk was slow or refused, or their file had made room for others",
        captured.lost,
    );
    say("packets.deleted", "captures deleted because of quota or age", captured.deleted);
}

/// Puts a value at a dotted place.
fn put(object: &mut Map<String, Value>, path: &str, value: u64) {
    match path.split_once('.') {
        None => drop(object.insert(path.into(), value.into())),
        Some((head, rest)) => {
            let inner = object.entry(head).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_have_a_text() {
        let mut names = BTreeSet::new();
        Snapshot::default().each(&mut |c| {
            assert!(names.insert(c.name), "{} twice", c.name);
            assert!(!c.text.is_empty(), "{}", c.name);
        });
        assert!(names.len() > 60);
    }

    #[test]
    fn dotted_names_nest() {
        let json = Snapshot::default().to_json();
        assert_eq!(json["ledger"]["lost"]["kernel_drop"], 0);
    }
}
