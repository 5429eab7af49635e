//! One packet's turn: find its flow, count it, move the TCP machine, store its payload.

use super::evict::Class;
use super::{Record, Table, expiry};
use crate::key::{Key, Side, icmp_ports, spi_ports};
use crate::stream::Stored;
use crate::tcp::{Outcome, Segment, TcpState, facts, marks, step};
use crate::{
    End, EventList, Flow, FlowRef, Moment, Phase, Refused, Settings, StreamEvent, Turn, UrgentPolicy,
};
use decode::tcp_flags::{ACK, FIN, RST, SYN, URG};
use decode::{Embedded, Ip, Network, Packet, Transport};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;
/// The type of ICMP's destination unreachable (RFC 792).
const UNREACHABLE: u8 = 3;
/// IPv4 and IPv6 inside IP (RFC 2003, 4213): the outer header is a flow, as in Suricata.
const IP_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;

impl<A: Default> Table<A> {
    /// Finds or makes the flow of a packet, counts it, moves the TCP machine, stores its payload.
    ///
    /// # Errors
    /// When the packet has no flow, or when the table is full of flows that are worth more.
    pub fn turn(&mut self, packet: &Packet, payload: &[u8], now: Moment, tap: u32) -> Result<Turn, Refused> {
        self.wheel.start(now.time.seconds());
        self.sweep();
        let ended = self.ended;
        let Some((ip, key)) = key_of(packet, tap, &self.settings) else {
            self.counters.not_a_flow += 1;
            return Err(Refused::NotAFlow);
        };
        if let Some((slot, side)) = self.spoken_of(packet, ip, &key) {
            self.counters.related += 1;
            self.counters.packets += 1;
            let flow = self.flow_mut(FlowRef(slot));
            flow.count_error(side, packet.length, now);
            let mut turn = Turn::of(FlowRef(slot), side, flow.phase);
            self.settle(slot, &mut turn);
            return Ok(turn);
        }
        let (slot, side, is_new) = self.find_or_make(packet, ip, &key, now)?;
        let mut turn = self.count(slot, side, packet, ip, now);
        turn.is_new = is_new;
        turn.ended = self.ended > ended;
        self.counters.payload += payload.len() as u64;
        if turn.bypassed {
            self.counters.bypassed += 1;
            self.counters.skipped += payload.len() as u64;
            self.watch_end(slot, packet, &mut turn);
            return Ok(turn);
        }
        if let Transport::Tcp(tcp) = &packet.transport {
            self.tcp(slot, packet, tcp, payload, now, &mut turn);
            if packet.mirrored {
                self.excuse(slot, packet, &mut turn);
            }
        } else {
            turn.direct = true;
            self.counters.delivered += payload.len() as u64;
        }
        self.settle(slot, &mut turn);
        Ok(turn)
    }

    /// The machine does not run on a bypassed flow; that its connection ends is noticed all the same.
    fn watch_end(&mut self, slot: u32, packet: &Packet, turn: &mut Turn) {
        let (Transport::Tcp(tcp), false) = (&packet.transport, packet.bad_checksum && self.settings.checksum)
        else {
            return;
        };
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        let connection = &mut record.flow.tcp;
        connection.peers.of_mut(turn.side).flags |= tcp.flags;
        let both = Side::BOTH.iter().all(|side| connection.peers.of(*side).flags & FIN != 0);
        if connection.state != TcpState::Closed && (both || tcp.flags & RST != 0) {
            connection.state = TcpState::Closed;
            turn.closed_now = true;
            self.postpone(slot);
        }
    }

    /// Counts a packet on a flow.
    fn count(&mut self, slot: u32, side: Side, packet: &Packet, ip: &Ip, now: Moment) -> Turn {
        self.counters.packets += 1;
        let flow = self.flow_mut(FlowRef(slot));
        flow.count(side, packet.length, ip.ttl, now);
        if let Transport::Icmp { kind, code, .. } = packet.transport
            && matches!(flow.key.protocol, ICMP | ICMPV6)
            && let Some(seen) = flow.icmp.get_mut(side.index())
        {
            seen.get_or_insert((kind, code));
        }
        Turn::of(FlowRef(slot), side, flow.phase)
    }

    /// Phase and class follow from what the packet did.
    fn settle(&mut self, slot: u32, turn: &mut Turn) {
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        let flow = &mut record.flow;
        if flow.key.protocol != TCP && flow.phase == Phase::New && flow.answered() {
            flow.phase = Phase::Established;
        }
        turn.established = flow.phase != Phase::New;
        let was = flow.phase;
        if flow.key.protocol == TCP {
            flow.phase = phase_of(flow.tcp.state, was);
            turn.established = flow.phase != Phase::New;
            turn.closed_now |=
                was != Phase::Closed && flow.phase == Phase::Closed && flow.tcp.state == TcpState::Closed;
        }
        self.postpone(slot);
        self.classify(slot);
    }

    /// The flow that is told of as not getting through, and who is told. As in Suricata that is what destination
    /// unreachable (RFC 792) says; other errors, and those of ICMPv6, are flows of their own.
    fn spoken_of(&self, packet: &Packet, ip: &Ip, key: &Key) -> Option<(u32, Side)> {
        let Transport::Icmp { about: Some(about), kind: UNREACHABLE, .. } = packet.transport else {
            return None;
        };
        if ip.version != 4 {
            return None;
        }
        let Embedded { src, dst, protocol, src_port, dst_port } = about;
        let inner = Key { src, dst, protocol, src_port, dst_port, version: ip.version, ..*key };
        let (slot, reversed) = self.find(inner.tag(self.settings.seed), &inner)?;
        // The error goes to whoever sent the packet that it quotes.
        Some((slot, if reversed { Side::ToServer } else { Side::ToClient }))
    }

    fn find_or_make(
        &mut self,
        packet: &Packet,
        ip: &Ip,
        key: &Key,
        now: Moment,
    ) -> Result<(u32, Side, bool), Refused> {
        let tag = key.tag(self.settings.seed);
        if let Some((slot, reversed)) = self.find(tag, key) {
            let side = if reversed { Side::ToClient } else { Side::ToServer };
            let flow = self.flow(FlowRef(slot));
            let end = if expiry::is_over(self.timeouts(), flow, now.time) {
                flow.natural_end()
            } else if begins_anew(packet, flow, side, &self.settings) {
                End::Reused
            } else {
                return Ok((slot, side, false));
            };
            self.end(slot, end);
        }
        let slot = self.make(packet, ip, *key, tag, now)?;
        Ok((slot, Side::ToServer, true))
    }

    fn make(&mut self, packet: &Packet, ip: &Ip, key: Key, tag: u32, now: Moment) -> Result<u32, Refused> {
        let slot = if self.make_room(now.time.seconds()) { self.take_slot() } else { None };
        let Some(slot) = slot else {
            self.counters.table_full += 1;
            return Err(Refused::TableFull);
        };
        if !self.index.insert(tag, slot) {
            self.free.push(slot);
            self.counters.chain_full += 1;
            self.counters.table_full += 1;
            return Err(Refused::TableFull);
        }
        let flow = Flow {
            key,
            first: now,
            last: now,
            ether: packet.ether,
            vlans: packet.vlans,
            class: Class::Unanswered,
            live: true,
            ..Flow::default()
        };
        let due = expiry::due(self.timeouts(), &flow);
        if let Some(place) = self.records.get_mut(slot as usize) {
            *place = Record { flow, tag, fires: 0 };
        }
        self.schedule(slot, due);
        self.queues.push(Class::Unanswered.ring(), slot);
        self.active += 1;
        self.counters.flows += 1;
        let counter = match ip.protocol {
            TCP => &mut self.counters.tcp,
            UDP => &mut self.counters.udp,
            ICMP | ICMPV6 => &mut self.counters.icmp,
            _ => &mut self.counters.other,
        };
        *counter += 1;
        Ok(slot)
    }

    /// A TCP packet on its flow.
    fn tcp(
        &mut self,
        slot: u32,
        packet: &Packet,
        tcp: &decode::Tcp,
        payload: &[u8],
        now: Moment,
        turn: &mut Turn,
    ) {
        if packet.bad_checksum && self.settings.checksum {
            self.counters.tcp_bad_checksum += 1;
            self.counters.lost_checksum += payload.len() as u64;
            turn.invalid = true;
            return;
        }
        self.count_flags(tcp.flags);
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        let flow = &mut record.flow;
        let picks_up = self.settings.midstream || self.settings.async_oneside;
        if picks_up && flow.tcp.state == TcpState::None && turn.side == Side::ToServer && is_synack(tcp.flags)
        {
            flow.swap();
            turn.side = Side::ToClient;
        }
        let len = u32::try_from(payload.len()).unwrap_or(0).saturating_add(packet.missing);
        let seconds = u32::try_from(now.time.seconds()).unwrap_or(u32::MAX);
        let (before, probes) = (flow.tcp.state, flow.tcp.probes());
        let segment = Segment { tcp, len, seconds, side: turn.side };
        let outcome = step(&mut flow.tcp, &segment, &self.settings, &mut turn.events);
        let after = flow.tcp.state;
        self.counters.tcp_probe += u64::from(flow.tcp.probes() & !probes != 0);
        self.counters.tcp_keepalive += u64::from(flow.peer(turn.side).marks & marks::KEEPALIVE != 0);
        if before == TcpState::None && flow.tcp.is_midstream() {
            self.counters.tcp_midstream += 1;
        }
        if before < TcpState::Established && after >= TcpState::Established && after != TcpState::Closed {
            self.counters.tcp_established += 1;
        }
        turn.closed_now = before != TcpState::Closed && after == TcpState::Closed;
        self.acknowledge(slot, turn.closed_now);
        let first = tcp.seq.wrapping_add(u32::from(tcp.flags & SYN != 0));
        self.payload(slot, first, tcp, payload, outcome, turn);
        self.look(slot, turn);
    }

    /// What is odd about a connection of which a mirror cut packets short is the mirror's doing: bytes are missing, and
    /// so may be the options by which windows are told.
    fn excuse(&mut self, slot: u32, packet: &Packet, turn: &mut Turn) {
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        let facts = &mut record.flow.tcp.facts;
        if packet.missing > 0 || packet.header_cut {
            *facts |= facts::CUT;
        }
        if *facts & facts::CUT != 0 {
            turn.events = EventList::default();
        }
    }

    const fn count_flags(&mut self, flags: u8) {
        self.counters.tcp_rst += (flags & RST != 0) as u64;
        self.counters.tcp_synack += is_synack(flags) as u64;
        self.counters.tcp_syn += (flags & (SYN | ACK) == SYN) as u64;
    }

    /// Streams learn what their receivers have.
    fn acknowledge(&mut self, slot: u32, closed_now: bool) {
        let Some(record) = self.records.get(slot as usize) else { return };
        for side in Side::BOTH {
            let peer = record.flow.tcp.peers.of(side);
            if let Some(stream) = self.streams.get_mut(peer.stream) {
                stream.acknowledge(peer.last_ack);
                if closed_now {
                    stream.close();
                }
            }
        }
    }

    /// Whether there is something to read.
    fn look(&self, slot: u32, turn: &mut Turn) {
        let Some(record) = self.records.get(slot as usize) else { return };
        for (side, readable) in Side::BOTH.into_iter().zip(&mut turn.readable) {
            let stream = self.streams.get(record.flow.tcp.peers.of(side).stream);
            *readable = stream.is_some_and(|s| s.is_ready(&self.settings));
            if *readable && stream.is_some_and(|s| s.has_lost(&self.settings)) {
                turn.events.raise(StreamEvent::SequenceGap);
            }
        }
    }

    /// Stores the payload, or counts why not.
    fn payload(
        &mut self,
        slot: u32,
        first: u32,
        tcp: &decode::Tcp,
        payload: &[u8],
        outcome: Outcome,
        turn: &mut Turn,
    ) {
        if outcome == Outcome::Refuse {
            self.counters.tcp_invalid += 1;
            turn.invalid = true;
        }
        let Some(record) = self.records.get_mut(slot as usize) else { return };
        let len = payload.len() as u64;
        if len == 0 {
            return;
        }
        let peer = record.flow.tcp.peers.of_mut(turn.side);
        match outcome {
            Outcome::Repeat => self.counters.duplicate += len,
            Outcome::Refuse => self.counters.lost_window += len,
            Outcome::Untracked => self.counters.lost_untracked += len,
            Outcome::Take => {
                peer.marks |= marks::DATA;
                if peer.marks & marks::STOPPED != 0 {
                    self.counters.skipped += len;
                } else {
                    self.urgent(slot, first, tcp, payload, turn);
                }
            }
        }
    }

    /// Opens the side's stream when it has none.
    pub(super) fn open(&mut self, slot: u32, side: Side) -> u32 {
        let Some(record) = self.records.get_mut(slot as usize) else { return 0 };
        let peer = record.flow.tcp.peers.of_mut(side);
        if peer.stream == 0 {
            let depth = if self.settings.depth == 0 { u64::MAX } else { self.settings.depth };
            peer.stream = self.streams.open(peer.isn.wrapping_add(1), depth);
            if let Some(stream) = self.streams.get_mut(peer.stream) {
                stream.acknowledge(peer.last_ack);
            }
        }
        peer.stream
    }

    /// Takes urgent data out of the way (RFC 6093), then stores the rest.
    fn urgent(&mut self, slot: u32, first: u32, tcp: &decode::Tcp, payload: &[u8], turn: &mut Turn) {
        let handle = self.open(slot, turn.side);
        if tcp.flags & URG != 0 && self.settings.urgent == UrgentPolicy::Drop {
            self.counters.lost_urgent += payload.len() as u64;
            return;
        }
        let at =
            usize::from(tcp.urgent).checked_sub(1).filter(|at| tcp.flags & URG != 0 && *at < payload.len());
        if let Some(at) = at
            && !self.set_aside(slot, handle, first, at, turn)
        {
            self.counters.lost_urgent += payload.len() as u64;
            return;
        }
        let gap = at.filter(|_| self.settings.urgent == UrgentPolicy::Gap);
        let mut rest = payload;
        let mut seq = first;
        while let Some(cut) = self.next_cut(handle, seq, rest, gap.map(|at| place_of(first, at))) {
            let (before, behind) = rest.split_at_checked(cut).unwrap_or((rest, &[]));
            self.store(slot, handle, seq, before, turn);
            self.counters.lost_urgent += 1;
            rest = behind.get(1..).unwrap_or_default();
            seq = place_of(seq, cut + 1);
        }
        self.store(slot, handle, seq, rest, turn);
    }

    /// Where the next byte stands that does not belong into the stream.
    fn next_cut(&self, handle: u32, seq: u32, rest: &[u8], gap: Option<u32>) -> Option<usize> {
        let stream = self.streams.get(handle)?;
        if gap.is_none() && !stream.has_out_of_band() {
            return None;
        }
        let is_cut = |at: usize| gap == Some(place_of(seq, at)) || stream.is_out_of_band(place_of(seq, at));
        (0..rest.len()).find(|at| is_cut(*at))
    }

    /// Marks one byte as out of band. False when too many were and the packet is not to be used.
    fn set_aside(&mut self, slot: u32, handle: u32, first: u32, at: usize, turn: &mut Turn) -> bool {
        if self.settings.urgent != UrgentPolicy::Oob {
            return true;
        }
        let (Some(record), Some((stream, buffers))) =
            (self.records.get_mut(slot as usize), self.streams.parts(handle))
        else {
            return true;
        };
        let peer = record.flow.tcp.peers.of_mut(turn.side);
        if peer.urgent >= self.settings.urgent_limit {
            turn.events.raise(StreamEvent::UrgentLimit);
            return false;
        }
        let known = stream.is_out_of_band(place_of(first, at));
        if !known && stream.take_out_of_band(place_of(first, at), buffers) {
            peer.urgent = peer.urgent.saturating_add(1);
            self.counters.tcp_urgent += 1;
        }
        true
    }

    /// Puts bytes into the stream, and counts where they went.
    fn store(&mut self, slot: u32, handle: u32, seq: u32, data: &[u8], turn: &mut Turn) {
        let Some((stream, buffers)) = self.streams.parts(handle) else { return };
        if data.is_empty() {
            return;
        }
        let stored = stream.insert(seq, data, &self.settings, buffers);
        self.stored += stored.new;
        self.stored -= stored.dropped;
        self.counters.duplicate += stored.duplicate;
        self.counters.skipped += stored.skipped;
        self.counters.depth += stored.depth;
        self.counters.lost_budget += stored.memory + stored.limit + stored.dropped;
        self.counters.tcp_retransmission += u64::from(stored.duplicate > 0);
        self.counters.tcp_overlap += u64::from(stored.overlap);
        self.counters.tcp_overlap_different += u64::from(stored.different);
        raise(&stored, &mut turn.events);
        if let Some(record) = self.records.get_mut(slot as usize) {
            let peer = record.flow.tcp.peers.of_mut(turn.side);
            peer.max_regions = peer.max_regions.max(stored.regions);
            if stored.depth_reached {
                peer.marks |= marks::DEPTH;
            }
        }
    }
}

/// What is odd about a segment that was stored.
fn raise(stored: &Stored, events: &mut EventList) {
    let odd = [
        (stored.before_base, StreamEvent::SegmentBeforeBase),
        (stored.different, StreamEvent::OverlapDifferentData),
        (stored.memory > 0, StreamEvent::InsertMemcap),
        (stored.limit > 0, StreamEvent::InsertLimit),
        (stored.depth_reached, StreamEvent::DepthReached),
    ];
    for (is, event) in odd {
        if is {
            events.raise(event);
        }
    }
}

/// The sequence number `at` bytes behind `first`.
fn place_of(first: u32, at: usize) -> u32 {
    first.wrapping_add(u32::try_from(at).unwrap_or(u32::MAX))
}

const fn is_synack(flags: u8) -> bool {
    flags & (SYN | ACK) == SYN | ACK
}

/// The phase that goes with a TCP state.
const fn phase_of(state: TcpState, was: Phase) -> Phase {
    match (was, state) {
        (Phase::Bypassed, _) => Phase::Bypassed,
        (_, TcpState::None | TcpState::SynSent | TcpState::SynRecv) => was,
        (_, TcpState::LastAck | TcpState::TimeWait | TcpState::Closed) => Phase::Closed,
        _ => Phase::Established,
    }
}

/// Whether a packet on a flow that is closed, or was never open, begins a new connection.
fn begins_anew<A>(packet: &Packet, flow: &Flow<A>, side: Side, settings: &Settings) -> bool {
    let Transport::Tcp(tcp) = &packet.transport else { return false };
    let synack = is_synack(tcp.flags) && (settings.midstream || settings.async_oneside);
    let starts = tcp.flags & (RST | FIN) == 0 && (tcp.flags & (SYN | ACK) == SYN || synack);
    if flow.phase == Phase::Bypassed && tcp.flags & ACK == 0 {
        // How far the old connection had come nobody has looked; a SYN that is not its own is the first of another.
        return starts && tcp.seq != flow.peer(side).isn;
    }
    starts && flow.tcp.is_done_enough(side, tcp.seq, synack)
}

/// The key of a packet, if it has a flow.
#[inline]
fn key_of<'a>(packet: &'a Packet, tap: u32, settings: &Settings) -> Option<(&'a Ip, Key)> {
    let Network::Ip(ip) = &packet.network else { return None };
    if ip.fragment {
        return None;
    }
    let (src_port, dst_port) = match packet.transport {
        Transport::Tcp(tcp) => (tcp.src_port, tcp.dst_port),
        Transport::Udp(src, dst) | Transport::Sctp(src, dst) => (src, dst),
        Transport::Icmp { kind, code, .. } => icmp_ports(ip.version, kind, code),
        Transport::Esp(spi) => spi_ports(spi),
        Transport::Gre => (0, 0),
        Transport::None if matches!(ip.protocol, TCP | UDP | SCTP | ICMP | ICMPV6) => return None,
        Transport::None if settings.every_protocol => (0, 0),
        Transport::None if matches!(ip.protocol, IP_IN_IP | IPV6_IN_IP) => (0, 0),
        Transport::None => return None,
    };
    let key = Key {
        src: ip.src,
        dst: ip.dst,
        tenant: packet.tenant,
        tap: if settings.use_tap { tap } else { 0 },
        vlans: if settings.use_vlan { packet.vlans.ids } else { [0; 3] },
        src_port,
        dst_port,
        protocol: ip.protocol,
        version: ip.version,
    };
    Some((ip, key))
}
