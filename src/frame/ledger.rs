//! The ledger: where every frame went. `received = analysed + bypassed + filtered + each kind of loss`.

/// Place and reason of one kind of loss. One catalogue: counters, events and docs derive from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Loss {
    /// The capture file ended in the middle of this record.
    FileTruncated,
    /// A record in the capture file was malformed.
    FileMalformed,
    /// The kernel had no room in the ring.
    KernelDrop,
    /// The link type is not one that we read.
    UnknownLink,
    /// The bytes could not be decoded as far as the network layer.
    DecodeError,
    /// The fragment memory was full, or a fragment train never completed.
    FragmentBudget,
    /// There was no room to tell one more tenant of a mirror apart.
    TenantBudget,
    /// The flow table was full and its policy kept older flows.
    TableFull,
    /// A worker went away (panic) with these frames in hand.
    WorkerLost,
    /// The NIC had no descriptor free.
    NicNoBuffer,
    /// The NIC was reset while these frames lay unfinished in its ring.
    NicReset,
    /// The NIC marked the frame as damaged or too long.
    NicDamaged,
    /// What the NIC wrote about the frame makes no sense.
    NicBroken,
}

impl Loss {
    /// Every kind, in catalogue order.
    pub const ALL: [Self; 13] = [
        Self::FileTruncated,
        Self::FileMalformed,
        Self::KernelDrop,
        Self::UnknownLink,
        Self::DecodeError,
        Self::FragmentBudget,
        Self::TenantBudget,
        Self::TableFull,
        Self::WorkerLost,
        Self::NicNoBuffer,
        Self::NicReset,
        Self::NicDamaged,
        Self::NicBroken,
    ];

    /// Counter name, `place.reason`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FileTruncated => "file.truncated",
            Self::FileMalformed => "file.malformed",
            Self::KernelDrop => "kernel.drop",
            Self::UnknownLink => "decode.unknown_link",
            Self::DecodeError => "decode.error",
            Self::FragmentBudget => "fragment.budget",
            Self::TenantBudget => "mirror.tenants",
            Self::TableFull => "flow.table_full",
            Self::WorkerLost => "worker.lost",
            Self::NicNoBuffer => "nic.no_buffer",
            Self::NicReset => "nic.reset",
            Self::NicDamaged => "nic.damaged",
            Self::NicBroken => "nic.broken",
        }
    }

    /// One sentence for the summary and the docs.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::FileTruncated => "the capture file ended in mid-record",
            Self::FileMalformed => "a record in the capture file was malformed",
            Self::KernelDrop => "the kernel's ring was full",
            Self::UnknownLink => "the link type is not one that vigie reads",
            Self::DecodeError => "the bytes could not be decoded as far as the network layer",
            Self::FragmentBudget => "the fragment memory was full, or the train never completed",
            Self::TenantBudget => "more tenants of mirrors came than are told apart",
            Self::TableFull => "the flow table was full and kept older flows",
            Self::WorkerLost => "a worker failed with these frames in hand",
            Self::NicNoBuffer => "the NIC had no descriptor free",
            Self::NicReset => "the NIC was reset while they lay unfinished in its ring",
            Self::NicDamaged => "the NIC marked them as damaged or too long",
            Self::NicBroken => "what the NIC wrote about them makes no sense",
        }
    }
}

/// Counts of frames, from mirror to verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Frames that reached the source at all, those it lost included.
    pub received: u64,
    /// Bytes of them on the wire, where known.
    pub received_bytes: u64,
    /// Frames that went the whole walk.
    pub analysed: u64,
    /// Frames of flows that somebody decided not to look at any more, counted on their flow.
    pub bypassed: u64,
    /// Frames that the configuration excludes.
    pub filtered: u64,
    /// Stalls of the kernel's ring: how often it froze, not how many frames were lost.
    pub ring_freezes: u64,
    /// How often a source's interface went away.
    pub absences: u64,
    /// Frames that came longer than the source could hand over: what there was of them went the walk.
    pub cut: u64,
    lost: [u64; Loss::ALL.len()],
}

impl Ledger {
    /// Counts `n` frames lost for `why`.
    pub fn lose(&mut self, why: Loss, n: u64) {
        if let Some(slot) = self.lost.get_mut(why as usize) {
            *slot += n;
        }
    }

    /// Frames lost for `why`.
    #[must_use]
    pub fn lost(&self, why: Loss) -> u64 {
        self.lost.get(why as usize).copied().unwrap_or(0)
    }

    /// Frames lost in all.
    #[must_use]
    pub fn lost_in_all(&self) -> u64 {
        self.lost.iter().sum()
    }

    /// Received minus everything accounted for; zero when the ledger balances.
    #[must_use]
    pub fn imbalance(&self) -> i128 {
        i128::from(self.received)
            - i128::from(self.analysed)
            - i128::from(self.bypassed)
            - i128::from(self.filtered)
            - i128::from(self.lost_in_all())
    }

    /// Adds another ledger, such as another worker's.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.received_bytes += other.received_bytes;
        self.analysed += other.analysed;
        self.bypassed += other.bypassed;
        self.filtered += other.filtered;
        self.ring_freezes += other.ring_freezes;
        self.absences += other.absences;
        self.cut += other.cut;
        for (mine, theirs) in self.lost.iter_mut().zip(other.lost) {
            *mine += theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_order_is_the_index() {
        for (i, loss) in Loss::ALL.into_iter().enumerate() {
            assert_eq!(loss as usize, i, "{}", loss.name());
        }
    }

    #[test]
    fn imbalance_names_what_is_missing() {
        let mut ledger = Ledger { received: 10, analysed: 6, filtered: 1, ..Ledger::default() };
        ledger.lose(Loss::KernelDrop, 2);
        assert_eq!(ledger.imbalance(), 1);
        ledger.lose(Loss::TableFull, 1);
        assert_eq!(ledger.imbalance(), 0);
    }
}
