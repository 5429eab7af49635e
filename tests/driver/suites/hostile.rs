//! A NIC that lies and writes what it likes: nothing panics, nothing hangs, what is lent and lost adds up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use avf_driver::{Settings, Standing};
use model::{Model, Options, Persona};

use crate::hostile::{Hostile, Seeded};
use crate::{Rig, udp};

#[test]
fn lies_and_stray_words_are_survived() {
    let mut ups = 0;
    let seeds = if std::env::var_os("VIGIE_LONG").is_some() { 3_000 } else { 150 };
    for seed in 0..seeds {
        let persona = if seed % 2 == 0 { Persona::i40e() } else { Persona::ice() };
        let model = Arc::new(Mutex::new(Model::new(persona, Options::default())));
        // Some begin their mischief at once, some know their driver well by then.
        let device = Hostile::device(&model, Box::new(Seeded::new(seed, 4000)));
        let settings =
            Settings { descriptors: 64, max_frame: 9000, burst: 32, transmit: true, ..Settings::new(2) };
        let mut rig = Rig::around(Arc::clone(&model), device, settings).unwrap();
        for number in 0..300 {
            rig.inject(&udp(number));
            rig.run(Duration::from_millis(20));
            ups += u32::from(rig.standing() == Standing::Up);
            rig.taken.clear();
        }
        // Its malice used up, it is a NIC like any other.
        let settled = rig.run_until(Duration::from_secs(200), |rig| {
            matches!(rig.standing(), Standing::Up | Standing::Over)
        });
        assert!(settled, "seed {seed}: {:?} {:?}", rig.control, rig.said);
        let lost = rig.ledger.lost_in_all();
        // Counters that were made up are in the ledger as they were told.
        assert_eq!(rig.ledger.received, rig.lent + lost, "seed {seed}");
        rig.close();
        assert_eq!(rig.standing(), Standing::Over, "seed {seed}");
        let freed = rig.witness.freed_under_master();
        assert_eq!(freed, [], "seed {seed}: {:?} {:?}", rig.control().error(), rig.said);
    }
    assert!(ups > 5_000, "up at {ups} looks: too much mischief to come as far as frames");
}
