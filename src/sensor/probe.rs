//! A virtual function on trial: brought up, watched for a while, given back.

use capture::vf::{Keeper, OpenError, Spreading, Symmetry, Tunnels, VfReport, VfSettings, open};
use decode::{Address, Decoder, Network, Transport};
use frame::{Frame, RxQueue, RxStatus};
use hashbrown::HashMap;
use std::time::{Duration, Instant};

/// Conversations that are kept account of.
const MOST: usize = 100_000;

/// Two ends of a conversation, the smaller one first.
type Pair = ((Address, u16), (Address, u16));

/// What a function showed while it was watched.
#[derive(Debug)]
pub struct Probe {
    /// What the function and its PF say.
    pub report: VfReport,
    /// How long bringing it up took.
    pub came_up: Duration,
    /// How long it was watched.
    pub watched: Duration,
    /// Frames that each queue received.
    pub frames: Vec<u64>,
    /// Conversations of TCP, UDP or SCTP seen in both directions.
    pub both_ways: u64,
    /// Of these, those whose directions came to different queues.
    pub split: u64,
    /// Whether frames come to the queues that key and table say; none where nothing is spread.
    pub spreading: Option<Symmetry>,
    /// Which headers of tunnelled packets decide their queue; none where nothing is spread.
    pub tunnels: Option<Tunnels>,
}

impl Probe {
    /// Whether receive-side scaling keeps both directions together, as traffic shows it; none when it shows nothing.
    #[must_use]
    pub fn is_symmetric(&self) -> Option<bool> {
        (self.both_ways > 0 && self.frames.len() > 1).then_some(self.split == 0)
    }
}

/// Which queue each direction of a conversation came to.
#[derive(Clone, Copy, Debug, Default)]
struct Seen([Option<u16>; 2]);

/// Brings a function up, watches it for `time`, and gives it back.
///
/// # Errors
/// When it cannot be opened or does not come up.
pub fn probe(settings: &VfSettings, decode: &decode::Settings, time: Duration) -> Result<Probe, OpenError> {
    let begin = Instant::now();
    let mut settings = settings.clone();
    // One thread looks at every queue in turn: it must not wait at one while another fills up.
    settings.driver.wait = Duration::from_micros(100);
    let (mut queues, keeper) = open(&settings)?;
    let came_up = begin.elapsed();
    let mut decoder = Decoder::new(decode);
    let mut seen = HashMap::new();
    let mut frames = vec![0; queues.len()];
    let agreed = keeper.report().agreed;
    let mut spreading = agreed.and_then(|agreed| Spreading::new(&agreed));
    let begin = Instant::now();
    while begin.elapsed() < time {
        for ((index, queue), count) in (0_u16..).zip(&mut queues).zip(&mut frames) {
            // A function that is gone has said so in its report.
            let Ok(batch) = queue.burst() else { break };
            *count += batch.frames.len() as u64;
            for frame in &batch.frames {
                note(&mut decoder, frame, index, &mut seen);
                spreading.iter_mut().for_each(|spreading| spreading.see(index, frame.data));
            }
        }
    }
    let mut probe = sum(&keeper, came_up, begin.elapsed(), frames, &seen);
    probe.tunnels = spreading.as_ref().map(Spreading::tunnels);
    probe.spreading = spreading.map(|spreading| spreading.verdict());
    drain(queues);
    Ok(probe)
}

fn note(decoder: &mut Decoder, frame: &Frame<'_>, queue: u16, seen: &mut HashMap<Pair, Seen>) {
    let decoded = decoder.decode_uncounted(frame);
    // The outermost packet: what a NIC hashes.
    let Some(packet) = decoded.packets.first() else { return };
    let Network::Ip(ip) = packet.network else { return };
    let (from, to) = match packet.transport {
        Transport::Tcp(tcp) => (tcp.src_port, tcp.dst_port),
        Transport::Udp(from, to) | Transport::Sctp(from, to) => (from, to),
        _ => return,
    };
    let ends = ((ip.src, from), (ip.dst, to));
    let forward = ends.0 <= ends.1;
    let pair = if forward { ends } else { (ends.1, ends.0) };
    if seen.len() < MOST || seen.contains_key(&pair) {
        let Seen([there, back]) = seen.entry(pair).or_default();
        *(if forward { there } else { back }) = Some(queue);
    }
}

fn sum(
    keeper: &Keeper,
    came_up: Duration,
    watched: Duration,
    frames: Vec<u64>,
    seen: &HashMap<Pair, Seen>,
) -> Probe {
    let both = seen.values().filter_map(|Seen([there, back])| there.zip(*back));
    let (both_ways, split) = both.fold((0, 0), |(n, split), (a, b)| (n + 1, split + u64::from(a != b)));
    Probe {
        report: keeper.report(),
        came_up,
        watched,
        frames,
        both_ways,
        split,
        spreading: None,
        tunnels: None,
    }
}

/// Queues end before their function is given back.
fn drain(mut queues: Vec<Box<dyn RxQueue>>) {
    let until = Instant::now() + Duration::from_secs(4);
    queues.iter_mut().for_each(|queue| queue.stop());
    while Instant::now() < until {
        let ended =
            |queue: &mut Box<dyn RxQueue>| queue.burst().map_or(true, |batch| batch.status == RxStatus::End);
        queues.retain_mut(|queue| !ended(queue));
        if queues.is_empty() {
            return;
        }
    }
}
