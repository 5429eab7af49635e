//! What is sent.

/// Length of the headers that every frame has: Ethernet, IPv4, UDP.
const HEADERS: usize = 14 + 20 + 8;
/// Most conversations: each has an address of its own in 198.18.0.0/16.
const MOST_FLOWS: u32 = 65_536;

/// What frames look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Length of a frame with its four bytes of checksum, as Ethernet counts: 64 to 9018.
    pub length: u16,
    /// Conversations alive at once.
    pub flows: u32,
}

impl Shape {
    /// Bytes that are handed over: without the checksum, which a veth pair does not have.
    #[must_use]
    pub fn bytes(self) -> usize {
        usize::from(self.length).saturating_sub(4).max(HEADERS)
    }

    /// Conversations that there are: the addresses end.
    pub(super) fn conversations(self) -> u32 {
        self.flows.clamp(1, MOST_FLOWS)
    }
}

/// One frame that is rewritten for every conversation in turn.
#[derive(Debug)]
pub(super) struct Frames {
    flows: u32,
    next: u32,
    step: u32,
}

impl Frames {
    /// Frames `from`, `from + step`, ... of a shape, so that several senders share its conversations.
    pub(super) fn new(shape: Shape, from: u32, step: u32) -> Self {
        Self { flows: shape.conversations(), next: from, step }
    }

    /// A frame with everything that does not change.
    pub(super) fn template(shape: Shape) -> Vec<u8> {
        let mut frame = vec![0; shape.bytes()];
        let total = u16::try_from(frame.len() - 14).unwrap_or(u16::MAX);
        let head: [u8; 24] = [
            2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08,
            0x00, // Ethernet: locally administered addresses, IPv4
            0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, // IPv4: no options, not fragmented, 64 hops, UDP
        ];
        put(&mut frame, 0, &head);
        put(&mut frame, 16, &total.to_be_bytes());
        put(&mut frame, 38, &(total - 20).to_be_bytes());
        frame
    }

    /// Makes `frame` the next one: one direction of a conversation, then the other.
    pub(super) fn write(&mut self, frame: &mut [u8]) {
        let flow = (self.next / 2) % self.flows;
        let back = self.next % 2 == 1;
        self.next = self.next.wrapping_add(self.step);
        let [.., high, low] = flow.to_be_bytes();
        let ends = [([198, 18, high, low], 40_000_u16), ([198, 19, 0, 1], 5_001)];
        let [from, to] = if back { [ends[1], ends[0]] } else { ends };
        put(frame, 26, &from.0);
        put(frame, 30, &to.0);
        put(frame, 34, &from.1.to_be_bytes());
        put(frame, 36, &to.1.to_be_bytes());
        put(frame, 24, &[0, 0]);
        let sum = checksum(frame.get(14..34).unwrap_or_default());
        put(frame, 24, &sum.to_be_bytes());
    }
}

fn put(frame: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = frame.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(header: &[u8]) -> u16 {
    let words = header.as_chunks::<2>().0.iter().map(|word| u32::from(u16::from_be_bytes(*word)));
    let sum = words.sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded & 0xffff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_of_every_conversation_come_in_turn() {
        let shape = Shape { length: 64, flows: 3 };
        let mut frames = Frames::new(shape, 0, 1);
        let mut frame = Frames::template(shape);
        assert_eq!(frame.len(), 60);
        let mut pairs = Vec::new();
        for _ in 0..8 {
            frames.write(&mut frame);
            pairs.push((frame[26..30].to_vec(), frame[30..34].to_vec()));
        }
        assert_eq!(pairs[0], (pairs[1].1.clone(), pairs[1].0.clone()));
        assert_eq!(pairs[0], pairs[6]);
        assert_ne!(pairs[0].0, pairs[2].0);
    }

    #[test]
    fn the_header_checksum_verifies() {
        let shape = Shape { length: 1518, flows: 1000 };
        let mut frames = Frames::new(shape, 77, 2);
        let mut frame = Frames::template(shape);
        frames.write(&mut frame);
        assert_eq!(checksum(&frame[14..34]), 0);
        assert_eq!((frame[16], frame[17]), (5, 220));
    }
}
