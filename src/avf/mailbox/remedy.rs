//! How long an answer is waited for, and what is done when none comes.

use std::time::Duration;

use crate::virtchnl::Opcode;

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Most messages.
    pub short: Duration,
    /// Those that make the device work: queues, RSS, flow director.
    pub long: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { short: Duration::from_secs(1), long: Duration::from_secs(3) }
    }
}

impl Patience {
    /// For this message.
    #[must_use]
    pub const fn of(&self, opcode: Opcode) -> Duration {
        match opcode {
            Opcode::CONFIG_VSI_QUEUES
            | Opcode::CONFIG_IRQ_MAP
            | Opcode::ENABLE_QUEUES
            | Opcode::DISABLE_QUEUES
            | Opcode::REQUEST_QUEUES
            | Opcode::ENABLE_QUEUES_V2
            | Opcode::DISABLE_QUEUES_V2
            | Opcode::MAP_QUEUE_VECTOR
            | Opcode::CONFIG_RSS_HFUNC
            | Opcode::CONFIG_RSS_KEY
            | Opcode::CONFIG_RSS_LUT
            | Opcode::SET_RSS_HENA
            | Opcode::ADD_RSS_CFG
            | Opcode::DEL_RSS_CFG
            | Opcode::ADD_FDIR_FILTER
            | Opcode::DEL_FDIR_FILTER => self.long,
            _ => self.short,
        }
    }
}

/// What to do about a mailbox that failed, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Set both rings up anew, then ask again.
    Reinitialise,
    /// Send RESET_VF and begin from the beginning.
    ResetFunction,
    /// Reset the PCI function and begin from the beginning.
    ResetDevice,
    /// Leave it alone for so long, then reset the PCI function: the physical function is not up.
    BackOff(Duration),
}

/// How far it has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    failures: u32,
    /// When it failed last.
    last: Duration,
    /// The message that failed last, where it was one.
    failing: Option<Opcode>,
}

impl Ladder {
    /// Rings are set up so many times in a row.
    const REINITIALISE: u32 = 3;
    const FIRST_PAUSE: Duration = Duration::from_secs(1);
    const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    /// After so long without a failure an answer to anything shows that all is well.
    const CALM: Duration = Duration::from_secs(10);

    /// A message was not answered.
    pub(super) fn failed(&mut self, opcode: Opcode, now: Duration) -> Remedy {
        self.failing = Some(opcode);
        self.climb(self.failures.saturating_add(1), now)
    }

    /// The device itself says that something is broken: rings alone will not do.
    pub(super) fn broken(&mut self, now: Duration) -> Remedy {
        self.failing = None;
        self.climb(self.failures.max(Self::REINITIALISE).saturating_add(1), now)
    }

    fn climb(&mut self, failures: u32, now: Duration) -> Remedy {
        (self.failures, self.last) = (failures, now);
        match failures.saturating_sub(Self::REINITIALISE) {
            0 => Remedy::Reinitialise,
            1 => Remedy::ResetFunction,
            2 => Remedy::ResetDevice,
            more => {
                let pause = Self::FIRST_PAUSE.saturating_mul(1 << (more - 3).min(5));
                Remedy::BackOff(pause.min(Self::LONGEST_PAUSE))
            }
        }
    }

    /// A message was answered. Soon after a failure only the answer that was missed shows that it works again: others
    /// may have been answered throughout.
    pub(super) fn answered(&mut self, opcode: Opcode, now: Duration) {
        if self.failing == Some(opcode) || now.saturating_sub(self.last) >= Self::CALM {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn remedies_grow_and_pauses_end_at_30_s() {
        let mut ladder = Ladder::default();
        let said: Vec<_> = (0..12).map(|_| ladder.failed(Opcode::GET_STATS, NOW)).collect();
        assert_eq!(said[..3], [Remedy::Reinitialise; 3]);
        assert_eq!(said[3..5], [Remedy::ResetFunction, Remedy::ResetDevice]);
        let pauses = [1, 2, 4, 8, 16, 30, 30].map(|s| Remedy::BackOff(Duration::from_secs(s)));
        assert_eq!(said[5..], pauses);
    }

    #[test]
    fn only_the_answer_that_was_missed_helps() {
        let mut ladder = Ladder::default();
        for _ in 0..3 {
            ladder.failed(Opcode::CONFIG_VSI_QUEUES, NOW);
        }
        ladder.answered(Opcode::VERSION, NOW);
        assert_eq!(ladder.failed(Opcode::CONFIG_VSI_QUEUES, NOW), Remedy::ResetFunction);
        ladder.answered(Opcode::CONFIG_VSI_QUEUES, NOW);
        assert_eq!(ladder.failed(Opcode::CONFIG_VSI_QUEUES, NOW), Remedy::Reinitialise);
    }

    #[test]
    fn a_device_that_says_it_is_broken_is_reset_at_once_and_calms_down_in_time() {
        let mut ladder = Ladder::default();
        assert_eq!(ladder.broken(NOW), Remedy::ResetFunction);
        ladder.answered(Opcode::VERSION, NOW);
        assert_eq!(ladder.broken(NOW), Remedy::ResetDevice);
        ladder.answered(Opcode::VERSION, NOW + Ladder::CALM);
        assert_eq!(ladder.broken(NOW), Remedy::ResetFunction);
    }
}
