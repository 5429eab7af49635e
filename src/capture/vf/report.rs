//! What a function says of itself, for whoever shows it.

use avf_driver::verify::Promiscuity;
use avf_driver::{Control, ControlCounters, Counters, Exchange, Negotiated, Polling, Standing};
use frame::Counter;

/// Everything known of a function at one moment.
#[derive(Clone, Debug)]
pub struct VfReport {
    /// How it stands.
    pub standing: Standing,
    /// Vendor and device id, `8086:154c`.
    pub id: String,
    /// What was agreed on with the PF.
    pub agreed: Option<Negotiated>,
    /// What was asked on the last way up, and what the PF said.
    pub exchanges: Vec<Exchange>,
    /// The link: up or down, Mbit/s.
    pub link: Option<(bool, Option<u32>)>,
    /// Whether frames for other stations come, by evidence.
    pub promiscuity: Promiscuity,
    /// What it failed of last, or why it is over.
    pub error: Option<String>,
    /// Everything counted.
    pub counters: VfCounters,
}

/// What is counted of a function; nothing, where there is none.
#[derive(Clone, Debug, Default)]
pub struct VfCounters {
    /// The PF's counters of the function.
    pub stats: VfStats,
    /// The controller's counters.
    pub control: ControlCounters,
    /// Messages to the PF, and how they ended.
    pub mailbox: mail_counts::Mailbox,
    /// The queues' counters together.
    pub queues: Counters,
    /// Length of the last outage, from its notice until queues ran again, in milliseconds.
    pub outage_ms: u64,
}

frame::counters! {
    /// What the PF counts for the function (virtchnl GET_STATS), since it was opened, resets included.
    pub struct VfStats("vf.stats") {
        rx_bytes: "bytes that the NIC received for the function",
        rx_unicast: "unicast frames that the NIC received for the function",
        rx_multicast: "multicast frames that the NIC received for the function",
        rx_broadcast: "broadcast frames that the NIC received for the function",
        rx_discards: "frames for which the NIC had no descriptor",
        rx_unknown_protocol: "frames of a protocol that nobody wanted",
        tx_bytes: "bytes sent",
        tx_unicast: "unicast frames sent",
        tx_multicast: "multicast frames sent",
        tx_broadcast: "broadcast frames sent",
        tx_discards: "frames that were to be sent and were not",
        tx_errors: "frames that could not be sent",
    }
}

/// Counters of the mailbox, under names of their own.
pub(crate) mod mail_counts {
    frame::counters! {
        /// Messages to the PF.
        pub struct Mailbox("vf.mailbox") {
            sent: "messages sent to the PF",
            answered: "messages that the PF answered",
            refused: "messages that the PF refused",
            timed_out: "messages that the PF did not answer in time",
            stale: "answers that came too late",
            events: "events that the PF told",
        }
    }
}

impl VfReport {
    pub(super) fn of(control: &Control, queues: Counters) -> Self {
        let identity = control.identity();
        Self {
            standing: control.standing(),
            id: format!("{:04x}:{:04x}", identity.vendor, identity.device),
            agreed: control.negotiated().cloned(),
            exchanges: control.exchanges().to_vec(),
            link: control.link().map(|link| (link.up, link.mbps)),
            promiscuity: control.promiscuity(),
            error: control.error().map(ToString::to_string),
            counters: VfCounters::of(control, queues),
        }
    }
}

impl VfCounters {
    fn of(control: &Control, queues: Counters) -> Self {
        let (outage, mail, stats) = (control.outage(), control.mailbox(), control.stats());
        let outage_ms = outage.up.map_or(0, |up| up.saturating_sub(outage.since).as_millis());
        Self {
            stats: VfStats {
                rx_bytes: stats.rx_bytes,
                rx_unicast: stats.rx_unicast,
                rx_multicast: stats.rx_multicast,
                rx_broadcast: stats.rx_broadcast,
                rx_discards: stats.rx_discards,
                rx_unknown_protocol: stats.rx_unknown_protocol,
                tx_bytes: stats.tx_bytes,
                tx_unicast: stats.tx_unicast,
                tx_multicast: stats.tx_multicast,
                tx_broadcast: stats.tx_broadcast,
                tx_discards: stats.tx_discards,
                tx_errors: stats.tx_errors,
            },
            control: control.counters().clone(),
            mailbox: mail_counts::Mailbox {
                sent: mail.sent,
                answered: mail.answered,
                refused: mail.refused,
                timed_out: mail.timed_out,
                stale: mail.stale,
                events: mail.events,
            },
            queues,
            outage_ms: u64::try_from(outage_ms).unwrap_or(u64::MAX),
        }
    }

    /// Shows every counter.
    pub fn each(&self, show: &mut dyn FnMut(Counter)) {
        self.control.each(show);
        self.mailbox.each(show);
        self.stats.each(show);
        self.queues.each(show);
        show(Counter {
            name: "vf.outage_ms",
            text: "length of the last outage of the function, in milliseconds",
            value: self.outage_ms,
        });
    }
}

/// How completed descriptors are made to show, in words.
#[must_use]
pub fn polling_text(polling: Polling) -> &'static str {
    match polling {
        Polling::VectorZero => "interval of vector 0 (RX_POLLING)",
        Polling::WriteBack => "write-back on interval (WB_ON_ITR)",
    }
}
