//! A block of the ring as bytes: `struct tpacket_block_desc` and `struct tpacket3_hdr` of `linux/if_packet.h`.

use frame::{Checksum, Timestamp, VlanTag};

/// Lengths of a block's header, of a packet's header, and of the address behind the latter.
pub(super) const BLOCK_HEADER: usize = 48;
const PACKET_HEADER: usize = 48;
const ADDRESS: usize = 20;

/// Offsets in the block's header.
const NUM_PKTS: usize = 12;
const FIRST_PKT: usize = 16;
pub(super) const BLK_LEN: usize = 20;

/// Bits of a packet's status.
const CSUM_NOT_READY: u32 = 1 << 3;
const VLAN_VALID: u32 = 1 << 4;
const VLAN_TPID_VALID: u32 = 1 << 6;
const CSUM_VALID: u32 = 1 << 7;
const TS_RAW_HARDWARE: u32 = 1 << 31;

/// The tag protocol of a tag that does not say.
const DOT1Q: u16 = 0x8100;

/// One packet of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) data: &'a [u8],
    pub(super) wire_len: u32,
    pub(super) time: Timestamp,
    pub(super) vlan: Option<VlanTag>,
    pub(super) checksum: Checksum,
    /// The time is the NIC's.
    pub(super) from_nic: bool,
}

/// A place in a block: offset of the next packet, and how many there are from it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    at: usize,
    pub(super) left: u32,
}

impl Place {
    /// The first packet of a block.
    pub(super) fn first(block: &[u8]) -> Self {
        let left = u32_at(block, NUM_PKTS).unwrap_or_default();
        Self { at: u32_at(block, FIRST_PKT).unwrap_or_default() as usize, left }
    }

    /// The packet here, and one step on; nothing at the end. A packet that does not lie within the block ends it:
    /// the packets left are then those that nobody saw.
    #[inline]
    pub(super) fn next<'a>(&mut self, block: &'a [u8]) -> Option<Packet<'a>> {
        if self.left == 0 {
            return None;
        }
        let rest = block.get(self.at..)?;
        let header = rest.first_chunk::<{ PACKET_HEADER + ADDRESS }>()?;
        let word = |at| u32_at(header, at).unwrap_or_default();
        let begin = usize::from(u16_at(header, 24)?);
        let data = rest.get(begin..begin + word(12) as usize)?;
        let next = word(0) as usize;
        self.left -= 1;
        if self.left > 0 && next < PACKET_HEADER {
            // The chain ends before the count does; the place is left where nothing can be read.
            self.at = usize::MAX;
        } else {
            self.at += next;
        }
        let status = word(20);
        Some(Packet {
            data,
            wire_len: word(16),
            time: Timestamp::new(u64::from(word(4)), word(8)),
            vlan: tag(status, word(32), u16_at(header, 36)?),
            checksum: checksum(status),
            from_nic: status & TS_RAW_HARDWARE != 0,
        })
    }
}

/// The tag that the kernel took out. A tag of all zeros is one too: only the status tells.
fn tag(status: u32, tci: u32, tpid: u16) -> Option<VlanTag> {
    let known = status & VLAN_TPID_VALID != 0;
    (status & VLAN_VALID != 0).then(|| VlanTag {
        tpid: if known { tpid } else { DOT1Q },
        tci: u16::try_from(tci & 0xffff).unwrap_or_default(),
    })
}

fn checksum(status: u32) -> Checksum {
    match status {
        s if s & CSUM_NOT_READY != 0 => Checksum::Partial,
        s if s & CSUM_VALID != 0 => Checksum::Good,
        _ => Checksum::Unknown,
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of two packets, as the kernel lays them out.
    fn block() -> Vec<u8> {
        let mut block = vec![0; BLOCK_HEADER];
        block[NUM_PKTS..NUM_PKTS + 4].copy_from_slice(&2_u32.to_ne_bytes());
        block[FIRST_PKT..FIRST_PKT + 4].copy_from_slice(&48_u32.to_ne_bytes());
        for (i, data) in [&b"first"[..], b"second"].into_iter().enumerate() {
            let mut packet = vec![0; 82];
            let words = [
                (0, if i == 0 { 96 } else { 0 }),
                (4, 7),
                (8, 9),
                (12, u32::try_from(data.len()).unwrap()),
                (16, 60),
                (
                    20,
                    if i == 0 {
                        VLAN_VALID | CSUM_NOT_READY
                    } else {
                        VLAN_VALID | VLAN_TPID_VALID | CSUM_VALID | TS_RAW_HARDWARE
                    },
                ),
                (32, if i == 0 { 0 } else { 0xa005 }),
            ];
            for (at, word) in words {
                packet[at..at + 4].copy_from_slice(&word.to_ne_bytes());
            }
            packet[24..26].copy_from_slice(&82_u16.to_ne_bytes());
            packet[36..38].copy_from_slice(&0x88a8_u16.to_ne_bytes());
            packet.extend(data);
            packet.resize(96, 0);
            block.extend(packet);
        }
        let len = u32::try_from(block.len()).unwrap();
        block[BLK_LEN..BLK_LEN + 4].copy_from_slice(&len.to_ne_bytes());
        block
    }

    #[test]
    fn packets_with_tag_and_checksum() {
        let block = block();
        let mut place = Place::first(&block);
        let first = place.next(&block).unwrap();
        assert_eq!((first.data, first.wire_len, first.time), (&b"first"[..], 60, Timestamp::new(7, 9)));
        assert_eq!((first.vlan, first.checksum), (Some(VlanTag { tpid: 0x8100, tci: 0 }), Checksum::Partial));
        let second = place.next(&block).unwrap();
        assert_eq!((second.data, second.from_nic, first.from_nic), (&b"second"[..], true, false));
        assert_eq!(
            (second.vlan, second.checksum),
            (Some(VlanTag { tpid: 0x88a8, tci: 0xa005 }), Checksum::Good)
        );
        assert_eq!(place.next(&block), None);
        assert_eq!(place.left, 0);
    }

    #[test]
    fn whatever_a_block_claims_the_walk_ends_inside_it() {
        let whole = block();
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut block = whole.clone();
                block[at] = value;
                let mut place = Place::first(&block);
                let mut seen = 0;
                while place.next(&block).is_some() {
                    seen += 1;
                    assert!(seen <= block.len() / PACKET_HEADER, "byte {at} set to {value}");
                }
            }
        }
        for len in 0..whole.len() {
            let mut place = Place::first(&whole[..len]);
            while place.next(&whole[..len]).is_some() {}
        }
    }
}
