//! Which flows are to be left out, and how far each of their rules has come.

use std::collections::VecDeque;

use avf::virtchnl::{Action, Header, HeaderKind, HeaderPattern, field};

use super::counts::{Counts, SLOT_BITS, Sum};

/// Halves of flows that can be left out at once. The NIC has 16,384 rules for all of its functions.
pub(crate) const SLOTS: usize = 1 << SLOT_BITS;

/// Times that a question without an answer is asked again.
const AGAIN: u8 = 3;

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

/// One direction of a flow without anything around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// 4 or 6.
    pub(crate) version: u8,
    /// TCP, UDP or SCTP.
    pub(crate) protocol: u8,
    /// Source address; of IPv4 the first four bytes.
    pub(crate) src: [u8; 16],
    /// Destination address.
    pub(crate) dst: [u8; 16],
    /// Source and destination port.
    pub(crate) ports: [u16; 2],
}

/// Why a flow is not left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum No {
    /// There is no room.
    Full,
    /// The NIC cannot tell such frames from others.
    Unable,
    /// The PF does not want to.
    Refused,
}

/// Whose a half is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Queue of its worker.
    pub(crate) queue: u16,
    /// The worker's number for the flow.
    pub(crate) flow: u32,
}

/// How far a half's rule has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is to be asked for.
    Wanted,
    /// It is asked for.
    Asked,
    /// It is asked for, and nobody wants it any more.
    Orphan,
    /// It holds, under this number of the PF's.
    Holds(u32),
    /// It is to be taken back.
    Unwanted(u32),
    /// Its removal is asked for.
    Leaving,
}

#[derive(Clone, Debug)]
struct Slot {
    owner: Owner,
    nth: u8,
    ends: Ends,
    mark: u32,
    state: State,
    tries: u8,
}

/// A half that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    /// What its frames will carry.
    pub(crate) mark: u32,
    /// Its place among the flow's halves.
    pub(crate) nth: u8,
}

/// What a worker is told about one of its flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// All of its halves are left out from now on.
    Captured,
    /// None of them is any more.
    Lost(No),
    /// What came of one of them in the meantime.
    Counted(u8, Sum),
}

/// The book.
#[derive(Debug)]
pub(crate) struct Book {
    slots: Vec<Option<Slot>>,
    /// Slots with something to be asked.
    work: VecDeque<usize>,
    asked: Option<usize>,
    leaving: Option<usize>,
    /// Makes marks one of a kind.
    serial: u32,
    outbox: VecDeque<(Owner, Told)>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            slots: vec![None; SLOTS],
            work: VecDeque::new(),
            asked: None,
            leaving: None,
            serial: 1,
            outbox: VecDeque::new(),
        }
    }
}

impl Ends {
    /// The headers by which the NIC recognises it; none for what it cannot tell.
    fn pattern(&self) -> Option<HeaderPattern> {
        let transport = match self.protocol {
            TCP => HeaderKind::TCP,
            UDP => HeaderKind::UDP,
            SCTP => HeaderKind::SCTP,
            _ => return None,
        };
        let [from, to] = self.ports.map(u16::to_be_bytes);
        let ip = match self.version {
            4 => {
                let addresses = [*self.src.first_chunk::<4>()?, *self.dst.first_chunk::<4>()?].concat();
                Header::like(HeaderKind::IPV4, field::ENDS, &[&[0; 12], addresses.as_slice()].concat())
            }
            6 => {
                let addresses = [self.src, self.dst].concat();
                Header::like(HeaderKind::IPV6, field::ENDS, &[&[0; 8], addresses.as_slice()].concat())
            }
            _ => return None,
        };
        let ports = Header::like(transport, field::ENDS, &[from, to].concat());
        Some(HeaderPattern::of(vec![Header::new(HeaderKind::ETH, 0), ip, ports]))
    }
}

impl Book {
    /// Has further halves of a flow left out, all or none; those that it has already stay.
    pub(crate) fn ask(&mut self, owner: Owner, halves: &[Ends]) -> Result<Vec<Marked>, No> {
        if halves.iter().any(|ends| ends.pattern().is_none()) {
            return Err(No::Unable);
        }
        let is_free = |at: &usize| matches!(self.slots.get(*at), Some(None));
        let free: Vec<usize> = (0..SLOTS).filter(is_free).take(halves.len()).collect();
        if free.len() < halves.len() {
            return Err(No::Full);
        }
        let begin = u8::try_from(self.of(owner).count()).unwrap_or(u8::MAX);
        let mut marked = Vec::new();
        for ((at, ends), nth) in free.into_iter().zip(halves).zip(begin..) {
            let mark = self.serial << SLOT_BITS | u32::try_from(at).unwrap_or(0);
            self.serial = self.serial % ((1 << (31 - SLOT_BITS)) - 1) + 1;
            let slot = Slot { owner, nth, ends: *ends, mark, state: State::Wanted, tries: 0 };
            if let Some(place) = self.slots.get_mut(at) {
                *place = Some(slot);
                self.work.push_back(at);
            }
            marked.push(Marked { mark, nth });
        }
        Ok(marked)
    }

    fn of(&self, owner: Owner) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten().filter(move |slot| {
            slot.owner == owner && matches!(slot.state, State::Wanted | State::Asked | State::Holds(_))
        })
    }

    /// Whether there is nothing to ask, or something is asked.
    pub(crate) fn is_quiet(&self) -> bool {
        self.work.is_empty() || self.asked.is_some() || self.leaving.is_some()
    }

    /// The next rule to be taken back, by the PF's number.
    pub(crate) fn remove_next(&mut self) -> Option<u32> {
        let at = *self.work.front()?;
        let slot = self.slots.get_mut(at)?.as_mut()?;
        let State::Unwanted(flow) = slot.state else { return None };
        slot.state = State::Leaving;
        self.work.pop_front();
        self.leaving = Some(at);
        Some(flow)
    }

    /// The next rule to be asked for.
    pub(crate) fn add_next(&mut self) -> Option<(HeaderPattern, Vec<Action>)> {
        while let Some(at) = self.work.pop_front() {
            let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { continue };
            match slot.state {
                State::Wanted => {
                    slot.state = State::Asked;
                    self.asked = Some(at);
                    let pattern = slot.ends.pattern()?;
                    return Some((pattern, vec![Action::pass(), Action::mark(slot.mark)]));
                }
                State::Unwanted(_) => {
                    self.work.push_front(at);
                    return None;
                }
                _ => {}
            }
        }
        None
    }

    /// What was asked for holds under this number, or does not.
    pub(crate) fn added(&mut self, answer: Result<u32, No>, counts: &Counts) {
        let Some(at) = self.asked.take() else { return };
        let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { return };
        let owner = slot.owner;
        match (slot.state, answer) {
            (State::Asked, Ok(flow)) => {
                slot.state = State::Holds(flow);
                self.hold(owner, counts);
            }
            (State::Asked, Err(why)) => {
                self.forget(at);
                self.lose(owner, why, counts);
            }
            (_, Ok(flow)) => {
                slot.state = State::Unwanted(flow);
                self.work.push_back(at);
            }
            (_, Err(_)) => self.forget(at),
        }
    }

    /// Once all halves of a flow have their rules, their marks count.
    fn hold(&mut self, owner: Owner, counts: &Counts) {
        let slots: Vec<&Slot> = self.of(owner).collect();
        if slots.iter().all(|slot| matches!(slot.state, State::Holds(_))) {
            slots.iter().for_each(|slot| counts.arm(slot.mark));
            self.outbox.push_back((owner, Told::Captured));
        }
    }

    fn forget(&mut self, at: usize) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = None;
        }
    }

    /// What was to be removed is gone.
    pub(crate) fn removed(&mut self) {
        if let Some(at) = self.leaving.take() {
            self.forget(at);
        }
    }

    /// What was asked for was not answered.
    pub(crate) fn ask_again(&mut self, counts: &Counts) {
        let Some(at) = self.asked.take() else { return };
        match self.slots.get_mut(at).and_then(Option::as_mut) {
            Some(slot) if slot.state == State::Asked && slot.tries < AGAIN => {
                slot.tries += 1;
                slot.state = State::Wanted;
                self.work.push_back(at);
            }
            Some(slot) if slot.state == State::Asked => {
                let owner = slot.owner;
                self.forget(at);
                self.lose(owner, No::Refused, counts);
            }
            _ => self.forget(at),
        }
    }

    /// The function has no rules any more: those that are wanted are asked for again.
    pub(crate) fn reset(&mut self, counts: &Counts) {
        (self.asked, self.leaving) = (None, None);
        self.work.clear();
        for (at, place) in self.slots.iter_mut().enumerate() {
            let Some(slot) = place else { continue };
            counts.disarm(slot.mark);
            match slot.state {
                State::Wanted | State::Asked | State::Holds(_) => {
                    slot.state = State::Wanted;
                    self.work.push_back(at);
                }
                State::Orphan | State::Unwanted(_) | State::Leaving => *place = None,
            }
        }
    }

    /// Lets go of a flow. Its frames are lent from here on.
    pub(crate) fn end(&mut self, owner: Owner, counts: &Counts) -> Vec<(u8, Sum)> {
        let mut sums = Vec::new();
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { continue };
            if slot.owner != owner {
                continue;
            }
            counts.disarm(slot.mark);
            sums.extend(counts.drain(slot.mark).map(|sum| (slot.nth, sum)));
            match slot.state {
                State::Wanted => self.forget(at),
                State::Asked => slot.state = State::Orphan,
                State::Holds(flow) => {
                    slot.state = State::Unwanted(flow);
                    self.work.push_back(at);
                }
                State::Orphan | State::Unwanted(_) | State::Leaving => {}
            }
        }
        self.outbox.retain(|(other, _)| *other != owner);
        sums
    }

    fn lose(&mut self, owner: Owner, why: No, counts: &Counts) {
        let sums = self.end(owner, counts);
        self.outbox.extend(sums.into_iter().map(|(nth, sum)| (owner, Told::Counted(nth, sum))));
        self.outbox.push_back((owner, Told::Lost(why)));
    }

    /// No rule can be had any more.
    pub(crate) fn lose_all(&mut self, why: No, counts: &Counts) {
        let mut owners: Vec<Owner> = Vec::new();
        for slot in self.slots.iter().flatten() {
            if !owners.contains(&slot.owner) {
                owners.push(slot.owner);
            }
        }
        owners.into_iter().for_each(|owner| self.lose(owner, why, counts));
        self.slots.iter_mut().for_each(|slot| *slot = None);
        self.work.clear();
    }

    /// What is to be told to a queue's worker.
    pub(crate) fn told(&mut self, queue: u16) -> Vec<(u32, Told)> {
        let mine = self.outbox.iter().filter(|(owner, _)| owner.queue == queue);
        let told = mine.map(|(owner, told)| (owner.flow, *told)).collect();
        self.outbox.retain(|(owner, _)| owner.queue != queue);
        told
    }

    /// Things that workers have not heard yet.
    pub(crate) fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Rules of a queue's flows that hold.
    pub(crate) fn held(&self, queue: u16) -> u64 {
        let holds = |slot: &&Slot| slot.owner.queue == queue && matches!(slot.state, State::Holds(_));
        self.slots.iter().flatten().filter(holds).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Owner = Owner { queue: 3, flow: 7 };

    fn ends(n: u8) -> Ends {
        let mut src = [0; 16];
        src[..4].copy_from_slice(&[10, 0, 0, n]);
        Ends { version: 4, protocol: 6, src, dst: [9; 16], ports: [1000, 443] }
    }

    /// The PF grants everything that is asked; what it was asked for.
    fn grant(book: &mut Book, counts: &Counts) -> Vec<u32> {
        let mut granted = Vec::new();
        while !book.is_quiet() {
            if book.remove_next().is_some() {
                book.removed();
            } else if let Some((_, actions)) = book.add_next() {
                granted.push(actions[1].number());
                book.added(Ok(100 + granted.len() as u32), counts);
            }
        }
        granted
    }

    fn frame(counts: &Counts, mark: u32) -> bool {
        let head = [&[0; 12][..], &[8, 0, 0x45], &[0; 8], &[6], &[0; 30]].concat();
        counts.take(mark, &head, 60, frame::Timestamp::from_nanos(5))
    }

    #[test]
    fn marks_count_when_every_half_has_its_rule() {
        let (mut book, counts) = (Book::default(), Counts::default());
        let marked = book.ask(ONE, &[ends(1), ends(2)]).unwrap();
        let (_, actions) = book.add_next().unwrap();
        assert_eq!(actions[1].number(), marked[0].mark);
        book.added(Ok(1), &counts);
        assert!(!frame(&counts, marked[0].mark), "the other half has none yet");
        assert_eq!(grant(&mut book, &counts), [marked[1].mark]);
        assert!(frame(&counts, marked[0].mark) && frame(&counts, marked[1].mark));
        assert_eq!(book.told(3), [(7, Told::Captured)]);
        assert_eq!((book.held(3), book.held(4)), (2, 0));
        let further = book.ask(ONE, &[ends(3)]).unwrap();
        assert_eq!(further[0].nth, 2, "places go on");
        let sums = book.end(ONE, &counts);
        assert_eq!(sums.iter().map(|(nth, sum)| (*nth, sum.frames)).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
        assert!(!frame(&counts, marked[0].mark));
        assert!(grant(&mut book, &counts).is_empty(), "the third was not asked for, and is not any more");
        assert!(book.slots.iter().all(Option::is_none));
    }

    #[test]
    fn a_refusal_takes_all_halves_with_it() {
        let (mut book, counts) = (Book::default(), Counts::default());
        let marked = book.ask(ONE, &[ends(1), ends(2)]).unwrap();
        book.add_next().unwrap();
        book.added(Ok(1), &counts);
        book.add_next().unwrap();
        book.added(Err(No::Full), &counts);
        assert_eq!(book.told(3), [(7, Told::Lost(No::Full))]);
        assert_eq!(book.remove_next(), Some(1), "the rule that holds is taken back");
        book.removed();
        assert!(book.slots.iter().all(Option::is_none) && !frame(&counts, marked[0].mark));
    }

    #[test]
    fn after_a_reset_rules_are_asked_for_again_and_count_when_they_hold() {
        let (mut book, counts) = (Book::default(), Counts::default());
        let marked = book.ask(ONE, &[ends(1), ends(2)]).unwrap();
        grant(&mut book, &counts);
        book.reset(&counts);
        assert!(!frame(&counts, marked[0].mark), "frames come unmarked, and older marks mean nothing");
        assert_eq!(grant(&mut book, &counts), [marked[0].mark, marked[1].mark]);
        assert!(frame(&counts, marked[0].mark));
        // Asked for and let go before the answer came: the rule is taken back when it has.
        book.ask(Owner { flow: 8, ..ONE }, &[ends(9)]).unwrap();
        book.add_next().unwrap();
        book.end(Owner { flow: 8, ..ONE }, &counts);
        book.added(Ok(77), &counts);
        assert_eq!(book.remove_next(), Some(77));
    }

    #[test]
    fn what_has_no_room_or_no_pattern_is_refused_whole() {
        let (mut book, counts) = (Book::default(), Counts::default());
        let strange = Ends { protocol: 50, ..ends(1) };
        assert_eq!(book.ask(ONE, &[ends(1), strange]), Err(No::Unable));
        for flow in 0..SLOTS as u32 / 2 {
            book.ask(Owner { queue: 0, flow }, &[ends(1), ends(2)]).unwrap();
        }
        assert_eq!(book.ask(ONE, &[ends(1)]), Err(No::Full));
        book.lose_all(No::Unable, &counts);
        assert_eq!(book.told(0).len(), SLOTS / 2);
        assert!(book.ask(ONE, &[ends(1)]).is_ok());
    }

    #[test]
    fn a_question_without_an_answer_is_asked_again_three_times() {
        let (mut book, counts) = (Book::default(), Counts::default());
        book.ask(ONE, &[ends(1)]).unwrap();
        for _ in 0..=AGAIN {
            assert!(book.add_next().is_some());
            book.ask_again(&counts);
        }
        assert!(book.add_next().is_none());
        assert_eq!(book.told(3), [(7, Told::Lost(No::Refused))]);
    }
}
