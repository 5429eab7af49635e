//! The walk: capture lends a batch, decode gives packets, a share turns them into flows and events, and after the
//! burst everything is handed over. This file holds the loop and nothing else.

use crate::bypass::{self, BypassSettings, Bypasses, Outer, Seen};
use crate::files;
use crate::halves::Watcher;
use crate::out::{EventTypes, Out, Place};
use crate::packets::{self, Keeping, Remembered, Trigger};
use crate::record::{self, AnomalyCounts};
use crate::share::{Handled, Share, Tools};
use crate::tally::Tally;
use crate::tap::Mirror;
use app::Engine;
use capture::record::FlowRecorder;
use decode::{Decoder, Network, Packet, Source, Steer, Transport, pair_hash};
use event::{Batch, Key};
use flow::Refused;
use frame::{Frame, Ledger, LinkType, Loss, Lot, RxError, RxQueue, RxStatus, Sorted, Timestamp};
use std::sync::Arc;

/// How many shares the flows are dealt into. More workers than this make no sense for one capture file.
pub(crate) const SHARES: u16 = 16;
/// Events are handed over when so many have gathered, even in mid-burst.
const MOST_EVENTS: usize = 512;
const GRE: u8 = 47;
/// Slots of the end of the run lie behind every packet's.
const END: u64 = 1 << 62;

/// What a worker is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerSettings {
    /// Decoding.
    pub decode: decode::Settings,
    /// Flows and streams: budgets of the whole sensor.
    pub flow: flow::Settings,
    /// Parsers.
    pub parse: parse::Settings,
    /// Which events.
    pub events: EventTypes,
    /// Which flows are not looked at any more.
    pub bypass: BypassSettings,
    /// Files.
    pub files: files::Settings,
    /// Where whole files go. Not said by a configuration: the assembly puts it here.
    pub store: output::files::Store,
    /// Packets of events.
    pub packets: packets::Settings,
}

/// Where a worker's events and counts go.
pub trait Handover {
    /// Takes the events of a stretch of the run; every later event of this worker has a greater key than `upto`.
    fn events(&mut self, batch: &mut Batch, upto: Key);
    /// After each burst: the worker may be watched and told new settings. Whether to go on.
    fn pause(&mut self, worker: &mut Worker, queue: &mut dyn RxQueue) -> bool;
}

/// What a worker counted, for the ledger, the counters and the summary.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Frames, as far as one worker can tell; [`Report::ledger`] settles what only their sum can.
    pub ledger: Ledger,
    /// Frames that count as analysed here or at another worker, but found the flow table full.
    pub refused: u64,
    /// Frames that count as analysed here or at another worker, but were only counted on a bypassed flow.
    pub passed_by: u64,
    /// Decoding.
    pub decode: decode::Counters,
    /// Flows and streams.
    pub flow: flow::Counters,
    /// Bypass.
    pub bypass: bypass::Counters,
    /// Directions of flows that the source drops now.
    pub halves: u64,
    /// Events by type.
    pub events: Vec<(&'static str, u64)>,
    /// Anomalies by name.
    pub anomalies: AnomalyCounts,
    /// For the summary.
    pub tally: Arc<Tally>,
    /// Packets remembered for events.
    pub remembered: Remembered,
    /// Bytes held by tables, streams and decoder now.
    pub memory: u64,
    /// Flows in the tables now.
    pub flows: u64,
    /// Earliest packet time, of all frames of the source; none before the first.
    pub first: Option<Timestamp>,
    /// Latest packet time.
    pub last: Timestamp,
}

impl Report {
    /// The ledger of all workers added so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let mut ledger = self.ledger.clone();
        ledger.analysed = ledger.analysed.saturating_sub(self.refused);
        ledger.lose(Loss::TableFull, self.refused);
        // A tunnel's frame may count as both, at two workers.
        let passed_by = self.passed_by.min(ledger.analysed);
        ledger.analysed -= passed_by;
        ledger.bypassed += passed_by;
        ledger
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Self) {
        self.ledger.add(&other.ledger);
        self.refused += other.refused;
        self.passed_by += other.passed_by;
        self.decode.add(&other.decode);
        self.flow.add(&other.flow);
        self.bypass.add(&other.bypass);
        self.halves += other.halves;
        for (name, n) in &other.events {
            match self.events.iter_mut().find(|(mine, _)| mine == name) {
                Some((_, count)) => *count += n,
                None => self.events.push((name, *n)),
            }
        }
        self.anomalies.add(&other.anomalies);
        Tally::join(&mut self.tally, &other.tally);
        self.remembered.add(&other.remembered);
        self.memory += other.memory;
        self.flows += other.flows;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }
}

/// Which shares a worker owns.
#[derive(Clone, Copy, Debug)]
pub enum Deal {
    /// Every worker sees the whole capture and takes what falls to it: worker `index` of `count`.
    Split {
        /// This worker.
        index: u16,
        /// All of them.
        count: u16,
    },
    /// The source deals frames to workers itself; this worker owns whatever it is given, with `1/count` of the budget.
    Given {
        /// All workers.
        count: u16,
    },
}

/// One worker.
pub struct Worker {
    settings: Arc<WorkerSettings>,
    deal: Deal,
    decoder: Decoder,
    engine: Engine,
    /// The shares that are its own.
    shares: Vec<Share>,
    out: Out,
    ledger: Ledger,
    refused: u64,
    passed_by: u64,
    bypasses: Bypasses,
    /// Flows of the present frame's tunnels.
    outer: Vec<Outer>,
    tally: Tally,
    anomalies: AnomalyCounts,
    host: Vec<u8>,
    /// Earliest packet time so far.
    first: Option<Timestamp>,
    /// Latest packet time so far.
    now: Timestamp,
    /// Number of the last frame seen.
    number: u64,
    /// Whether copies of packets are searched for.
    deduped: bool,
}

impl Worker {
    /// A worker with empty tables.
    #[must_use]
    pub fn new(settings: Arc<WorkerSettings>, deal: Deal) -> Self {
        let (numbers, parts): (Vec<u16>, usize) = match deal {
            Deal::Split { index, count } => {
                ((0..SHARES).filter(|s| s % count == index).collect(), usize::from(SHARES))
            }
            Deal::Given { count } => (vec![0], usize::from(count)),
        };
        let part = flow::Settings {
            memory: settings.flow.memory / parts,
            reassembly_memory: settings.flow.reassembly_memory / parts,
            ..settings.flow.clone()
        };
        Self {
            deal,
            decoder: Decoder::new(&settings.decode).with_lanes(lanes(deal)),
            engine: Engine::new(app::protocols(), settings.parse.clone()),
            shares: numbers.into_iter().map(|n| Share::new(n, &part)).collect(),
            out: Out { trigger: Trigger::new(&settings.packets), ..Out::default() },
            ledger: Ledger::default(),
            refused: 0,
            passed_by: 0,
            bypasses: Bypasses::default(),
            outer: Vec::new(),
            tally: Tally::default(),
            anomalies: AnomalyCounts::default(),
            host: Vec::new(),
            first: None,
            now: Timestamp::ZERO,
            number: 0,
            deduped: settings.decode.mirror.dedupe.is_on(),
            settings,
        }
    }

    /// Has the worker tell which flows it sees a half of.
    #[must_use]
    pub(crate) fn watched_by(mut self, watcher: &Watcher) -> Self {
        self.shares.iter_mut().for_each(|share| share.watched_by(watcher.clone()));
        self
    }

    /// Has flows captured that have an event of the chosen kinds, each share by an outbox of its own.
    #[must_use]
    pub(crate) fn keeps(mut self, recorder: &FlowRecorder, index: u16) -> Self {
        let (parts, first, step) = match self.deal {
            Deal::Split { index, count } => (usize::from(SHARES), index, count),
            Deal::Given { count } => (usize::from(count), index, count),
        };
        let memory = self.settings.packets.memory / parts;
        for (share, shelf) in self.shares.iter_mut().zip((first..).step_by(usize::from(step.max(1)))) {
            if let Some(outbox) = recorder.outbox(shelf) {
                share.keeps(Keeping::new(&self.settings.packets, memory, outbox));
            }
        }
        self
    }

    /// Takes new settings from the next burst on: of events and files; decoder, tables and parsers stay as they were made.
    pub fn tell(&mut self, settings: Arc<WorkerSettings>) {
        self.settings = settings;
    }

    /// Whether the source was to drop bypassed flows, and cannot.
    #[must_use]
    pub fn drops_nothing(&self) -> bool {
        self.settings.bypass.at_source && !self.bypasses.has_hook()
    }

    /// Walks until the source ends or the handover says stop, then ends every flow.
    ///
    /// # Errors
    /// When the source fails; what was counted until then is in the report.
    pub fn run(&mut self, queue: &mut dyn RxQueue, handover: &mut dyn Handover) -> Result<(), RxError> {
        if self.settings.bypass.at_source {
            self.bypasses.attach(queue.bypass());
        }
        let result = self.bursts(queue, handover);
        self.shares.iter_mut().for_each(|share| share.let_all_go(&mut self.bypasses));
        self.end_all(handover);
        self.shares.iter_mut().for_each(Share::hand_over);
        self.bypasses.account(&mut self.ledger);
        result
    }

    fn bursts(&mut self, queue: &mut dyn RxQueue, handover: &mut dyn Handover) -> Result<(), RxError> {
        loop {
            let status = self.burst(queue, handover);
            // What the source lost is accounted for even when it fails.
            queue.account(&mut self.ledger);
            self.look_after_bypassed();
            let status = status?;
            if let RxStatus::Idle(now) = status {
                self.advance(now, self.number, handover);
            }
            self.shares.iter_mut().for_each(Share::hand_over);
            self.hand_over(Key { packet: self.number * 2 + 1, share: u16::MAX, turn: u32::MAX }, handover);
            if status == RxStatus::End {
                return Ok(());
            }
            if !handover.pause(self, queue) {
                // What the source holds already still comes, then its end.
                queue.stop();
            }
        }
    }

    fn burst(&mut self, queue: &mut dyn RxQueue, handover: &mut dyn Handover) -> Result<RxStatus, RxError> {
        let Sorted { batch, lots, seen } = match self.deal {
            Deal::Split { count, .. } if count > 1 => queue.sorted()?,
            _ => Sorted { batch: queue.burst()?, ..Sorted::default() },
        };
        let many = self.shares.iter().map(|share| share.table().flows()).sum::<usize>() >= flow::MANY;
        for (at, frame) in batch.frames.iter().enumerate() {
            if many && at % flow::AHEAD == 0 {
                self.look_ahead(batch.frames.get(at..).unwrap_or_default());
            }
            self.frame(frame, lots.get(at).copied(), handover);
        }
        if let Some((number, latest)) = seen {
            // Those that were not lent began no second: nothing but the clock and the count goes on.
            self.number = self.number.max(number);
            self.now = self.now.max(latest);
        }
        Ok(batch.status)
    }

    /// What the source drops is accounted for, and counted on its flows.
    fn look_after_bypassed(&mut self) {
        if self.bypasses.has_hook() {
            self.bypasses.account(&mut self.ledger);
            for share in &mut self.shares {
                share.look_after_bypassed(self.now, &mut self.bypasses);
            }
        }
    }

    /// Has the flows of the next few frames brought into the caches.
    fn look_ahead(&self, frames: &[Frame<'_>]) {
        flow::look_ahead(frames.iter().take(flow::AHEAD).filter_map(|frame| {
            let sight = decode::sight(&self.settings.decode, frame)?;
            let share = share_of(pair_hash(&sight.src, &sight.dst));
            let share = self.shares.get(place_of(self.deal, share)?)?;
            Some((share.table(), sight, u32::from(frame.tap.0)))
        }));
    }

    /// `lot`: whose the frame is, when the source has found out already.
    fn frame(&mut self, frame: &Frame<'_>, lot: Option<Lot>, handover: &mut dyn Handover) {
        self.number = frame.number;
        self.first = Some(self.first.map_or(frame.time, |first| first.min(frame.time)));
        self.advance(frame.time, frame.number, handover);
        let lot = lot.unwrap_or_else(|| match self.deal {
            Deal::Split { count, .. } if count > 1 || self.deduped => lot_of(&self.settings.decode, frame),
            _ => Lot::All,
        });
        if self.deduped {
            self.decoder.enter_lane(lane_of(lot, self.deal));
        }
        let mine = match (lot, self.deal) {
            (Lot::One(share), Deal::Split { index, count }) => share % count == index,
            (Lot::First | Lot::All, Deal::Split { index, .. }) => index == 0,
            (_, Deal::Given { .. }) => true,
        };
        if mine || lot == Lot::All {
            self.decode(frame, lot, mine);
        }
    }

    /// Time goes on: flows end at each whole second of packet time that begins.
    fn advance(&mut self, time: Timestamp, number: u64, handover: &mut dyn Handover) {
        let began = time.seconds() > self.now.seconds();
        self.now = self.now.max(time);
        if began {
            self.tick(number * 2, handover);
        }
    }

    fn tick(&mut self, slot: u64, handover: &mut dyn Handover) {
        let mut place = Place { slot, nanos: self.now.nanos(), ..Place::default() };
        let mut tools = tools(
            &self.settings,
            &self.engine,
            &mut self.out,
            &mut self.tally,
            &mut self.anomalies,
            &mut self.host,
            &mut self.bypasses,
        );
        for share in &mut self.shares {
            share.tick(self.now, &mut place, &mut tools);
            if tools.out.batch.events.len() >= MOST_EVENTS {
                hand_over(tools.out, last_key(tools.out), handover);
            }
        }
    }

    /// `mine`: this worker counts the frame; others decode it only for the flows inside that are theirs.
    fn decode(&mut self, frame: &Frame<'_>, lot: Lot, mine: bool) {
        if mine {
            self.decoder.decode(frame);
        } else {
            self.decoder.decode_uncounted(frame);
        }
        let decoded = self.decoder.last();
        self.out.trigger.enter(frame);
        if let Some(tap) = decoded.tap {
            let known = self.out.tenants.len();
            self.out.tenants.extend(self.decoder.tenants().iter().skip(known).cloned());
            self.out.tap = decoded.packets.first().map(|packet| Mirror::of(tap, packet));
        }
        let mut place = Place {
            slot: frame.number * 2 + 1,
            nanos: frame.time.nanos(),
            packet: frame.number,
            tap: frame.tap.0,
            ..Place::default()
        };
        let (mut refused, mut passed_by) = (false, false);
        self.outer.clear();
        let mut tools = tools(
            &self.settings,
            &self.engine,
            &mut self.out,
            &mut self.tally,
            &mut self.anomalies,
            &mut self.host,
            &mut self.bypasses,
        );
        if mine {
            // Decoding events and ARP belong to the frame, not to a flow: they stand before every share's.
            decode_events(&decoded, &mut place, &mut tools);
        } else if self.settings.events.anomaly_decode && !decoded.events.is_empty() {
            // Another worker writes them; flows in the frame that are this one's are captured all the same.
            tools.out.trigger.hit = tools.out.trigger.counts("anomaly", "decode");
        }
        let of_frame = tools.out.trigger.hit;
        for (index, packet) in decoded.packets.iter().enumerate() {
            let inside = decoded.packets.get(index + 1);
            if inside.is_some_and(|inner| is_mere_tunnel(packet, inner)) {
                continue;
            }
            let share = match lot {
                // Such a frame gives one packet, and it was asked before whose.
                Lot::One(share) => Some(share),
                Lot::First | Lot::All => owner_hash(packet).map(share_of),
            };
            let Some(share) = share.and_then(|share| own_share(&mut self.shares, self.deal, share)) else {
                continue;
            };
            let bytes = decoded.bytes(frame, packet);
            let payload = payload(bytes, packet);
            tools.out.trigger.hit = of_frame;
            if let Some(tap) = decoded.tap {
                tools.out.tap = Some(Mirror::of(tap, packet));
            }
            (place.origin, place.outer) = (packet.origin.name(), inside.is_some());
            let joined = joined(frame, packet, bytes);
            match share.packet(packet, joined.as_ref().unwrap_or(frame), payload, &mut place, &mut tools) {
                Ok(handled) => {
                    // What is innermost is what the frame is about.
                    passed_by = handled.bypassed && inside.is_none();
                    bypass(share, &handled, (frame, packet, inside.is_none()), &mut self.outer, &mut tools);
                }
                Err(refusal) => refused |= refusal == Refused::TableFull && packet.depth == 0,
            }
        }
        let (loss, copy) = (decoded.loss, decoded.copy);
        self.out.tap = None;
        self.out.trigger.leave();
        self.passed_by += u64::from(passed_by && loss.is_none());
        if mine {
            self.count(frame, loss, copy);
        }
        // The share that refused may belong to another worker than the frame: settled over all workers.
        self.refused += u64::from(refused);
    }

    /// `copy`: the configuration excludes it, being nothing but a copy.
    fn count(&mut self, frame: &Frame<'_>, loss: Option<Loss>, copy: bool) {
        self.tally.timeline.count(frame.time.seconds(), u64::from(frame.wire_len));
        match loss {
            None if copy => self.ledger.filtered += 1,
            None => self.ledger.analysed += 1,
            Some(why) => self.ledger.lose(why, 1),
        }
    }

    /// Ends every flow, oldest first over all shares, so that the order is that of the whole run.
    fn end_all(&mut self, handover: &mut dyn Handover) {
        self.tick(self.number * 2 + 2, handover);
        loop {
            let oldest = self.shares.iter_mut().enumerate().filter_map(|(i, s)| Some((s.oldest()?, i))).min();
            let Some((first, index)) = oldest else { break };
            let mut place = Place { slot: END + first, nanos: self.now.nanos(), ..Place::default() };
            let mut tools = tools(
                &self.settings,
                &self.engine,
                &mut self.out,
                &mut self.tally,
                &mut self.anomalies,
                &mut self.host,
                &mut self.bypasses,
            );
            if let Some(share) = self.shares.get_mut(index) {
                share.end_oldest(&mut place, &mut tools);
            }
            if self.out.batch.events.len() >= MOST_EVENTS {
                let upto = last_key(&self.out);
                hand_over(&mut self.out, upto, handover);
            }
        }
        self.hand_over(Key { packet: u64::MAX, share: u16::MAX, turn: u32::MAX }, handover);
    }

    fn hand_over(&mut self, upto: Key, handover: &mut dyn Handover) {
        hand_over(&mut self.out, upto, handover);
    }

    /// What was counted so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.report_with(self.tally.clone())
    }

    /// What was counted, at the end: the tally is given away, not copied.
    #[must_use]
    pub fn conclude(&mut self) -> Report {
        let tally = std::mem::take(&mut self.tally);
        self.report_with(tally)
    }

    fn report_with(&self, tally: Tally) -> Report {
        let mut report = Report {
            ledger: self.ledger.clone(),
            refused: self.refused,
            passed_by: self.passed_by,
            bypass: self.bypasses.counters.clone(),
            halves: self.bypasses.halves(),
            decode: self.decoder.counters().clone(),
            events: self.out.counts.clone(),
            anomalies: self.anomalies.clone(),
            tally: Arc::new(tally),
            first: self.first,
            last: self.now,
            ..Report::default()
        };
        for share in &self.shares {
            report.flow.add(share.table().counters());
            report.remembered.add(&share.remembered());
            let memory = share.table().memory();
            report.memory += (memory.table + memory.reassembly) as u64;
            report.flows += memory.flows as u64;
        }
        report
    }
}

/// Has a flow bypassed from its next packet on, here; and by the source, where its frames can be told there. `around` has
/// the flows of the tunnels around it, of which it may be the next.
#[inline]
fn bypass(
    share: &mut Share,
    handled: &Handled,
    seen: (&Frame<'_>, &Packet, bool),
    around: &mut Vec<Outer>,
    tools: &mut Tools<'_>,
) {
    let (.., innermost) = seen;
    if !innermost || handled.bypassed || handled.bypass.is_some() {
        note_or_bypass(share, handled, seen, around, tools);
    }
}

fn note_or_bypass(
    share: &mut Share,
    handled: &Handled,
    (frame, packet, innermost): (&Frame<'_>, &Packet, bool),
    around: &mut Vec<Outer>,
    tools: &mut Tools<'_>,
) {
    if let Some(reason) = handled.bypass {
        share.bypass(handled.flow, reason, tools);
    }
    if !innermost {
        let id = share.table().flow(handled.flow).id();
        let each = i64::from(packet.length) - i64::from(frame.wire_len);
        around.push(Outer { flow: handled.flow, id, side: handled.side, each });
        return;
    }
    if !share.would_ask(handled.flow, frame.time, tools) {
        return;
    }
    let decode = &tools.settings.decode;
    // Without the outermost source port, whose packets a tunnel's flow has cannot be told.
    let known = packet.mirrored || around.is_empty() || !decode.mirror.strips();
    let found = decode::half(decode, frame).filter(|_| known);
    let (at, side, wire_len, now) = (handled.flow, handled.side, frame.wire_len, frame.time);
    share.ask_source(&Seen { at, side, packet, wire_len, found, outer: around, now }, tools);
}

fn tools<'a>(
    settings: &'a WorkerSettings,
    engine: &'a Engine,
    out: &'a mut Out,
    tally: &'a mut Tally,
    anomalies: &'a mut AnomalyCounts,
    host: &'a mut Vec<u8>,
    bypasses: &'a mut Bypasses,
) -> Tools<'a> {
    Tools { settings, engine, out, tally, anomalies, host, bypasses }
}

fn hand_over(out: &mut Out, upto: Key, handover: &mut dyn Handover) {
    // Mostly sorted already, as shares take turns only within one packet; sorting takes memory even then.
    if !out.batch.events.is_sorted_by_key(|e| e.key) {
        out.batch.events.sort_by_key(|e| e.key);
    }
    handover.events(&mut out.batch, upto);
    out.batch.clear();
}

fn last_key(out: &Out) -> Key {
    out.batch.events.last().map(|e| e.key).unwrap_or_default()
}

fn decode_events(decoded: &decode::Decoded<'_>, place: &mut Place, tools: &mut Tools<'_>) {
    for (index, event) in decoded.events {
        tools.anomalies.count(event.name());
        if tools.settings.events.anomaly_decode
            && let Some(packet) = decoded.packets.get(usize::from(*index))
        {
            let header = record::packet_header("anomaly", packet, place);
            record::anomaly("decode", event.name(), header, place, tools.out);
        }
    }
    if !tools.settings.events.arp {
        return;
    }
    for packet in decoded.packets {
        if let Network::Arp(message) = &packet.network {
            place.origin = packet.origin.name();
            record::arp(message, packet, place, tools.out);
        }
    }
}

/// Whether a packet is nothing but a GRE header around another one: what is inside is a flow, the header is not.
/// IP in IP and tunnels over UDP are flows of their own, as in Suricata.
fn is_mere_tunnel(packet: &Packet, inner: &Packet) -> bool {
    let Network::Ip(ip) = &packet.network else { return false };
    ip.protocol == GRE && inner.depth > packet.depth
}

/// Hash of the address pair that decides whose flow a packet is.
fn owner_hash(packet: &Packet) -> Option<u32> {
    let Network::Ip(ip) = &packet.network else { return None };
    if let Transport::Icmp { about: Some(about), .. } = &packet.transport {
        return Some(pair_hash(&about.src, &about.dst));
    }
    Some(pair_hash(&ip.src, &ip.dst))
}

/// Whose a frame is: a lot is a share.
pub(crate) fn lot_of(settings: &decode::Settings, frame: &Frame<'_>) -> Lot {
    match decode::steer(settings, frame) {
        Steer::Owner(hash) => Lot::One(share_of(hash)),
        Steer::Anybody => Lot::First,
        Steer::Everybody => Lot::All,
    }
}

/// Lanes of the decoder's memory of packets seen: one a share, one for what every worker decodes, and one for what the
/// first does alone. A worker that is given its frames has one.
fn lanes(deal: Deal) -> usize {
    match deal {
        Deal::Split { .. } => usize::from(SHARES) + 2,
        Deal::Given { .. } => 1,
    }
}

fn lane_of(lot: Lot, deal: Deal) -> usize {
    match (deal, lot) {
        (Deal::Given { .. }, _) => 0,
        (Deal::Split { .. }, Lot::One(share)) => usize::from(share),
        (Deal::Split { .. }, Lot::All) => usize::from(SHARES),
        (Deal::Split { .. }, Lot::First) => usize::from(SHARES) + 1,
    }
}

/// Top bits: the table's index uses others.
fn share_of(hash: u32) -> u16 {
    u16::try_from(hash >> 28).unwrap_or(0) % SHARES
}

fn own_share(shares: &mut [Share], deal: Deal, share: u16) -> Option<&mut Share> {
    shares.get_mut(place_of(deal, share)?)
}

/// Where a worker has a share, if it is its own.
fn place_of(deal: Deal, share: u16) -> Option<usize> {
    match deal {
        Deal::Given { .. } => Some(0),
        Deal::Split { index, count } => (share % count == index).then(|| usize::from(share / count)),
    }
}

/// The frame of a packet that was put together from fragments: the packet itself.
#[inline]
fn joined<'a>(frame: &Frame<'a>, packet: &Packet, bytes: &'a [u8]) -> Option<Frame<'a>> {
    let (Source::Reassembled(_), Network::Ip(ip)) = (packet.source, &packet.network) else { return None };
    let data = bytes.get(ip.offset as usize..).unwrap_or_default();
    let wire_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
    Some(Frame { data, wire_len, link: LinkType::RAW, vlan: None, ..*frame })
}

fn payload<'a>(bytes: &'a [u8], packet: &Packet) -> &'a [u8] {
    let from = packet.payload as usize;
    bytes.get(from..from + packet.payload_len as usize).unwrap_or_default()
}
