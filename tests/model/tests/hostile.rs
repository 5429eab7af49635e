//! A driver that writes anything anywhere: the model survives it, touches nothing but the driver's memory without
//! remembering it, and serves the next driver.

use avf::register::Register;
use avf::virtchnl::length::wire_len;
use avf::virtchnl::{Caps, Opcode};
use device::{Device, Peer, Region};

use super::{Bench, MS, VERSION, version_reply};
use crate::fault::{Act, Dice, Plan};
use crate::{Model, Note, Options, Persona};

const STEPS: usize = 400;
const SEEDS: u64 = 150;

/// Offsets that do something, more often than others.
fn offset(dice: &mut Dice) -> u32 {
    const BUSY: [u32; 16] = [
        0x0000, 0x0004, 0x2000, 0x2004, 0x3800, 0x4800, 0x5000, 0x5C00, 0x6400, 0x6800, 0x6C00, 0x7000,
        0x7400, 0x7C00, 0x8000, 0x8400,
    ];
    if dice.below(4) == 0 { dice.below(0x1_0000) & !3 } else { dice.of(&BUSY) }
}

/// Small numbers, addresses of the driver's own memory, flags, and noise.
fn value(dice: &mut Dice, bench: &Bench) -> u32 {
    match dice.below(5) {
        0 => dice.below(40),
        1 => bench.rings[dice.below(2) as usize].address() as u32,
        2 => 1 << 31 | dice.below(1024),
        3 => dice.below(1 << 20),
        _ => dice.next() as u32,
    }
}

fn step(dice: &mut Dice, bench: &mut Bench) {
    match dice.below(12) {
        0 => bench.pass(MS * dice.below(50)),
        1 => {
            let block = dice.below(2) as usize;
            let noise: Vec<u8> = (0..64).map(|_| dice.next() as u8).collect();
            assert!(bench.rings[block].copy_in(8 * dice.below(120) as usize, &noise));
        }
        2 => {
            let op = Opcode(dice.below(136));
            let payload = payload(dice, op);
            bench.send(op, &payload);
        }
        3 => {
            let frame: Vec<u8> = (0..dice.below(2000)).map(|_| dice.next() as u8).collect();
            bench.model().receive(&frame);
        }
        4 => bench.model().write(Region::Config, dice.below(0x1000), &[dice.next() as u8; 4]),
        5 => bench.model().write(Region::Bar3, dice.below(0x4000), &[dice.next() as u8; 4]),
        6 => drop(bench.registers.read(offset(dice))),
        7 => bench.device.set_master(true).expect("bus mastering"),
        _ => {
            let value = value(dice, bench);
            bench.registers.write(offset(dice), value);
        }
    }
}

/// Noise of any length, or, more often, of the length that is accepted, with a count that fits it.
fn payload(dice: &mut Dice, op: Opcode) -> Vec<u8> {
    let n = 1 + dice.below(3) as usize;
    let length = wire_len(op, n).filter(|_| dice.below(4) != 0);
    let bytes = length.unwrap_or(dice.below(300) as usize);
    let small = dice.below(2) == 0;
    let mut noise: Vec<u8> =
        (0..bytes).map(|_| if small { dice.below(4) as u8 } else { dice.next() as u8 }).collect();
    for at in [0, 2, 4] {
        // wherever the count lies, and the VSI elsewhere
        if let Some(place) = noise.get_mut(at..at + 2).filter(|_| length.is_some()) {
            place.copy_from_slice(&[if at == 0 { 1 } else { n as u8 }, 0]);
        }
    }
    noise
}

/// Two of three drivers have agreed on everything before they go mad.
fn negotiated(bench: &mut Bench, seed: u64) {
    if seed % 9 < 6 {
        bench.call(Opcode::VERSION, &VERSION);
        bench.call(Opcode::GET_VF_RESOURCES, &Caps::all().bits().to_le_bytes());
    }
}

/// An E810's function with everything that any PF grants, and what each other function is.
fn persona(seed: u64) -> (Persona, Options) {
    match seed % 3 {
        0 => (Persona::i40e(), Options::default()),
        1 => (Persona::x722(), Options::default()),
        _ => {
            let options = Options {
                grants: Caps::all(),
                lut: 2048,
                double_vlan: true,
                inner_patterns: true,
                vxlan: vec![4789],
                ..Options::default()
            };
            (Persona::ice(), options)
        }
    }
}

#[test]
fn nothing_that_a_driver_does_breaks_the_model_for_the_next() {
    let (mut strays, mut criticals) = (0, 0);
    for seed in 0..SEEDS {
        let (persona, options) = persona(seed);
        let mut bench = Bench::open(Model::new(persona, options));
        let mut dice = Dice(seed);
        negotiated(&mut bench, seed);
        (0..STEPS).for_each(|_| step(&mut dice, &mut bench));
        strays += bench.strays();
        criticals += bench.model().notes.iter().filter(|(_, note)| *note == Note::Critical).count();
        bench.device.reset().expect("reset");
        bench.pass(100 * MS);
        bench.device.set_master(true).expect("bus mastering");
        bench.open_mailbox();
        assert_eq!(bench.call(Opcode::VERSION, &VERSION), [version_reply()], "seed {seed}");
        assert_eq!(bench.read(Register::Rstat), 2, "seed {seed}");
        assert!(bench.model().ledger.balances(), "seed {seed}");
    }
    assert!(strays > 0 && criticals > 0, "noise hits something: {strays} strays, {criticals} rings lost");
}

#[test]
fn no_plan_of_faults_breaks_it_either() {
    for seed in 0..SEEDS {
        let plan = Plan::random(seed);
        let (persona, options) = persona(seed);
        let mut bench = Bench::open(Model::new(persona, options).with_plan(plan.clone()));
        let mut dice = Dice(seed);
        negotiated(&mut bench, seed);
        (0..STEPS).for_each(|_| step(&mut dice, &mut bench));
        bench.pass(10_000 * MS);
        bench.model().plan = Plan::default();
        bench.pass(10_000 * MS);
        let model = bench.model();
        assert!(model.ledger.balances(), "seed {seed}\n{plan}");
        let never = plan.faults().any(|fault| fault.act == Act::NeverComplete);
        assert!(never || model.is_removed() || !model.is_resetting(), "seed {seed}\n{plan}{}", model.notes);
    }
}
