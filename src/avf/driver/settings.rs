//! What is asked of a function, and what of it makes sense.

use std::time::Duration;

use avf::rss::{KEY_BYTES, SYMMETRIC_KEY};
use frame::TapId;

use crate::VfError;

/// Queue pairs of the largest functions. What a driver can name is its own matter, and what a PF gives is the PF's.
pub const MOST_QUEUES: u16 = 256;

/// Flows of which a trusted function can have copies without being promiscuous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Over IPv6; over IPv4 otherwise.
    pub six: bool,
    /// TCP (6) or UDP (17) alone.
    pub protocol: Option<u8>,
    /// One port alone.
    pub port: Option<u16>,
    /// Whether that is the source port.
    pub from: bool,
}

impl Subscription {
    /// From `ip`, `tcp`, `udp`, `tcp:443` or `udp:4789`: everything of that kind, over either IP, to and from the port.
    #[must_use]
    pub fn parse(text: &str) -> Option<Vec<Self>> {
        let (kind, port) = match text.split_once(':') {
            Some((kind, port)) => (kind, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let protocol = match kind {
            "ip" if port.is_none() => None,
            "tcp" => Some(6),
            "udp" => Some(17),
            _ => return None,
        };
        let ways: &[bool] = if port.is_some() { &[false, true] } else { &[false] };
        let one = |six| ways.iter().map(move |from| Self { six, protocol, port, from: *from });
        Some([false, true].into_iter().flat_map(one).collect())
    }
}

/// How a function is brought up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Queue pairs wanted, one a worker: 1 to 256. Fewer are taken where the PF has no more.
    pub queues: u16,
    /// Descriptors of each receive ring: a power of two, 64 to 4,096.
    pub descriptors: u16,
    /// Bytes of each receive buffer: a multiple of 128, 1,024 to 16,256. Frames that are longer than one take several. Where
    /// it is a power of two, the first lines of all frames share a few sets of the processor's caches and push each other
    /// out; an odd multiple of 128 spreads them.
    pub buffer: u16,
    /// Longest frame, in bytes without its check sequence: 64 to 9,728. The NIC drops longer ones.
    pub max_frame: u16,
    /// Whether frames for other stations are wanted too, unicast and multicast.
    pub promiscuous: bool,
    /// Whether outer VLAN tags are taken out of frames and travel beside them.
    pub strip_vlan: bool,
    /// Whether frames carry the time at which the NIC saw them, where it can tell.
    pub nic_time: bool,
    /// VLANs to receive where the PF prunes: 0 to 4,095.
    pub vlans: Vec<u16>,
    /// Addresses to receive for beside its own.
    pub addresses: Vec<[u8; 6]>,
    /// Flows to have copies of, where the PF gives them.
    pub subscriptions: Vec<Subscription>,
    /// RSS key. The symmetric one gives both directions of a flow the same hash.
    pub key: [u8; KEY_BYTES],
    /// Whether queues are set up to send as well.
    pub transmit: bool,
    /// Most frames lent in one burst; as many as the longest frame has descriptors, if that is more.
    pub burst: usize,
    /// Longest wait of a burst.
    pub wait: Duration,
    /// How long the function may be unusable before its queues give up; none: for ever.
    pub patience: Option<Duration>,
    /// Number of this function among the sensor's taps.
    pub tap: TapId,
}

impl Settings {
    /// A sensor's settings: promiscuous, tags left in their frames, whole frames up to 1,522 bytes in one buffer.
    #[must_use]
    pub fn new(queues: u16) -> Self {
        Self {
            queues,
            descriptors: 1024,
            buffer: 2176,
            max_frame: 1522,
            promiscuous: true,
            strip_vlan: false,
            nic_time: true,
            vlans: Vec::new(),
            addresses: Vec::new(),
            subscriptions: Vec::new(),
            key: SYMMETRIC_KEY,
            transmit: false,
            burst: 256,
            wait: Duration::from_millis(10),
            patience: Some(Duration::from_secs(60)),
            tap: TapId(0),
        }
    }

    /// The same for jumbo frames, each in one buffer: five times the memory, no chains.
    #[must_use]
    pub fn jumbo(queues: u16) -> Self {
        Self { buffer: 9856, max_frame: 9728, descriptors: 512, ..Self::new(queues) }
    }

    /// Whether they make sense.
    ///
    /// # Errors
    /// [`VfError::Settings`] with what was read and what is allowed.
    pub fn check(&self) -> Result<(), VfError> {
        let refuse = |say: String| Err(VfError::Settings(say));
        if !(1..=MOST_QUEUES).contains(&self.queues) {
            return refuse(format!("{} queues: 1 to {MOST_QUEUES} are allowed", self.queues));
        }
        if !self.descriptors.is_power_of_two() || !(64..=4096).contains(&self.descriptors) {
            let say = "a power of two from 64 to 4096 is allowed";
            return refuse(format!("{} descriptors: {say}", self.descriptors));
        }
        if !self.buffer.is_multiple_of(128) || !(1024..=16256).contains(&self.buffer) {
            let say = "a multiple of 128 from 1024 to 16256 is allowed";
            return refuse(format!("buffers of {} bytes: {say}", self.buffer));
        }
        if !(64..=9728).contains(&self.max_frame) {
            return refuse(format!("frames of {} bytes: 64 to 9728 are allowed", self.max_frame));
        }
        if let Some(vlan) = self.vlans.iter().find(|vlan| **vlan > 4095) {
            return refuse(format!("VLAN {vlan}: 0 to 4095 are allowed"));
        }
        if self.burst == 0 {
            return refuse("a burst of 0 frames: 1 at least".to_owned());
        }
        Ok(())
    }

    /// Memory of all receive rings and their buffers, if as many queues are had as are wanted.
    #[must_use]
    pub fn ring_bytes(&self) -> u64 {
        let each = u64::from(self.buffer) + avf::rx::BYTES as u64;
        u64::from(self.queues) * u64::from(self.descriptors) * each
    }

    /// Descriptors that the longest frame takes, the empty one after a frame that fills its last buffer included.
    #[must_use]
    pub fn segments(&self) -> usize {
        usize::from(self.max_frame).div_ceil(usize::from(self.buffer)) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_by_default_is_allowed() {
        assert!(Settings::new(16).check().is_ok() && Settings::jumbo(1).check().is_ok());
        assert_eq!((Settings::new(1).segments(), Settings::jumbo(1).segments()), (2, 2));
        assert_eq!(Settings { max_frame: 9728, ..Settings::new(1) }.segments(), 6);
    }

    #[test]
    fn rings_take_two_mebibytes_a_queue() {
        assert_eq!(Settings::new(64).ring_bytes(), 64 * 1024 * (2176 + 32));
    }

    #[test]
    fn flows_are_written_by_protocol_and_port() {
        let parse = |text| Subscription::parse(text).map(|list| list.len());
        assert_eq!(["ip", "tcp", "udp:4789"].map(parse), [Some(2), Some(2), Some(4)]);
        assert_eq!(["", "ip:5", "tcp:", "tcp:70000", "sctp", "udp:1:2"].map(parse), [None; 6]);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_what_is_allowed() {
        let good = Settings::new(4);
        let bad = [
            Settings { queues: 0, ..good.clone() },
            Settings { queues: 257, ..good.clone() },
            Settings { descriptors: 100, ..good.clone() },
            Settings { descriptors: 8192, ..good.clone() },
            Settings { buffer: 2000, ..good.clone() },
            Settings { max_frame: 9729, ..good.clone() },
            Settings { vlans: vec![1, 4096], ..good.clone() },
            Settings { burst: 0, ..good },
        ];
        for settings in bad {
            let say = settings.check().unwrap_err().to_string();
            assert!(say.contains("allowed") || say.contains("at least"), "{say}");
        }
    }
}
