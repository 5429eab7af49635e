//! Which headers of a tunnelled packet decide its queue: traffic tells, for PFs take patterns of inner headers and mean outer
//! ones.

use std::fmt;

/// Frames that are enough to judge by.
const ENOUGH: u64 = 20;

/// What traffic says about the spreading of VXLAN and GENEVE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tunnels {
    /// Frames that came where their inner headers say, and not their outer ones.
    pub inner: u64,
    /// Frames that came where their outer headers say, and not their inner ones.
    pub outer: u64,
    /// Frames that came to some other queue.
    pub neither: u64,
}

impl Tunnels {
    /// A frame came to `queue`; where its headers would have it differs.
    pub(super) fn see(&mut self, queue: u16, inner: u16, outer: u16) {
        match queue {
            queue if queue == inner => self.inner += 1,
            queue if queue == outer => self.outer += 1,
            _ => self.neither += 1,
        }
    }

    /// Whether both directions of an inner flow come to one queue; none when too little was seen.
    #[must_use]
    pub fn is_inner(&self) -> Option<bool> {
        let seen = self.inner + self.outer + self.neither;
        (seen >= ENOUGH).then_some(self.inner > seen - seen / ENOUGH)
    }
}

impl fmt::Display for Tunnels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_inner() {
            None => f.write_str("not known: too few frames of VXLAN or GENEVE were seen"),
            Some(true) => write!(f, "by inner headers, as {} frames show", self.inner),
            Some(false) => write!(
                f,
                "by outer headers, as {} frames show: the directions of an inner flow may part; vf.fanout = \"here\" keeps \
                 them together",
                self.outer + self.neither
            ),
        }
    }
}

/// The frame inside a UDP payload, of a tunnel whose port this is.
pub(super) fn inside(port: u16, payload: &[u8]) -> Option<&[u8]> {
    const VXLAN: [u16; 2] = [4789, 8472];
    const GENEVE: u16 = 6081;
    const HEADER: usize = 8;
    const ETHERNET: [u8; 2] = [0x65, 0x58];
    if VXLAN.contains(&port) {
        return payload.get(HEADER..);
    }
    let header = payload.first_chunk::<HEADER>().filter(|_| port == GENEVE)?;
    let [options, _, kind @ .., _, _, _, _] = header;
    let options = usize::from(options & 0x3F) * 4;
    (*kind == ETHERNET).then(|| payload.get(HEADER + options..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_frames_decide() {
        let mut tunnels = Tunnels::default();
        assert_eq!(tunnels.is_inner(), None);
        (0..30).for_each(|_| tunnels.see(3, 3, 5));
        assert_eq!(tunnels.is_inner(), Some(true));
        (0..30).for_each(|_| tunnels.see(5, 3, 5));
        assert_eq!((tunnels.is_inner(), tunnels.outer), (Some(false), 30));
    }

    #[test]
    fn inner_frames_lie_behind_tunnel_headers() {
        let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &[1, 2, 3]].concat();
        assert_eq!(inside(4789, &vxlan), Some(&[1, 2, 3][..]));
        let geneve = [&[1, 0, 0x65, 0x58, 0, 0, 7, 0][..], &[9; 4], &[1, 2, 3]].concat();
        assert_eq!(inside(6081, &geneve), Some(&[1, 2, 3][..]));
        assert_eq!(inside(6081, &[0, 0, 8, 0, 0, 0, 7, 0]), None, "IP without Ethernet");
        assert_eq!((inside(53, &vxlan), inside(6081, &[])), (None, None));
    }
}
