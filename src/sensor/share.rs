//! A share of the flows: their table, and the way from a packet's turn to its parser.
//!
//! Flows are dealt to a fixed number of shares by the hash of their address pair, and shares to workers. Whatever the
//! number of workers, a share sees the same packets in the same order: this is why the output does not depend on it.

use crate::bypass::{Bypassed, Bypasses, Reason};
use crate::files::Files;
use crate::halves::Watcher;
use crate::listen::Listener;
use crate::out::{Out, Place};
use crate::packets::{Keeping, Kept, Remembered};
use crate::ranges::Ranges;
use crate::record::{self, AnomalyCounts};
use crate::tally::Tally;
use crate::tap::Mirror;
use crate::who::Who;
use crate::worker::WorkerSettings;
use app::{Engine, Given, State, Taken};
use capture::record::FlowName;
use decode::{Packet, Transport};
use flow::{Chunk, End, Flow, FlowRef, Moment, Refused, Table, TcpState, Turn};
use frame::{Frame, Timestamp};
use parse::{Close, Input, Protocol, Side};

/// What the sensor hangs on a flow. The flow room carries it and never looks.
#[derive(Default)]
pub(crate) struct Attached {
    /// Recognition and parser.
    pub(crate) app: State,
    /// Files on their way.
    pub(crate) files: Files,
    /// Payload is of no more use.
    settled: bool,
    /// Recognition has seen enough of a stream that is not read.
    glimpsed: bool,
    /// What its parser saw last is encrypted, and so is all that follows.
    pub(crate) encrypted: bool,
    /// Bytes of the present second, where fast flows are bypassed.
    pub(crate) window: Window,
    /// What became of it once it was bypassed.
    pub(crate) bypassed: Option<Box<Bypassed>>,
    /// What the mirrors of its packets have in common, when they came by any.
    mirror: Option<Box<Mirror>>,
    /// The watch over steering has seen enough of it.
    noted: bool,
    /// Its packets.
    pub(crate) kept: Kept,
}

/// How much a flow had had when its present second began.
#[derive(Default)]
pub(crate) struct Window {
    pub(crate) second: u32,
    /// In units of 1,024 bytes.
    pub(crate) before: u32,
}

/// What a packet did, as far as its worker must know.
pub(crate) struct Handled {
    pub(crate) flow: FlowRef,
    pub(crate) side: flow::Side,
    /// It was only counted.
    pub(crate) bypassed: bool,
    /// Its flow is to be bypassed.
    pub(crate) bypass: Option<Reason>,
}

impl Attached {
    fn came_by(&mut self, mirror: &Mirror) {
        match &mut self.mirror {
            Some(mine) => mine.join(mirror),
            None => self.mirror = Some(Box::new(*mirror)),
        }
    }
}

/// How often one side is read after one packet: every call eats, waits or ends, so this bounds a parser's mistakes.
const MOST_READS: usize = 4096;

/// What every share of a worker uses.
pub(crate) struct Tools<'a> {
    pub(crate) settings: &'a WorkerSettings,
    pub(crate) engine: &'a Engine,
    pub(crate) out: &'a mut Out,
    pub(crate) tally: &'a mut Tally,
    pub(crate) anomalies: &'a mut AnomalyCounts,
    /// Reused between calls: the host name that a parser mentioned.
    pub(crate) host: &'a mut Vec<u8>,
    /// Flows that the source drops.
    pub(crate) bypasses: &'a mut Bypasses,
}

impl Tools<'_> {
    /// A listener for one call to the engine.
    fn listener<'t>(
        &'t mut self,
        who: &'t Who,
        place: &'t mut Place,
        files: &'t mut Files,
        ranges: &'t mut Ranges,
        protocol: Option<&'static Protocol>,
    ) -> Listener<'t> {
        Listener {
            settings: self.settings,
            who,
            place,
            files,
            ranges,
            out: self.out,
            protocol,
            host: self.host,
            anomalies: self.anomalies,
        }
    }
}

/// One share.
pub(crate) struct Share {
    number: u16,
    pub(crate) table: Table<Attached>,
    ranges: Ranges,
    /// Watches for flows of which this worker sees a half; of live traffic only.
    watcher: Option<Watcher>,
    /// Remembers packets, where events are to have their flows captured.
    keeping: Option<Keeping>,
    slot: u64,
    turn: u32,
}

impl Share {
    /// Keys count shares from 1: what belongs to the frame itself stands before, at 0.
    pub(crate) fn new(number: u16, settings: &flow::Settings) -> Self {
        Self {
            number: number + 1,
            table: Table::new(settings),
            ranges: Ranges::default(),
            watcher: None,
            keeping: None,
            slot: 0,
            turn: 0,
        }
    }

    pub(crate) fn keeps(&mut self, keeping: Keeping) {
        self.keeping = Some(keeping);
    }

    pub(crate) fn remembered(&self) -> Remembered {
        self.keeping.as_ref().map(Keeping::remembered).unwrap_or_default()
    }

    /// After a burst: captures go to their writer.
    pub(crate) fn hand_over(&mut self) {
        if let Some(keeping) = &mut self.keeping {
            keeping.hand_over();
        }
    }

    pub(crate) fn watched_by(&mut self, watcher: Watcher) {
        self.watcher = Some(watcher);
    }

    pub(crate) fn table(&self) -> &Table<Attached> {
        &self.table
    }

    /// Walks one packet through the table and its flow's parser. `frame` is what it came in, or was put together to.
    pub(crate) fn packet(
        &mut self,
        packet: &Packet,
        frame: &Frame<'_>,
        payload: &[u8],
        place: &mut Place,
        tools: &mut Tools<'_>,
    ) -> Result<Handled, Refused> {
        self.enter(place);
        let now = Moment { time: Timestamp::from_nanos(place.nanos), number: place.packet };
        let turn = self.table.turn(packet, payload, now, u32::from(place.tap))?;
        place.sender = Some(side_of(turn.side));
        if let Some(mirror) = &tools.out.tap {
            self.table.flow_mut(turn.flow).a.came_by(mirror);
        }
        self.watch_halves(turn.flow, place.outer);
        self.keep(turn.flow, frame, tools);
        if turn.ended {
            self.reap(now.time, place, tools);
        }
        if !turn.events.is_empty() {
            self.stream_events(&turn, place, tools);
        }
        let mut bypass = None;
        if turn.bypassed {
            self.pass_by(&turn, packet, tools);
        } else {
            self.read_turn(&turn, packet, payload, place, tools);
            if tools.settings.bypass.is_on() {
                bypass = self.weigh(&turn, packet, now.time, tools);
            }
        }
        self.capture(turn.flow, Some(frame), tools);
        self.leave(place);
        Ok(Handled { flow: turn.flow, side: turn.side, bypassed: turn.bypassed, bypass })
    }

    /// Has the parser read what the packet brought.
    fn read_turn(
        &mut self,
        turn: &Turn,
        packet: &Packet,
        payload: &[u8],
        place: &mut Place,
        tools: &mut Tools<'_>,
    ) {
        if turn.direct {
            self.datagram(turn, packet, payload, place, tools);
        } else if turn.readable[0] || turn.readable[1] {
            // What this packet acknowledges is older than what it brings.
            for side in [turn.side.other(), turn.side] {
                if turn.readable.get(side.index()).copied().unwrap_or(false) {
                    self.read_recognised(turn.flow, side, place, tools);
                }
            }
        } else if !payload.is_empty() && matches!(packet.transport, Transport::Tcp(_)) {
            self.glimpse(turn, payload, place, tools);
        }
    }

    /// Tunnels are torn by design: their frames are dealt out by what is inside.
    fn watch_halves(&mut self, at: FlowRef, outer: bool) {
        let Some(watcher) = &self.watcher else { return };
        let flow = self.table.flow_mut(at);
        if !flow.a.noted && (outer || watcher.look(flow)) {
            flow.a.noted = true;
        }
    }

    /// Remembers a packet, and says which capture its events would be in.
    fn keep(&mut self, at: FlowRef, frame: &Frame<'_>, tools: &mut Tools<'_>) {
        let Some(keeping) = &mut self.keeping else { return };
        let flow = self.table.flow_mut(at);
        tools.out.trigger.capture = Some(name_of(flow));
        keeping.frame(&mut flow.a.kept, frame);
    }

    /// Has a flow captured, when one of its events asks for it.
    fn capture(&mut self, at: FlowRef, frame: Option<&Frame<'_>>, tools: &mut Tools<'_>) {
        let Some(keeping) = &mut self.keeping else { return };
        if tools.out.trigger.hit {
            let flow = self.table.flow_mut(at);
            let name = name_of(flow);
            keeping.capture(&mut flow.a.kept, name, frame);
        }
        tools.out.trigger.capture = None;
    }

    /// Ends the flows whose time has come.
    pub(crate) fn tick(&mut self, now: Timestamp, place: &mut Place, tools: &mut Tools<'_>) {
        self.enter(place);
        self.reap(now, place, tools);
        self.leave(place);
    }

    /// Number of the first packet of the oldest flow still there.
    pub(crate) fn oldest(&mut self) -> Option<u64> {
        self.table.peek_any().map(|at| self.table.flow(at).first.number)
    }

    /// Ends the oldest flow, because the run ends.
    pub(crate) fn end_oldest(&mut self, place: &mut Place, tools: &mut Tools<'_>) {
        self.enter(place);
        if let Some(at) = self.table.pop_any() {
            self.end(at, End::Forced, place, tools);
        }
        self.leave(place);
    }

    /// Turns count on while the same packet comes back to this share (tunnels).
    fn enter(&mut self, place: &mut Place) {
        if place.slot != self.slot {
            self.slot = place.slot;
            self.turn = 0;
        }
        (place.share, place.turn) = (self.number, self.turn);
    }

    fn leave(&mut self, place: &Place) {
        self.turn = place.turn;
    }

    fn reap(&mut self, now: Timestamp, place: &mut Place, tools: &mut Tools<'_>) {
        while let Some((at, why)) = self.table.pop_ended(now) {
            self.end(at, why, place, tools);
        }
    }

    fn stream_events(&self, turn: &Turn, place: &mut Place, tools: &mut Tools<'_>) {
        for event in &turn.events {
            tools.anomalies.count(event.name());
            if tools.settings.events.anomaly_stream {
                let who = Who::of(self.table.flow(turn.flow), &tools.settings.events);
                let header = who.header("anomaly", side_of(turn.side), place);
                record::anomaly("stream", event.name(), header, place, tools.out);
            }
        }
    }

    fn datagram(
        &mut self,
        turn: &Turn,
        packet: &Packet,
        payload: &[u8],
        place: &mut Place,
        tools: &mut Tools<'_>,
    ) {
        let flow = self.table.flow(turn.flow);
        if flow.a.settled {
            return;
        }
        let mut who = Who::of(flow, &tools.settings.events);
        let transport = match packet.transport {
            Transport::Udp(..) => parse::Transport::Udp,
            Transport::Sctp(..) => parse::Transport::Sctp,
            _ => parse::Transport::Ip(flow.key.protocol),
        };
        if payload.is_empty() && transport == parse::Transport::Udp {
            return;
        }
        let mut side = side_of(turn.side);
        // A datagram is given twice when its sides were the wrong way round.
        for _ in 0..2 {
            let flow = self.table.flow_mut(turn.flow);
            let given = Given {
                input: Input { side, data: payload, offset: 0, micros: place.nanos / 1_000, last: false },
                gap: 0,
                transport,
                client_port: flow.key.src_port,
                server_port: flow.key.dst_port,
                midstream: false,
            };
            let taken = feed(&mut flow.a, &mut self.ranges, &given, &who, place, tools);
            if !self.after(turn.flow, &taken) {
                break;
            }
            if taken.swapped {
                side = side.other();
                place.sender = place.sender.map(Side::other);
                who = Who::of(self.table.flow(turn.flow), &tools.settings.events);
            }
        }
    }

    /// Lets recognition see a packet of a stream whose handshake was not seen: for its name only.
    fn glimpse(&mut self, turn: &Turn, payload: &[u8], place: &Place, tools: &Tools<'_>) {
        let flow = self.table.flow_mut(turn.flow);
        if flow.a.glimpsed || flow.tcp.state >= TcpState::Established {
            return;
        }
        let given = Given {
            input: Input {
                side: side_of(turn.side),
                data: payload,
                offset: 0,
                micros: place.nanos / 1_000,
                last: false,
            },
            gap: 0,
            transport: parse::Transport::Tcp,
            client_port: flow.key.src_port,
            server_port: flow.key.dst_port,
            midstream: true,
        };
        flow.a.glimpsed = !tools.engine.glimpse(&mut flow.a.app, &given);
    }

    /// Reads one side. When its bytes tell the protocol, the parser gets at once what the other side has said so far.
    fn read_recognised(&mut self, at: FlowRef, side: flow::Side, place: &mut Place, tools: &mut Tools<'_>) {
        let before = self.table.flow(at).a.app.is_parsing();
        if let Some(first) = self.read(at, side, place, tools) {
            for side in [first, first.other()] {
                self.table.want(at, side, 0);
                self.read(at, side, place, tools);
            }
        }
        if !before && self.table.flow(at).a.app.is_parsing() {
            for side in flow::Side::BOTH {
                self.table.want(at, side, 0);
                self.read(at, side, place, tools);
            }
        }
    }

    /// Reads one side for as long as there is something to read. Answers which side has to be read first.
    fn read(
        &mut self,
        at: FlowRef,
        side: flow::Side,
        place: &mut Place,
        tools: &mut Tools<'_>,
    ) -> Option<flow::Side> {
        let flow = self.table.flow(at);
        let mut who = Who::of(flow, &tools.settings.events);
        let midstream = flow.tcp.is_midstream();
        let (mut client_port, mut server_port) = (flow.key.src_port, flow.key.dst_port);
        let mut side = side;
        for _ in 0..MOST_READS {
            let (chunk, attached) = self.table.readable(at, side)?;
            let given = stream_input(&chunk, side, place, client_port, server_port, midstream);
            let (ended, last) = (chunk.data.len(), chunk.last);
            let taken = feed(attached, &mut self.ranges, &given, &who, place, tools);
            self.table.eaten(at, side, taken.eaten);
            if taken.skip > 0 {
                self.table.skip(at, side, taken.skip);
            }
            if taken.want > 0 {
                self.table.want(at, side, taken.want);
            }
            let again = self.after(at, &taken);
            if taken.swapped {
                side = side.other();
                place.sender = place.sender.map(Side::other);
                (client_port, server_port) = (server_port, client_port);
                who = Who::of(self.table.flow(at), &tools.settings.events);
            }
            if taken.other_first {
                return Some(side.other());
            }
            let stuck = taken.eaten == 0 && taken.skip == 0 && !again;
            if taken.settled || stuck || (last && taken.eaten >= ended && !again) {
                return None;
            }
        }
        None
    }

    /// Applies what the engine answered to the flow. Whether the same bytes are to be given again.
    fn after(&mut self, at: FlowRef, taken: &Taken) -> bool {
        if taken.swapped {
            self.table.swap(at);
        }
        if taken.settled {
            let attached = &mut self.table.flow_mut(at).a;
            attached.settled = true;
            attached.encrypted |= taken.encrypted;
            for side in flow::Side::BOTH {
                self.table.stop(at, side);
            }
        }
        taken.again
    }

    /// Lets the parser see what is left, closes it, writes the flow's records and forgets the flow.
    fn end(&mut self, at: FlowRef, why: End, place: &mut Place, tools: &mut Tools<'_>) {
        let wire = (place.packet, place.origin, place.sender);
        self.let_go(at, tools);
        let is_tcp = self.table.flow(at).key.protocol == 6;
        // No packet causes what comes now.
        (place.packet, place.sender) = (0, None);
        place.origin = if is_tcp { "stream (flow timeout)" } else { "" };
        let mirror = self.table.flow(at).a.mirror.as_deref().copied();
        let tap = std::mem::replace(&mut tools.out.tap, mirror);
        let capture = self.keeping.is_some().then(|| name_of(self.table.flow(at)));
        let aside = tools.out.trigger.set_aside(capture);
        self.table.flush(at);
        for side in flow::Side::BOTH {
            self.read_recognised(at, side, place, tools);
        }
        let who = Who::of(self.table.flow(at), &tools.settings.events);
        let attached = &mut self.table.flow_mut(at).a;
        let protocol = attached.app.label().protocol;
        let engine = tools.engine;
        let mut listener = tools.listener(&who, place, &mut attached.files, &mut self.ranges, protocol);
        engine.close(&mut attached.app, close_of(why), &mut listener);
        tools.host.clear();
        let flow = self.table.flow(at);
        if let (Some(watcher), false) = (&self.watcher, flow.a.noted) {
            watcher.ends(flow);
        }
        record::flow(flow, why, &tools.settings.events, place, tools.out);
        tools.tally.flow_ended(flow, &tools.out.tenants);
        self.capture(at, None, tools);
        tools.out.trigger.put_back(aside);
        self.table.remove(at);
        tools.out.tap = tap;
        (place.packet, place.origin, place.sender) = wire;
    }
}

fn stream_input<'a>(
    chunk: &Chunk<'a>,
    side: flow::Side,
    place: &Place,
    client_port: u16,
    server_port: u16,
    midstream: bool,
) -> Given<'a> {
    Given {
        input: Input {
            side: side_of(side),
            data: chunk.data,
            offset: chunk.offset,
            micros: place.nanos / 1_000,
            last: chunk.last,
        },
        gap: chunk.gap,
        transport: parse::Transport::Tcp,
        client_port,
        server_port,
        midstream,
    }
}

/// Gives bytes to the engine, with a listener around it.
fn feed(
    attached: &mut Attached,
    ranges: &mut Ranges,
    given: &Given<'_>,
    who: &Who,
    place: &mut Place,
    tools: &mut Tools<'_>,
) -> Taken {
    let protocol = attached.app.label().protocol;
    let engine = tools.engine;
    let mut listener = tools.listener(who, place, &mut attached.files, ranges, protocol);
    let taken = engine.feed(&mut attached.app, given, &mut listener);
    if !tools.host.is_empty() {
        attached.app.host(tools.host);
        tools.host.clear();
    }
    taken
}

fn name_of(flow: &Flow<Attached>) -> FlowName {
    FlowName { second: flow.first.time.seconds(), id: flow.id() }
}

/// The two rooms name the sides alike, and do not know each other.
pub(crate) fn side_of(side: flow::Side) -> Side {
    match side {
        flow::Side::ToServer => Side::ToServer,
        flow::Side::ToClient => Side::ToClient,
    }
}

fn close_of(why: End) -> Close {
    match why {
        End::Timeout => Close::Timeout,
        End::Closed | End::Reused => Close::Ended,
        End::Evicted | End::Forced => Close::Forced,
    }
}
