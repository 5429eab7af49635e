//! From nothing to running, and back.

use std::time::Duration;

use iavf::{Polling, Settings, Standing};
use model::{Options, Persona};

use crate::{Rig, udp};

fn personas() -> [Persona; 2] {
    [Persona::i40e(), Persona::x722()]
}

#[test]
fn both_kinds_of_nic_come_up_with_as_many_queues_as_are_wanted() {
    for persona in personas() {
        for queues in [1, 3, 4, 16] {
            let mut rig = Rig::new(persona.clone(), Options::default(), Settings::new(queues)).unwrap();
            rig.up();
            assert_eq!(rig.queues.len(), usize::from(queues), "{}", persona.name);
            let agreed = rig.control().negotiated().unwrap();
            assert_eq!(agreed.queues, queues);
            assert!(agreed.rss && agreed.stripping, "{:?}", rig.said);
            let wb = persona.name.contains("x722");
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
