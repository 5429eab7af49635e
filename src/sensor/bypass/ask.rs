//! Which flows are bypassed, and how the source is asked for them.

use super::{Bypassed, Bypasses, Depth, Entry, Outer, Reason, Way, Worth, bypassed_mut};
use crate::share::{Attached, Share, Tools};
use decode::{Found, Packet};
use flow::{Flow, FlowRef, Side, Table, TcpState, Turn};
use frame::Timestamp;
use frame::bypass::{Answer, Half};
use std::time::Duration;

/// Time after which the source is asked again for a flow that it had no room for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a flow after which nobody waits any longer for its protocol to be found.
const FRUITLESS: u64 = 1 << 20;

/// What one frame shows of a flow, and of those around it.
pub(crate) struct Seen<'a> {
    pub(crate) at: FlowRef,
    pub(crate) side: Side,
    pub(crate) packet: &'a Packet,
    /// Length of the frame on the wire.
    pub(crate) wire_len: u32,
    /// What the source could tell it by.
    pub(crate) found: Option<Found>,
    pub(crate) outer: &'a [Outer],
    pub(crate) now: Timestamp,
}

impl Seen<'_> {
    /// The frame's own direction, if it is one of this flow: the same as the flow's key has it.
    fn half(&self, flow: &Flow<Attached>) -> Option<(Half, Worth)> {
        let Found { half, inner } = self.found?;
        let key = match self.side {
            Side::ToServer => flow.key,
            Side::ToClient => flow.key.reversed(),
        };
        let bytes = |address: decode::Address| match (key.version, address.0) {
            (4, [.., a, b, c, d]) => [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            (_, all) => all,
        };
        let ends = half.ends;
        let same = (ends.src, ends.dst, ends.ports)
            == (bytes(key.src), bytes(key.dst), [key.src_port, key.dst_port])
            && (half.protocol, half.version, ends.vlans)
                == (key.protocol, key.version, self.packet.vlans.ids);
        let length = i64::from(self.packet.length);
        let worth = if self.packet.depth == 0 && !self.packet.mirrored {
            Worth::Frame(length - i64::from(self.wire_len))
        } else {
            Worth::Inner(length - i64::from(inner))
        };
        same.then_some((half, worth))
    }
}

impl Share {
    /// Whether a flow is to be bypassed from now on, and why.
    pub(crate) fn weigh(
        &mut self,
        turn: &Turn,
        packet: &Packet,
        now: Timestamp,
        tools: &Tools<'_>,
    ) -> Option<Reason> {
        let settings = &tools.settings.bypass;
        let flow = self.table.flow_mut(turn.flow);
        if flow.a.kept.is_captured() {
            // An event asks for its packets.
            return None;
        }
        if turn.is_new && settings.networks.iter().any(|line| line.fits(&flow.key)) {
            return Some(Reason::Policy);
        }
        if flow.a.encrypted
            && flow.a.app.label().protocol.is_some_and(|p| settings.encrypted.iter().any(|e| e == p.name))
        {
            return Some(Reason::Encryption);
        }
        let reached = |side| flow.peer(side).depth_reached();
        let deep = match settings.depth {
            Depth::Off => false,
            Depth::Both => Side::BOTH.into_iter().all(reached),
            Depth::One => Side::BOTH.into_iter().any(reached) && flow.a.files.is_idle(),
        };
        if deep {
            return Some(Reason::Depth);
        }
        let fast = settings.rate > 0 && is_fast(flow, packet.length, now, settings.rate);
        // Never in the middle of a file.
        (fast && is_known(flow) && flow.a.files.is_idle()).then_some(Reason::Rate)
    }

    /// Whether the source is worth asking for a flow that is bypassed.
    pub(crate) fn would_ask(&self, at: FlowRef, now: Timestamp, tools: &Tools<'_>) -> bool {
        let flow = self.table.flow(at);
        tools.bypasses.has_hook()
            && flow.tcp.state != TcpState::Closed
            && flow.a.bypassed.as_ref().is_none_or(|b| b.token.is_some() || now >= b.not_before)
    }

    /// Counts a packet that came although its flow is bypassed.
    pub(crate) fn pass_by(&mut self, turn: &Turn, packet: &Packet, tools: &mut Tools<'_>) {
        let counters = &mut tools.bypasses.counters;
        counters.local_packets += 1;
        counters.local_bytes += u64::from(packet.length);
        if let Some(bypassed) = self.table.flow_mut(turn.flow).a.bypassed.as_deref_mut() {
            bypassed.local.add(turn.side, 1, packet.length.into());
            if bypassed.token.is_some() {
                counters.queued_packets += 1;
                counters.queued_bytes += u64::from(packet.length);
            }
        }
        if turn.closed_now {
            self.let_go(turn.flow, tools);
        }
    }

    /// From now on the flow's packets are only counted.
    pub(crate) fn bypass(&mut self, at: FlowRef, reason: Reason, tools: &mut Tools<'_>) {
        self.table.bypass(at);
        tools.bypasses.count(reason);
        let (local, capture) = Default::default();
        let bypassed =
            Bypassed { reason, local, capture, captured: false, token: None, not_before: Timestamp::ZERO };
        self.table.flow_mut(at).a.bypassed = Some(Box::new(bypassed));
    }

    /// Asks the source to drop a bypassed flow's frames, both directions or none; and the direction by which this one
    /// came, when it is another than those it knows.
    pub(crate) fn ask_source(&mut self, seen: &Seen<'_>, tools: &mut Tools<'_>) {
        let flow = self.table.flow(seen.at);
        let Some(token) = flow.a.bypassed.as_ref().map(|bypassed| bypassed.token) else { return };
        let Some((half, worth)) = seen.half(flow) else { return };
        let way = |half, side| Way { half, side, worth, outer: seen.outer.to_vec() };
        let mut ways = vec![way(half, seen.side)];
        if token.is_none() && half.reversed() != half {
            ways.push(way(half.reversed(), seen.side.other()));
        }
        let entry = Entry { flow: seen.at, id: flow.id(), ways };
        tools.bypasses.ask(token, entry, seen.now, &mut self.table);
    }

    /// The source is not to drop a flow's frames any more.
    pub(crate) fn let_go(&mut self, at: FlowRef, tools: &mut Tools<'_>) {
        let token =
            self.table.flow_mut(at).a.bypassed.as_deref_mut().and_then(|bypassed| bypassed.token.take());
        if let Some(token) = token {
            tools.bypasses.counters.ended += 1;
            tools.bypasses.release(token, &mut self.table);
        }
    }

    /// The source is to drop nothing any more, as the sensor ends: what it has counted comes home while the flows are there
    /// still, those of tunnels too.
    pub(crate) fn let_all_go(&mut self, bypasses: &mut Bypasses) {
        bypasses.release_all(&mut self.table);
    }

    /// Takes in what the source has counted, a bounded part of it.
    pub(crate) fn look_after_bypassed(&mut self, now: Timestamp, bypasses: &mut Bypasses) {
        bypasses.turn(now, &mut self.table);
    }
}

impl Bypasses {
    fn turn(&mut self, now: Timestamp, table: &mut Table<Attached>) {
        if let Some(hook) = &mut self.hook {
            hook.turn(now, &mut self.home);
            if !self.home.is_empty() {
                self.settle(table);
            }
        }
    }

    fn ask(&mut self, token: Option<u32>, entry: Entry, now: Timestamp, table: &mut Table<Attached>) {
        let (at, id) = (entry.flow, entry.id);
        let new =
            |half: &Half| !self.flow(token).is_some_and(|known| known.ways.iter().any(|w| w.half == *half));
        let halves: Vec<Half> = entry.ways.iter().map(|way| way.half).filter(new).collect();
        if halves.is_empty() {
            return;
        }
        let number = match token {
            Some(token) => token,
            None => match self.number(Entry { ways: Vec::new(), ..entry }) {
                Some(token) => token,
                None => return,
            },
        };
        let Some(hook) = &mut self.hook else { return };
        let answer = hook.ask(number, &halves);
        let Some(bypassed) = bypassed_mut(table, at, id) else { return };
        match answer {
            Answer::Captured | Answer::Later => {
                bypassed.token = Some(number);
                if answer == Answer::Captured {
                    bypassed.captured = true;
                    self.counters.captured += u64::from(token.is_none());
                }
                let added = entry.ways.into_iter().filter(|way| halves.contains(&way.half));
                if let Some(known) = self.flows.get_mut(number as usize).and_then(Option::as_mut) {
                    known.ways.extend(added);
                }
            }
            Answer::Not(why) => {
                bypassed.token = None;
                bypassed.not_before = now.plus(PATIENCE);
                self.note(why);
                self.release(number, table);
            }
        }
    }

    pub(super) fn flow(&self, token: Option<u32>) -> Option<&Entry> {
        self.flows.get(token? as usize)?.as_ref()
    }
}

/// Whether it is known what a flow is, or that nobody will ever know: recognition reads its first few thousand bytes, and
/// where so many came and it has not read those, it never will. They lie outside of the receiver's window, or nobody
/// acknowledges them.
fn is_known(flow: &Flow<Attached>) -> bool {
    let app = &flow.a.app;
    app.is_settled()
        || app.is_parsing()
        || Side::BOTH.into_iter().any(|side| flow.peer(side).depth_reached())
        || flow.bytes.iter().sum::<u64>() >= FRUITLESS
}

/// Whether a flow has had so many bytes within the present second.
fn is_fast(flow: &mut Flow<Attached>, length: u32, now: Timestamp, rate: u64) -> bool {
    let bytes = flow.bytes.iter().sum::<u64>();
    let second = now.seconds();
    let window = &mut flow.a.window;
    if u64::from(window.second) != second & u64::from(u32::MAX) {
        window.second = u32::try_from(second & u64::from(u32::MAX)).unwrap_or_default();
        window.before = kilobytes(bytes.saturating_sub(length.into()));
    }
    u64::from(kilobytes(bytes).wrapping_sub(window.before)) >= (rate >> 10).max(1)
}

/// Of so many bytes what 32 bits hold: differences stay right.
fn kilobytes(bytes: u64) -> u32 {
    u32::try_from(bytes >> 10 & u64::from(u32::MAX)).unwrap_or_default()
}
