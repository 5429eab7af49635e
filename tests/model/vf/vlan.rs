//! Which VLAN tags are taken out of received frames.

/// Ethernet types of tags, outer and inner; none stays in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strip {
    /// Tag protocol that is taken out as the outer tag.
    pub outer: Option<u16>,
    /// Tag protocol that is taken out as the inner tag, or as the only one.
    pub inner: Option<u16>,
}

impl Strip {
    /// Tag protocol of IEEE 802.1Q.
    pub const TPID: u16 = 0x8100;

    /// As ops 27 and 28 say it: the one tag there is, on or off.
    #[must_use]
    pub const fn single(on: bool) -> Self {
        Self { outer: None, inner: if on { Some(Self::TPID) } else { None } }
    }

    /// Whether anything is taken out.
    #[must_use]
    pub const fn is_on(self) -> bool {
        self.outer.is_some() || self.inner.is_some()
    }
}
