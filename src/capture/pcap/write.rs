//! Writing captures: pcap with nanoseconds, and pcapng.

use std::io::{self, Write};

use frame::{Frame, LinkType};

/// Snapshot length that is written: libpcap's largest.
const SNAPLEN: u32 = 262_144;

/// Writes frames as a capture. Buffer what it writes to.
#[derive(Debug)]
pub struct Writer<W: Write> {
    to: W,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Pcap(LinkType),
    /// The interfaces described so far: link type and tap.
    Pcapng(Vec<(LinkType, u16)>),
}

impl<W: Write> Writer<W> {
    /// A pcap file with nanoseconds, for frames of one link type.
    ///
    /// # Errors
    /// When `to` refuses its header.
    pub fn pcap(mut to: W, link: LinkType) -> io::Result<Self> {
        to.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
        to.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        to.write_all(&SNAPLEN.to_le_bytes())?;
        to.write_all(&u32::from(link.0).to_le_bytes())?;
        Ok(Self { to, form: Form::Pcap(link) })
    }

    /// A pcapng file with nanoseconds, for frames of any link type and tap; each pair is an interface of its own.
    ///
    /// # Errors
    /// When `to` refuses its header.
    pub fn pcapng(mut to: W) -> io::Result<Self> {
        // Section header block (draft-ietf-opsawg-pcapng, section 4.1), of unknown length.
        let mut body = Vec::with_capacity(16);
        body.extend(0x1a2b_3c4d_u32.to_le_bytes());
        body.extend([1, 0, 0, 0]);
        body.extend([0xff; 8]);
        block(&mut to, 0x0a0d_0d0a, &[&body])?;
        Ok(Self { to, form: Form::Pcapng(Vec::new()) })
    }

    /// Writes one frame. A tag that travelled beside an Ethernet frame is put back into it.
    ///
    /// # Errors
    /// When the link type is not the file's, the frame is longer than a record may be, or the writer refuses.
    pub fn write(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let (front, tag, rest) = frame.with_tag();
        let tag = tag.as_ref().map_or(&[][..], |tag| tag);
        let parts = [front, tag, rest];
        let captured = u32::try_from(frame.data.len() + tag.len()).map_err(|_| refused("frame too long"))?;
        if captured as usize > super::MAX_RECORD {
            return Err(refused("frame too long"));
        }
        let wire_len = frame.wire_len.saturating_add(u32::try_from(tag.len()).unwrap_or_default());
        match &mut self.form {
            Form::Pcap(link) if *link == frame.link => {
                let seconds = u32::try_from(frame.time.seconds()).unwrap_or(u32::MAX);
                let nanos = u32::try_from(frame.time.nanos() % 1_000_000_000).unwrap_or_default();
                for word in [seconds, nanos, captured, wire_len] {
                    self.to.write_all(&word.to_le_bytes())?;
                }
                parts.iter().try_for_each(|part| self.to.write_all(part))
            }
            Form::Pcap(_) => Err(refused("a pcap file holds frames of one link type only")),
            Form::Pcapng(interfaces) => {
                let interface = interface(&mut self.to, interfaces, frame)?;
                packet(&mut self.to, interface, frame, captured, wire_len, parts)
            }
        }
    }

    /// What was written since this was last asked, where that is kept in memory.
    pub fn take(&mut self) -> W
    where
        W: Default,
    {
        std::mem::take(&mut self.to)
    }

    /// Hands everything over to the writer below, and that writer back.
    ///
    /// # Errors
    /// When it refuses.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Number of the frame's interface, which is described first when it is new (section 4.2).
fn interface(to: &mut impl Write, known: &mut Vec<(LinkType, u16)>, frame: &Frame<'_>) -> io::Result<u32> {
    let wanted = (frame.link, frame.tap.0);
    if let Some(at) = known.iter().position(|one| *one == wanted) {
        return Ok(u32::try_from(at).unwrap_or(u32::MAX));
    }
    let mut body = Vec::with_capacity(20);
    body.extend(frame.link.0.to_le_bytes());
    body.extend([0, 0]);
    body.extend(SNAPLEN.to_le_bytes());
    // if_tsresol: nanoseconds; then the end of options.
    body.extend([9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    block(to, 1, &[&body])?;
    known.push(wanted);
    Ok(u32::try_from(known.len() - 1).unwrap_or(u32::MAX))
}

/// Enhanced packet block (section 4.3).
fn packet(
    to: &mut impl Write,
    interface: u32,
    frame: &Frame<'_>,
    captured: u32,
    wire_len: u32,
    [front, tag, rest]: [&[u8]; 3],
) -> io::Result<()> {
    let nanos = frame.time.nanos();
    let (high, low) = (nanos >> 32, nanos & 0xffff_ffff);
    let mut head = Vec::with_capacity(20);
    for word in [u64::from(interface), high, low, u64::from(captured), u64::from(wire_len)] {
        head.extend(u32::try_from(word).unwrap_or(u32::MAX).to_le_bytes());
    }
    block(to, 6, &[&head, front, tag, rest])
}

/// A block around these parts, padded to four bytes.
fn block(to: &mut impl Write, kind: u32, parts: &[&[u8]]) -> io::Result<()> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let padding = len.next_multiple_of(4) - len;
    let size = u32::try_from(12 + len + padding).map_err(|_| refused("block too long"))?;
    to.write_all(&kind.to_le_bytes())?;
    to.write_all(&size.to_le_bytes())?;
    parts.iter().try_for_each(|part| to.write_all(part))?;
    to.write_all([0; 3].get(..padding).unwrap_or_default())?;
    to.write_all(&size.to_le_bytes())
}
