//! Frames of Initial packets (RFC 9000 sections 12.4 and 19): only what may stand in them.

use parse::Cursor;

use super::version::Version;
use super::wire::{counted, varint};

/// What a frame means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A piece of the TLS handshake.
    Crypto {
        /// Its place.
        offset: u64,
        /// The piece.
        data: &'a [u8],
    },
    /// A frame that was cut short.
    Malformed,
}

/// Walks over the frames of a packet and stops at one it does not know, whose length nobody can tell.
#[derive(Clone, Debug)]
pub(super) struct Frames<'a> {
    left: Cursor<'a>,
    crypto: u8,
}

impl<'a> Frames<'a> {
    /// Over an opened payload.
    pub(super) const fn new(version: Version, payload: &'a [u8]) -> Self {
        Self { left: Cursor::new(payload), crypto: version.crypto_frame() }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        const PADDING: u8 = 0x00;
        const PING: u8 = 0x01;
        const ACK: u8 = 0x02;
        const ACK_ECN: u8 = 0x03;
        loop {
            let read = match self.left.u8()? {
                PADDING => {
                    // most of a client's first packet is padding
                    let rest = self.left.rest();
                    let zeros = rest.iter().position(|&byte| byte != PADDING).unwrap_or(rest.len());
                    self.left.skip(zeros)
                }
                PING => continue,
                ACK => acknowledged(&mut self.left),
                ACK_ECN => acknowledged(&mut self.left).and_then(|()| numbers(&mut self.left, 3)),
                number if number == self.crypto => match crypto(&mut self.left) {
                    Some(frame) => return Some(frame),
                    None => None,
                },
                _ => return None,
            };
            if read.is_none() {
                self.left = Cursor::new(&[]);
                return Some(Frame::Malformed);
            }
        }
    }
}

fn crypto<'a>(at: &mut Cursor<'a>) -> Option<Frame<'a>> {
    Some(Frame::Crypto { offset: varint(at)?, data: counted(at)? })
}

/// RFC 9000 section 19.3. Each range takes at least two bytes, so the payload bounds the loop.
fn acknowledged(at: &mut Cursor<'_>) -> Option<()> {
    numbers(at, 2)?;
    let ranges = varint(at)?;
    numbers(at, 1)?;
    for _ in 0..ranges {
        numbers(at, 2)?;
    }
    Some(())
}

fn numbers(at: &mut Cursor<'_>, count: usize) -> Option<()> {
    (0..count).try_for_each(|_| varint(at).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_around_a_piece_of_the_handshake() {
        let payload =
            [0, 0, 1, 2, 9, 0, 1, 0, 3, 3, 3, 5, 0, 0, 1, 1, 1, 1, 6, 0x40, 0x10, 2, 7, 8, 0x1c, 6, 0, 0];
        let frames: Vec<_> = Frames::new(Version::ONE, &payload).collect();
        assert_eq!(frames, [Frame::Crypto { offset: 16, data: &[7, 8] }]);
    }

    #[test]
    fn google_numbers_the_handshake_frame_itself() {
        let frames: Vec<_> = Frames::new(Version(u32::from_be_bytes(*b"T051")), &[8, 0, 1, 7, 0]).collect();
        assert_eq!(frames, [Frame::Crypto { offset: 0, data: &[7] }]);
    }

    #[test]
    fn a_frame_cut_short_ends_the_walk() {
        for payload in [&[6, 0, 3, 1, 2][..], &[2, 9, 0], &[3, 9, 0, 0, 0, 1], &[2, 9, 0, 0xff, 0xff, 0xff]] {
            assert_eq!(
                Frames::new(Version::ONE, payload).collect::<Vec<_>>(),
                [Frame::Malformed],
                "{payload:?}"
            );
        }
    }
}
