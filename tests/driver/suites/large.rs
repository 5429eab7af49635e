//! More than 16 queues: granted by a reset, set up in messages that fit, and never more than one of them under way.

use std::time::Duration;

use avf::virtchnl::Caps;
use avf_driver::Settings;
use model::{Options, Persona, VectorMapLength};

use crate::{Rig, udp};

/// What Intel's own PF grants a function whose host gave it a large table.
fn options(lut: u16, vector_map: VectorMapLength) -> Options {
    let grants = Caps::LARGE_NUM_QPAIRS;
    Options { grants, lut, vector_map, pairs_left: 256, ..Options::default() }
}

#[test]
fn functions_with_64_and_256_queues() {
    for (queues, lut, length) in [
        (17, 512, VectorMapLength::Short),
        (64, 512, VectorMapLength::Short),
        (64, 512, VectorMapLength::Long),
        (256, 2048, VectorMapLength::Long),
    ] {
        let settings = Settings { descriptors: 64, ..Settings::new(queues) };
        let mut rig = Rig::new(Persona::ice(), options(lut, length), settings).unwrap();
        rig.up();
        assert_eq!(rig.queues.len(), usize::from(queues), "{:?}", rig.said);
        let agreed = rig.control().negotiated().unwrap();
        assert_eq!(agreed.region, Some(if lut == 512 { 6 } else { 8 }));
        assert_eq!(rig.said, Vec::<String>::new());
        assert!(rig.now() < Duration::from_secs(2), "up after {:?}", rig.now());
        for number in 0..4000 {
            rig.inject(&udp(number * 7));
            if number % 40 == 0 {
                rig.run(Duration::from_micros(100));
            }
        }
        rig.run(Duration::from_millis(1));
        assert_eq!(rig.lent, 4000);
        let seen: std::collections::BTreeSet<u16> = rig.taken.iter().map(|taken| taken.queue).collect();
        assert!(seen.len() * 4 > usize::from(queues) * 3, "{} of {queues} queues saw frames", seen.len());
        // A PF that found more than 63 waiting would ignore the function.
        let tally = rig.model().tally();
        assert_eq!((tally.requests_at_once, tally.ignored), (1, false));
        rig.model().reset(model::Reset::Pf);
        rig.run(Duration::from_millis(200));
        rig.up();
        assert_eq!(rig.control().negotiated().unwrap().queues, queues, "after a reset as before it");
        rig.inject(&udp(1));
        rig.run(Duration::from_millis(1));
        assert_eq!(rig.lent, 4001);
        rig.close();
        rig.check().unwrap();
    }
}

#[test]
fn a_pf_that_has_no_large_functions_gives_16_queues_and_says_so() {
    let settings = Settings { descriptors: 64, ..Settings::new(64) };
    let mut rig =
        Rig::new(Persona::ice(), Options { pairs_left: 256, ..Options::default() }, settings).unwrap();
    rig.up();
    rig.run(Duration::from_millis(1));
    assert_eq!(rig.queues.len(), 16);
    assert!(rig.said.iter().any(|said| said.starts_with("64 queues were asked for")), "{:?}", rig.said);
    rig.check().unwrap();
}

#[test]
fn never_more_than_one_request_is_under_way() {
    for persona in super::personas() {
        let mut rig = Rig::new(persona, Options::default(), Settings::new(16)).unwrap();
        rig.up();
        for _ in 0..3 {
            rig.run(Duration::from_secs(5));
            rig.model().reset(model::Reset::Admin);
            rig.run(Duration::from_millis(300));
            rig.up();
        }
        rig.close();
        assert_eq!(rig.model().tally().requests_at_once, 1);
    }
}
