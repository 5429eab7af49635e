//! The admin queue's descriptor: what carries a message between a function and its physical function
//! (AVF specification, mailbox; virtchnl transport).

use std::fmt;

use bitflags::bitflags;

use crate::code::codes;
use crate::virtchnl::{Opcode, Status};

/// Bytes of a descriptor.
pub const DESCRIPTOR_BYTES: usize = 32;

/// Descriptors of either ring, as every driver has it. The register has ten bits for it.
pub const RING_LENGTH: u16 = 32;

/// Bytes of each descriptor's buffer, and the longest payload a physical function takes.
pub const BUFFER_BYTES: u16 = 4096;

/// Payloads and buffers longer than this carry [`Flags::LB`].
pub const LARGE: u16 = 512;

bitflags! {
    /// A descriptor's flags. Unknown bits survive.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u16 {
        /// Descriptor done: written back.
        const DD = 0x0001;
        /// Completed: the command was carried out.
        const CMP = 0x0002;
        /// The command failed; the return value says how.
        const ERR = 0x0004;
        /// A virtual function did what it may not.
        const VFE = 0x0008;
        /// The buffer is longer than 512 bytes.
        const LB = 0x0200;
        /// The device reads the buffer.
        const RD = 0x0400;
        /// From a virtual function.
        const VFC = 0x0800;
        /// There is a buffer.
        const BUF = 0x1000;
        /// No interrupt when it completes.
        const SI = 0x2000;
        /// Interrupt on error.
        const EI = 0x4000;
        /// Flush on error.
        const FE = 0x8000;
        const _ = !0;
    }
}

codes! {
    /// What a descriptor asks of the transport. A virtual function may use no other.
    Command(u16) {
        QUEUE_SHUTDOWN = 0x0003, "The driver closes the queue; parameter 0, bit 0: it unloads.";
        SEND_TO_PF = 0x0801, "A message to the physical function.";
        SEND_TO_VF = 0x0802, "A message from the physical function.";
        SET_RSS_KEY = 0x0b02, "RSS key, of an X722 that granted RSS_AQ.";
        SET_RSS_LUT = 0x0b03, "RSS table, of an X722 that granted RSS_AQ.";
    }
}

codes! {
    /// What the transport answered. The message's own [`Status`] is another number.
    Retval(u16) {
        OK = 0, "Carried out.";
        EPERM = 1, "Not permitted.";
        ENOENT = 2, "No such element.";
        ESRCH = 3, "Bad opcode.";
        EIO = 5, "Input or output failed.";
        ENXIO = 6, "No such resource.";
        E2BIG = 7, "Argument too long.";
        EAGAIN = 8, "Try again.";
        ENOMEM = 9, "No memory.";
        EACCES = 10, "Access denied.";
        EFAULT = 11, "Bad address.";
        EBUSY = 12, "Busy.";
        EEXIST = 13, "Exists already.";
        EINVAL = 14, "Invalid argument.";
        ENOSPC = 16, "No space left.";
        ENOSYS = 17, "Not implemented.";
        ERANGE = 18, "Out of range.";
        EFLUSHED = 19, "Flushed because an earlier command failed.";
        BAD_ADDR = 20, "Bad address in the descriptor.";
        EMODE = 21, "Not allowed in this mode.";
        EFBIG = 22, "Too long.";
    }
}

/// One descriptor, 32 bytes. Fields are as they lie in memory, the two halves of the address put together.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// Offset 0.
    pub flags: Flags,
    /// Offset 2.
    pub command: Command,
    /// Offset 4: bytes of the payload; in a posted receive descriptor, of the buffer.
    pub datalen: u16,
    /// Offset 6: return value of the transport. The physical function finds the function's number here.
    pub retval: Retval,
    /// Offset 8, cookie high: the message's opcode.
    pub opcode: Opcode,
    /// Offset 12, cookie low: the message's status, 0 in requests.
    pub status: Status,
    /// Offset 16.
    pub param0: u32,
    /// Offset 20.
    pub param1: u32,
    /// Offsets 24 (high half) and 28 (low half): device address of the buffer.
    pub address: u64,
}

impl Descriptor {
    /// A message to the physical function, its payload at `address`; 0 bytes mean no buffer.
    #[must_use]
    pub fn message(opcode: Opcode, datalen: u16, address: u64) -> Self {
        let (buffer, address) = if datalen == 0 {
            (Flags::empty(), 0)
        } else {
            (Flags::BUF | Flags::RD | large(datalen), address)
        };
        Self {
            flags: Flags::SI | buffer,
            command: Command::SEND_TO_PF,
            datalen,
            opcode,
            address,
            ..Self::default()
        }
    }

    /// The driver's last word: it unloads.
    #[must_use]
    pub fn shutdown() -> Self {
        Self { flags: Flags::SI, command: Command::QUEUE_SHUTDOWN, param0: 1, ..Self::default() }
    }

    /// An empty receive descriptor: a buffer of `bytes` at `address` that a message may be written into.
    #[must_use]
    pub fn prefill(address: u64, bytes: u16) -> Self {
        Self { flags: Flags::BUF | large(bytes), datalen: bytes, address, ..Self::default() }
    }

    /// What the device writes back over a sent descriptor; the rest of it stays.
    #[must_use]
    pub fn completed(mut self, retval: Retval) -> Self {
        let failed = if retval == Retval::OK { Flags::empty() } else { Flags::ERR };
        self.flags |= Flags::DD | Flags::CMP | failed;
        self.retval = retval;
        self
    }

    /// What the device writes back over a receive descriptor when a message of `datalen` bytes came; the buffer's
    /// address stays.
    #[must_use]
    pub fn delivered(self, opcode: Opcode, status: Status, datalen: u16) -> Self {
        let buffer = if datalen == 0 { Flags::empty() } else { Flags::BUF | large(datalen) };
        Self {
            flags: Flags::DD | Flags::CMP | buffer,
            command: Command::SEND_TO_VF,
            datalen,
            opcode,
            status,
            address: self.address,
            ..Self::default()
        }
    }

    /// From 32 bytes of memory.
    #[must_use]
    pub fn from_bytes(bytes: [u8; DESCRIPTOR_BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let mut each = words.iter().map(|word| u64::from_le_bytes(*word));
        Self::from_words(std::array::from_fn(|_| each.next().unwrap_or_default()))
    }

    /// As 32 bytes of memory.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; DESCRIPTOR_BYTES] {
        let mut bytes = [0; DESCRIPTOR_BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, word) in chunks.iter_mut().zip(self.to_words()) {
            *chunk = word.to_le_bytes();
        }
        bytes
    }

    /// From four words of memory, as numbers; flags and return value lie in the first.
    #[must_use]
    pub fn from_words(words: [u64; 4]) -> Self {
        let [first, cookie, params, address] = words;
        let [f0, f1, c0, c1, l0, l1, r0, r1] = first.to_le_bytes();
        let (opcode, status) = halves(cookie);
        let (param0, param1) = halves(params);
        Self {
            flags: Flags::from_bits_retain(u16::from_le_bytes([f0, f1])),
            command: Command(u16::from_le_bytes([c0, c1])),
            datalen: u16::from_le_bytes([l0, l1]),
            retval: Retval(u16::from_le_bytes([r0, r1])),
            opcode: Opcode(opcode),
            status: Status(status.cast_signed()),
            param0,
            param1,
            address: address.rotate_left(32),
        }
    }

    /// As four words of memory. The first goes last where the other side looks for DD.
    #[must_use]
    pub fn to_words(&self) -> [u64; 4] {
        let shorts = [self.flags.bits(), self.command.0, self.datalen, self.retval.0];
        let first = shorts.iter().rev().fold(0, |word, short| word << 16 | u64::from(*short));
        let cookie = u64::from(self.status.0.cast_unsigned()) << 32 | u64::from(self.opcode.0);
        let params = u64::from(self.param1) << 32 | u64::from(self.param0);
        [first, cookie, params, self.address.rotate_left(32)]
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}, {} bytes", self.command, self.opcode, self.status, self.datalen)?;
        write!(f, " at {:#x}, {:?}, retval {}", self.address, self.flags, self.retval)
    }
}

fn large(bytes: u16) -> Flags {
    if bytes > LARGE { Flags::LB } else { Flags::empty() }
}

/// Low half, high half.
const fn halves(word: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_lies_in_memory_as_the_specification_draws_it() {
        let bytes = Descriptor::message(Opcode::CONFIG_VSI_QUEUES, 200, 0x1_2345_6000).to_bytes();
        #[rustfmt::skip]
        assert_eq!(bytes, [
            0x00, 0x34, 0x01, 0x08, 200, 0, 0, 0,
            6, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0,
            1, 0, 0, 0, 0x00, 0x60, 0x45, 0x23,
        ]);
    }

    #[test]
    fn payloads_over_512_bytes_are_marked() {
        assert!(!Descriptor::message(Opcode::ADD_RSS_CFG, 512, 1).flags.contains(Flags::LB));
        assert!(Descriptor::message(Opcode::ADD_RSS_CFG, 513, 1).flags.contains(Flags::LB));
        assert_eq!(Descriptor::prefill(0, BUFFER_BYTES).flags, Flags::BUF | Flags::LB);
    }

    #[test]
    fn a_message_without_payload_has_no_buffer() {
        let sent = Descriptor::message(Opcode::RESET_VF, 0, 0x1000);
        assert_eq!((sent.flags, sent.address), (Flags::SI, 0));
    }

    #[test]
    fn a_status_is_signed() {
        let came = Descriptor::prefill(0x7000, 4096).delivered(Opcode(999), Status::ERR_PARAM, 0);
        assert_eq!(came.to_bytes()[12..16], [0xfb, 0xff, 0xff, 0xff]);
        assert_eq!(Descriptor::from_bytes(came.to_bytes()), came);
        assert!(came.flags.contains(Flags::DD) && !came.flags.contains(Flags::BUF));
    }

    #[test]
    fn any_32_bytes_survive() {
        let bytes = std::array::from_fn(|at| (at * 37 + 11) as u8);
        assert_eq!(Descriptor::from_bytes(bytes).to_bytes(), bytes);
        let words = [u64::MAX, 0, u64::MAX, 0x0123_4567_89ab_cdef];
        assert_eq!(Descriptor::from_words(words).to_words(), words);
    }

    #[test]
    fn a_failed_command_says_so() {
        let back = Descriptor::message(Opcode::VERSION, 8, 0x1000).completed(Retval::ENOSYS);
        assert!(back.flags.contains(Flags::DD | Flags::CMP | Flags::ERR));
        assert_eq!((back.opcode, back.retval.to_string().as_str()), (Opcode::VERSION, "ENOSYS (17)"));
        assert_eq!(Retval(99).to_string(), "unknown (99)");
    }
}
