//! More than 16 queue pairs: vectors queue by queue, and queues in runs. Intel's own PF driver serves it.

use avf::virtchnl::{QueueChunk, QueueKind, QueueRuns, QueueVector, QueueVectors, Request, Status};
use avf_driver::{Ask, Negotiated, Settings, Step, classic};

/// Queues of one MAP_QUEUE_VECTOR: as many as fit a mailbox buffer in either of its lengths.
const MAPS: usize = 254;

/// What is asked of large functions alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Large {
    /// Whether the PF wants MAP_QUEUE_VECTOR one element longer than it is.
    longer: bool,
}

impl Large {
    /// Whether the function has more queues than the classic messages can name.
    pub(crate) fn is_meant(agreed: &Negotiated) -> bool {
        agreed.queues > classic::MOST_QUEUES
    }

    /// Whether a refused MAP_QUEUE_VECTOR is to be tried in its other length.
    pub(crate) fn may_be_longer(&mut self, status: Status) -> bool {
        status == Status::ERR_PARAM && !std::mem::replace(&mut self.longer, true)
    }

    pub(crate) fn ask(
        &self,
        step: Step,
        round: u16,
        agreed: &Negotiated,
        settings: &Settings,
    ) -> Option<Ask> {
        match step {
            Step::IrqMap => {
                let part = vectors(agreed).messages(MAPS).nth(round.into())?;
                let longer = self.longer.then(|| part.longer());
                let ask = Ask::from(Request::MapVectors(part));
                Some(longer.map_or(ask.clone(), |payload| Ask { payload, ..ask }))
            }
            Step::Enable if round == 0 => Some(Request::EnableRuns(runs(agreed, settings)).into()),
            Step::Disable if round == 0 => Some(Request::DisableRuns(runs(agreed, settings)).into()),
            _ => None,
        }
    }
}

fn vectors(agreed: &Negotiated) -> QueueVectors {
    let vector = agreed.vector();
    let both = |queue| [QueueKind::RX, QueueKind::TX].map(|kind| QueueVector { queue, vector, itr: 0, kind });
    QueueVectors { vport: agreed.vsi, queues: (0..agreed.queues).flat_map(both).collect() }
}

fn runs(agreed: &Negotiated, settings: &Settings) -> QueueRuns {
    let run = |kind| QueueChunk { kind, first: 0, count: agreed.queues };
    let kinds = if settings.transmit { &[QueueKind::RX, QueueKind::TX][..] } else { &[QueueKind::RX] };
    QueueRuns { vport: agreed.vsi, runs: kinds.iter().map(|kind| run(*kind)).collect() }
}
