//! When it is said that steering is broken, or the mirror gives one direction only.

use crate::halves::Noted;
use event::schema::anomaly as f;
use event::{Batch, Header, Key};
use output::eve::{Block, Encoder};
use parse::Visitor as _;
use std::time::{Duration, Instant};

/// How often an alarm that goes on is raised again.
const AGAIN: Duration = Duration::from_secs(60);
/// Two workers have a half each.
const SPLIT: &str = "split_flows";
/// Nobody has the other half.
const ONE_SIDED: &str = "one_sided_flows";

/// What is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Share of the flows noted, in percent; 0 for never.
    pub percent: u8,
    /// A stretch of time has so many seconds at least,
    pub seconds: u32,
    /// and so many flows.
    pub flows: u32,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { percent: 5, seconds: 10, flows: 50 }
    }
}

impl Alarm {
    /// What is wrong with these flows, if anything: its name, and of how many.
    fn judge(&self, noted: &Noted) -> Option<(&'static str, u64)> {
        let is_much = |count: u64| {
            self.percent > 0 && count.saturating_mul(100) >= noted.flows.saturating_mul(self.percent.into())
        };
        match noted {
            n if is_much(n.split) => Some((SPLIT, n.split)),
            n if is_much(n.one_sided) => Some((ONE_SIDED, n.one_sided)),
            _ => None,
        }
    }
}

/// What an eye has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too many flows are seen in halves: the name of it, how many, of how many, in how many seconds.
    Broken(&'static str, u64, u64, u64),
    /// No longer.
    Whole,
}

/// Looks at what was noted, stretch of time by stretch of time.
#[derive(Debug)]
pub(crate) struct Eye {
    alarm: Alarm,
    before: Noted,
    since: Instant,
    /// What was raised last, and when.
    raised: Option<(&'static str, Instant)>,
}

impl Eye {
    pub(crate) const fn new(alarm: Alarm, now: Instant) -> Self {
        Self { alarm, before: Noted::NONE, since: now, raised: None }
    }

    /// `last`: the run ends, and with it the stretch of time.
    pub(crate) fn look(&mut self, noted: &Noted, now: Instant, last: bool) -> Option<Verdict> {
        let (fresh, spent) = (noted.since(&self.before), now.saturating_duration_since(self.since));
        let is_over = last || spent >= Duration::from_secs(self.alarm.seconds.into());
        if self.alarm.percent == 0 || !is_over || fresh.flows < u64::from(self.alarm.flows) {
            return None;
        }
        (self.before, self.since) = (*noted, now);
        let Some((what, halves)) = self.alarm.judge(&fresh) else {
            return self.raised.take().map(|_| Verdict::Whole);
        };
        let known = self.raised.is_some_and(|(name, at)| name == what && now.duration_since(at) < AGAIN);
        if known {
            return None;
        }
        self.raised = Some((what, now));
        Some(Verdict::Broken(what, halves, fresh.flows, spent.as_secs().max(1)))
    }
}

impl Verdict {
    /// For people.
    pub(crate) fn text(&self) -> String {
        match *self {
            Self::Broken(what, halves, flows, seconds) => {
                let why = if what == SPLIT {
                    "two workers have a half of a flow each: frames are not dealt out by flow; see capture.fanout"
                } else {
                    "nobody has their other half: the mirror sends one direction only, or the other to somebody else"
                };
                format!("{halves} of {flows} flows of {seconds} s were seen in halves: {why}")
            }
            Self::Whole => "flows are seen whole again".to_owned(),
        }
    }

    /// An `anomaly` event; nothing when all is well.
    pub(crate) fn event(&self, encoder: &mut Encoder, nanos: u64) -> Option<Block> {
        let Self::Broken(what, halves, flows, seconds) = *self else { return None };
        let mut batch = Batch::default();
        let tape = &mut batch.tape;
        tape.object(&f::ANOMALY);
        tape.word(&f::KIND, "capture");
        tape.word(&f::EVENT, what);
        tape.number(&f::FLOWS, flows);
        tape.number(&f::HALVES, halves);
        tape.number(&f::SECONDS, seconds);
        tape.close();
        let header = Header { event_type: "anomaly", nanos, ..Header::default() };
        batch.push(Key { packet: u64::MAX, share: u16::MAX, turn: u32::MAX }, header, 0);
        let mut block = Block::default();
        encoder.encode(&batch, &mut block);
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALARM: Alarm = Alarm { percent: 5, seconds: 10, flows: 100 };

    fn noted(flows: u64, split: u64, one_sided: u64) -> Noted {
        Noted { flows, split, one_sided, alarms: 0 }
    }

    #[test]
    fn a_share_is_too_much_from_its_percentage_on() {
        assert_eq!(ALARM.judge(&noted(100, 5, 0)), Some((SPLIT, 5)));
        assert_eq!(ALARM.judge(&noted(100, 4, 6)), Some((ONE_SIDED, 6)));
        assert_eq!(ALARM.judge(&noted(100, 4, 4)), None);
        assert_eq!(Alarm { percent: 0, ..ALARM }.judge(&noted(100, 100, 0)), None);
    }

    #[test]
    fn it_is_raised_once_then_each_minute_and_its_end_is_told() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut eye = Eye::new(ALARM, begun);
        assert_eq!(eye.look(&noted(200, 100, 0), after(9), false), None, "too early");
        let raised = Some(Verdict::Broken(SPLIT, 100, 200, 10));
        assert_eq!(eye.look(&noted(200, 100, 0), after(10), false), raised);
        assert_eq!(eye.look(&noted(400, 200, 0), after(20), false), None, "known");
        assert_eq!(eye.look(&noted(450, 250, 0), after(70), false), None, "too few flows: it goes on");
        assert_eq!(
            eye.look(&noted(500, 250, 0), after(80), false),
            Some(Verdict::Broken(SPLIT, 50, 100, 60))
        );
        assert_eq!(eye.look(&noted(700, 250, 4), after(90), false), Some(Verdict::Whole));
        assert_eq!(eye.look(&noted(900, 250, 4), after(100), false), None);
        let last = Some(Verdict::Broken(ONE_SIDED, 100, 100, 1));
        assert_eq!(eye.look(&noted(1000, 250, 104), after(101), true), last);
    }

    #[test]
    fn the_event_is_an_anomaly_of_capture() {
        let block = Verdict::Broken(SPLIT, 5, 50, 10).event(&mut Encoder::default(), 0).expect("an event");
        let text = String::from_utf8(block.bytes).expect("JSON");
        let body =
            r#""anomaly":{"type":"capture","event":"split_flows","flows":50,"halves":5,"seconds":10}}"#;
        assert!(text.trim_end().ends_with(body), "{text}");
    }
}
