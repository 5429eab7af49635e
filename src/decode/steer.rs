//! Where a frame belongs, told before anything is decoded.

use frame::Frame;

use crate::{Address, Settings};

/// Who decodes a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// The worker that owns this [`pair_hash`]; decoding gives exactly one packet, with that hash.
    Owner(u32),
    /// Every worker: fragments, tunnels, ICMP errors, whatever is not IP, and anything doubtful.
    Everybody,
}

/// Says who decodes `frame`, from its first few headers.
#[must_use]
pub fn steer(_settings: &Settings, _frame: &Frame<'_>) -> Steer {
    Steer::Everybody
}

/// A hash of an address pair that is the same in both directions, well mixed and without a seed.
#[must_use]
pub fn pair_hash(a: &Address, b: &Address) -> u32 {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let mut mixed = 0x9e37_79b9_7f4a_7c15_u64;
    for half in [fold(low), fold(high)] {
        mixed = (mixed ^ half).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^= mixed >> 32;
    }
    #[allow(clippy::cast_possible_truncation)] // the low half is what is wanted
    let hash = mixed as u32;
    hash
}

fn fold(a: &Address) -> u64 {
    let whole = u128::from_be_bytes(a.0);
    #[allow(clippy::cast_possible_truncation)] // both halves enter
    let folded = ((whole >> 64) as u64).wrapping_mul(0xc4ce_b9fe_1a85_ec53) ^ whole as u64;
    folded
}
