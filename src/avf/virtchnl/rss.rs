//! Receive side scaling: key, table, classes, hash function.

use super::Opcode;
use super::headers::Algorithm;
use super::length;
use super::wire::{Malformed, Message, Put, Reader, count_of};

/// CONFIG_RSS_KEY, 5 + n bytes: a header of 4, the key, one byte of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RssKey {
    /// VSI.
    pub vsi: u16,
    /// The key; 52 bytes on every device.
    pub key: Vec<u8>,
}

impl Message for RssKey {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, key) = table(from)?;
        Ok(Self { vsi, key })
    }

    fn write(&self, to: &mut Vec<u8>) {
        put_table(to, self.vsi, &self.key, Opcode::CONFIG_RSS_KEY);
    }
}

/// CONFIG_RSS_LUT, 5 + n bytes: a header of 4, the table, one byte of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RssLut {
    /// VSI.
    pub vsi: u16,
    /// A queue number an entry; as many as [`Resources::rss_lut`](super::Resources::rss_lut).
    pub entries: Vec<u8>,
}

impl Message for RssLut {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (vsi, entries) = table(from)?;
        Ok(Self { vsi, entries })
    }

    fn write(&self, to: &mut Vec<u8>) {
        put_table(to, self.vsi, &self.entries, Opcode::CONFIG_RSS_LUT);
    }
}

fn table(from: &mut Reader<'_>) -> Result<(u16, Vec<u8>), Malformed> {
    let (vsi, count) = (from.u16()?, from.u16()?);
    Ok((vsi, from.bytes(count.into())?.to_vec()))
}

fn put_table(to: &mut Vec<u8>, vsi: u16, table: &[u8], opcode: Opcode) {
    let begin = to.len();
    to.u16(vsi);
    to.u16(count_of(table));
    to.bytes(table);
    length::fill(to, begin, opcode, table.len());
}

/// SET_RSS_HENA and the answer to GET_RSS_HENA_CAPS, 8 bytes: a bit for each class of packets that is hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hena(pub u64);

impl Message for Hena {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.u64().map(Self)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u64(self.0);
    }
}

/// CONFIG_RSS_HFUNC, 8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RssHash {
    /// VSI.
    pub vsi: u16,
    /// The hash function; two bytes of it are sent.
    pub algorithm: Algorithm,
}

impl Message for RssHash {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let this = Self { vsi: from.u16()?, algorithm: Algorithm(from.u16()?.into()) };
        from.skip(4)?;
        Ok(this)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.u16(self.vsi);
        to.u16(u16::try_from(self.algorithm.0).unwrap_or(u16::MAX));
        to.zeros(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_52_has_57_bytes() {
        let sent = RssKey { vsi: 26, key: vec![0x6d; 52] };
        let bytes = sent.encode();
        assert_eq!((bytes.len(), &bytes[..5], bytes[56]), (57, &[26, 0, 52, 0, 0x6d][..], 0));
        assert_eq!(RssKey::decode(&bytes), Ok(sent));
    }

    #[test]
    fn a_table_of_64_has_69_bytes() {
        let sent = RssLut { vsi: 26, entries: (0..64).map(|at| at % 4).collect() };
        let bytes = sent.encode();
        assert_eq!((bytes.len(), &bytes[..8]), (69, &[26, 0, 64, 0, 0, 1, 2, 3][..]));
        assert_eq!(RssLut::decode(&bytes), Ok(sent));
    }

    #[test]
    fn a_length_that_is_not_there_is_refused() {
        assert_eq!(RssKey::decode(&[26, 0, 52, 0, 1]), Err(Malformed::Short { needed: 56, had: 5 }));
    }
}
