//! The door by which a worker has flows left out.

use std::sync::Arc;

use frame::bypass::{Answer, Bypass, Half, Home, News, WhyNot};
use frame::{Ledger, Timestamp};

use super::Rules;
use super::book::{Ends, Marked, No, Owner, Told};
use super::counts::{Counts, Sum};

/// Halves that are looked after in one turn.
const TURN: usize = 16;

/// Bytes of a link-layer header without a tag: rules are for frames with no other.
const ETHERNET: u64 = 14;

/// One worker's door.
#[derive(Debug)]
pub(crate) struct Door {
    queue: u16,
    rules: Rules,
    counts: Arc<Counts>,
    /// Halves that were asked for, and where the next turn begins.
    own: Vec<(u32, Marked)>,
    next: usize,
}

impl Door {
    pub(crate) fn new(queue: u16, rules: &Rules) -> Self {
        Self { queue, rules: rules.clone(), counts: rules.counts(), own: Vec::new(), next: 0 }
    }

    fn owner(&self, flow: u32) -> Owner {
        Owner { queue: self.queue, flow }
    }

    /// What the controller has to tell.
    fn hear(&mut self, home: &mut Vec<Home>) {
        if !self.rules.has_news() {
            return;
        }
        for (flow, told) in self.rules.book(|book| book.told(self.queue)) {
            let news = match told {
                Told::Captured => News::Captured,
                Told::Counted(half, sum) => dropped(half, sum),
                Told::Lost(why) => {
                    self.own.retain(|(other, _)| *other != flow);
                    News::Lost(why_not(why))
                }
            };
            home.push(Home { flow, news });
        }
    }
}

impl Bypass for Door {
    fn ask(&mut self, flow: u32, halves: &[Half]) -> Answer {
        let Some(ends) = halves.iter().map(ends).collect::<Option<Vec<Ends>>>() else {
            return Answer::Not(WhyNot::Unable);
        };
        match self.rules.book(|book| book.ask(self.owner(flow), &ends)) {
            Ok(marked) => {
                self.own.extend(marked.into_iter().map(|marked| (flow, marked)));
                Answer::Later
            }
            Err(why) => Answer::Not(why_not(why)),
        }
    }

    fn end(&mut self, flow: u32, home: &mut Vec<Home>) {
        self.hear(home);
        let sums = self.rules.book(|book| book.end(self.owner(flow), &self.counts));
        home.extend(sums.into_iter().map(|(half, sum)| Home { flow, news: dropped(half, sum) }));
        self.own.retain(|(other, _)| *other != flow);
    }

    fn turn(&mut self, _now: Timestamp, home: &mut Vec<Home>) {
        self.hear(home);
        for _ in 0..TURN.min(self.own.len()) {
            self.next = (self.next + 1) % self.own.len();
            let Some((flow, marked)) = self.own.get(self.next) else { return };
            if let Some(sum) = self.counts.drain(marked.mark) {
                home.push(Home { flow: *flow, news: dropped(marked.nth, sum) });
            }
        }
    }

    /// The queue itself has them in its ledger: it took them out of its ring.
    fn account(&mut self, _ledger: &mut Ledger) {}

    fn halves(&self) -> u64 {
        self.rules.book(|book| book.held(self.queue))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let flows: Vec<u32> = self.own.iter().map(|(flow, _)| *flow).collect();
        flows.into_iter().for_each(|flow| self.end(flow, &mut Vec::new()));
    }
}

/// What the NIC can tell: nothing around the packet, not even a tag.
fn ends(half: &Half) -> Option<Ends> {
    let plain = half.is_plain() && half.ends.vlans == [0; 3];
    plain.then_some(Ends {
        version: half.version,
        protocol: half.protocol,
        src: half.ends.src,
        dst: half.ends.dst,
        ports: half.ends.ports,
    })
}

fn dropped(half: u8, sum: Sum) -> News {
    let inner = sum.bytes.saturating_sub(sum.frames * ETHERNET);
    News::Dropped { half, packets: sum.frames, bytes: sum.bytes, inner, last: sum.last }
}

const fn why_not(no: No) -> WhyNot {
    match no {
        No::Full => WhyNot::Full,
        No::Unable => WhyNot::Unable,
        No::Refused => WhyNot::Refused,
    }
}
