//! From nothing to running, and back.

use std::time::Duration;

use avf_driver::{Polling, Settings, Standing};
use frame::RxQueue;
use model::{Latency, Options, Persona};

use super::personas;
use crate::{Rig, udp};

#[test]
fn every_kind_of_nic_comes_up_with_as_many_queues_as_are_wanted() {
    for persona in personas() {
        for queues in [1, 3, 4, 16] {
            let mut rig = Rig::new(persona.clone(), Options::default(), Settings::new(queues)).unwrap();
            rig.up();
            assert_eq!(rig.queues.len(), usize::from(queues), "{}", persona.name);
            let agreed = rig.control().negotiated().unwrap();
            assert_eq!(agreed.queues, queues);
            assert!(agreed.rss && agreed.stripping, "{:?}", rig.said);
            let wb = persona.name != "i40e";
            assert_eq!(agreed.driver, if persona.name == "ice" { "vf-ice" } else { "iavf" });
            assert_eq!(agreed.polling, if wb { Polling::WriteBack } else { Polling::VectorZero });
            assert_eq!(rig.said, Vec::<String>::new());
            assert!(rig.now() < Duration::from_secs(1), "up after {:?}", rig.now());
            rig.run(Duration::from_secs(3));
            assert_eq!(rig.standing(), Standing::Up);
            rig.check().unwrap();
        }
    }
}

#[test]
fn a_function_is_given_back_as_it_was_found() {
    for persona in personas() {
        let mut rig = Rig::new(persona, Options::default(), Settings::new(4)).unwrap();
        rig.up();
        for number in 0..100 {
            rig.inject(&udp(number));
        }
        rig.run(Duration::from_millis(5));
        rig.close();
        assert_eq!(rig.standing(), Standing::Over);
        assert!(rig.control().error().is_none());
        assert_eq!(rig.ended.len(), 4, "every queue ends");
        assert!(!rig.witness.is_master());
        assert_eq!(rig.witness.connected(), 0);
        rig.queues.clear();
        rig.control = None;
        assert_eq!(rig.witness.mapped(), [], "all memory is given back");
        assert_eq!(rig.witness.freed_under_master(), []);
        assert_eq!(rig.lent, 100);
        rig.check().unwrap();
    }
}

#[test]
fn queues_that_are_stopped_lend_what_there_is_and_end() {
    for persona in personas() {
        let mut rig = Rig::new(persona.clone(), Options::default(), Settings::new(4)).unwrap();
        rig.up();
        rig.working = false;
        for number in 0..50 {
            rig.inject(&udp(number));
        }
        rig.run(Duration::from_millis(1));
        rig.queues.iter_mut().for_each(RxQueue::stop);
        rig.working = true;
        assert!(rig.run_until(Duration::from_secs(1), |rig| rig.ended.len() == 4), "{:?}", rig.control);
        assert!(rig.run_until(Duration::from_secs(2), |rig| rig.standing() == Standing::Over));
        assert!(rig.control().error().is_none());
        assert_eq!((rig.lent, rig.ledger.received), (50, 50));
        rig.check().unwrap();
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_the_device_is_touched() {
    let settings = Settings { descriptors: 1000, ..Settings::new(4) };
    let error = Rig::new(Persona::i40e(), Options::default(), settings).unwrap_err().to_string();
    assert!(error.contains("power of two"), "{error}");
    let other = Persona { device: 0x1572, ..Persona::i40e() };
    let error = Rig::new(other, Options::default(), Settings::new(4)).unwrap_err().to_string();
    assert!(error.contains("8086:1572"), "{error}");
}

#[test]
fn a_pf_without_more_queues_gives_what_it_has_and_says_so() {
    for persona in personas() {
        for (left, gives) in [(0, 2), (1, 3), (7, 9), (64, 16)] {
            let options = Options { pairs: Some(2), pairs_left: left, ..Options::default() };
            let mut rig = Rig::new(persona.clone(), options, Settings::new(16)).unwrap();
            rig.up();
            rig.run(Duration::from_millis(1));
            assert_eq!(rig.queues.len(), gives);
            let told = rig.said.iter().any(|said| said.contains("create fewer VFs"));
            assert_eq!(told, gives < 16, "{:?}", rig.said);
            rig.check().unwrap();
        }
    }
}

#[test]
fn a_pf_that_never_answers_is_one_clear_error() {
    for persona in personas() {
        let options = Options { latency: Latency::Never, ..Options::default() };
        let settings = Settings { patience: Some(Duration::from_secs(30)), ..Settings::new(4) };
        let mut rig = Rig::new(persona.clone(), options, settings).unwrap();
        rig.run(Duration::from_secs(40));
        assert_eq!(rig.standing(), Standing::Over);
        let error = rig.control().error().unwrap().to_string();
        assert!(error.contains("does not answer") && error.contains("kernel log"), "{error}");
        rig.check().unwrap();
    }
}
