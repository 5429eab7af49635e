//! What the caller does with a flow's streams.

use super::Table;
use crate::key::Side;
use crate::stream::Stream;
use crate::tcp::{TcpState, marks};
use crate::{Chunk, FlowRef, Phase};
use frame::Timestamp;

impl<A: Default> Table<A> {
    /// What is readable now on one side and was not shown before, and what hangs on the flow beside it. The bytes are
    /// shown again, with more behind them, until they are [eaten](Self::eaten). To be called until it gives nothing.
    pub fn readable(&mut self, at: FlowRef, side: Side) -> Option<(Chunk<'_>, &mut A)> {
        let record = self.records.get_mut(at.0 as usize)?;
        let peer = record.flow.tcp.peers.of_mut(side);
        let (stream, buffers) = self.streams.parts(peer.stream)?;
        let ready = stream.ready(&self.settings, buffers)?;
        if ready.gap > 0 {
            peer.marks |= marks::GAP;
            self.counters.tcp_gaps += 1;
            self.counters.tcp_gap_bytes += ready.gap;
            self.counters.skipped += ready.dropped;
            self.counters.lost_budget += ready.memory;
            self.stored -= ready.dropped + ready.memory;
        }
        Some((stream.chunk(ready), &mut record.flow.a))
    }

    /// The reader is done with the first `n` bytes of the chunk. What remains is shown again at once, unless the
    /// reader says what it [waits for](Self::want).
    pub fn eaten(&mut self, at: FlowRef, side: Side, n: usize) {
        let Some(handle) = self.handle(at, side) else { return };
        let Some((stream, buffers)) = self.streams.parts(handle) else { return };
        let (eaten, lost) = stream.eaten(n, &self.settings, buffers);
        self.stored -= eaten + lost;
        self.counters.delivered += eaten;
        self.counters.lost_budget += lost;
    }

    /// The reader waits until `n` bytes, from the first one not eaten, are there; or the side ends, or a gap comes.
    /// With no more than are there already it is shown them again at once.
    pub fn want(&mut self, at: FlowRef, side: Side, n: usize) {
        if let Some(stream) = self.stream(at, side) {
            stream.wait_for(n);
        }
    }

    /// The reader is done with everything that is readable, and the next `n` bytes are not even to be stored.
    pub fn skip(&mut self, at: FlowRef, side: Side, n: u64) {
        let Some(handle) = self.handle(at, side) else { return };
        let Some((stream, buffers)) = self.streams.parts(handle) else { return };
        let (readable, dropped, lost) = stream.skip(n, &self.settings, buffers);
        self.stored -= readable + dropped + lost;
        self.counters.lost_budget += lost;
        self.counters.delivered += readable;
        self.counters.skipped += dropped;
    }

    /// Changes how many bytes of one side are read; `None` for all. Holds from the handshake on.
    pub fn set_depth(&mut self, at: FlowRef, side: Side, depth: Option<u64>) {
        let Some(record) = self.records.get(at.0 as usize) else { return };
        let stopped = record.flow.tcp.peers.of(side).marks & marks::STOPPED != 0;
        if stopped || record.flow.tcp.state < TcpState::SynRecv {
            return;
        }
        let handle = self.open(at.0, side);
        if let Some(stream) = self.streams.get_mut(handle) {
            stream.set_depth(depth);
        }
    }

    /// No more payload of this side is wanted: it is only tracked, and its buffers are free.
    pub fn stop(&mut self, at: FlowRef, side: Side) {
        let Some(record) = self.records.get_mut(at.0 as usize) else { return };
        let peer = record.flow.tcp.peers.of_mut(side);
        peer.marks |= marks::STOPPED;
        let held = self.streams.close(std::mem::take(&mut peer.stream));
        self.stored -= held;
        self.counters.skipped += held;
    }

    /// Client and server were the other way round: exchanges every per-side fact.
    pub fn swap(&mut self, at: FlowRef) {
        self.flow_mut(at).swap();
    }

    /// From now on the flow's packets are only counted.
    pub fn bypass(&mut self, at: FlowRef) {
        for side in Side::BOTH {
            self.stop(at, side);
        }
        self.flow_mut(at).phase = Phase::Bypassed;
        self.postpone(at.0);
    }

    /// Counts packets that never came here: whoever bypasses the flow has counted them, the last at `last`.
    pub fn credit(&mut self, at: FlowRef, side: Side, packets: u64, bytes: u64, last: Timestamp) {
        let Some(record) = self.records.get_mut(at.0 as usize) else { return };
        let flow = &mut record.flow;
        flow.credit(side, packets, bytes);
        flow.last.time = flow.last.time.max(last);
        self.counters.bypassed_at_source += packets;
        self.postpone(at.0);
    }

    /// Everything stored becomes readable, acknowledged or not, gaps included; then each side is told its last.
    pub fn flush(&mut self, at: FlowRef) {
        for side in Side::BOTH {
            if let Some(stream) = self.stream(at, side) {
                stream.flush();
            }
        }
    }

    fn handle(&self, at: FlowRef, side: Side) -> Option<u32> {
        let record = self.records.get(at.0 as usize)?;
        Some(record.flow.tcp.peers.of(side).stream)
    }

    fn stream(&mut self, at: FlowRef, side: Side) -> Option<&mut Stream> {
        let handle = self.handle(at, side)?;
        self.streams.get_mut(handle)
    }

    /// Gives the buffers of both sides back; what nobody read is counted.
    pub(super) fn close_streams(&mut self, at: FlowRef) {
        for side in Side::BOTH {
            let Some(record) = self.records.get_mut(at.0 as usize) else { return };
            let handle = std::mem::take(&mut record.flow.tcp.peers.of_mut(side).stream);
            let held = self.streams.close(handle);
            self.stored -= held;
            self.counters.skipped += held;
        }
    }
}
