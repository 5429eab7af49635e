//! Resets: who asked, what they take away, and when the function is back (reference section 12.9).

use std::time::Duration;

use avf::register::ResetState;

use crate::fault::{Act, Site};
use crate::mailbox;
use crate::model::Timer;
use crate::note::Note;
use crate::{Model, virtchnl};

/// Between the end of a reset and the beginning of its double.
const DOUBLE_AFTER: Duration = Duration::from_millis(5);

/// Who reset the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The driver, by op 2.
    Asked,
    /// The PF, because the number of queues changes (op 29). The event is sent by whoever asks for this.
    Queues,
    /// The host changed trust, MAC or VLAN.
    Admin,
    /// The PF itself is reset.
    Pf,
    /// Function-level reset: bus mastering and interrupts are off after it.
    Flr,
}

/// How a reset stands.
#[derive(Debug, Default)]
pub(crate) struct Resets {
    under_way: Option<UnderWay>,
    /// Another one follows the one that is under way.
    double: bool,
    /// How many began.
    pub(crate) count: u64,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    /// Until when ENABLE of the mailbox rings is still seen.
    rings_until: Option<Duration>,
    /// When the function is active again; none is never.
    active_at: Option<Duration>,
}

impl Resets {
    /// Whether one is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// What RSTAT says.
    pub(crate) fn state(&self) -> ResetState {
        if self.is_under_way() { ResetState::IN_PROGRESS } else { ResetState::ACTIVE }
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let under_way = self.under_way?;
        under_way.rings_until.into_iter().chain(under_way.active_at).min()
    }
}

/// Asks for a reset: of the driver's own, only after the time in which RSTAT is stale.
pub(crate) fn begin(model: &mut Model, kind: Reset) {
    let stale = model.function.options.reset.stale;
    if kind == Reset::Asked && !stale.is_zero() {
        model.timer(stale, Timer::Reset(kind));
    } else {
        start(model, kind);
    }
}

/// The PF warns its functions, then resets itself.
pub(crate) fn of_pf(model: &mut Model) {
    mailbox::act(model, vec![virtchnl::reset_impending()]);
    model.timer(model.function.options.reset.warning, Timer::Reset(Reset::Pf));
}

/// The host changed something that only a reset brings about.
pub(crate) fn of_host(model: &mut Model) {
    mailbox::act(model, vec![virtchnl::reset_impending()]);
    start(model, Reset::Admin);
}

/// A reset begins: queues, filters, mail and interrupts are gone; memory is not touched any more.
pub(crate) fn start(model: &mut Model, kind: Reset) {
    model.resets.count += 1;
    model.note(Note::Reset(kind));
    let persona = &model.function.persona;
    let timing = &model.function.options.reset;
    let takes = timing.takes.unwrap_or(*persona.reset.start());
    let (outlives, dead_beef) = (persona.mailbox_outlives, timing.dead_beef);
    let immediate = kind == Reset::Flr || outlives.is_zero();
    let rings_until = (!immediate).then(|| model.now + outlives);
    let active_at = Some(model.now + takes);
    model.resets.under_way = Some(UnderWay { rings_until, active_at });
    forget(model, kind, immediate);
    let struck = model.strike(Site::Reset);
    if let Some(under_way) = &mut model.resets.under_way {
        match struck {
            Some(Act::Delay(us)) => under_way.active_at = active_at.map(|at| at + Duration::from_micros(us)),
            Some(Act::NeverComplete) => under_way.active_at = None,
            _ => {}
        }
    }
    if !dead_beef.is_zero() {
        model.veil_dead_beef(dead_beef);
    }
}

fn forget(model: &mut Model, kind: Reset, immediate: bool) {
    model.forget_asked();
    model.mailbox.cut();
    if immediate {
        model.mailbox.take_rings();
    }
    model.interrupts.reset();
    model.plain.clear();
    model.function.forget();
    model.malice = None;
    if kind == Reset::Flr {
        model.config.reset();
        model.table.reset();
        model.memory.set_master(false);
    }
}

/// A second reset follows the one that is under way, or one that begins now.
pub(crate) fn twice(model: &mut Model) {
    if !model.resets.is_under_way() {
        start(model, Reset::Pf);
    }
    model.resets.double = true;
}

/// Lets a reset go on.
pub(crate) fn run_due(model: &mut Model) {
    let now = model.now;
    let Some(under_way) = &mut model.resets.under_way else { return };
    if under_way.rings_until.take_if(|until| *until <= now).is_some() {
        model.mailbox.take_rings();
    }
    if under_way.active_at.is_some_and(|at| at <= now) {
        model.resets.under_way = None;
        model.mailbox.take_rings();
        model.note(Note::Active);
        if std::mem::take(&mut model.resets.double) {
            model.timer(DOUBLE_AFTER, Timer::Reset(Reset::Pf));
        }
    }
}
