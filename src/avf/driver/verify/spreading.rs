//! Whether frames come to the queues that key and table say, so that both directions of a flow share one.
//!
//! That a key is symmetric is arithmetic; that the NIC uses it is seen by predicting the queue of each frame. Frames whose
//! hash depends on what the PF has set, such as those of tunnels, are left out.

use std::fmt;

use avf::ptype::{Ip, Layers, Transport};
use avf::rss::{Addresses, Class, Family, Hena, Input, Lut, Seen, Toeplitz, is_symmetric};

use super::tunnels::{Tunnels, inside};
use crate::{Hashing, Negotiated};

/// Frames that have to agree before anything is proven.
const ENOUGH: u64 = 100;

/// One in so many may differ: the NIC parses some frames in its own way.
const PART: u64 = 50;

/// UDP ports whose frames a PF may take for tunnels: VXLAN of IANA and of Linux, Geneve, GTP-U.
const TUNNELS: [u16; 4] = [4789, 8472, 6081, 2152];

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;
const FRAGMENT6: u8 = 44;

/// What traffic says about spreading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symmetry {
    /// Too little was seen that can be judged.
    Unknown {
        /// Frames that could be judged.
        seen: u64,
    },
    /// Frames come where key and table say, and the key is symmetric.
    Proven {
        /// Frames where they were expected.
        agreed: u64,
    },
    /// Frames come elsewhere, or the key is not symmetric.
    Disproven {
        /// Frames where they were expected.
        agreed: u64,
        /// Frames elsewhere.
        differed: u64,
    },
}

impl fmt::Display for Symmetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { seen } => {
                write!(f, "not known: {seen} frames that can be judged, {ENOUGH} are needed")
            }
            Self::Proven { agreed } => {
                write!(
                    f,
                    "proven: {agreed} frames came to the queue that the key says, both directions of a flow to one"
                )
            }
            Self::Disproven { agreed, differed } => write!(
                f,
                "not in effect: {differed} of {} frames came to another queue than the key says; flows may be torn apart: \
                 use one queue",
                agreed + differed
            ),
        }
    }
}

/// Predicts queues and compares.
#[derive(Debug)]
pub struct Spreading {
    toeplitz: Toeplitz,
    lut: Lut,
    hena: Hena,
    family: Family,
    /// Whether the hash function folds both ends into one.
    folds: bool,
    is_symmetric: bool,
    agreed: u64,
    differed: u64,
    tunnels: Tunnels,
}

impl Spreading {
    /// For a function as it was set up. None where nothing is spread: one queue, or a PF that did not take the key.
    #[must_use]
    pub fn new(agreed: &Negotiated) -> Option<Self> {
        let lut = Lut::new(&agreed.lut).filter(|_| agreed.rss && agreed.queues > 1)?;
        let folds = agreed.hashing == Hashing::Folded;
        Some(Self {
            toeplitz: Toeplitz::new(&agreed.key),
            lut,
            hena: Hena(agreed.hena),
            family: agreed.family(),
            folds,
            is_symmetric: folds || is_symmetric(&agreed.key),
            agreed: 0,
            differed: 0,
            tunnels: Tunnels::default(),
        })
    }

    /// A frame came to `queue`.
    pub fn see(&mut self, queue: u16, data: &[u8]) {
        match self.predict(data) {
            Some(expected) if expected == queue => self.agreed += 1,
            Some(_) => self.differed += 1,
            None => self.see_tunnel(queue, data),
        }
    }

    /// Of a tunnelled packet either headers may decide; where they would lead to one queue nothing is learnt.
    fn see_tunnel(&mut self, queue: u16, data: &[u8]) {
        let Some(outer) = look(data).filter(Sight::may_be_tunnel) else { return };
        let inner = outer.ports.and_then(|(_, port)| inside(port, outer.payload)).and_then(look);
        let both = inner.and_then(|inner| self.lead(&inner)).zip(self.lead(&outer));
        if let Some((inner, outer)) = both.filter(|(inner, outer)| inner != outer) {
            self.tunnels.see(queue, inner, outer);
        }
    }

    /// Which headers of tunnelled packets decide, as far as was seen.
    #[must_use]
    pub fn tunnels(&self) -> Tunnels {
        self.tunnels
    }

    /// Where a frame must come to, if that can be said.
    #[must_use]
    pub fn predict(&self, data: &[u8]) -> Option<u16> {
        self.lead(&look(data).filter(|sight| !sight.may_be_tunnel())?)
    }

    /// Where headers lead.
    fn lead(&self, sight: &Sight<'_>) -> Option<u16> {
        let class = Class::of(self.family, &sight.seen);
        if !self.hena.hashes(self.family, class) {
            return None;
        }
        let ports = match class.input()? {
            Input::FourTuple => Some(sight.ports?),
            Input::Addresses => None,
            Input::EtherType => return None,
        };
        let hash = if self.folds { Toeplitz::hash_folded } else { Toeplitz::hash_tuple };
        Some(self.lut.queue(hash(&self.toeplitz, &sight.addresses, ports)).into())
    }

    /// What was seen so far comes to.
    #[must_use]
    pub fn verdict(&self) -> Symmetry {
        let (agreed, differed) = (self.agreed, self.differed);
        let seen = agreed + differed;
        if !self.is_symmetric || (seen >= ENOUGH && differed > seen / PART) {
            Symmetry::Disproven { agreed, differed }
        } else if seen < ENOUGH {
            Symmetry::Unknown { seen }
        } else {
            Symmetry::Proven { agreed }
        }
    }
}

/// What of a frame is hashed.
#[derive(Clone, Copy, Debug)]
struct Sight<'a> {
    /// What decides its class.
    seen: Seen,
    addresses: Addresses,
    ports: Option<(u16, u16)>,
    /// What is behind a UDP header.
    payload: &'a [u8],
}

impl Sight<'_> {
    /// Whether a PF may take it for a tunnel's.
    fn may_be_tunnel(&self) -> bool {
        let is_one = |(from, to): (u16, u16)| TUNNELS.contains(&from) || TUNNELS.contains(&to);
        self.seen.layers.transport == Transport::Udp && self.ports.is_some_and(is_one)
    }
}

/// Plain IP behind Ethernet and at most one VLAN tag.
fn look(data: &[u8]) -> Option<Sight<'_>> {
    let at = if word(data, 12)? == 0x8100 { 16 } else { 12 };
    let packet = data.get(at + 2..)?;
    match word(data, at)? {
        0x0800 => look_v4(packet),
        0x86DD => look_v6(packet),
        _ => None,
    }
}

fn look_v4(packet: &[u8]) -> Option<Sight<'_>> {
    let header = packet.first_chunk::<20>()?;
    let length = usize::from(header.first()? & 15) * 4;
    let is_fragment = word(header, 6)? & 0x3FFF != 0;
    let addresses = Addresses::V4(*header.get(12..)?.first_chunk()?, *header.get(16..)?.first_chunk()?);
    sight(Ip::V4, *header.get(9)?, is_fragment, addresses, packet.get(length..)?)
}

fn look_v6(packet: &[u8]) -> Option<Sight<'_>> {
    let header = packet.first_chunk::<40>()?;
    let next = *header.get(6)?;
    let addresses = Addresses::V6(*header.get(8..)?.first_chunk()?, *header.get(24..)?.first_chunk()?);
    sight(Ip::V6, next, next == FRAGMENT6, addresses, packet.get(40..)?)
}

fn sight(ip: Ip, protocol: u8, fragment: bool, addresses: Addresses, rest: &[u8]) -> Option<Sight<'_>> {
    let transport = match protocol {
        _ if fragment => Transport::Other,
        TCP => Transport::Tcp,
        UDP => Transport::Udp,
        SCTP => Transport::Sctp,
        ICMP if ip == Ip::V4 => Transport::Icmp,
        ICMP6 if ip == Ip::V6 => Transport::Icmp,
        _ => return None,
    };
    let has_ports = matches!(transport, Transport::Tcp | Transport::Udp | Transport::Sctp);
    let ports = if has_ports { Some((word(rest, 0)?, word(rest, 2)?)) } else { None };
    let layers = Layers { outer: Some(ip), fragment, transport, ..Layers::default() };
    let payload = rest.get(8..).unwrap_or_default();
    Some(Sight { seen: Seen { layers, ..Seen::default() }, addresses, ports, payload })
}

fn word(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*data.get(at..)?.first_chunk()?))
}
