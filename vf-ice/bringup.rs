//! Bring-up, step by step.
//!
//! The order is that of the Linux and DPDK drivers. Between two messages the function may be reset at any time, and
//! everything starts anew; what the PF refuses with "not supported" is done without.
//!
//! | step | what | message |
//! |---|---|---|
//! | 1 to 4 | as on the X710: ready, mailbox, version, what the function has | VERSION, GET_VF_RESOURCES |
//! | 5 | descriptor formats, VLAN offloads, the clock: what there is of each | GET_SUPPORTED_RXDIDS, GET_OFFLOAD_VLAN_V2_CAPS, PTP_GET_CAPS |
//! | 6 | more queue pairs, if it has too few: granted by a reset, so on with 1 | REQUEST_QUEUES |
//! | 7 | how many queues RSS reaches, of a large function | GET_MAX_RSS_QREGION |
//! | 8 | VLANs to receive, and whether tags stay in frames | ADD_VLAN_V2, ENABLE/DISABLE_VLAN_STRIPPING_V2 |
//! | 9 | RSS: patterns and hash function, key, table; classes where patterns are not served | SET_RSS_HENA, ADD_RSS_CFG, CONFIG_RSS_KEY, CONFIG_RSS_LUT, GET_RSS_HENA_CAPS |
//! | 10 | where counters stand before the first frame | GET_STATS |
//! | 11 | rings are gathered from their workers, and rewound | |
//! | 12 | queues with the format agreed on, 32 a message, and vectors | CONFIG_VSI_QUEUES, CONFIG_IRQ_MAP or MAP_QUEUE_VECTOR |
//! | 13 | the function's own address | ADD_ETH_ADDR |
//! | 14 | doorbells; queues start, doorbells once more, rings go to their workers | ENABLE_QUEUES or ENABLE_QUEUES_V2 |
//! | 15 | frames for others, and copies of flows where some are named | CONFIG_PROMISCUOUS_MODE, FLOW_SUBSCRIBE |
//! | then | the clock once a second, and flows to be left out | PTP_GET_TIME, ADD_FDIR_FILTER, DEL_FDIR_FILTER |

use std::time::Duration;

use avf::rss::{Family, is_symmetric};
use avf::rx::{Format, Rxdid};
use avf::virtchnl::{
    Answer, Caps, FsubStatus, PtpBits, PtpCaps, Request, Resources, RxFlags, RxQueue, Status,
};
use avf_driver::rx::{self, Decode};
use avf_driver::{Ask, Dialect, Hashing, Negotiated, Refusal, Settings, Step, classic};
use frame::bypass::Bypass;

use crate::clock::Clock;
use crate::large::Large;
use crate::steer::{Door, Rules};
use crate::{descriptor, rss, subscribe, vlan};

const WANTED: Caps = Caps::L2
    .union(Caps::WB_ON_ITR)
    .union(Caps::REQ_QUEUES)
    .union(Caps::ADV_LINK_SPEED)
    .union(Caps::VLAN_V2)
    .union(Caps::VLAN)
    .union(Caps::RX_POLLING)
    .union(Caps::RSS_PCTYPE_V2)
    .union(Caps::RSS_PF)
    .union(Caps::RX_FLEX_DESC)
    .union(Caps::ADV_RSS_PF)
    .union(Caps::FDIR_PF)
    .union(Caps::PTP);

pub(crate) fn wanted(settings: &Settings) -> Caps {
    let mut wanted = WANTED;
    wanted.set(Caps::LARGE_NUM_QPAIRS, settings.queues > classic::MOST_QUEUES);
    wanted.set(Caps::PTP, settings.nic_time);
    wanted.set(Caps::FSUB_PF, !settings.subscriptions.is_empty());
    wanted
}

/// Steps 5 to 15.
const ORDER: [Step; 19] = [
    Step::Formats,
    Step::VlanCaps,
    Step::ClockCaps,
    Step::RequestQueues,
    Step::Region,
    Step::Vlans,
    Step::Stripping,
    Step::RssPatterns,
    Step::RssKey,
    Step::RssLut,
    Step::HenaCaps,
    Step::Hena,
    Step::Baseline,
    Step::ConfigQueues,
    Step::IrqMap,
    Step::Address,
    Step::Enable,
    Step::Promiscuous,
    Step::Subscribe,
];

/// What is spoken with a PF of the 800 series.
#[derive(Debug)]
pub struct E810 {
    /// Whether the wish for the NIC's time is to be uttered.
    nic_time: bool,
    large: Large,
    clock: Clock,
    rules: Rules,
}

impl E810 {
    /// For a function with these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            nic_time: settings.nic_time,
            large: Large::default(),
            clock: Clock::default(),
            rules: Rules::default(),
        }
    }

    /// The best of the formats that are offered; the one that all PFs have where none is.
    fn choose(&self, agreed: &mut Negotiated, offered: u64) {
        agreed.formats = offered | 1 << Rxdid::LEGACY.0;
        agreed.format = Rxdid::best(offered);
    }

    /// Whether descriptors of this format have room for the time.
    fn has_time(format: Rxdid) -> bool {
        matches!(Format::of(format), Some(Format::Nic | Format::Nic2 | Format::Ovs))
    }
}

impl Dialect for E810 {
    fn name(&self) -> &'static str {
        "vf-ice"
    }

    fn order(&self) -> &'static [Step] {
        &ORDER
    }

    fn most_queues(&self, resources: &Resources) -> u16 {
        if resources.caps.contains(Caps::LARGE_NUM_QPAIRS) {
            avf_driver::MOST_QUEUES
        } else {
            classic::MOST_QUEUES
        }
    }

    fn ask(&self, step: Step, round: u16, agreed: &Negotiated, settings: &Settings) -> Option<Ask> {
        let once = |request: Request| (round == 0).then(|| request.into());
        match step {
            Step::Formats if agreed.has(Caps::RX_FLEX_DESC) => once(Request::Rxdids),
            Step::VlanCaps if agreed.has(Caps::VLAN_V2) => once(Request::VlanCaps),
            Step::ClockCaps if agreed.has(Caps::PTP) && self.nic_time => {
                once(Request::PtpCaps(PtpCaps { bits: PtpBits::RX_TSTAMP | PtpBits::READ_PHC }))
            }
            Step::Region if Large::is_meant(agreed) => once(Request::RssRegion),
            Step::Vlans | Step::Stripping if agreed.vlan.is_some() => {
                vlan::request(step, round, agreed, settings).map(Ask::from)
            }
            Step::RssPatterns => rss::request(round, agreed).map(Ask::from),
            Step::Subscribe => subscribe::request(round, agreed, settings).map(Ask::from),
            // Patterns say what is hashed; classes would put them out.
            Step::HenaCaps | Step::Hena if agreed.hashing == Hashing::Folded => None,
            Step::IrqMap | Step::Enable | Step::Disable if Large::is_meant(agreed) => {
                self.large.ask(step, round, agreed, settings)
            }
            _ => classic::request(step, agreed, settings).and_then(once),
        }
    }

    fn granted(&mut self, step: Step, round: u16, answer: Answer, agreed: &mut Negotiated) {
        match (step, answer) {
            (Step::Formats, Answer::Rxdids(offered)) => self.choose(agreed, offered),
            (Step::VlanCaps, Answer::VlanCaps(caps)) => agreed.vlan = Some(caps),
            (Step::ClockCaps, Answer::PtpCaps(caps)) => {
                agreed.clock = caps.bits;
                let both = PtpBits::RX_TSTAMP | PtpBits::READ_PHC;
                agreed.stamped = caps.bits.contains(both) && Self::has_time(agreed.format);
            }
            (Step::Region, Answer::RssRegion(region)) => {
                agreed.region = Some(region.width);
                agreed.use_queues(1_u16.checked_shl(region.width.into()).unwrap_or(u16::MAX).max(1));
            }
            (Step::RssPatterns, _) => rss::granted(round, agreed),
            (Step::RssLut, _) if agreed.hashing == Hashing::Folded => agreed.rss = true,
            (Step::HenaCaps, Answer::HenaCaps(offered)) => {
                agreed.hena = avf::rss::Hena::of(Family::E810).0 & offered.0;
            }
            (Step::Hena, _) => agreed.rss = true,
            (Step::Stripping, _) => agreed.stripping = true,
            (Step::Subscribe, Answer::Subscribe(told)) => {
                agreed.subscriptions += u32::from(told.status == FsubStatus::SUCCESS);
            }
            (Step::AddRule, Answer::AddFdir(rule)) => self.rules.added(&rule),
            (Step::DelRule, Answer::DelFdir(_)) => self.rules.removed(),
            _ => {}
        }
        if step == Step::RssPatterns && agreed.hashing == Hashing::Folded && is_symmetric(&agreed.key) {
            agreed.use_key(&rss::KEY);
        }
    }

    fn refused(&mut self, step: Step, round: u16, status: Status, _agreed: &mut Negotiated) -> Refusal {
        match step {
            Step::IrqMap if self.large.may_be_longer(status) => Refusal::Again,
            Step::AddRule | Step::DelRule => {
                self.rules.refused(step);
                Refusal::Silent
            }
            Step::Formats | Step::VlanCaps | Step::ClockCaps | Step::Region
                if status == Status::NOT_SUPPORTED =>
            {
                Refusal::Silent
            }
            // Inner headers are more than most PFs can tell; and not every package knows SCTP.
            Step::RssPatterns if !rss::is_needed(round) => Refusal::Silent,
            _ if step.is_optional() => Refusal::Without,
            _ => Refusal::Fatal,
        }
    }

    fn dress(&self, agreed: &Negotiated, queue: &mut RxQueue) {
        if agreed.has(Caps::RX_FLEX_DESC) {
            queue.rxdid = agreed.format.0;
        }
        queue.flags.set(RxFlags::PTP, agreed.stamped);
    }

    fn decoder(&self, agreed: &Negotiated, settings: &Settings) -> Box<dyn Decode> {
        let (size, segments) = (settings.buffer.into(), settings.segments());
        match Format::of(agreed.format) {
            Some(Format::Legacy) | None => rx::legacy(vlan::outer_tpid(agreed), size, segments),
            Some(format) => {
                let rules = agreed.recognises_flows().then(|| self.rules.counts());
                descriptor::decoder(format, agreed, rules, (size, segments))
            }
        }
    }

    fn bypass(&self, queue: u16, agreed: &Negotiated) -> Option<Box<dyn Bypass>> {
        agreed.recognises_flows().then(|| Box::new(Door::new(queue, &self.rules)) as Box<dyn Bypass>)
    }

    fn errand(&mut self, now: Duration, agreed: &Negotiated) -> Option<(Step, Ask)> {
        let clock = if agreed.stamped { self.clock.errand(now) } else { None };
        clock.or_else(|| self.rules.errand(agreed))
    }

    fn interrupted(&mut self, step: Option<Step>) {
        self.clock.interrupted();
        self.rules.interrupted(step);
    }
}
