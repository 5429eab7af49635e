//! Registers of a virtual function, all in BAR 0, all 32 bits wide.
//!
//! Offsets and fields are those of the Intel Ethernet Adaptive Virtual Function Specification (register chapters
//! `VF_ARQ*`, `VF_ATQ*`, `VFGEN_*`, `VFINT_*`, `QRX_TAIL`, `QTX_TAIL`, `VFQF_*`), as the Linux and DPDK drivers use them.

use std::fmt;

use crate::bits::bits;

/// A register, by name.
///
/// Families of registers carry their index. An index beyond the family names an offset that belongs to nobody, or to
/// the next family: callers stay within the bounds given at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Register {
    /// `QTX_TAIL(q)`: where transmit descriptors end. Queues 0 to 255; 16 on classic functions.
    QtxTail(u16),
    /// `QRX_TAIL(q)`: where receive descriptors end. Queues 0 to 255. The 800 series ignores its low three bits.
    QrxTail(u16),
    /// `VFINT_ITRN(index, vector)`: interval of vector `vector + 1`. Index 0 to 2, vector 0 to 15.
    Itrn {
        /// Which of the three throttles.
        index: u16,
        /// MSI-X vector less one.
        vector: u16,
    },
    /// `VFINT_DYN_CTLN(i)`: control of MSI-X vector `i + 1`, 0 to 63. See [`DynCtl`].
    DynCtln(u16),
    /// `VFINT_ICR0`: causes of vector 0, cleared by reading. See [`Icr0`].
    Icr0,
    /// `VFINT_ITR0(index)`: interval of vector 0, index 0 to 2.
    Itr0(u16),
    /// `VFINT_ICR0_ENA`: which causes raise vector 0. See [`Icr0`].
    Icr0Ena,
    /// `VFINT_STAT_CTL0`: interval of the statistics cause; no driver uses it.
    StatCtl0,
    /// `VFINT_DYN_CTL0`: control of vector 0. See [`DynCtl`].
    DynCtl0,
    /// `VF_ARQBAH`: base of the receive mailbox, bits 63 to 32.
    ArqBah,
    /// `VF_ATQH`: head of the send mailbox. See [`MailboxIndex`].
    AtqHead,
    /// `VF_ATQLEN`: length and state of the send mailbox. See [`MailboxLen`].
    AtqLen,
    /// `VF_ARQBAL`: base of the receive mailbox, bits 31 to 0.
    ArqBal,
    /// `VF_ARQT`: tail of the receive mailbox.
    ArqTail,
    /// `VF_ARQH`: head of the receive mailbox.
    ArqHead,
    /// `VF_ATQBAH`: base of the send mailbox, bits 63 to 32.
    AtqBah,
    /// `VF_ATQBAL`: base of the send mailbox, bits 31 to 0.
    AtqBal,
    /// `VF_ARQLEN`: length and state of the receive mailbox.
    ArqLen,
    /// `VF_ATQT`: tail of the send mailbox.
    AtqTail,
    /// `VFGEN_RSTAT`: how a reset stands. See [`ResetState`].
    Rstat,
    /// `VFQF_HENA(i)`: classes of packets that are hashed, 0 and 1. Used only where RSS is set by registers.
    Hena(u16),
    /// `VFQF_HKEY(i)`: hash key, 0 to 12.
    Hkey(u16),
    /// `VFQF_HLUT(i)`: four queue numbers each, 0 to 15.
    Hlut(u16),
}

/// Bytes of BAR 0 that any driver touches; every register lies below.
pub const BAR0_BYTES: u32 = 0x1_0000;

impl Register {
    /// Where it lies in BAR 0, in bytes.
    #[must_use]
    pub const fn offset(self) -> u32 {
        match self {
            Self::QtxTail(queue) => 4 * queue as u32,
            Self::QrxTail(queue) => 0x2000 + 4 * queue as u32,
            Self::Itrn { index, vector } => 0x2800 + 64 * index as u32 + 4 * vector as u32,
            Self::DynCtln(vector) => 0x3800 + 4 * vector as u32,
            Self::Icr0 => 0x4800,
            Self::Itr0(index) => 0x4C00 + 4 * index as u32,
            Self::Icr0Ena => 0x5000,
            Self::StatCtl0 => 0x5400,
            Self::DynCtl0 => 0x5C00,
            Self::ArqBah => 0x6000,
            Self::AtqHead => 0x6400,
            Self::AtqLen => 0x6800,
            Self::ArqBal => 0x6C00,
            Self::ArqTail => 0x7000,
            Self::ArqHead => 0x7400,
            Self::AtqBah => 0x7800,
            Self::AtqBal => 0x7C00,
            Self::ArqLen => 0x8000,
            Self::AtqTail => 0x8400,
            Self::Rstat => 0x8800,
            Self::Hena(index) => 0xC400 + 4 * index as u32,
            Self::Hkey(index) => 0xCC00 + 4 * index as u32,
            Self::Hlut(index) => 0xD000 + 4 * index as u32,
        }
    }

    /// The register at an offset, `None` where there is none or the offset is not aligned.
    #[must_use]
    pub fn at(offset: u32) -> Option<Self> {
        if !offset.is_multiple_of(4) {
            return None;
        }
        Self::single(offset).or_else(|| Self::member(offset))
    }

    fn single(offset: u32) -> Option<Self> {
        Some(match offset {
            0x4800 => Self::Icr0,
            0x5000 => Self::Icr0Ena,
            0x5400 => Self::StatCtl0,
            0x5C00 => Self::DynCtl0,
            0x6000 => Self::ArqBah,
            0x6400 => Self::AtqHead,
            0x6800 => Self::AtqLen,
            0x6C00 => Self::ArqBal,
            0x7000 => Self::ArqTail,
            0x7400 => Self::ArqHead,
            0x7800 => Self::AtqBah,
            0x7C00 => Self::AtqBal,
            0x8000 => Self::ArqLen,
            0x8400 => Self::AtqTail,
            0x8800 => Self::Rstat,
            _ => return None,
        })
    }

    fn member(offset: u32) -> Option<Self> {
        // what is left of an offset below 64 KiB, in registers, fits
        let nth = |base: u32| u16::try_from((offset - base) / 4).ok();
        Some(match offset {
            0x0000..0x0400 => Self::QtxTail(nth(0)?),
            0x2000..0x2400 => Self::QrxTail(nth(0x2000)?),
            0x2800..0x28C0 => Self::Itrn { index: nth(0x2800)? / 16, vector: nth(0x2800)? % 16 },
            0x3800..0x3900 => Self::DynCtln(nth(0x3800)?),
            0x4C00..0x4C0C => Self::Itr0(nth(0x4C00)?),
            0xC400..0xC408 => Self::Hena(nth(0xC400)?),
            0xCC00..0xCC34 => Self::Hkey(nth(0xCC00)?),
            0xD000..0xD040 => Self::Hlut(nth(0xD000)?),
            _ => return None,
        })
    }
}

/// The specification's name, for traces: `VF_ATQLEN`, `QRX_TAIL(3)`.
impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QtxTail(n) => write!(f, "QTX_TAIL({n})"),
            Self::QrxTail(n) => write!(f, "QRX_TAIL({n})"),
            Self::Itrn { index, vector } => write!(f, "VFINT_ITRN({index},{vector})"),
            Self::DynCtln(n) => write!(f, "VFINT_DYN_CTLN({n})"),
            Self::Icr0 => f.write_str("VFINT_ICR0"),
            Self::Itr0(n) => write!(f, "VFINT_ITR0({n})"),
            Self::Icr0Ena => f.write_str("VFINT_ICR0_ENA"),
            Self::StatCtl0 => f.write_str("VFINT_STAT_CTL0"),
            Self::DynCtl0 => f.write_str("VFINT_DYN_CTL0"),
            Self::ArqBah => f.write_str("VF_ARQBAH"),
            Self::AtqHead => f.write_str("VF_ATQH"),
            Self::AtqLen => f.write_str("VF_ATQLEN"),
            Self::ArqBal => f.write_str("VF_ARQBAL"),
            Self::ArqTail => f.write_str("VF_ARQT"),
            Self::ArqHead => f.write_str("VF_ARQH"),
            Self::AtqBah => f.write_str("VF_ATQBAH"),
            Self::AtqBal => f.write_str("VF_ATQBAL"),
            Self::ArqLen => f.write_str("VF_ARQLEN"),
            Self::AtqTail => f.write_str("VF_ATQT"),
            Self::Rstat => f.write_str("VFGEN_RSTAT"),
            Self::Hena(n) => write!(f, "VFQF_HENA({n})"),
            Self::Hkey(n) => write!(f, "VFQF_HKEY({n})"),
            Self::Hlut(n) => write!(f, "VFQF_HLUT({n})"),
        }
    }
}

bits! {
    /// `VF_ATQLEN`, `VF_ARQLEN`: length and state of a mailbox ring.
    MailboxLen {
        /// Descriptors in the ring, up to 1023.
        length with_length 0 + 10;
        /// VFE: the function did what it may not; write back as 0 to clear.
        illegal with_illegal 28;
        /// OVFL: a message came while no descriptor was free; write back as 0 to clear.
        overflow with_overflow 29;
        /// CRIT: the ring could not be read or written; write back as 0 to clear.
        critical with_critical 30;
        /// ENABLE: the ring is in use. Reads 0 when the PF resets the function, which is the authoritative sign.
        enable with_enable 31;
    }
}

impl MailboxLen {
    /// Whether any of the three error bits is set.
    #[must_use]
    pub const fn has_error(self) -> bool {
        self.illegal() || self.overflow() || self.critical()
    }

    /// The same without its error bits: what a driver writes back to clear them.
    #[must_use]
    pub const fn cleared(self) -> Self {
        self.with_illegal(false).with_overflow(false).with_critical(false)
    }
}

bits! {
    /// `VF_ATQH`, `VF_ATQT`, `VF_ARQH`, `VF_ARQT`: a place in a mailbox ring.
    MailboxIndex {
        /// Index of a descriptor.
        index with_index 0 + 10;
    }
}

bits! {
    /// `VFINT_ICR0` and `VFINT_ICR0_ENA`: causes of vector 0.
    Icr0 {
        /// INTEVENT: some cause is pending.
        event with_event 0;
        /// Causes of queues that are mapped to vector 0.
        queues with_queues 1 + 4;
        /// Link status.
        link with_link 25;
        /// A mailbox message.
        adminq with_adminq 30;
        /// The software interrupt of [`DynCtl::swint`].
        swint with_swint 31;
    }
}

bits! {
    /// `VFINT_DYN_CTL0`, `VFINT_DYN_CTLN`: control of a vector.
    ///
    /// On the 700 series a write with [`intena_msk`](Self::intena_msk) clear also clears a pending event: arm after the
    /// last poll, and look at the ring once more.
    DynCtl {
        /// INTENA: the vector may fire. Hardware clears it when it does, except vector 0 in polling mode.
        intena with_intena 0;
        /// CLEARPBA: forget a pending event. Acts when written.
        clearpba with_clearpba 1;
        /// SWINT_TRIG: fire now. Acts when written.
        swint with_swint 2;
        /// ITR_INDX: which throttle [`interval`](Self::interval) is for; [`NO_ITR`](Self::NO_ITR) is none.
        itr_index with_itr_index 3 + 2;
        /// INTERVAL in units of 2 us, loaded into the throttle that `itr_index` names.
        interval with_interval 5 + 12;
        /// SW_ITR_INDX_ENA: the software interrupt is throttled by `sw_itr_index`.
        sw_itr_index_ena with_sw_itr_index_ena 24;
        /// SW_ITR_INDX.
        sw_itr_index with_sw_itr_index 25 + 2;
        /// WB_ON_ITR: post completed descriptors when the interval ends although the vector may not fire.
        wb_on_itr with_wb_on_itr 30;
        /// INTENA_MSK: this write leaves INTENA as it is.
        intena_msk with_intena_msk 31;
    }
}

impl DynCtl {
    /// The throttle index that means "touch no interval".
    pub const NO_ITR: u32 = 3;

    /// Lets the vector fire, intervals untouched: what drivers write to arm it again.
    #[must_use]
    pub const fn arm() -> Self {
        Self(0).with_intena(true).with_itr_index(Self::NO_ITR)
    }

    /// Posts descriptors after `interval` units of 2 us, without an interrupt. Needs the WB_ON_ITR capability.
    #[must_use]
    pub const fn write_back(interval: u32) -> Self {
        Self(0).with_wb_on_itr(true).with_itr_index(0).with_interval(interval)
    }

    /// Lets the vector fire, throttle 0 set to `interval` units of 2 us: with queues on vector 0 and RX_POLLING the way
    /// in which the X710 posts lone descriptors.
    #[must_use]
    pub const fn polling(interval: u32) -> Self {
        Self(0).with_intena(true).with_itr_index(0).with_interval(interval)
    }
}

/// `VFGEN_RSTAT` bits 1 and 0: how a reset stands. Open: 3 is only ever seen as part of 0xDEADBEEF.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResetState(pub u32);

impl ResetState {
    /// The PF is at it.
    pub const IN_PROGRESS: Self = Self(0);
    /// Done, the PF has not given the function free yet.
    pub const COMPLETED: Self = Self(1);
    /// The function may be used.
    pub const ACTIVE: Self = Self(2);

    /// From the register's value.
    #[must_use]
    pub const fn of(value: u32) -> Self {
        Self(value & 3)
    }

    /// Whether a driver may begin: completed and active both will do.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::COMPLETED | Self::ACTIVE)
    }
}

impl fmt::Debug for ResetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::IN_PROGRESS => f.write_str("in progress"),
            Self::COMPLETED => f.write_str("completed"),
            Self::ACTIVE => f.write_str("active"),
            Self(other) => write!(f, "unknown ({other})"),
        }
    }
}

/// Why a register reads as nothing that it could hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// All ones: no such function on the bus, or its link is down.
    Gone,
    /// 0xDEADBEEF or a relative: the block of registers is held in reset.
    Reset,
}

impl Absent {
    /// What all ones look like.
    pub const ALL_ONES: u32 = u32::MAX;
    /// What registers in reset look like.
    pub const DEAD_BEEF: u32 = 0xDEAD_BEEF;

    /// Tells a value that no live register of the mailbox, reset or interrupt groups holds. `None` for all others.
    /// Hash keys may hold anything and are not to be judged by this.
    #[must_use]
    pub const fn of(value: u32) -> Option<Self> {
        match value {
            Self::ALL_ONES => Some(Self::Gone),
            Self::DEAD_BEEF | 0xDEAD_BEFF => Some(Self::Reset),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every register that there is, in the order of offsets.
    fn all() -> Vec<Register> {
        (0..BAR0_BYTES).step_by(4).filter_map(Register::at).collect()
    }

    #[test]
    fn offsets_and_names_are_inverse() {
        for register in all() {
            assert_eq!(Register::at(register.offset()), Some(register), "{register}");
        }
        // 256 + 256 tails, 48 + 3 intervals, 64 + 1 controls, 15 others that stand alone, 2 + 13 + 16 for RSS
        assert_eq!(all().len(), 256 + 256 + 48 + 3 + 64 + 15 + 2 + 13 + 16);
    }

    #[test]
    fn no_two_share_a_name() {
        let names: std::collections::HashSet<String> = all().iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn offsets_of_nothing_have_no_name() {
        for offset in [1, 0x2002, 0x0400, 0x28C0, 0x3900, 0x4C0C, 0xC408, 0xCC34, 0xD040, 0xFFFC, u32::MAX] {
            assert_eq!(Register::at(offset), None, "{offset:#x}");
        }
    }

    #[test]
    fn controls_are_the_values_that_drivers_write() {
        assert_eq!(DynCtl::arm().0, 0x0000_0019, "Linux arms with this");
        assert_eq!(DynCtl::arm().with_clearpba(true).0, 0x0000_001B, "DPDK arms with this");
        assert_eq!(DynCtl::write_back(2).0, 0x4000_0040, "DPDK polls the 800 series with this");
        assert_eq!(DynCtl::write_back(0).with_itr_index(3).0, 0x4000_0018, "Linux, while it polls");
        assert_eq!(DynCtl::polling(16).0, 0x0000_0201, "DPDK polls the 700 series with this");
    }

    #[test]
    fn fields_keep_to_themselves() {
        let all = DynCtl(u32::MAX).with_interval(0);
        assert_eq!(all.0, 0xFFFE_001F);
        assert_eq!(all.with_interval(0xFFFF_FFFF).0, u32::MAX);
        let mailbox = MailboxLen(0).with_length(32).with_enable(true);
        assert_eq!(mailbox.0, 0x8000_0020);
        assert!(!mailbox.has_error());
        assert_eq!(mailbox.with_overflow(true).with_critical(true).with_illegal(true).0, 0xF000_0020);
        assert_eq!(MailboxLen(0xF000_0020).cleared(), mailbox);
        assert_eq!(Icr0(1 << 30), Icr0(0).with_adminq(true));
        assert_eq!(Icr0(0x1F).queues(), 0xF);
    }

    #[test]
    fn values_of_the_dead_are_told_from_others() {
        assert_eq!(Absent::of(0xFFFF_FFFF), Some(Absent::Gone));
        assert_eq!(Absent::of(0xDEAD_BEEF), Some(Absent::Reset));
        assert_eq!(Absent::of(0xDEAD_BEFF), Some(Absent::Reset));
        assert_eq!(Absent::of(0x8000_0020), None);
        assert_eq!(format!("{:?}", ResetState::of(0xDEAD_BEEF)), "unknown (3)");
        assert!(!ResetState::of(0xFFFF_FFFF).is_ready() && ResetState::of(2).is_ready());
    }
}
