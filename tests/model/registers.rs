//! BAR 0: what each register reads and does (reference section 12.2).

use avf::register::Register;

use crate::fault::{Act, Site};
use crate::note::Note;
use crate::vf::Direction;
use crate::{Model, datapath, interrupt, mailbox};

/// Reads the register at an offset.
pub(crate) fn read(model: &mut Model, offset: u32) -> u32 {
    // what strikes a read is seen by it already
    model.strike(Site::Read(offset));
    if let Some(value) = model.veiled() {
        return value;
    }
    Register::at(offset).map_or(0, |register| value(model, register))
}

fn value(model: &mut Model, register: Register) -> u32 {
    let (atq, arq) = (&model.mailbox.atq, &model.mailbox.arq);
    match register {
        Register::Rstat => model.resets.state().0,
        Register::AtqHead => atq.places.head().into(),
        Register::AtqTail => atq.places.tail().into(),
        Register::AtqLen => atq.places.len.0,
        Register::AtqBal => atq.low,
        Register::AtqBah => atq.high,
        Register::ArqHead => arq.places.head().into(),
        Register::ArqTail => arq.places.tail().into(),
        Register::ArqLen => arq.places.len.0,
        Register::ArqBal => arq.low,
        Register::ArqBah => arq.high,
        Register::Icr0 => model.interrupts.read_icr0(),
        Register::Icr0Ena => model.interrupts.icr0_ena(),
        Register::DynCtl0 => model.interrupts.control(0).unwrap_or_default(),
        Register::DynCtln(n) => model.interrupts.control(n + 1).unwrap_or_default(),
        Register::Itr0(itr) => model.interrupts.interval(0, itr).map_or(0, u32::from),
        Register::Itrn { index, vector } => model.interrupts.interval(vector + 1, index).map_or(0, u32::from),
        _ => model.plain.get(&register.offset()).copied().unwrap_or_default(),
    }
}

/// Writes the register at an offset. What is hidden does not hear it.
pub(crate) fn write(model: &mut Model, offset: u32, value: u32) {
    let dropped = model.strike(Site::Write(offset)) == Some(Act::Drop);
    if dropped || model.veiled().is_some() {
        return;
    }
    match Register::at(offset) {
        Some(register) if !model.resets.is_under_way() => set(model, register, value),
        _ => model.odd(offset, value),
    }
}

fn set(model: &mut Model, register: Register, value: u32) {
    let Model { mailbox, .. } = model;
    match register {
        Register::Rstat | Register::Icr0 => model.odd(register.offset(), value),
        Register::AtqHead => mailbox.atq.places.set_head(value),
        Register::AtqTail => {
            mailbox.atq.places.set_tail(value);
            mailbox::kicked(model);
        }
        Register::AtqLen => {
            if mailbox.atq.places.set_len(value) {
                mailbox.opened();
            }
        }
        Register::AtqBal => mailbox.atq.low = value,
        Register::AtqBah => mailbox.atq.high = value,
        Register::ArqHead => mailbox.arq.places.set_head(value),
        Register::ArqTail => {
            mailbox.arq.places.set_tail(value);
            mailbox::buffers_given(model);
        }
        Register::ArqLen => {
            mailbox.arq.places.set_len(value);
        }
        Register::ArqBal => mailbox.arq.low = value,
        Register::ArqBah => mailbox.arq.high = value,
        Register::Icr0Ena => interrupt::write_icr0_ena(model, value),
        Register::DynCtl0 => interrupt::write_control(model, 0, value),
        Register::DynCtln(n) => interrupt::write_control(model, n + 1, value),
        Register::Itr0(itr) => model.interrupts.set_interval(0, itr, value),
        Register::Itrn { index, vector } => model.interrupts.set_interval(vector + 1, index, value),
        Register::QrxTail(queue) => tail(model, register, Direction::Rx, queue, value),
        Register::QtxTail(queue) => tail(model, register, Direction::Tx, queue, value),
        Register::StatCtl0 | Register::Hena(_) | Register::Hkey(_) | Register::Hlut(_) => {
            model.plain.insert(register.offset(), value);
        }
    }
}

fn tail(model: &mut Model, register: Register, direction: Direction, queue: u16, value: u32) {
    model.plain.insert(register.offset(), value);
    datapath::tail_written(model, direction, queue, value);
}

impl Model {
    fn odd(&mut self, offset: u32, value: u32) {
        self.odd_writes += 1;
        self.note(Note::Odd(offset, value));
    }
}
