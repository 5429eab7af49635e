//! A hostile NIC of the 800 series against its driver.

#![no_main]

use fuzzing::harm;
use libfuzzer_sys::fuzz_target;
use model::Persona;

fuzz_target!(|input: Vec<u8>| harm(Persona::ice(), input));
