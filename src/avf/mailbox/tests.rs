//! Conversations with the mailbox.

use world::Dice;

use super::*;
use crate::virtchnl::{EventKind, LinkSpeed};

const START: Duration = Duration::from_secs(1000);

fn at(millis: u64) -> Duration {
    START + Duration::from_millis(millis)
}

fn up() -> Mailbox {
    let mut mailbox = Mailbox::new(Patience::default());
    mailbox.up();
    mailbox
}

fn answer(opcode: Opcode, status: Status, bytes: u16) -> Descriptor {
    Descriptor::prefill(0x1000, BUFFER_BYTES).delivered(opcode, status, bytes)
}

fn done(opcode: Opcode) -> Descriptor {
    answer(opcode, Status::OK, 0)
}

#[test]
fn one_question_at_a_time() {
    let mut mailbox = up();
    let post = mailbox.request(Opcode::VERSION, &[1, 0, 0, 0, 1, 0, 0, 0], at(0)).unwrap();
    assert_eq!(post.descriptor(0x5000), Descriptor::message(Opcode::VERSION, 8, 0x5000));
    let second = mailbox.request(Opcode::GET_VF_RESOURCES, &[0; 4], at(0));
    assert_eq!(second, Err(Denied::Busy(Opcode::VERSION)));
    let got = mailbox.arrived(&answer(Opcode::VERSION, Status::OK, 8), &[1; 8], at(1));
    assert_eq!(got, Outcome::Answer { opcode: Opcode::VERSION, status: Status::OK, payload: &[1; 8] });
    assert!(mailbox.request(Opcode::GET_VF_RESOURCES, &[0; 4], at(2)).is_ok());
    assert_eq!((mailbox.counters().sent, mailbox.counters().answered), (2, 1));
}

#[test]
fn events_come_between_a_question_and_its_answer() {
    let mut mailbox = up();
    mailbox.request(Opcode::ENABLE_QUEUES, &[0; 12], at(0)).unwrap();
    let event = Event::link(true, LinkSpeed(10_000));
    let payload = event.encode();
    let came = mailbox.arrived(&answer(Opcode::EVENT, Status::OK, 16), &payload, at(1));
    assert_eq!(came, Outcome::Event(event));
    assert_eq!(mailbox.open(), Some(Opcode::ENABLE_QUEUES));
    assert!(matches!(mailbox.arrived(&done(Opcode::ENABLE_QUEUES), &[], at(2)), Outcome::Answer { .. }));
}

#[test]
fn a_refusal_is_an_answer_and_its_number_is_kept() {
    let mut mailbox = up();
    mailbox.request(Opcode::ADD_ETH_ADDR, &[0; 20], at(0)).unwrap();
    let refused = answer(Opcode::ADD_ETH_ADDR, Status(-12345), 0);
    assert!(matches!(mailbox.arrived(&refused, &[], at(1)), Outcome::Answer { .. }));
    assert_eq!((mailbox.counters().answered, mailbox.counters().refused), (1, 1));
    assert_eq!(mailbox.counters().last_refusal, Some((Opcode::ADD_ETH_ADDR, Status(-12345))));
    assert_eq!(mailbox.open(), None);
}

#[test]
fn queues_are_waited_for_longer() {
    let mut mailbox = up();
    mailbox.request(Opcode::GET_STATS, &[0; 12], at(0)).unwrap();
    assert_eq!(mailbox.deadline(), Some(at(1000)));
    assert_eq!(mailbox.expired(at(999)), None);
    assert!(mailbox.expired(at(1000)).is_some());
    mailbox.up();
    mailbox.request(Opcode::ENABLE_QUEUES, &[0; 12], at(2000)).unwrap();
    assert_eq!(mailbox.deadline(), Some(at(5000)));
}

#[test]
fn after_a_timeout_the_rings_are_set_up_anew_and_the_question_is_asked_again() {
    let mut mailbox = up();
    mailbox.request(Opcode::GET_STATS, &[7; 12], at(0)).unwrap();
    let over = mailbox.expired(at(1000)).unwrap();
    assert_eq!(over, TimedOut { opcode: Opcode::GET_STATS, remedy: Remedy::Reinitialise });
    assert_eq!(mailbox.request(Opcode::VERSION, &[0; 8], at(1001)), Err(Denied::Suspect));
    assert_eq!(mailbox.again(at(1001)), None, "not before the rings are set up");
    mailbox.up();
    let (post, payload) = mailbox.again(at(1002)).unwrap();
    assert_eq!((post.opcode, payload), (Opcode::GET_STATS, &[7; 12][..]));
    assert_eq!(mailbox.deadline(), Some(at(2002)));
    assert_eq!((mailbox.counters().timed_out, mailbox.counters().repeated), (1, 1));
}

#[test]
fn an_answer_that_comes_too_late_is_thrown_away_and_counted() {
    let mut mailbox = up();
    mailbox.request(Opcode::GET_STATS, &[0; 12], at(0)).unwrap();
    mailbox.expired(at(1000)).unwrap();
    mailbox.up();
    mailbox.request(Opcode::CONFIG_RSS_KEY, &[0; 57], at(1001)).unwrap();
    let late = mailbox.arrived(&done(Opcode::GET_STATS), &[], at(1002));
    assert_eq!(late, Outcome::Stale(Opcode::GET_STATS));
    assert_eq!(mailbox.open(), Some(Opcode::CONFIG_RSS_KEY));
    let twice = mailbox.arrived(&done(Opcode::GET_STATS), &[], at(1003));
    assert_eq!(twice, Outcome::Unexpected(Opcode::GET_STATS));
    assert_eq!((mailbox.counters().stale, mailbox.counters().unexpected), (1, 1));
}

#[test]
fn the_answer_to_a_repeated_question_leaves_one_that_is_stale() {
    let mut mailbox = up();
    mailbox.request(Opcode::GET_STATS, &[0; 12], at(0)).unwrap();
    mailbox.expired(at(1000)).unwrap();
    mailbox.up();
    mailbox.again(at(1001)).unwrap();
    assert!(matches!(mailbox.arrived(&done(Opcode::GET_STATS), &[], at(1002)), Outcome::Answer { .. }));
    assert_eq!(mailbox.arrived(&done(Opcode::GET_STATS), &[], at(1003)), Outcome::Stale(Opcode::GET_STATS));
    assert_eq!(mailbox.again(at(1004)), None);
}

#[test]
fn a_reset_has_no_answer_and_takes_the_mailbox_down() {
    let mut mailbox = up();
    mailbox.request(Opcode::GET_STATS, &[0; 12], at(0)).unwrap();
    let post = mailbox.request(Opcode::RESET_VF, &[], at(1)).unwrap();
    assert_eq!(post, Post { opcode: Opcode::RESET_VF, datalen: 0 });
    assert_eq!((mailbox.open(), mailbox.deadline(), mailbox.expired(at(9999))), (None, None, None));
    assert_eq!(mailbox.request(Opcode::RESET_VF, &[], at(2)), Err(Denied::Down));
    let before = mailbox.arrived(&done(Opcode::GET_STATS), &[], at(3));
    assert_eq!(before, Outcome::Unexpected(Opcode::GET_STATS), "from before the reset");
    mailbox.up();
    assert_eq!(mailbox.again(at(4)), None, "what was open before a reset is not asked again");
    assert!(mailbox.request(Opcode::VERSION, &[0; 8], at(4)).is_ok());
}

#[test]
fn more_queues_are_granted_by_a_reset_and_refused_by_an_answer() {
    let mut mailbox = up();
    mailbox.request(Opcode::REQUEST_QUEUES, &[16, 0], at(0)).unwrap();
    let doom = Event::reset_impending().encode();
    let came = mailbox.arrived(&answer(Opcode::EVENT, Status::OK, 16), &doom, at(1));
    assert!(matches!(came, Outcome::Event(event) if event.kind == EventKind::RESET_IMPENDING));
    assert_eq!(mailbox.reset_seen(), Some(Opcode::REQUEST_QUEUES));
    assert_eq!((mailbox.counters().void, mailbox.counters().timed_out), (1, 0));
    mailbox.up();
    mailbox.request(Opcode::REQUEST_QUEUES, &[16, 0], at(2)).unwrap();
    let fewer = mailbox.arrived(&answer(Opcode::REQUEST_QUEUES, Status::OK, 2), &[4, 0], at(3));
    let granted = Outcome::Answer { opcode: Opcode::REQUEST_QUEUES, status: Status::OK, payload: &[4, 0] };
    assert_eq!(fewer, granted);
}

#[test]
fn silence_climbs_from_rings_to_resets_to_pauses() {
    let mut mailbox = up();
    mailbox.request(Opcode::VERSION, &[0; 8], at(0)).unwrap();
    let mut seen = Vec::new();
    for second in 1..=6 {
        seen.push(mailbox.expired(at(second * 1000)).unwrap().remedy);
        mailbox.up();
        mailbox.again(at(second * 1000)).unwrap();
    }
    assert_eq!(seen[..3], [Remedy::Reinitialise; 3]);
    let more = [Remedy::ResetFunction, Remedy::ResetDevice, Remedy::BackOff(Duration::from_secs(1))];
    assert_eq!(seen[3..], more);
}

#[test]
fn a_descriptor_that_cannot_be_read_ends_the_question_it_answers() {
    let mut mailbox = up();
    mailbox.request(Opcode::GET_STATS, &[0; 12], at(0)).unwrap();
    let cut = mailbox.arrived(&answer(Opcode::GET_STATS, Status::OK, 96), &[0; 12], at(1));
    let fault = Fault::Cut { says: 96, had: 12 };
    assert_eq!(cut, Outcome::Broken { fault, failed: Some(Opcode::GET_STATS) });
    mailbox.request(Opcode::VERSION, &[0; 8], at(2)).unwrap();
    let short = mailbox.arrived(&answer(Opcode::EVENT, Status::OK, 4), &[0; 4], at(3));
    assert!(matches!(short, Outcome::Broken { fault: Fault::Event(_), failed: None }));
    let failed = Descriptor { flags: Flags::ERR, retval: Retval::EIO, ..done(Opcode::VERSION) };
    let fault = Fault::Transport(Retval::EIO);
    let got = mailbox.arrived(&failed, &[], at(4));
    assert_eq!(got, Outcome::Broken { fault, failed: Some(Opcode::VERSION) });
    let foreign = Descriptor { command: Command(0x0c01), ..done(Opcode::VERSION) };
    let fault = Fault::Command(Command(0x0c01));
    assert_eq!(mailbox.arrived(&foreign, &[], at(5)), Outcome::Broken { fault, failed: None });
    assert_eq!(mailbox.counters().broken, 4);
}

#[test]
fn only_what_the_descriptor_says_is_shown() {
    let mut mailbox = up();
    mailbox.request(Opcode::REQUEST_QUEUES, &[16, 0], at(0)).unwrap();
    let got = mailbox.arrived(&answer(Opcode::REQUEST_QUEUES, Status::OK, 2), &[9; 4096], at(1));
    assert!(matches!(got, Outcome::Answer { payload: [9, 9], .. }));
}

#[test]
fn what_the_transport_does_not_take_is_not_waited_for() {
    let mut mailbox = up();
    let post = mailbox.request(Opcode::VERSION, &[0; 8], at(0)).unwrap();
    let back = post.descriptor(0x1000).completed(Retval::OK);
    assert_eq!(mailbox.sent_back(&back), None);
    let back = post.descriptor(0x1000).completed(Retval::ENOSYS);
    assert_eq!(mailbox.sent_back(&back), Some((Opcode::VERSION, Retval::ENOSYS)));
    assert_eq!((mailbox.open(), mailbox.counters().untaken), (None, 1));
}

#[test]
fn a_payload_that_no_physical_function_takes_is_not_sent() {
    let mut mailbox = up();
    let long = mailbox.request(Opcode::ADD_ETH_ADDR, &[0; 4097], at(0));
    assert_eq!(long, Err(Denied::TooLong { opcode: Opcode::ADD_ETH_ADDR, bytes: 4097 }));
    assert_eq!(mailbox.counters().sent, 0);
    assert!(mailbox.request(Opcode::ADD_ETH_ADDR, &[0; 4096], at(0)).is_ok());
}

fn len(bits: MailboxLen) -> MailboxLen {
    bits.with_length(32).with_enable(true)
}

#[test]
fn an_overflow_fails_the_open_question_and_nothing_else() {
    let mut mailbox = up();
    let overflow = len(MailboxLen(0).with_overflow(true));
    let write_back = len(MailboxLen(0));
    let idle = mailbox.inspect(Ring::Receive, overflow, at(0));
    assert_eq!(idle, Condition::Overflow { write_back, failed: None });
    mailbox.request(Opcode::GET_STATS, &[0; 12], at(1)).unwrap();
    let Condition::Overflow { failed: Some(failed), .. } = mailbox.inspect(Ring::Receive, overflow, at(2))
    else {
        panic!("the open question fails");
    };
    assert_eq!((failed.opcode, failed.remedy), (Opcode::GET_STATS, Remedy::Reinitialise));
    assert_eq!((mailbox.counters().overflows, mailbox.counters().timed_out), (2, 1));
    assert_eq!(mailbox.request(Opcode::VERSION, &[0; 8], at(3)), Err(Denied::Suspect));
}

#[test]
fn a_ring_that_the_device_cannot_reach_means_a_reset() {
    let mut mailbox = up();
    for (register, nth) in [(MailboxLen(0).with_critical(true), 0), (MailboxLen(0).with_illegal(true), 1)] {
        let got = mailbox.inspect(Ring::Send, len(register), at(nth));
        let remedy = [Remedy::ResetFunction, Remedy::ResetDevice][nth as usize];
        assert_eq!(got, Condition::Failed { ring: Ring::Send, write_back: len(MailboxLen(0)), remedy });
    }
    assert_eq!((mailbox.counters().critical, mailbox.counters().illegal), (1, 1));
    assert!(mailbox.request(Opcode::RESET_VF, &[], at(3)).is_ok());
}

#[test]
fn a_ring_that_is_off_says_reset_and_all_ones_say_gone() {
    let mut mailbox = up();
    assert_eq!(mailbox.inspect(Ring::Receive, len(MailboxLen(0)), at(0)), Condition::Well);
    assert_eq!(mailbox.inspect(Ring::Receive, MailboxLen(32), at(0)), Condition::Reset);
    assert_eq!(mailbox.inspect(Ring::Receive, MailboxLen(0xdead_beef), at(0)), Condition::Reset);
    assert_eq!(mailbox.inspect(Ring::Receive, MailboxLen(u32::MAX), at(0)), Condition::Gone);
    mailbox.reset_seen();
    assert_eq!(mailbox.inspect(Ring::Receive, MailboxLen(0), at(0)), Condition::Well, "it is known");
}

#[test]
fn however_many_questions_are_given_up_few_are_remembered() {
    let mut mailbox = up();
    for second in 0..100 {
        mailbox.request(Opcode::GET_STATS, &[0; 12], at(second * 1000)).unwrap();
        mailbox.expired(at(second * 1000 + 1000)).unwrap();
        mailbox.up();
    }
    assert_eq!(mailbox.abandoned.len(), Mailbox::ABANDONED);
}

const SOME: [Opcode; 6] = [
    Opcode::VERSION,
    Opcode::GET_STATS,
    Opcode::RESET_VF,
    Opcode::REQUEST_QUEUES,
    Opcode::EVENT,
    Opcode(999),
];

/// One thing that can happen, whatever the mailbox's state.
fn anything(mailbox: &mut Mailbox, dice: &mut Dice, now: Duration) {
    let opcode = SOME[dice.below(6) as usize];
    match dice.below(9) {
        0..3 => drop(mailbox.request(opcode, &vec![0; dice.below(5000) as usize], now)),
        3..6 => {
            let mut came = answer(opcode, Status(dice.below(3) as i32 - 1), dice.below(20) as u16);
            came.flags |= Flags::from_bits_retain(1 << dice.below(16));
            mailbox.arrived(&came, &[1; 16], now);
        }
        6 => {
            let _ = (mailbox.expired(now), mailbox.again(now).is_some());
        }
        7 => {
            mailbox.inspect(Ring::Receive, MailboxLen(dice.below(16) << 28 | 32), now);
            mailbox.up();
        }
        _ => {
            mailbox.reset_seen();
            mailbox.up();
        }
    }
}

#[test]
fn whatever_happens_every_question_ends_in_one_way() {
    for seed in 0..500 {
        let (mut mailbox, mut dice, mut now) = (up(), Dice::new(seed), START);
        for _ in 0..200 {
            now += Duration::from_millis(dice.below(900).into());
            anything(&mut mailbox, &mut dice, now);
            let open = u64::from(mailbox.open().is_some());
            assert_eq!(mailbox.counters().open(), open, "seed {seed}: {:?}", mailbox.counters());
        }
        assert!(mailbox.abandoned.len() <= Mailbox::ABANDONED);
    }
}
