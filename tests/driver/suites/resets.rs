//! Resets of every kind, seen through: queues and filters are restored, what was lost is counted.

use std::time::Duration;

use avf_driver::{Settings, Standing};
use model::{Options, Persona, Reset};

use super::personas;
use crate::{Rig, udp};

/// Longest time from a reset to its being noticed, and from the PF's readiness to the first frame.
const NOTICED: Duration = Duration::from_millis(100);
const BACK: Duration = Duration::from_millis(200);

fn running(persona: &Persona, options: Options, queues: u16) -> Rig {
    let mut rig = Rig::new(persona.clone(), options, Settings::new(queues)).unwrap();
    rig.up();
    offer(&mut rig, 200);
    assert_eq!(rig.lent, 200);
    rig
}

/// Frames, and time to take them.
fn offer(rig: &mut Rig, count: u64) {
    for number in 0..count {
        rig.inject(&udp(number));
    }
    rig.run(Duration::from_millis(2));
}

/// Does something that resets the function, and sees it through.
fn survives(persona: &Persona, what: &str, options: Options, act: impl FnOnce(&mut Rig)) -> Rig {
    let mut rig = running(persona, options, 4);
    let begin = rig.now();
    act(&mut rig);
    let noticed = rig.run_until(NOTICED + Duration::from_millis(20), |rig| rig.standing() != Standing::Up);
    assert!(noticed, "{what}: not noticed\n{}", rig.model().notes);
    let noticed = rig.now() - begin;
    rig.up();
    let outage = rig.control().outage();
    let ready = outage.ready.unwrap();
    assert!(noticed <= NOTICED + Duration::from_millis(20), "{what}: noticed after {noticed:?}");
    let lent = rig.lent;
    rig.inject(&udp(1));
    assert!(rig.run_until(Duration::from_millis(50), |rig| rig.lent > lent), "{what}: no frame");
    let back = rig.now() - ready;
    assert!(back <= BACK, "{what}: first frame {back:?} after the PF was ready");
    offer(&mut rig, 300);
    assert_eq!(rig.lent, lent + 301, "{what}");
    assert_eq!(rig.ledger.absences, 1, "{what}");
    assert!(rig.said.iter().any(|said| said.contains("reset")), "{what}: {:?}", rig.said);
    rig.check().unwrap_or_else(|why| panic!("{what}: {why}"));
    rig
}

#[test]
fn what_the_host_and_the_pf_do() {
    for persona in personas() {
        survives(&persona, "trust", Options::default(), |rig| rig.model().set_trust(true));
        survives(&persona, "address", Options::default(), |rig| {
            rig.model().set_mac(Some([2, 0, 0, 0, 9, 9]))
        });
        survives(&persona, "pf", Options::default(), |rig| rig.model().reset_pf());
        survives(&persona, "silent", Options::default(), |rig| rig.model().reset(Reset::Admin));
        survives(&persona, "flr", Options::default(), |rig| rig.model().reset(Reset::Flr));
        survives(&persona, "queues", Options::default(), |rig| rig.model().reset(Reset::Queues));
    }
}

#[test]
fn a_reset_of_2_s_and_one_behind_dead_registers() {
    for persona in personas() {
        let mut slow = Options::default();
        slow.reset.takes = Some(Duration::from_secs(2));
        survives(&persona, "slow", slow, |rig| rig.model().reset(Reset::Pf));
        let mut dead = Options::default();
        dead.reset.dead_beef = Duration::from_millis(5);
        survives(&persona, "dead beef", dead, |rig| rig.model().reset(Reset::Pf));
    }
}

#[test]
fn the_second_of_two_resets_finds_bring_up_half_done() {
    for persona in personas() {
        for between in (0..40).step_by(2).map(Duration::from_millis) {
            let mut rig = running(&persona, Options::default(), 4);
            rig.model().reset(Reset::Pf);
            rig.run_until(Duration::from_secs(1), |rig| !rig.model().is_resetting());
            rig.run(between);
            rig.model().reset(Reset::Admin);
            rig.run(Duration::from_millis(60));
            rig.up();
            let lent = rig.lent;
            offer(&mut rig, 100);
            assert_eq!(rig.lent, lent + 100, "{between:?}");
            rig.check().unwrap();
        }
    }
}

#[test]
fn an_announcement_that_comes_to_nothing_is_a_false_alarm() {
    for persona in personas() {
        let mut options = Options::default();
        options.reset.warning = Duration::from_secs(3600);
        let mut rig = running(&persona, options, 2);
        rig.model().reset_pf();
        rig.run(Duration::from_secs(7));
        assert_eq!(rig.standing(), Standing::Up);
        assert_eq!(rig.control().counters().false_alarms, 1);
        assert_eq!(rig.control().counters().own_resets, 0);
        let lent = rig.lent;
        offer(&mut rig, 10);
        assert_eq!(rig.lent, lent + 10);
    }
}

#[test]
fn frames_that_are_finished_when_the_reset_comes_are_lent() {
    for persona in personas() {
        let mut rig = running(&persona, Options::default(), 1);
        let lent = rig.lent;
        rig.working = false;
        for number in 0..64 {
            rig.inject(&udp(number));
        }
        rig.run(Duration::from_millis(2));
        rig.model().reset(Reset::Pf);
        rig.run(Duration::from_millis(300));
        assert_ne!(rig.standing(), Standing::Up, "rings are out as long as nobody comes back");
        rig.working = true;
        rig.up();
        assert_eq!(rig.lent, lent + 64);
        rig.check().unwrap();
    }
}

#[test]
fn a_worker_that_never_comes_back_is_an_error_and_one_that_is_gone_is_none() {
    for persona in personas() {
        let mut rig = running(&persona, Options::default(), 2);
        rig.working = false;
        rig.model().reset(Reset::Pf);
        rig.run(Duration::from_secs(15));
        let error = rig.control().error().unwrap().to_string();
        assert!(error.contains("worker of queue 0"), "{error}");
        rig.queues.clear();
        rig.run(Duration::from_secs(40));
        assert_eq!(rig.standing(), Standing::Over, "nobody is left to receive: the function is given back");
        assert!(!rig.witness.is_master());
    }
}

#[test]
fn a_function_that_is_pulled_out_is_one_clear_error() {
    for persona in personas() {
        let mut rig = running(&persona, Options::default(), 4);
        rig.model().remove();
        rig.run(Duration::from_secs(12));
        assert_eq!(rig.standing(), Standing::Over);
        let gone = rig.gone.clone().unwrap();
        assert!(gone.contains("off the bus"), "{gone}");
        rig.check().unwrap();
    }
}

#[test]
fn a_function_that_is_asked_back_is_given_back() {
    for persona in personas() {
        let mut rig = running(&persona, Options::default(), 4);
        rig.witness.ask_back();
        rig.run(Duration::from_secs(2));
        assert_eq!(rig.standing(), Standing::Over);
        assert!(rig.gone.clone().unwrap().contains("asked for the function back"));
        assert!(!rig.witness.is_master());
        rig.check().unwrap();
    }
}

#[test]
fn a_driver_that_is_dropped_leaves_no_device_that_writes() {
    for persona in personas() {
        let mut rig = running(&persona, Options::default(), 4);
        rig.control = None;
        assert!(!rig.witness.is_master());
        rig.work();
        rig.queues.clear();
        assert_eq!((rig.witness.mapped(), rig.witness.freed_under_master()), (vec![], vec![]));
    }
}

#[test]
fn queues_dropped_before_their_driver_free_nothing_under_the_device() {
    for persona in personas() {
        let mut rig = running(&persona, Options::default(), 4);
        rig.queues.clear();
        assert!(rig.witness.mapped().len() > 4, "rings stay until the device has stopped");
        rig.run(Duration::from_secs(3));
        assert_eq!(rig.standing(), Standing::Over, "nobody is left to receive");
        rig.control = None;
        assert_eq!((rig.witness.mapped(), rig.witness.freed_under_master()), (vec![], vec![]));
    }
}

#[test]
fn our_own_reset_is_believed_when_it_has_begun() {
    for persona in personas() {
        // RSTAT says "active" for a while after it was asked for, and registers are dead when it begins.
        for stale in [0, 1, 5, 20, 200, 2_000].map(Duration::from_millis) {
            let mut options = Options::default();
            options.reset.stale = stale;
            options.reset.dead_beef = Duration::from_millis(2);
            let plan = "reply 6: wrong-status -5".parse().unwrap();
            let mut rig = Rig::with_plan(persona.clone(), options, Settings::new(4), plan).unwrap();
            rig.up();
            // Longer than a second it is taken for one that nobody heard of, and the PCI function is reset.
            let own = if stale < Duration::from_secs(1) { 1 } else { 2 };
            assert_eq!(rig.control().counters().own_resets, own, "{stale:?}");
            rig.run(Duration::from_secs(4));
            rig.up();
            offer(&mut rig, 100);
            assert_eq!(rig.lent, 100, "{stale:?}");
            rig.check().unwrap();
        }
    }
}
