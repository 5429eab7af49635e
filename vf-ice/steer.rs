//! Single flows that the NIC recognises (flow director): their frames carry a mark, are counted by it, and are not looked at.
//!
//! A rule says "where it would have gone, with this mark" (PASSTHRU and MARK): frames stay with the worker whose flow it is,
//! and nothing but their descriptor and link-layer header is read. A rule that drops would save the way over the bus, and
//! lose the count: there is no message that asks what a rule dropped.
//!
//! The controller asks for rules, one question at a time; a worker asks for flows. Marks count from the moment at which every
//! half of a flow has its rule, so a flow is left out in both directions or in none. A mark is never given twice, so a rule
//! whose removal was not confirmed does no harm. After a reset rules are asked for again.

mod book;
mod counts;
mod door;

pub(crate) use counts::Counts;
pub(crate) use door::Door;

use book::{Book, No};

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use avf::virtchnl::{FdirAdd, FdirDel, FdirStatus, Request};
use avf_driver::{Ask, Negotiated, Step};

/// The rules of a function, shared by its controller and its workers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    book: Arc<Mutex<Book>>,
    counts: Arc<Counts>,
    /// Things that workers have not heard yet.
    waiting: Arc<AtomicUsize>,
}

impl Rules {
    pub(crate) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    fn book<T>(&self, act: impl FnOnce(&mut Book) -> T) -> T {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut book);
        self.waiting.store(book.waiting(), Ordering::Release);
        done
    }

    /// Whether workers have something to hear; one load, for it is asked after each burst.
    fn has_news(&self) -> bool {
        self.waiting.load(Ordering::Acquire) != 0
    }

    /// What is to be asked next.
    pub(crate) fn errand(&self, agreed: &Negotiated) -> Option<(Step, Ask)> {
        self.book(|book| self.next(book, agreed))
    }

    fn next(&self, book: &mut Book, agreed: &Negotiated) -> Option<(Step, Ask)> {
        if book.is_quiet() {
            return None;
        }
        if !agreed.recognises_flows() {
            book.lose_all(No::Unable, &self.counts);
            return None;
        }
        let vsi = agreed.vsi;
        if let Some(flow) = book.remove_next() {
            let del = FdirDel { vsi, flow, status: FdirStatus::SUCCESS };
            return Some((Step::DelRule, Request::DelFdir(del).into()));
        }
        let (pattern, actions) = book.add_next()?;
        let add = FdirAdd { vsi, pattern, actions, ..FdirAdd::default() };
        Some((Step::AddRule, Request::AddFdir(add).into()))
    }

    /// The PF has answered a wish for a rule.
    pub(crate) fn added(&self, rule: &FdirAdd) {
        let answer = match rule.status {
            FdirStatus::SUCCESS => Ok(rule.flow),
            FdirStatus::NO_RESOURCE => Err(No::Full),
            _ => Err(No::Refused),
        };
        self.book(|book| book.added(answer, &self.counts));
    }

    /// A rule is gone, or was never there.
    pub(crate) fn removed(&self) {
        self.book(Book::removed);
    }

    /// The PF serves no such message.
    pub(crate) fn refused(&self, step: Step) {
        match step {
            Step::AddRule => self.book(|book| book.added(Err(No::Refused), &self.counts)),
            _ => self.book(Book::removed),
        }
    }

    /// A question will not be answered; without one, the function was reset and has no rules any more.
    pub(crate) fn interrupted(&self, step: Option<Step>) {
        match step {
            Some(Step::AddRule) => self.book(|book| book.ask_again(&self.counts)),
            Some(Step::DelRule) => self.book(Book::removed),
            Some(_) => {}
            None => self.book(|book| book.reset(&self.counts)),
        }
    }
}
