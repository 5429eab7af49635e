//! Which copy of a byte survives when a new segment overlaps a stored one: by the receiver's stack.
//!
//! The rules go by geometry, after Novak and Sturges, "Target-Based TCP Stream Reassembly" (2007), as Suricata has them.

use crate::Policy;
use std::cmp::Ordering;

/// Where a segment lies in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// First byte.
    pub(crate) start: u64,
    /// Behind the last byte.
    pub(crate) end: u64,
}

impl Extent {
    /// What two have in common; empty when nothing.
    pub(crate) fn common(self, other: Self) -> Option<Self> {
        let both = Self { start: self.start.max(other.start), end: self.end.min(other.end) };
        (both.start < both.end).then_some(both)
    }
}

/// Whether the bytes of `new` replace those of `old` where they overlap.
pub(crate) fn new_wins(policy: Policy, new: Extent, old: Extent) -> bool {
    use Policy::{Hpux11, Last, Linux, OldLinux, Solaris};
    match (new.start.cmp(&old.start), new.end.cmp(&old.end)) {
        (Ordering::Equal, Ordering::Less) => policy == Last,
        (Ordering::Equal, Ordering::Equal) => matches!(policy, OldLinux | Solaris | Hpux11 | Last),
        (Ordering::Equal, Ordering::Greater) => matches!(policy, Linux | OldLinux | Solaris | Hpux11 | Last),
        (Ordering::Less, Ordering::Less) => takes_the_front(policy),
        (Ordering::Less, _) => takes_the_front(policy) || matches!(policy, Solaris | Hpux11),
        (Ordering::Greater, Ordering::Less | Ordering::Equal) => policy == Last,
        (Ordering::Greater, Ordering::Greater) => matches!(policy, Solaris | Hpux11 | Last),
    }
}

/// Stacks that let a segment which starts earlier replace the start of a stored one.
const fn takes_the_front(policy: Policy) -> bool {
    use Policy::{Bsd, Hpux10, Irix, Last, Linux, Macos, OldLinux, Windows, Windows2k3};
    matches!(policy, Bsd | Hpux10 | Irix | Windows | Windows2k3 | OldLinux | Linux | Macos | Last)
}
