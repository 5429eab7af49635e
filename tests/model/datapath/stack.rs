//! The headers of a frame, from the outside in, and where each begins.

use avf::virtchnl::HeaderKind;

/// More than two Ethernets, four tags, and IP with a transport and a fragment twice.
const MOST: usize = 16;

/// The headers that the parser found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    list: [(HeaderKind, u16); MOST],
    count: u8,
    /// How many of them lie outside of the tunnel.
    outer: Option<u8>,
}

impl Stack {
    /// The next header; what finds no room is left out.
    pub(super) fn push(&mut self, kind: HeaderKind, at: usize) {
        let place = self.list.get_mut(usize::from(self.count));
        if let (Some(place), Ok(at)) = (place, u16::try_from(at)) {
            *place = (kind, at);
            self.count += 1;
        }
    }

    /// What comes from here on lies inside of a tunnel.
    pub(super) fn enter(&mut self) {
        self.outer.get_or_insert(self.count);
    }

    /// Headers outside of a tunnel, or of a frame without one.
    pub(super) fn outside(&self) -> &[(HeaderKind, u16)] {
        self.list.get(..usize::from(self.outer.unwrap_or(self.count))).unwrap_or_default()
    }

    /// Headers inside of a tunnel.
    pub(super) fn inside(&self) -> &[(HeaderKind, u16)] {
        let from = self.outer.unwrap_or(self.count);
        self.list.get(usize::from(from)..usize::from(self.count)).unwrap_or_default()
    }
}
