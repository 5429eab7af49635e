//! Frames in, frames out.

use std::time::Duration;

use iavf::Settings;
use model::{Options, Persona};

use crate::{Rig, number_of, udp};

#[test]
fn frames_come_out_as_they_went_in_each_once() {
    for queues in [1, 4, 16] {
        let mut rig = Rig::new(Persona::i40e(), Options::default(), Settings::new(queues)).unwrap();
        rig.up();
        for burst in 0..100 {
            for number in burst * 30..(burst + 1) * 30 {
                rig.inject(&udp(number));
            }
            rig.run(Duration::from_micros(200));
        }
        rig.run(Duration::from_millis(1));
        assert_eq!(rig.lent, 3000);
        let mut seen: Vec<u64> = rig.taken.iter().filter_map(|taken| number_of(&taken.data)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..3000).collect::<Vec<_>>());
        for taken in &rig.taken {
            assert_eq!(taken.data, udp(number_of(&taken.data).unwrap()));
        }
        rig.check().unwrap();
    }
}
