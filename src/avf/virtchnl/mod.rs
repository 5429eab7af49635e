//! virtchnl: what a virtual function and its physical function say to each other.
//!
//! Structures are read and written as inverses: a driver writes requests and reads answers, a model the other way. The
//! length of a request is decided in [`length`] alone. [`Request`] and [`Answer`] are every message with its type.

mod answer;
mod caps;
mod event;
mod fdir;
mod filter;
mod fsub;
mod headers;
mod irq;
mod large;
pub mod length;
mod opcode;
mod ptp;
mod qos;
mod queues;
mod request;
mod resources;
mod rss;
mod stats;
mod status;
mod version;
mod vlan_v2;
mod wire;

pub use answer::Answer;
pub use caps::Caps;
pub use event::{Event, EventKind, Link, LinkSpeed, Severity};
pub use fdir::{Action, ActionKind, FdirAdd, FdirDel, FdirStatus};
pub use filter::{AddressKind, Addresses, EtherAddress, Promiscuity, Promiscuous, Vlans};
pub use fsub::{FlowSubscribe, FlowUnsubscribe, FsubStatus};
pub use headers::{Algorithm, Header, HeaderKind, HeaderPattern, MaskedHeader, Pattern, RssConfig, field};
pub use irq::{IrqMap, VectorMap};
pub use large::{QueueChunk, QueueKind, QueueRuns, QueueVector, QueueVectors, RssRegion};
pub use opcode::Opcode;
pub use ptp::{PhcTime, PtpBits, PtpCaps, PtpPlace};
pub use qos::{
    ClassMap, ClassPriorities, ClassQueues, QosCaps, Quanta, QueueBandwidth, QueueClasses, QueueRate,
    TrafficClass,
};
pub use queues::{ConfigQueues, QueuePair, QueueSelect, RxFlags, RxQueue, TxQueue};
pub use request::{Refused, Request};
pub use resources::{QueueCount, Resources, Vsi, VsiKind};
pub use rss::{Hena, RssHash, RssKey, RssLut};
pub use stats::Stats;
pub use status::Status;
pub use version::Version;
pub use vlan_v2::{VlanCaps, VlanFilter, VlanFilters, VlanSetting, VlanSupport, VlanTag};
pub use wire::{Malformed, Message, Reader};

#[cfg(test)]
mod tests;
