//! A NIC that means harm against its driver: registers that lie, words written anywhere the driver's memory is. Nothing
//! panics, nothing hangs, what is lent and lost adds up, and the function can be given back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use avf_driver::{Settings, Standing};
use driver::hostile::{Chance, Hostile};
use driver::{Rig, udp};
use model::{Model, Options, Persona};

/// Numbers out of the input, as long as there are some.
struct Input(std::vec::IntoIter<u8>);

impl Chance for Input {
    fn next(&mut self) -> Option<u64> {
        let first = self.0.next()?;
        // Most numbers decide whether anything happens at all: a byte is enough for those.
        let mut bytes = [first, 0, 0, 0, 0, 0, 0, 0];
        if first & 7 == 0 {
            bytes.iter_mut().skip(1).for_each(|byte| *byte = self.0.next().unwrap_or(0));
        }
        Some(u64::from_le_bytes(bytes))
    }
}

/// Plays a function of this kind, by this input.
///
/// # Panics
/// When its driver does what it must not.
pub fn harm(persona: Persona, input: Vec<u8>) {
    let model = Arc::new(Mutex::new(Model::new(persona, Options::default())));
    let device = Hostile::device(&model, Box::new(Input(input.into_iter())));
    let settings = Settings {
        descriptors: 64,
        max_frame: 9000,
        burst: 32,
        transmit: true,
        patience: Some(Duration::from_secs(20)),
        ..Settings::new(2)
    };
    let Ok(mut rig) = Rig::around(model, device, settings) else { return };
    for number in 0..60 {
        rig.inject(&udp(number));
        rig.run(Duration::from_millis(20));
        rig.taken.clear();
    }
    rig.run_until(Duration::from_secs(60), |rig| matches!(rig.standing(), Standing::Up | Standing::Over));
    assert_eq!(rig.ledger.received, rig.lent + rig.ledger.bypassed + rig.ledger.lost_in_all());
    rig.close();
    assert_eq!(rig.standing(), Standing::Over);
    assert!(rig.witness.freed_under_master().is_empty());
}
