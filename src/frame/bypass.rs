//! The door by which a worker has its source drop the frames of flows that nobody wants to look at any more.
//!
//! A source that can do so hands over a [`Bypass`] ([`crate::RxQueue::bypass`]); the worker asks it for flows, hears what
//! became of them and what was dropped, and takes them back. Everything is said in plain values; nothing waits.

use crate::{Ledger, Timestamp};

/// How a packet is wrapped, as far as bypass looks through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// There is no tunnel.
    #[default]
    None = 0,
    /// VXLAN; the id is its network.
    Vxlan = 1,
    /// GENEVE; the id is its network.
    Geneve = 2,
    /// GRE.
    Gre = 3,
    /// GRE with a key, which is the id.
    GreWithKey = 4,
    /// ERSPAN; the id is version, VLAN and session.
    Erspan = 5,
    /// GTP-U; the id is its tunnel.
    Gtp = 6,
    /// IP in IP.
    Ip = 7,
}

/// Bytes of GENEVE options that are compared.
pub const OPTIONS: usize = 40;
/// Tunnels around a packet that bypass looks through.
pub const LEVELS: usize = 2;

/// Where a packet goes from and to, in one network. IPv4 addresses are the first four bytes, the rest is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ends {
    /// Source address.
    pub src: [u8; 16],
    /// Destination address.
    pub dst: [u8; 16],
    /// Source and destination port; zero where there are none, or where they say nothing.
    pub ports: [u16; 2],
    /// VLAN ids, outermost first.
    pub vlans: [u16; 3],
}

/// One tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Level {
    /// Its ends.
    pub ends: Ends,
    /// Network, key or session.
    pub id: u32,
    /// What it is.
    pub kind: Kind,
}

/// Everything around a packet that tells networks apart, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Around {
    /// The tunnels.
    pub levels: [Level; LEVELS],
    /// Options of an outermost GENEVE header, as they stand there.
    pub options: [u8; OPTIONS],
    /// How many bytes of them there are.
    pub options_len: u8,
}

impl Default for Around {
    fn default() -> Self {
        Self { levels: [Level::default(); LEVELS], options: [0; OPTIONS], options_len: 0 }
    }
}

/// One direction of a flow, as it stands in frames: equal for frames of one flow and direction only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Half {
    /// The innermost packet's ends.
    pub ends: Ends,
    /// Its transport: TCP, UDP or SCTP.
    pub protocol: u8,
    /// Its IP version, 4 or 6.
    pub version: u8,
    /// What it is wrapped in.
    pub around: Around,
}

impl Half {
    /// The other direction in the same wrapping.
    #[must_use]
    pub const fn reversed(mut self) -> Self {
        let [src_port, dst_port] = self.ends.ports;
        self.ends.ports = [dst_port, src_port];
        (self.ends.src, self.ends.dst) = (self.ends.dst, self.ends.src);
        self
    }

    /// Whether nothing is around the packet.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let [first, _] = &self.around.levels;
        first.kind == Kind::None
    }
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Frames of these halves are dropped from now on, and counted.
    Captured,
    /// The source will say so later, or why not ([`News`]).
    Later,
    /// Nothing was done: the flow's frames go on coming.
    Not(WhyNot),
}

/// Why frames go on coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// There is no room for more halves.
    Full,
    /// The source cannot tell such frames from others.
    Unable,
    /// The kernel or the device refused.
    Refused,
}

/// What comes home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Frames of one half were dropped since this was last told.
    Dropped {
        /// Which half, in the order in which they were asked for.
        half: u8,
        /// How many.
        packets: u64,
        /// Bytes of them on the wire.
        bytes: u64,
        /// Bytes of their innermost packets, from the IP header on.
        inner: u64,
        /// When the last of them came.
        last: Timestamp,
    },
    /// What was promised for later holds from now on.
    Captured,
    /// The source has let go of the flow, and why: its frames come again.
    Lost(WhyNot),
}

/// News of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The number that the worker gave it.
    pub flow: u32,
    /// What is new.
    pub news: News,
}

/// Where a worker has frames of its flows dropped. It is owned by the worker, and knows its own flows only.
pub trait Bypass: Send {
    /// Has frames of these halves dropped, all or none. A flow may be asked for again, with further halves: those that it
    /// has already stay, and all of them are undone when there is no room for a new one.
    fn ask(&mut self, flow: u32, halves: &[Half]) -> Answer;

    /// Lets go of a flow; what is new of it comes home first. Its number may be given anew then.
    fn end(&mut self, flow: u32, home: &mut Vec<Home>);

    /// Looks after a bounded part of the halves. To be called after each burst, with the time of its last frame.
    fn turn(&mut self, now: Timestamp, home: &mut Vec<Home>);

    /// Adds the frames that were dropped since the last call: received, and bypassed.
    fn account(&mut self, ledger: &mut Ledger);

    /// Halves in force.
    fn halves(&self) -> u64;
}
