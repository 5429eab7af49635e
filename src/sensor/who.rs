//! Who talks to whom: the part of an event's header that a flow gives.

use crate::out::{EventTypes, Place};
use crate::share::Attached;
use event::{Header, Ports};
use flow::Flow;
use parse::Side;
use std::net::IpAddr;

/// A flow's facts for headers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who {
    pub(crate) flow_id: u64,
    client: IpAddr,
    server: IpAddr,
    ports: Option<Ports>,
    protocol: u8,
    vlans: (u8, [u16; 3]),
    tenant: u32,
    icmp: [Option<(u8, u8)>; 2],
    ether: Option<([u8; 6], [u8; 6])>,
    community: Option<[u8; 20]>,
}

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

impl Who {
    pub(crate) fn of(flow: &Flow<Attached>, types: &EventTypes) -> Self {
        let key = &flow.key;
        let has_ports = matches!(key.protocol, 6 | 17 | 132);
        Self {
            flow_id: flow.id(),
            client: key.src.to_ip(key.version),
            server: key.dst.to_ip(key.version),
            ports: has_ports.then_some(Ports { src: key.src_port, dst: key.dst_port }),
            protocol: key.protocol,
            vlans: (flow.vlans.count, flow.vlans.ids),
            tenant: key.tenant,
            icmp: if matches!(key.protocol, ICMP | ICMPV6) { flow.icmp } else { [None; 2] },
            ether: if types.ethernet { flow.ether.map(|e| (e.src, e.dst)) } else { None },
            community: types.community_id.map(|seed| flow::community_hash(key, seed)),
        }
    }

    /// The server: tenant and address.
    pub(crate) fn server(&self) -> (u32, IpAddr) {
        (self.tenant, self.server)
    }

    /// The header of an event of this flow. To-server events have the client as their source.
    pub(crate) fn header(&self, event_type: &'static str, side: Side, place: &Place) -> Header {
        let forward = side == Side::ToServer;
        let (src, dst) = if forward { (self.client, self.server) } else { (self.server, self.client) };
        let turn = |p: Ports| if forward { p } else { Ports { src: p.dst, dst: p.src } };
        let [request, _] = self.icmp;
        Header {
            event_type,
            nanos: place.nanos,
            flow_id: Some(self.flow_id),
            packet: place.packet,
            tap: place.tap,
            vlans: self.vlans,
            tenant: self.tenant,
            addresses: Some((src, dst)),
            ports: self.ports.map(turn),
            protocol: Some(self.protocol),
            icmp: request,
            icmp_response: None,
            origin: place.origin,
            community: self.community,
            tx: None,
            app_proto: "",
            ether: self.ether.map(|(a, b)| if forward { (a, b) } else { (b, a) }),
        }
    }

    /// The header of the flow's own record.
    pub(crate) fn flow_header(&self, event_type: &'static str, side: Side, place: &Place) -> Header {
        let [_, response] = self.icmp;
        Header { icmp_response: response, packet: 0, origin: "", ..self.header(event_type, side, place) }
    }
}
