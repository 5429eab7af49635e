//! Every fault that a plan can hold, alone and in pairs.

use std::time::Duration;

use avf_driver::{Settings, Standing};
use frame::Loss;
use model::fault::{Act, Fault, Kind, Plan};
use model::{Options, Persona};

use crate::{Rig, number_of, udp};

/// Faults that are one clear error; every other one is recovered from.
fn is_final(fault: &Fault) -> bool {
    fault.act == Act::AllOnes(0)
}

/// Messages that a driver sends to this kind of function, those that matter most.
fn messages(persona: &Persona) -> [&'static [Option<u32>]; 2] {
    if persona.name == "ice" {
        [
            &[Some(1), Some(3), Some(6), Some(8), Some(15), Some(23), Some(44), Some(45)],
            &[Some(1), Some(3), Some(6), Some(8), Some(14), Some(15), Some(51), Some(60), Some(61)],
        ]
    } else {
        [
            &[Some(1), Some(3), Some(6), Some(8), Some(15), Some(23)],
            &[Some(1), Some(3), Some(6), Some(8), Some(14), Some(15), Some(28)],
        ]
    }
}

/// Every act at every place, at the number that matters most there, once and for a while.
fn every_fault(persona: &Persona) -> Vec<Fault> {
    let [requests, replies] = messages(persona);
    let places: [(Kind, &[Option<u32>]); 10] = [
        (Kind::Request, requests),
        (Kind::Reply, replies),
        (Kind::Event, &[Some(1)]),
        (Kind::Read, &[Some(0x8000), Some(0x8800), Some(0x6400), Some(0x7C00)]),
        (Kind::Write, &[Some(0x8400), Some(0x7000), Some(0x2000), Some(0x5C00)]),
        (Kind::Receive, &[None]),
        (Kind::Transmit, &[None]),
        (Kind::Signal, &[None]),
        (Kind::Reset, &[None]),
        (Kind::Time, &[None]),
    ];
    let acts = [
        Act::Drop,
        Act::Delay(5_000),
        Act::Delay(1_900_000),
        Act::WrongLength(-4),
        Act::WrongLength(16),
        Act::WrongStatus(-5),
        Act::WrongStatus(-64),
        Act::Duplicate,
        Act::Reorder,
        Act::NeverComplete,
        Act::StuckQueue,
        Act::LostInterrupt,
        Act::Reset,
        Act::DoubleReset,
        Act::Flap(10_000),
        Act::AllOnes(0),
        Act::AllOnes(30_000),
        Act::DeadBeef(30_000),
    ];
    let mut faults = Vec::new();
    for (kind, numbers) in places {
        for act in acts.into_iter().filter(|act| act.fits(kind)) {
            for number in numbers {
                let after = if kind == Kind::Time { 150_000 } else { 0 };
                faults.push(Fault::new(kind, *number, act).after(after));
            }
        }
    }
    faults
}

/// One kind of function for each driver.
const TWO: [fn() -> Persona; 2] = [Persona::i40e, Persona::ice];

/// Plays a plan: how it ended, or what is not as it must be.
fn play(persona: &Persona, faults: &[Fault]) -> Result<Standing, String> {
    let plan = Plan::new(faults.iter().copied()).map_err(|e| e.to_string())?;
    let text = plan.to_string();
    let settings = Settings {
        descriptors: 64,
        patience: Some(Duration::from_secs(40)),
        transmit: false,
        ..Settings::new(2)
    };
    let fail = |rig: &Rig, why: String| format!("{text}{why}\n{:?}\n{:?}\n", rig.control, rig.said);
    let mut rig =
        Rig::with_plan(persona.clone(), Options::default(), settings, plan).map_err(|e| e.to_string())?;
    for number in 0..60 {
        rig.inject(&udp(number));
        rig.run(Duration::from_millis(100));
    }
    rig.run_until(Duration::from_secs(60), |rig| matches!(rig.standing(), Standing::Up | Standing::Over));
    rig.check().map_err(|why| fail(&rig, why))?;
    let standing = rig.standing();
    if standing == Standing::Up {
        // What has recovered receives. A ring that shows nothing is found out when enough has not come; a fault that
        // still waits may take its share.
        for number in 0..100 {
            rig.inject(&udp(number));
            rig.run(Duration::from_millis(200));
        }
        let lent = rig.lent;
        for number in 0..40 {
            rig.inject(&udp(number));
            rig.run(Duration::from_millis(200));
        }
        if rig.lent - lent < 36 {
            return Err(fail(&rig, format!("{} of 40 frames came", rig.lent - lent)));
        }
    } else if rig.control().error().is_none() || rig.gone.is_none() && !rig.queues.is_empty() {
        return Err(fail(&rig, "over without a reason".to_owned()));
    }
    rig.close();
    rig.check().map_err(|why| fail(&rig, why))?;
    Ok(standing)
}

#[test]
fn every_fault_alone() {
    let mut wrong = Vec::new();
    for (kind, fault) in
        TWO.iter().flat_map(|kind| every_fault(&kind()).into_iter().map(move |one| (kind, one)))
    {
        let persona = kind();
        match play(&persona, &[fault]) {
            Ok(Standing::Up) if !is_final(&fault) => {}
            Ok(Standing::Over) if is_final(&fault) => {}
            // A place that this driver does not come to.
            Ok(Standing::Up)
                if matches!(fault.at, Kind::Transmit | Kind::Reset | Kind::Signal | Kind::Event) => {}
            Ok(standing) => wrong.push(format!("{}: {fault}: {standing:?}", persona.name)),
            Err(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_in_pairs() {
    // Each act once with each other, at places that change from pair to pair.
    let faults = TWO.map(|kind| every_fault(&kind()));
    let mut acts: Vec<Act> = Vec::new();
    faults.iter().flatten().for_each(|fault| {
        if !acts.contains(&fault.act) {
            acts.push(fault.act)
        }
    });
    let of = |driver: usize, act: Act, nth: usize| {
        let places: Vec<_> = faults[driver].iter().filter(|fault| fault.act == act).collect();
        *places[nth % places.len()]
    };
    let mut wrong = Vec::new();
    let mut pairs = 0;
    for (n, first) in acts.iter().enumerate() {
        for (m, second) in acts.iter().enumerate().skip(n) {
            for round in 0..2 {
                // Each driver gets every other pair, and both each pair of acts.
                let driver = (n + m + round) % 2;
                let pair = [of(driver, *first, m + 5 * round), of(driver, *second, n + 1 + 7 * round)];
                pairs += 1;
                let is_final = pair.iter().any(is_final);
                match play(&TWO[driver](), &pair) {
                    Ok(Standing::Up) => {}
                    Ok(Standing::Over) if is_final => {}
                    Ok(standing) => wrong.push(format!("{} + {}: {standing:?}", pair[0], pair[1])),
                    Err(why) => wrong.push(why),
                }
            }
        }
    }
    assert!(pairs > 300, "{pairs}");
    assert!(wrong.is_empty(), "{} of {pairs}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_ring_that_shows_nothing_is_pushed_and_then_the_function_is_reset() {
    for (queues, kind) in [(1, TWO[0]), (4, TWO[0]), (1, TWO[1]), (4, TWO[1])] {
        let plan: Plan = "receive 0 nth 20: stuck-queue".parse().unwrap();
        let mut rig = Rig::with_plan(kind(), Options::default(), Settings::new(queues), plan).unwrap();
        rig.up();
        for number in 0..3000 {
            rig.inject(&udp(number));
            rig.run(Duration::from_millis(3));
        }
        let counters = rig.control().counters();
        assert_eq!((counters.stuck, counters.own_resets), (1, 1), "{queues}: {:?}", rig.said);
        let lent = rig.lent;
        for number in 0..100 {
            rig.inject(&udp(number));
            rig.run(Duration::from_millis(1));
        }
        assert_eq!(rig.lent - lent, 100, "{queues}");
        rig.check().unwrap();
    }
}

#[test]
fn frames_without_bytes_or_with_more_than_their_buffer_are_counted_and_those_around_them_are_lent() {
    for persona in super::personas() {
        let settings = Settings { descriptors: 64, ..Settings::new(1) };
        let more = i32::from(settings.buffer);
        let strange = [(5, -16_000), (6, more), (30, -16_000)];
        let plan = strange.map(|(nth, by)| Fault {
            at: Kind::Receive,
            number: Some(0),
            nth,
            times: 1,
            after: 0,
            act: Act::WrongLength(by),
        });
        let plan = Plan::new(plan).unwrap();
        let mut rig = Rig::with_plan(persona, Options::default(), settings, plan).unwrap();
        rig.up();
        for number in 0..40 {
            rig.inject(&udp(number));
        }
        rig.run(Duration::from_millis(1));
        let seen: Vec<u64> = rig.taken.iter().filter_map(|taken| number_of(&taken.data)).collect();
        // A fault does not count what an earlier one struck.
        assert_eq!(seen, (0..40).filter(|number| ![4, 6, 31].contains(number)).collect::<Vec<_>>());
        assert!(rig.taken.iter().all(|taken| taken.data == udp(number_of(&taken.data).unwrap())));
        assert_eq!((rig.ledger.lost(Loss::NicBroken), rig.ledger.received), (3, 40));
        rig.check().unwrap();
    }
}
