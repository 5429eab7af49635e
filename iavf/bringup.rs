//! Bring-up, step by step.
//!
//! The order is that of the AVF specification's initialisation flow as the Linux and DPDK drivers walk it. Each step is
//! one message; between two of them the function may be reset at any time, and everything starts anew.
//!
//! | step | what | message |
//! |---|---|---|
//! | 1 | VFGEN_RSTAT says that the function may be used, twice in a row | |
//! | 2 | mailbox rings are set up, vector 0 is armed | |
//! | 3 | both sides agree on version 1.1 | VERSION |
//! | 4 | what the function has | GET_VF_RESOURCES |
//! | 5 | more queue pairs, if it has too few: granted by a reset, so on with 1 | REQUEST_QUEUES |
//! | 6 | VLANs to receive, and whether tags stay in frames; adding one turns stripping on, so in this order | ADD_VLAN, ENABLE/DISABLE_VLAN_STRIPPING |
//! | 7 | RSS: key, table, classes | CONFIG_RSS_KEY, CONFIG_RSS_LUT, GET_RSS_HENA_CAPS, SET_RSS_HENA |
//! | 8 | where counters stand before the first frame | GET_STATS |
//! | 9 | rings are gathered from their workers, and rewound | |
//! | 10 | queues and vectors | CONFIG_VSI_QUEUES, CONFIG_IRQ_MAP |
//! | 11 | the function's own address | ADD_ETH_ADDR |
//! | 12 | doorbells | |
//! | 13 | queues start, doorbells once more, rings go to their workers | ENABLE_QUEUES |
//! | 14 | frames for others | CONFIG_PROMISCUOUS_MODE |

use avf::rss::Hena;
use avf::virtchnl::{Answer, Caps, Resources, RxQueue, Status};
use avf_driver::rx::{self, Decode};
use avf_driver::{Ask, Dialect, Negotiated, Refusal, Settings, Step, classic};

pub(crate) const WANTED: Caps = Caps::L2
    .union(Caps::WB_ON_ITR)
    .union(Caps::REQ_QUEUES)
    .union(Caps::ADV_LINK_SPEED)
    .union(Caps::VLAN)
    .union(Caps::RX_POLLING)
    .union(Caps::RSS_PCTYPE_V2)
    .union(Caps::RSS_PF);

/// Steps 5 to 14.
const ORDER: [Step; 13] = [
    Step::RequestQueues,
    Step::Vlans,
    Step::Stripping,
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
];

/// What is spoken with a PF of the 700 series.
#[derive(Clone, Copy, Debug)]
pub struct X710;

impl Dialect for X710 {
    fn name(&self) -> &'static str {
        "iavf"
    }

    fn order(&self) -> &'static [Step] {
        &ORDER
    }

    fn most_queues(&self, _resources: &Resources) -> u16 {
        classic::MOST_QUEUES
    }

    fn ask(&self, step: Step, round: u16, agreed: &Negotiated, settings: &Settings) -> Option<Ask> {
        let is_first = round == 0;
        classic::request(step, agreed, settings).filter(|_| is_first).map(Ask::from)
    }

    fn granted(&mut self, step: Step, _round: u16, answer: Answer, agreed: &mut Negotiated) {
        match (step, answer) {
            // All classes of the family's that can be hashed.
            (Step::HenaCaps, Answer::HenaCaps(offered)) => {
                agreed.hena = Hena::of(agreed.family()).0 & offered.0;
            }
            (Step::Hena, _) => agreed.rss = true,
            (Step::Stripping, _) => agreed.stripping = true,
            _ => {}
        }
    }

    fn refused(&mut self, step: Step, _round: u16, _status: Status, _agreed: &mut Negotiated) -> Refusal {
        if step.is_optional() { Refusal::Without } else { Refusal::Fatal }
    }

    fn dress(&self, _agreed: &Negotiated, _queue: &mut RxQueue) {}

    fn decoder(&self, _agreed: &Negotiated, settings: &Settings) -> Box<dyn Decode> {
        rx::legacy(None, settings.buffer.into(), settings.segments())
    }
}
