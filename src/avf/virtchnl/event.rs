//! EVENT: what the physical function says unasked.

use std::fmt;

use super::wire::layout;
use crate::code::codes;

codes! {
    /// What happened.
    EventKind(i32) {
        LINK_CHANGE = 1, "The link came, went or changed its speed.";
        RESET_IMPENDING = 2, "The function is about to be reset.";
        PF_DRIVER_CLOSE = 3, "The physical function's driver goes away.";
        DCF_VSI_MAP = 4, "The device configuration function's map of VSIs changed.";
    }
}

codes! {
    /// How bad it is.
    Severity(i32) {
        INFO = 0, "Nothing has to be done.";
        ATTENTION = 1, "Somebody should look.";
        ACTION = 2, "Something has to be done.";
        CERTAIN_DOOM = 255, "The function is being reset.";
    }
}

/// An event, 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Link speed as it was sent: see [`LinkSpeed`].
    pub speed: LinkSpeed,
    /// 0 where the link is down.
    pub up: u8,
    /// How bad it is.
    pub severity: Severity,
}

layout! { Event {
    kind.0: i32;
    speed.0: u32;
    up: u8;
    pad 3;
    severity.0: i32;
} }

impl Event {
    /// The link changed. `speed` is in the form that was negotiated.
    #[must_use]
    pub fn link(up: bool, speed: LinkSpeed) -> Self {
        Self { kind: EventKind::LINK_CHANGE, speed, up: up.into(), severity: Severity::INFO }
    }

    /// The function is about to be reset.
    #[must_use]
    pub fn reset_impending() -> Self {
        Self { kind: EventKind::RESET_IMPENDING, severity: Severity::CERTAIN_DOOM, ..Self::default() }
    }

    /// What the link does now, if that is what the event is about.
    #[must_use]
    pub fn link_state(&self, adv_link_speed: bool) -> Option<Link> {
        (self.kind == EventKind::LINK_CHANGE)
            .then(|| Link { up: self.up != 0, mbps: self.speed.mbps(adv_link_speed) })
    }
}

/// A link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether frames can pass.
    pub up: bool,
    /// Speed in Mbit/s; `None` where it was not said or makes no sense.
    pub mbps: Option<u32>,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.up { "up" } else { "down" })?;
        self.mbps.map_or(Ok(()), |mbps| write!(f, ", {mbps} Mbit/s"))
    }
}

/// A link's speed on the wire, which has two forms: Mbit/s where ADV_LINK_SPEED was negotiated, else one bit of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkSpeed(pub u32);

impl LinkSpeed {
    /// The list: bit and Mbit/s.
    const LEGACY: [(u32, u32); 8] = [
        (1, 2_500),
        (2, 100),
        (4, 1_000),
        (8, 10_000),
        (16, 40_000),
        (32, 20_000),
        (64, 25_000),
        (128, 5_000),
    ];

    /// Faster than this is no link, but the other form or nonsense.
    const FASTEST: u32 = 1_600_000;

    /// In the form that was negotiated. A speed that the list does not have is the next lower one, as of 100 Gbit/s PFs
    /// say 40; below the lowest: 0.
    #[must_use]
    pub fn new(mbps: u32, adv_link_speed: bool) -> Self {
        if adv_link_speed {
            return Self(mbps);
        }
        let slower = Self::LEGACY.iter().filter(|(_, speed)| *speed <= mbps);
        Self(slower.max_by_key(|(_, speed)| *speed).map_or(0, |(bit, _)| *bit))
    }

    /// Mbit/s, read in the form that was negotiated; `None` for 0 and for what no link has.
    #[must_use]
    pub fn mbps(self, adv_link_speed: bool) -> Option<u32> {
        if adv_link_speed {
            // every Ethernet speed is a multiple of 100 Mbit/s, and no bit of the list is
            let real = self.0 != 0 && self.0.is_multiple_of(100) && self.0 <= Self::FASTEST;
            return real.then_some(self.0);
        }
        Self::LEGACY.iter().find(|(bit, _)| *bit == self.0).map(|(_, speed)| *speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtchnl::Message;

    #[test]
    fn a_link_event_has_16_bytes() {
        let event = Event::link(true, LinkSpeed::new(10_000, true));
        assert_eq!(event.encode(), [1, 0, 0, 0, 0x10, 0x27, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(event.link_state(true), Some(Link { up: true, mbps: Some(10_000) }));
        assert_eq!(event.link_state(true).unwrap().to_string(), "up, 10000 Mbit/s");
    }

    #[test]
    fn both_forms_of_speed() {
        for (bit, mbps) in LinkSpeed::LEGACY {
            assert_eq!(LinkSpeed::new(mbps, false), LinkSpeed(bit));
            assert_eq!(LinkSpeed(bit).mbps(false), Some(mbps));
            assert_eq!(LinkSpeed::new(mbps, true).mbps(true), Some(mbps));
        }
    }

    #[test]
    fn what_the_list_lacks_is_the_next_lower_one() {
        assert_eq!(LinkSpeed::new(100_000, false), LinkSpeed(16));
        assert_eq!(LinkSpeed::new(100_000, true).mbps(true), Some(100_000));
        assert_eq!((LinkSpeed::new(10, false), LinkSpeed::new(0, false)), (LinkSpeed(0), LinkSpeed(0)));
    }

    #[test]
    fn a_speed_in_the_wrong_form_is_no_speed() {
        assert!(LinkSpeed::LEGACY.iter().all(|(bit, _)| LinkSpeed(*bit).mbps(true).is_none()));
        assert_eq!(LinkSpeed(0).mbps(true), None);
        assert_eq!(LinkSpeed(10_000).mbps(false), None);
        assert_eq!(LinkSpeed(u32::MAX).mbps(true), None);
    }

    #[test]
    fn a_reset_is_certain_doom() {
        let bytes = Event::reset_impending().encode();
        assert_eq!((bytes[0], bytes[12]), (2, 255));
        assert_eq!(Event::decode(&bytes).unwrap().link_state(true), None);
    }
}
