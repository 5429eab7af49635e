//! What a queue asks of the world: the time of day, and a pause.

use std::time::Duration;

use frame::Timestamp;

/// Time for one queue, handed in by whoever runs it: a real clock in a sensor, a number in a test.
pub trait Clock: Send {
    /// What time it is, for frames that have just been seen.
    fn now(&mut self) -> Timestamp;

    /// Does nothing for about so long; nothing at all where time is virtual.
    fn pause(&mut self, length: Duration);
}

/// Time for whoever brings a function up: since any moment, the same one that [`crate::Control::step`] is told.
pub trait Ticker {
    /// What time it is.
    fn now(&mut self) -> Duration;

    /// Does nothing until then.
    fn wait(&mut self, until: Duration);
}

/// How long to pause, the longer nothing has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rest {
    empty: u32,
}

impl Rest {
    /// Looks that are taken one after the other before the first pause.
    const EAGER: u32 = 64;
    /// The first pause; each doubles.
    const FIRST: Duration = Duration::from_micros(4);
    /// The longest pause: what a ring of 1,024 holds at 14.88 Mpps is 68 us, and longer pauses save little.
    const LONGEST: Duration = Duration::from_micros(64);

    /// Frames came.
    pub(crate) fn awake(&mut self) {
        self.empty = 0;
    }

    /// Nothing came; how long to pause before the next look.
    pub(crate) fn next(&mut self) -> Duration {
        self.empty = self.empty.saturating_add(1);
        let Some(past) = self.empty.checked_sub(Self::EAGER) else {
            return Duration::ZERO;
        };
        Self::FIRST.saturating_mul(1 << past.min(10)).min(Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let mut rest = Rest::default();
        let pauses: Vec<_> = (0..80).map(|_| rest.next()).collect();
        assert!(pauses[..63].iter().all(Duration::is_zero));
        assert_eq!(pauses[63..68].iter().map(Duration::as_micros).collect::<Vec<_>>(), [4, 8, 16, 32, 64]);
        assert_eq!(pauses.last(), Some(&Rest::LONGEST));
        rest.awake();
        assert!(rest.next().is_zero());
    }
}
