//! A driver that means harm against the software NIC: registers written at random, descriptors and messages of any kind.
//! The NIC never panics, never goes round in circles, never leaves the memory that it was given, and its ledger balances.

#![no_main]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arbitrary::Arbitrary;
use avf::register::Register;
use avf::virtchnl::{Caps, Request, Version};
use device::{Device as _, Local, Time};
use driver::udp;
use libfuzzer_sys::fuzz_target;
use model::{Model, Options, Persona, Reset};

/// One thing that the driver does.
#[derive(Arbitrary, Debug)]
enum Act {
    /// A register is read.
    Read(u16),
    /// A register is written.
    Write(u16, u32),
    /// The base of a mailbox ring, or its length, is one that works.
    Mailbox,
    /// Everything is agreed on that there is.
    Agree,
    /// A message goes out: opcode and payload.
    Send(u16, Vec<u8>),
    /// A word of memory changes.
    Word(u16, u64),
    /// A frame comes from the wire.
    Frame(u16),
    /// Time passes: so many microseconds.
    Wait(u16),
    /// The function is reset.
    Reset,
    /// Bus mastering goes on or off.
    Master(bool),
}

const BYTES: usize = 1 << 18;

/// An X710's function, or an E810's that is granted whatever any PF grants.
fn model(is_e810: bool) -> Model {
    if !is_e810 {
        return Model::new(Persona::i40e(), Options::default());
    }
    let (grants, lut) = (Caps::all(), 2048);
    let options = Options { grants, lut, double_vlan: true, inner_patterns: true, ..Options::default() };
    Model::new(Persona::ice(), options)
}

fuzz_target!(|input: (bool, Vec<Act>)| {
    let (is_e810, acts) = input;
    let model = Arc::new(Mutex::new(model(is_e810)));
    let mut device = Local::new(Arc::clone(&model), Time::Virtual);
    let (Ok(registers), Ok(memory)) = (device.registers(), device.dma(BYTES)) else { return };
    let _ = device.set_master(true);
    let put = |at: usize, word: u64| {
        if let Some(place) = memory.words().get(at % (BYTES / 8)) {
            place.store(word, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let mut now = Duration::ZERO;
    let mut tail = 0;
    for act in acts.iter().take(400) {
        match act {
            Act::Read(at) => drop(registers.read(u32::from(*at))),
            Act::Write(at, value) => registers.write(u32::from(*at) & !3, *value),
            Act::Mailbox => {
                let low = u32::try_from(memory.address() & u64::from(u32::MAX)).unwrap_or(0);
                let high = u32::try_from(memory.address() >> 32).unwrap_or(0);
                for (register, value) in [
                    (Register::AtqHead, 0),
                    (Register::AtqTail, 0),
                    (Register::AtqLen, 1 << 31 | 32),
                    (Register::AtqBal, low),
                    (Register::AtqBah, high),
                    (Register::ArqHead, 0),
                    (Register::ArqLen, 1 << 31 | 32),
                    (Register::ArqBal, low + 4096),
                    (Register::ArqBah, high),
                    (Register::ArqTail, 31),
                ] {
                    registers.write(register.offset(), value);
                }
                tail = 0;
            }
            Act::Send(opcode, payload) => {
                let length = u16::try_from(payload.len().min(4096)).unwrap_or(0);
                let at = 8192;
                for (nth, chunk) in payload.chunks(8).take(512).enumerate() {
                    let mut word = [0; 8];
                    word[..chunk.len()].copy_from_slice(chunk);
                    put(at / 8 + nth, u64::from_le_bytes(word));
                }
                let opcode = avf::virtchnl::Opcode(u32::from(*opcode % 140));
                let buffer = memory.address() + at as u64;
                let words = avf::adminq::Descriptor::message(opcode, length, buffer).to_words();
                words.iter().enumerate().for_each(|(nth, word)| put(tail * 4 + nth, *word));
                tail = (tail + 1) % 32;
                registers.write(Register::AtqTail.offset(), tail as u32);
            }
            Act::Agree => {
                let function = &mut model.lock().unwrap().function;
                for request in [Request::Version(Version::V1_1), Request::Resources(Caps::all())] {
                    model::virtchnl::handle(function, request.opcode(), &request.payload());
                }
            }
            Act::Word(at, word) => put(usize::from(*at), *word),
            Act::Frame(length) => {
                let frame = &udp(u64::from(*length))[..];
                let frame = frame.repeat(1 + usize::from(length % 200));
                model.lock().unwrap().receive(&frame);
            }
            Act::Wait(us) => {
                now += Duration::from_micros(u64::from(*us));
                model.lock().unwrap().advance(now);
            }
            Act::Reset => model.lock().unwrap().reset(Reset::Pf),
            Act::Master(on) => drop(device.set_master(*on)),
        }
    }
    let model = model.lock().unwrap();
    assert!(model.ledger.balances(), "{:?}", model.ledger);
});
