//! Captures in pcap's own format, either byte order, to take apart and put together again.

use world::PcapWriter;

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub nanos: u64,
    /// What was captured.
    pub bytes: Vec<u8>,
    /// How long it was.
    pub wire_len: usize,
}

/// A capture.
#[derive(Clone, Debug)]
pub struct Classic {
    /// Link type.
    pub link: u16,
    /// Its packets.
    pub packets: Vec<Packet>,
}

impl Classic {
    /// Reads as many packets as are whole; `None` when it is another format.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let magic = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
        let (big, scale) = match magic {
            0xa1b2_c3d4 => (false, 1000),
            0xa1b2_3c4d => (false, 1),
            0xd4c3_b2a1 => (true, 1000),
            0x4d3c_b2a1 => (true, 1),
            _ => return None,
        };
        let number = |at: usize| {
            let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
        };
        let link = (number(20)? & 0xffff) as u16;
        let mut packets = Vec::new();
        let mut at = 24;
        while let (Some(seconds), Some(part), Some(len), Some(wire)) =
            (number(at), number(at + 4), number(at + 8), number(at + 12))
        {
            let Some(data) = bytes.get(at + 16..at + 16 + len as usize) else { break };
            let nanos = u64::from(seconds) * 1_000_000_000 + u64::from(part) * scale;
            packets.push(Packet { nanos, bytes: data.to_vec(), wire_len: wire as usize });
            at += 16 + len as usize;
        }
        Some(Self { link, packets })
    }

    /// Writes it.
    ///
    /// # Panics
    /// Never: memory takes everything.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = PcapWriter::with_link(Vec::new(), self.link).expect("memory");
        for packet in &self.packets {
            out.write_cut(packet.nanos, &packet.bytes, packet.wire_len).expect("memory");
        }
        out.finish().expect("memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let packets = vec![
            Packet { nanos: 1_700_000_000_123_456_789, bytes: vec![1, 2, 3], wire_len: 60 },
            Packet { nanos: 1_700_000_001_000_000_000, bytes: vec![], wire_len: 0 },
        ];
        let capture = Classic { link: 101, packets };
        let read = Classic::parse(&capture.write()).expect("a capture");
        assert_eq!((read.link, read.packets), (101, capture.packets));
    }

    #[test]
    fn other_formats_are_not_ours() {
        assert!(Classic::parse(&[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0]).is_none());
    }
}
