//! Frames out of a capture file.

use std::fmt;
use std::fs::File;
use std::path::Path;

use pcap_parser::traits::{PcapNGPacketBlock as _, PcapReaderIterator};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

/// Bytes read ahead: the longest frame of any capture, many times.
const AHEAD: usize = 1 << 20;

/// Ethernet frames of a pcap or pcapng file, in its order.
pub struct Capture {
    reader: Box<dyn PcapReaderIterator + Send>,
    /// Link types of the interfaces of this section.
    links: Vec<Linktype>,
    /// Packets passed over because they are not Ethernet.
    pub foreign: u64,
    /// Why it ended before its end.
    pub broken: Option<String>,
}

impl Capture {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be read or is no capture.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let reader = create_reader(AHEAD, file).map_err(|error| format!("{}: {error:?}", path.display()))?;
        Ok(Self { reader, links: Vec::new(), foreign: 0, broken: None })
    }

    /// The frame of a block, if it is one.
    fn frame(links: &mut Vec<Linktype>, foreign: &mut u64, block: &PcapBlockOwned<'_>) -> Option<Vec<u8>> {
        let (link, bytes) = match block {
            PcapBlockOwned::LegacyHeader(header) => {
                *links = vec![header.network];
                return None;
            }
            PcapBlockOwned::Legacy(packet) => (links.first().copied(), packet.data),
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                links.clear();
                return None;
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                links.push(interface.linktype);
                return None;
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let interface = usize::try_from(packet.if_id).unwrap_or(usize::MAX);
                (links.get(interface).copied(), packet.packet_data())
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => (links.first().copied(), packet.packet_data()),
            PcapBlockOwned::NG(_) => return None,
        };
        let ethernet = link == Some(Linktype::ETHERNET);
        *foreign += u64::from(!ethernet);
        ethernet.then(|| bytes.to_vec())
    }
}

impl Iterator for Capture {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        while self.broken.is_none() {
            match self.reader.next() {
                Ok((bytes, block)) => {
                    let frame = Self::frame(&mut self.links, &mut self.foreign, &block);
                    self.reader.consume(bytes);
                    if frame.is_some() {
                        return frame;
                    }
                }
                Err(PcapError::Eof) => return None,
                Err(PcapError::Incomplete(_)) => {
                    if let Err(error) = self.reader.refill() {
                        self.broken = Some(format!("{error:?}"));
                    }
                }
                Err(error) => self.broken = Some(format!("{error:?}")),
            }
        }
        None
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capture({} foreign, broken {:?})", self.foreign, self.broken)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn capture(bytes: &[u8]) -> Result<Capture, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("room");
        Capture::open(file.path())
    }

    fn legacy(link: u32, frames: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, link] {
            bytes.extend(word.to_le_bytes());
        }
        for frame in frames {
            let len = u32::try_from(frame.len()).expect("short");
            [1, 0, len, len].iter().for_each(|word: &u32| bytes.extend(word.to_le_bytes()));
            bytes.extend(*frame);
        }
        bytes
    }

    #[test]
    fn frames_come_in_their_order() {
        let frames: Vec<_> = capture(&legacy(1, &[&[1; 60], &[2; 61]])).expect("a capture").collect();
        assert_eq!(frames, [vec![1; 60], vec![2; 61]]);
    }

    #[test]
    fn what_is_not_ethernet_is_passed_over_and_counted() {
        let mut capture = capture(&legacy(101, &[&[0x45; 60]])).expect("a capture");
        assert_eq!((capture.next(), capture.foreign), (None, 1));
    }

    #[test]
    fn a_torn_file_ends_and_says_so() {
        let whole = legacy(1, &[&[1; 60], &[2; 61]]);
        let mut capture = capture(&whole[..whole.len() - 10]).expect("a capture");
        assert_eq!(capture.by_ref().count(), 1);
        assert!(capture.broken.is_some());
        assert!(self::capture(b"no capture at all, to be sure").is_err());
    }
}
