//! CONFIG_IRQ_MAP.

use super::Opcode;
use super::length;
use super::wire::{Malformed, Message, Put, Reader, count_of, layout};

/// Queues of one vector, 12 bytes. Bit q is queue q.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VectorMap {
    /// VSI.
    pub vsi: u16,
    /// Vector of the function; 0 is that of the mailbox.
    pub vector: u16,
    /// Receive queues.
    pub rx: u16,
    /// Transmit queues.
    pub tx: u16,
    /// Which of the three throttles receive queues use, 0 to 2.
    pub rx_itr: u16,
    /// The same for transmit queues.
    pub tx_itr: u16,
}

layout! { VectorMap {
    vsi: u16;
    vector: u16;
    rx: u16;
    tx: u16;
    rx_itr: u16;
    tx_itr: u16;
} }

/// CONFIG_IRQ_MAP, 14 + 12n bytes: a count of 2, the maps, and one map's worth of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IrqMap {
    /// One for each vector.
    pub vectors: Vec<VectorMap>,
}

impl Message for IrqMap {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = from.u16()?;
        Ok(Self { vectors: from.list(count)? })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let begin = to.len();
        to.u16(count_of(&self.vectors));
        to.list(&self.vectors);
        length::fill(to, begin, Opcode::CONFIG_IRQ_MAP, self.vectors.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_vectors_have_50_bytes() {
        let map = |vector, rx| VectorMap { vsi: 26, vector, rx, tx: rx, rx_itr: 0, tx_itr: 1 };
        let sent = IrqMap { vectors: vec![map(1, 1), map(2, 2), map(0, 0)] };
        let bytes = sent.encode();
        assert_eq!(bytes.len(), 50);
        assert_eq!(bytes[..14], [3, 0, 26, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0]);
        assert_eq!(bytes[38..], [0; 12]);
        assert_eq!(IrqMap::decode(&bytes), Ok(sent));
    }
}
