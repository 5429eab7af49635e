//! Frames copied for one worker: their bytes in one run of memory.

use frame::{Checksum, Frame, LinkType, TapId, Timestamp, VlanTag};

/// What a frame is without its bytes.
#[derive(Clone, Copy, Debug)]
struct Head {
    begin: usize,
    end: usize,
    wire_len: u32,
    time: Timestamp,
    number: u64,
    link: LinkType,
    vlan: Option<VlanTag>,
    checksum: Checksum,
    tap: TapId,
}

/// A run of frames.
#[derive(Debug, Default)]
pub(super) struct Hand {
    bytes: Vec<u8>,
    heads: Vec<Head>,
}

impl Hand {
    pub(super) fn add(&mut self, frame: &Frame<'_>) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(frame.data);
        let Frame { wire_len, time, number, link, vlan, checksum, tap, .. } = *frame;
        self.heads.push(Head {
            begin,
            end: self.bytes.len(),
            wire_len,
            time,
            number,
            link,
            vlan,
            checksum,
            tap,
        });
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn len(&self) -> u64 {
        self.heads.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    pub(super) fn frames(&self) -> Vec<Frame<'_>> {
        let lent = |head: &Head| {
            let Head { begin, end, wire_len, time, number, link, vlan, checksum, tap } = *head;
            let data = self.bytes.get(begin..end).unwrap_or_default();
            Frame { data, wire_len, time, number, link, vlan, checksum, tap }
        };
        self.heads.iter().map(lent).collect()
    }
}
