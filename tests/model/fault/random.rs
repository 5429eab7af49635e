//! Plans by chance, the same for the same seed.

use super::{Act, Fault, Kind, Plan};

/// Requests that every driver makes.
const REQUESTS: [u32; 14] = [1, 2, 3, 6, 7, 8, 9, 10, 14, 15, 23, 24, 26, 28];
/// Registers of which a driver draws conclusions: ARQLEN, RSTAT, ATQH, ATQLEN, ARQH, ATQBAL, ICR0.
const REGISTERS: [u32; 7] = [0x8000, 0x8800, 0x6400, 0x6800, 0x7400, 0x7C00, 0x4800];
/// What replies may claim: refusals of section 4.4, and what nobody defined.
const STATUSES: [i32; 8] = [-5, -18, -37, -39, -53, -60, -64, 7];
const KINDS: [Kind; 11] = [
    Kind::Request,
    Kind::Reply,
    Kind::Reply,
    Kind::Event,
    Kind::Read,
    Kind::Write,
    Kind::Receive,
    Kind::Transmit,
    Kind::Signal,
    Kind::Reset,
    Kind::Time,
];

impl Plan {
    /// One to four faults of every kind, none of them for ever except a device that disappears or a reset that never
    /// ends, about one plan in twenty.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let count = 1 + dice.below(4);
        let mut plan = Self::new((0..count).map(|_| fault(&mut dice))).unwrap_or_default();
        plan.seed = Some(seed);
        plan
    }
}

fn fault(dice: &mut Dice) -> Fault {
    let at = dice.of(&KINDS);
    let mut chosen = act(dice, at);
    while !chosen.fits(at) {
        chosen = act(dice, at);
    }
    let number = match at {
        Kind::Request | Kind::Reply => Some(dice.of(&REQUESTS)),
        Kind::Event => Some(1 + dice.below(2)),
        Kind::Read | Kind::Write => Some(dice.of(&REGISTERS)),
        Kind::Receive | Kind::Transmit => Some(dice.below(4)),
        Kind::Signal => Some(dice.below(5)),
        Kind::Reset | Kind::Time => None,
    };
    let number = number.filter(|_| dice.below(4) != 0);
    let floor = u64::from(at == Kind::Time) * 1_000;
    let after = floor + u64::from(dice.below(2) * dice.below(300_000));
    Fault::new(at, number, chosen).nth(1 + dice.below(3)).times(1 + dice.below(2)).after(after)
}

fn act(dice: &mut Dice, at: Kind) -> Act {
    match dice.below(14) {
        0 => Act::Drop,
        1 => Act::Delay(u64::from(dice.below(3_000_000))),
        2 => Act::WrongLength(dice.of(&[-8, -4, -1, 1, 4, 16, 64])),
        3 => Act::WrongStatus(dice.of(&STATUSES)),
        4 => Act::Duplicate,
        5 => Act::Reorder,
        6 if at != Kind::Reset || dice.below(6) == 0 => Act::NeverComplete,
        7 => Act::StuckQueue,
        8 => Act::LostInterrupt,
        9 | 6 => Act::Reset,
        10 => Act::DoubleReset,
        11 => Act::Flap(u64::from(1 + dice.below(20_000))),
        12 if dice.below(20) == 0 => Act::AllOnes(0),
        12 => Act::AllOnes(u64::from(1 + dice.below(50_000))),
        _ => Act::DeadBeef(u64::from(1 + dice.below(50_000))),
    }
}

/// A stream of numbers from a seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        // the remainder is below a bound of 32 bits
        (self.next() % u64::from(bound.max(1))) as u32
    }

    pub(crate) fn of<T: Copy>(&mut self, from: &[T]) -> T {
        let at = self.below(u32::try_from(from.len()).unwrap_or(u32::MAX));
        from[at as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan() {
        assert_eq!(Plan::random(7).to_string(), Plan::random(7).to_string());
        assert_ne!(Plan::random(7).to_string(), Plan::random(8).to_string());
    }

    #[test]
    fn every_random_plan_is_one_that_could_be_written() {
        let mut acts = std::collections::BTreeSet::new();
        for seed in 0..2_000 {
            let plan = Plan::random(seed);
            assert!(!plan.is_empty(), "seed {seed}");
            let read: Plan = plan.to_string().parse().expect("printed plans are readable");
            assert!(plan.faults().eq(read.faults()), "seed {seed}");
            acts.extend(
                plan.faults().map(|fault| fault.act.to_string().split(' ').next().map(str::to_owned)),
            );
        }
        assert_eq!(acts.len(), 14, "every act occurs: {acts:?}");
    }
}
