//! The hub: blocks of lines from several workers become one stream, in one order, for every sink.
//!
//! With [`Order::ByKey`] a line is passed on when every worker has said that it is past it; the stream is then the same
//! whatever the number of workers. With [`Order::AsTheyCome`] blocks pass as they arrive, which live capture wants.
//! Workers wait for a full hub, the hub never for a slow sink longer than the sink's policy says; so a worker that
//! lags cannot lock the others out: the hub always takes from the one that is furthest behind.

use crate::eve::Block;
use crate::sink::{Chunk, Sink};
use crossbeam_channel::{Receiver, Select, Sender, bounded};
use event::Key;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Blocks of one worker that may wait for the hub.
const QUEUE: usize = 8;
/// Chunks handed to sinks are about this large.
const CHUNK: usize = 256 * 1024;
/// Chunks that are remembered after they were handed over, to be used again once every sink has let go of them.
const RECENT: usize = 8;

/// In which order lines leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By key, over all workers.
    ByKey,
    /// Block by block.
    AsTheyCome,
}

/// A worker's way into the hub.
#[derive(Debug)]
pub struct Port {
    blocks: Sender<(Block, Key)>,
    empties: Receiver<Block>,
}

impl Port {
    /// Hands a block over and takes an empty one back. Waits while the hub has enough of this worker's.
    pub fn send(&self, block: Block, upto: Key) -> Block {
        // A hub that is gone takes nothing; its end is reported where it is joined.
        let _ = self.blocks.send((block, upto));
        self.empties.try_recv().unwrap_or_default()
    }
}

/// A way in beside the workers': for events about the run itself, such as `stats`. In a run ordered by key its lines
/// stand at the end.
#[derive(Debug)]
pub struct Aside {
    blocks: Sender<Block>,
}

impl Aside {
    /// Hands a block over.
    pub fn send(&self, block: Block) {
        // A hub that is gone takes nothing; its end is reported where it is joined.
        let _ = self.blocks.send(block);
    }
}

/// The hub at work. Join it after every port and the way aside are dropped.
#[derive(Debug)]
pub struct Hub {
    thread: JoinHandle<()>,
}

impl Hub {
    /// Starts the hub and gives each of `workers` a port, and one way in beside them.
    ///
    /// # Errors
    /// When the operating system has no thread for it.
    pub fn start(
        workers: usize,
        order: Order,
        sinks: Vec<Sink>,
    ) -> std::io::Result<(Vec<Port>, Aside, Self)> {
        let mut ports = Vec::new();
        let mut lanes = Vec::new();
        for _ in 0..workers {
            let (blocks, inbox) = bounded(QUEUE);
            let (back, empties) = bounded(QUEUE);
            ports.push(Port { blocks, empties });
            lanes.push(Lane { inbox, back, waiting: Vec::new(), upto: Key::default(), ended: false });
        }
        let (beside, aside) = bounded(QUEUE);
        let merger = Merger {
            lanes,
            aside,
            out: Outlet { sinks, chunk: Vec::new(), lines: 0, recent: VecDeque::new() },
        };
        let thread = std::thread::Builder::new().name("hub".into()).spawn(move || merger.run(order))?;
        Ok((ports, Aside { blocks: beside }, Self { thread }))
    }

    /// Waits until everything was handed to the sinks and the sinks have ended.
    pub fn join(self) {
        // A panic of the hub has been printed by the hook; what its sinks counted stands in their counters.
        let _ = self.thread.join();
    }
}

/// One worker's blocks.
struct Lane {
    inbox: Receiver<(Block, Key)>,
    back: Sender<Block>,
    /// Blocks not passed on entirely, and the first line of each that was not.
    waiting: Vec<(Block, usize)>,
    upto: Key,
    ended: bool,
}

struct Merger {
    lanes: Vec<Lane>,
    aside: Receiver<Block>,
    out: Outlet,
}

impl Merger {
    fn run(mut self, order: Order) {
        match order {
            Order::AsTheyCome => self.pass_blocks(true),
            Order::ByKey if self.lanes.len() == 1 => self.pass_blocks(false),
            Order::ByKey => self.merge(),
        }
        for block in &self.aside {
            self.out.write(&block.bytes, block.lines.len());
        }
        self.out.end();
    }

    /// Passes blocks on as they come, and when `live` those from aside between them.
    fn pass_blocks(&mut self, mut live: bool) {
        let Self { lanes, aside, out } = self;
        let mut open: Vec<&Lane> = lanes.iter().collect();
        while !open.is_empty() {
            let mut select = Select::new();
            for lane in &open {
                select.recv(&lane.inbox);
            }
            if live {
                select.recv(aside);
            }
            let ready = select.select();
            match open.get(ready.index()).copied() {
                Some(lane) => match ready.recv(&lane.inbox) {
                    Ok((mut block, _)) => {
                        out.pass(&mut block);
                        recycle(&lane.back, block);
                    }
                    Err(_) => open.retain(|l| !std::ptr::eq(*l, lane)),
                },
                None => match ready.recv(aside) {
                    Ok(block) => out.write(&block.bytes, block.lines.len()),
                    Err(_) => live = false,
                },
            }
            if open.iter().all(|l| l.inbox.is_empty()) {
                out.flush();
            }
        }
    }

    /// Takes from the lane that is furthest behind until it is past the others, then passes on what all are past.
    fn merge(&mut self) {
        while let Some(lane) = self.lanes.iter_mut().filter(|l| !l.ended).min_by_key(|l| l.upto) {
            match lane.inbox.recv() {
                Ok((block, upto)) => {
                    lane.upto = upto;
                    if block.lines.is_empty() {
                        recycle(&lane.back, block)
                    } else {
                        lane.waiting.push((block, 0))
                    }
                }
                Err(_) => lane.ended = true,
            }
            self.pass_lines();
        }
        self.pass_lines();
    }

    /// Passes on what all lanes are past, a run of lines of one lane at a time.
    fn pass_lines(&mut self) {
        let past = self.lanes.iter().filter(|l| !l.ended).map(|l| l.upto).min();
        while let Some((key, index)) = self.first_line()
            && past.is_none_or(|past| key <= past)
        {
            let others = self.lanes.iter().enumerate().filter(|(i, _)| *i != index);
            let next = others.filter_map(|(_, lane)| lane.first()).chain(past).min();
            let Some(lane) = self.lanes.get_mut(index) else { return };
            lane.pass_run(next, &mut self.out);
        }
    }

    /// The least key that waits, and its lane.
    fn first_line(&self) -> Option<(Key, usize)> {
        self.lanes.iter().enumerate().filter_map(|(i, lane)| Some((lane.first()?, i))).min()
    }
}

impl Lane {
    fn first(&self) -> Option<Key> {
        let (block, at) = self.waiting.first()?;
        block.lines.get(*at).map(|line| line.key)
    }

    /// Passes the first line that waits, and those behind it in its block whose keys are not greater than `upto`.
    fn pass_run(&mut self, upto: Option<Key>, out: &mut Outlet) {
        let Some((block, at)) = self.waiting.first_mut() else { return };
        let lines = block.lines.get(*at..).unwrap_or_default();
        let more = lines.iter().skip(1).take_while(|line| upto.is_none_or(|upto| line.key <= upto)).count();
        if let (Some(first), Some(last)) = (lines.first(), lines.get(more)) {
            out.write(block.bytes.get(first.from..last.to).unwrap_or_default(), more + 1);
        }
        *at += more + 1;
        if *at >= block.lines.len() {
            let (block, _) = self.waiting.remove(0);
            recycle(&self.back, block);
        }
    }
}

fn recycle(back: &Sender<Block>, mut block: Block) {
    block.bytes.clear();
    block.lines.clear();
    // When the worker has enough empty blocks this one is simply freed.
    let _ = back.try_send(block);
}

/// The stream on its way to the sinks, in chunks of whole lines.
struct Outlet {
    sinks: Vec<Sink>,
    chunk: Vec<u8>,
    /// Lines in the chunk.
    lines: u64,
    /// What was handed over last, oldest first.
    recent: VecDeque<Arc<Vec<u8>>>,
}

impl Outlet {
    fn write(&mut self, bytes: &[u8], lines: usize) {
        for sink in &self.sinks {
            sink.count(lines as u64);
        }
        self.chunk.extend_from_slice(bytes);
        self.lines += lines as u64;
        if self.chunk.len() >= CHUNK {
            self.flush();
        }
    }

    /// Passes a whole block on without copying its bytes.
    fn pass(&mut self, block: &mut Block) {
        let lines = block.lines.len() as u64;
        for sink in &self.sinks {
            sink.count(lines);
        }
        self.flush();
        block.bytes = self.offer(std::mem::take(&mut block.bytes), lines);
    }

    fn flush(&mut self) {
        let (chunk, lines) = (std::mem::take(&mut self.chunk), std::mem::take(&mut self.lines));
        self.chunk = self.offer(chunk, lines);
    }

    /// Hands lines over, and gives an empty chunk for those that follow: an old one when there is one, since fresh memory
    /// costs a fault a page.
    fn offer(&mut self, bytes: Vec<u8>, lines: u64) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        let chunk = Chunk { bytes: Arc::new(bytes), lines };
        for sink in &mut self.sinks {
            sink.offer(&chunk);
        }
        // Nobody else holds it when it was written at once.
        let mut spare = Arc::try_unwrap(chunk.bytes).unwrap_or_else(|held| {
            self.recent.push_back(held);
            let oldest = if self.recent.len() >= RECENT { self.recent.pop_front() } else { None };
            oldest.and_then(Arc::into_inner).unwrap_or_default()
        });
        spare.clear();
        spare
    }

    fn end(mut self) {
        self.flush();
        for sink in self.sinks {
            sink.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eve::Line;
    use crate::sink::{Policy, Sink};
    use std::sync::Mutex;

    fn block(keys: &[u64]) -> Block {
        let mut block = Block::default();
        for packet in keys {
            let from = block.bytes.len();
            block.bytes.extend_from_slice(format!("{packet}\n").as_bytes());
            let key = Key { packet: *packet, ..Key::default() };
            block.lines.push(Line { key, from, to: block.bytes.len() });
        }
        block
    }

    fn upto(packet: u64) -> Key {
        Key { packet, share: u16::MAX, turn: u32::MAX }
    }

    #[test]
    fn lines_leave_by_key_whoever_came_first() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let copy = Arc::clone(&seen);
        let sink = Sink::start("test", Policy::Wait, move |bytes: &[u8]| {
            copy.lock().expect("a lock").extend_from_slice(bytes);
            Ok(())
        })
        .expect("a thread");
        let (ports, aside, hub) = Hub::start(2, Order::ByKey, vec![sink]).expect("a thread");
        ports[1].send(block(&[2, 5]), upto(5));
        ports[1].send(block(&[6]), upto(9));
        ports[0].send(block(&[]), upto(3));
        ports[0].send(block(&[4, 7]), upto(9));
        drop(ports);
        aside.send(block(&[1]));
        drop(aside);
        hub.join();
        assert_eq!(String::from_utf8_lossy(&seen.lock().expect("a lock")), "2\n4\n5\n6\n7\n1\n");
    }

    #[test]
    fn what_comes_from_aside_leaves_at_once_in_a_live_run() {
        let (tell, told) = bounded(1);
        let sink = Sink::start("test", Policy::Drop, move |bytes: &[u8]| {
            tell.send(bytes.to_vec()).map_err(std::io::Error::other)
        })
        .expect("a thread");
        let (ports, aside, hub) = Hub::start(1, Order::AsTheyCome, vec![sink]).expect("a thread");
        aside.send(block(&[1]));
        let first = told.recv_timeout(std::time::Duration::from_secs(10));
        assert_eq!(first.as_deref(), Ok(&b"1\n"[..]), "no worker has said anything");
        drop((ports, aside));
        hub.join();
    }
}
