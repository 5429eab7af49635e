//! Capture files in pcap's own format (draft-ietf-opsawg-pcap), nanosecond form.

use std::io::{self, Read, Write};

const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const SNAP_LEN: u32 = 262_144;
const NANOS: u64 = 1_000_000_000;

/// Writes frames as a capture.
#[derive(Debug)]
pub struct PcapWriter<W> {
    to: W,
}

impl<W: Write> PcapWriter<W> {
    /// Begins an Ethernet capture.
    ///
    /// # Errors
    /// When `to` does not take the file header.
    pub fn new(to: W) -> io::Result<Self> {
        Self::with_link(to, 1)
    }

    /// Begins a capture of another link type.
    ///
    /// # Errors
    /// When `to` does not take the file header.
    pub fn with_link(mut to: W, link: u16) -> io::Result<Self> {
        let mut header = [0; 24];
        header[..4].copy_from_slice(&MAGIC_NANOS.to_le_bytes());
        header[4..6].copy_from_slice(&2u16.to_le_bytes());
        header[6..8].copy_from_slice(&4u16.to_le_bytes());
        header[16..20].copy_from_slice(&SNAP_LEN.to_le_bytes());
        header[20..24].copy_from_slice(&u32::from(link).to_le_bytes());
        to.write_all(&header)?;
        Ok(Self { to })
    }

    /// Writes one whole frame, seen `nanos` after 1970.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn write(&mut self, nanos: u64, frame: &[u8]) -> io::Result<()> {
        self.write_cut(nanos, frame, frame.len())
    }

    /// Writes a frame of which only `frame` was kept out of `wire_len` bytes.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn write_cut(&mut self, nanos: u64, frame: &[u8], wire_len: usize) -> io::Result<()> {
        let mut record = [0; 16];
        record[..4].copy_from_slice(&((nanos / NANOS) as u32).to_le_bytes());
        record[4..8].copy_from_slice(&((nanos % NANOS) as u32).to_le_bytes());
        record[8..12].copy_from_slice(&(frame.len() as u32).to_le_bytes());
        record[12..].copy_from_slice(&(wire_len as u32).to_le_bytes());
        self.to.write_all(&record)?;
        self.to.write_all(frame)
    }

    /// Ends the capture and gives the output back, flushed.
    ///
    /// # Errors
    /// When flushing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}

/// Reads frames of a little-endian pcap, for transmitting them again.
#[derive(Debug)]
pub struct PcapReader<R> {
    from: R,
    scale: u64,
    link: u16,
}

impl<R: Read> PcapReader<R> {
    /// Opens a capture.
    ///
    /// # Errors
    /// When reading fails, or the bytes are no little-endian pcap.
    pub fn new(mut from: R) -> io::Result<Self> {
        let mut header = [0; 24];
        from.read_exact(&mut header)?;
        let scale = match le32(&header, 0) {
            MAGIC_NANOS => 1,
            MAGIC_MICROS => 1000,
            other => {
                let text = format!("not a little-endian pcap: its first four bytes read {other:#010x}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        };
        Ok(Self { from, scale, link: le32(&header, 20) as u16 })
    }

    /// Link type of its frames, as libpcap numbers them.
    #[must_use]
    pub const fn link(&self) -> u16 {
        self.link
    }

    /// Puts the next frame into `frame` and gives its time; `None` at the end.
    ///
    /// # Errors
    /// When reading fails, or a record claims to be larger than any frame.
    pub fn read(&mut self, frame: &mut Vec<u8>) -> io::Result<Option<u64>> {
        let mut record = [0; 16];
        match self.from.read_exact(&mut record) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let len = le32(&record, 8);
        if len > SNAP_LEN {
            let text = format!("a record claims {len} bytes, more than {SNAP_LEN}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        frame.resize(len as usize, 0);
        self.from.read_exact(frame)?;
        Ok(Some(u64::from(le32(&record, 0)) * NANOS + u64::from(le32(&record, 4)) * self.scale))
    }
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = PcapWriter::new(Vec::new()).unwrap();
        writer.write(1_700_000_000_123_456_789, b"one").unwrap();
        writer.write_cut(1_700_000_001_000_000_000, b"two", 1500).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes.len(), 24 + 2 * (16 + 3));

        let mut reader = PcapReader::new(bytes.as_slice()).unwrap();
        let mut frame = Vec::new();
        assert_eq!(reader.link(), 1);
        assert_eq!(reader.read(&mut frame).unwrap(), Some(1_700_000_000_123_456_789));
        assert_eq!(frame, b"one");
        assert_eq!(reader.read(&mut frame).unwrap(), Some(1_700_000_001_000_000_000));
        assert_eq!(reader.read(&mut frame).unwrap(), None);
    }

    #[test]
    fn other_bytes_are_refused() {
        let error = PcapReader::new([0u8; 24].as_slice()).unwrap_err();
        assert!(error.to_string().contains("0x00000000"), "{error}");
    }
}
