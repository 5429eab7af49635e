//! Packets of events: events of chosen kinds carry the packet that caused them, and have their flow captured, from what was
//! remembered of it to some time after.
//!
//! Whatever writes an event takes part: [`Out::push`](crate::out::Out::push) asks the [`Trigger`], and the share that the
//! packet's flow belongs to does the rest.

use capture::record::{Chain, FlowCapture, FlowName, Outbox, Past};
use event::Tape;
use event::schema::packet as f;
use frame::{Frame, LinkType};
use parse::Visitor as _;
use std::iter::once;

/// What is kept of which packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Events that count: a type (`alert`), or a type and a kind (`anomaly.stream`).
    pub on: Vec<String>,
    /// Such events carry the packet.
    pub in_events: bool,
    /// Folder for captures of their flows; empty for none.
    pub folder: String,
    /// Memory for the frames of flows without such an event so far, of all workers together.
    pub memory: usize,
    /// Bytes of one flow that are remembered, from its beginning on.
    pub before: u64,
    /// Bytes of one flow that are captured after the event.
    pub after: u64,
    /// Bytes that the folder may hold.
    pub quota: u64,
    /// Seconds after which a capture is deleted; 0 for never.
    pub keep: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            on: vec!["alert".to_owned(), "anomaly".to_owned()],
            in_events: false,
            folder: String::new(),
            memory: 64 << 20,
            before: 256 << 10,
            after: 1 << 20,
            quota: 1 << 30,
            keep: 0,
        }
    }
}

frame::counters! {
    /// What became of frames of flows that are remembered.
    pub struct Remembered("packets") {
        remembered: "frames of flows remembered in case of an event",
        evicted: "remembered frames that made room for newer ones",
        beyond: "frames not remembered because their flow had its part",
    }
}

/// Watches events for those that count, and knows what they have to carry.
#[derive(Debug, Default)]
pub(crate) struct Trigger {
    on: Vec<String>,
    in_events: bool,
    /// Such an event came.
    pub(crate) hit: bool,
    /// The present frame, where events carry it.
    frame: Option<(LinkType, Vec<u8>)>,
    /// Memory of the frame before.
    spare: Vec<u8>,
    /// The flow's capture, where there is to be one.
    pub(crate) capture: Option<FlowName>,
}

impl Trigger {
    pub(crate) fn new(settings: &Settings) -> Self {
        let on = if settings.in_events || !settings.folder.is_empty() { &settings.on[..] } else { &[] };
        Self { on: on.to_vec(), in_events: settings.in_events, ..Self::default() }
    }

    /// A frame comes: nothing was triggered by it yet.
    #[inline]
    pub(crate) fn enter(&mut self, frame: &Frame<'_>) {
        self.hit = false;
        if self.in_events {
            self.keep(frame);
        }
    }

    fn keep(&mut self, frame: &Frame<'_>) {
        let mut bytes = self.leave_frame();
        let (front, tag, rest) = frame.with_tag();
        bytes.clear();
        bytes.extend_from_slice(front);
        bytes.extend_from_slice(tag.as_ref().map_or(&[], |tag| tag));
        bytes.extend_from_slice(rest);
        self.frame = Some((frame.link, bytes));
    }

    /// What comes now has no frame.
    #[inline]
    pub(crate) fn leave(&mut self) {
        if self.in_events {
            self.spare = self.leave_frame();
        }
    }

    fn leave_frame(&mut self) -> Vec<u8> {
        self.frame.take().map_or_else(|| std::mem::take(&mut self.spare), |(_, bytes)| bytes)
    }

    /// Before another flow's end is written: what is put back afterwards.
    pub(crate) fn set_aside(&mut self, capture: Option<FlowName>) -> Aside {
        let aside = Aside { hit: self.hit, frame: self.frame.take(), capture: self.capture };
        (self.hit, self.capture) = (false, capture);
        aside
    }

    pub(crate) fn put_back(&mut self, aside: Aside) {
        (self.hit, self.frame, self.capture) = (aside.hit, aside.frame, aside.capture);
    }

    /// Whether events of this type and kind are among those that were chosen.
    pub(crate) fn counts(&self, event_type: &str, kind: &str) -> bool {
        self.on.iter().any(|name| match name.split_once('.') {
            Some((of, sort)) => of == event_type && sort == kind,
            None => name == event_type,
        })
    }

    /// An event of this type and kind: adds what it has to carry, if it counts.
    pub(crate) fn event(&mut self, event_type: &str, kind: &str, tape: &mut Tape) {
        if !self.counts(event_type, kind) {
            return;
        }
        self.hit = true;
        if let Some((link, bytes)) = &self.frame {
            tape.base64(&f::PACKET, bytes);
            tape.object(&f::PACKET_INFO);
            tape.number(&f::LINKTYPE, link.0.into());
            tape.close();
        }
        if let Some(name) = &self.capture {
            tape.text(&f::CAPTURE_FILE, name.to_string().as_bytes());
        }
    }
}

/// What [`Trigger::set_aside`] took.
pub(crate) struct Aside {
    hit: bool,
    frame: Option<(LinkType, Vec<u8>)>,
    capture: Option<FlowName>,
}

/// What is kept of one flow's packets; nothing where none are.
#[derive(Debug, Default)]
pub(crate) struct Kept(Option<Box<State>>);

#[derive(Debug, Default)]
struct State {
    chain: Chain,
    capture: Option<FlowCapture>,
    /// The present frame is remembered or captured already.
    has_frame: bool,
}

impl Kept {
    /// Whether an event has its flow captured.
    pub(crate) fn is_captured(&self) -> bool {
        self.0.as_ref().is_some_and(|state| state.capture.is_some())
    }
}

/// One share's memory of frames, and its way to the captures.
#[derive(Debug)]
pub(crate) struct Keeping {
    past: Past,
    out: Outbox,
    before: u64,
    after: u64,
    beyond: u64,
}

impl Keeping {
    /// With so many bytes of memory.
    pub(crate) fn new(settings: &Settings, memory: usize, out: Outbox) -> Self {
        Self { past: Past::new(memory), out, before: settings.before, after: settings.after, beyond: 0 }
    }

    /// A frame of a flow.
    pub(crate) fn frame(&mut self, kept: &mut Kept, frame: &Frame<'_>) {
        let state = kept.0.get_or_insert_default();
        state.has_frame = true;
        match &mut state.capture {
            Some(capture) => self.out.add(capture, frame),
            None if state.chain.bytes < self.before && self.past.keep(&mut state.chain, frame) => {}
            None => {
                self.beyond += 1;
                state.has_frame = false;
            }
        }
    }

    /// An event came: the flow is captured from now on, if it is not already. `frame`: the one that caused it.
    pub(crate) fn capture(&mut self, kept: &mut Kept, name: FlowName, frame: Option<&Frame<'_>>) {
        let state = kept.0.get_or_insert_default();
        if state.capture.is_some() {
            return;
        }
        let Some(mut capture) = FlowCapture::new(name, self.after) else { return };
        self.out.begin(&mut capture, self.past.of(&state.chain));
        if let (Some(frame), false) = (frame, state.has_frame) {
            self.out.begin(&mut capture, once(*frame));
        }
        state.capture = Some(capture);
    }

    /// After a burst.
    pub(crate) fn hand_over(&mut self) {
        self.out.hand_over();
    }

    pub(crate) fn remembered(&self) -> Remembered {
        Remembered { remembered: self.past.kept, evicted: self.past.evicted, beyond: self.beyond }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(trigger: &mut Trigger, event_type: &str, kind: &str) -> usize {
        let mut tape = Tape::default();
        trigger.event(event_type, kind, &mut tape);
        tape.mark()
    }

    #[test]
    fn types_and_kinds_that_were_chosen_count() {
        let on = vec!["alert".to_owned(), "anomaly.stream".to_owned()];
        let mut trigger = Trigger::new(&Settings { on, in_events: true, ..Settings::default() });
        for (event_type, kind, counts) in [
            ("alert", "", true),
            ("anomaly", "stream", true),
            ("anomaly", "decode", false),
            ("flow", "", false),
        ] {
            trigger.hit = false;
            written(&mut trigger, event_type, kind);
            assert_eq!(trigger.hit, counts, "{event_type} {kind}");
        }
    }

    #[test]
    fn nothing_counts_where_nothing_is_wanted() {
        let mut trigger = Trigger::new(&Settings::default());
        assert_eq!(written(&mut trigger, "alert", ""), 0);
        assert!(!trigger.hit);
    }
}
