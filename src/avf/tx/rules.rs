//! What the device takes for malice: a frame that breaks one of these stops its queue, and on some hosts the function.
//!
//! The rules of malicious driver detection as the 700 and 800 series apply them, in the order in which they are looked
//! at. Rules about addresses and VLANs depend on what the PF allows, and are not known here.

use std::fmt;
use std::ops::RangeInclusive;

use super::{Context, Data, Descriptor, IpOffload, Segmentation, TransportOffload};

/// Most buffers of one frame on the wire.
pub const BUFFERS: usize = 8;

/// Shortest frame in bytes, before padding.
pub const SHORTEST: u32 = 17;

/// Payload of a segment.
pub const MSS: RangeInclusive<u16> = 256..=9668;

/// What the queue was configured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest frame in bytes, without the frame check sequence.
    pub max_frame: u32,
}

/// The rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// No descriptor of frame bytes.
    NoData,
    /// A kind that a virtual function may not post, or posts out of place.
    WrongKind(u8),
    /// A context descriptor that does not stand first.
    LateContext,
    /// The last descriptor does not end the frame, or an earlier one does.
    NotTerminated,
    /// A buffer without bytes.
    ZeroLength,
    /// More than [`BUFFERS`] buffers for one frame on the wire.
    TooManyBuffers(usize),
    /// Fewer than [`SHORTEST`] bytes.
    TooShort(u32),
    /// More bytes than the queue allows.
    TooLong(u32),
    /// Segments outside of [`MSS`].
    SegmentSize(u16),
    /// Headers and payload as stated are not the bytes that were given.
    SegmentLength {
        /// Headers and payload as stated.
        stated: u32,
        /// Bytes in buffers.
        given: u32,
    },
    /// Header lengths that leave no room, or an offload without the lengths that it needs.
    HeaderLengths,
    /// A tail that lies outside of the ring.
    TailOutside {
        /// What was written.
        tail: u32,
        /// Descriptors in the ring.
        ring: u16,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoData => f.write_str("no data descriptor"),
            Self::WrongKind(kind) => write!(f, "descriptor of kind {kind:#x}"),
            Self::LateContext => f.write_str("context descriptor amid a frame"),
            Self::NotTerminated => f.write_str("frame does not end with its last descriptor"),
            Self::ZeroLength => f.write_str("buffer of no bytes"),
            Self::TooManyBuffers(n) => write!(f, "{n} buffers for one frame, at most {BUFFERS}"),
            Self::TooShort(bytes) => write!(f, "frame of {bytes} bytes, at least {SHORTEST}"),
            Self::TooLong(bytes) => write!(f, "frame of {bytes} bytes, more than the queue allows"),
            Self::SegmentSize(mss) => write!(f, "segments of {mss} bytes, {} to {}", MSS.start(), MSS.end()),
            Self::SegmentLength { stated, given } => {
                write!(f, "{stated} bytes stated to segment, {given} given")
            }
            Self::HeaderLengths => f.write_str("header lengths do not fit the frame or its offloads"),
            Self::TailOutside { tail, ring } => write!(f, "tail {tail} in a ring of {ring}"),
        }
    }
}

impl std::error::Error for Violation {}

/// Looks at the descriptors of one frame, a context descriptor before it included.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(frame: &[Descriptor], limits: Limits) -> Result<(), Violation> {
    let (context, data) = match frame {
        [Descriptor::Context(context), data @ ..] => (Some(context), data),
        data => (None, data),
    };
    let data = only_data(data)?;
    shape(&data)?;
    let given = data.iter().map(|data| u32::from(data.size)).sum();
    let first = data.first().ok_or(Violation::NoData)?;
    headers(first, given)?;
    match context.and_then(|context: &Context| context.segment) {
        Some(segmentation) => segmented(&data, segmentation, given, limits),
        None => whole(&data, given, limits),
    }
}

/// Looks at a value written to a tail register.
///
/// # Errors
/// When it lies outside of the ring.
pub fn check_tail(tail: u32, ring: u16) -> Result<(), Violation> {
    if tail < u32::from(ring) { Ok(()) } else { Err(Violation::TailOutside { tail, ring }) }
}

fn only_data(frame: &[Descriptor]) -> Result<Vec<Data>, Violation> {
    let one = |descriptor: &Descriptor| match descriptor {
        Descriptor::Data(data) => Ok(*data),
        Descriptor::Context(_) => Err(Violation::LateContext),
        Descriptor::Done => Err(Violation::WrongKind(0xF)),
        Descriptor::Other(kind) => Err(Violation::WrongKind(*kind)),
    };
    frame.iter().map(one).collect()
}

/// The frame ends where its descriptors end, and every buffer holds something.
fn shape(data: &[Data]) -> Result<(), Violation> {
    let (last, before) = data.split_last().ok_or(Violation::NoData)?;
    if !last.last || before.iter().any(|data| data.last) {
        return Err(Violation::NotTerminated);
    }
    if data.iter().any(|data| data.size == 0) {
        return Err(Violation::ZeroLength);
    }
    Ok(())
}

/// Lengths of headers, which stand in the first data descriptor, fit the frame and what is asked for.
fn headers(first: &Data, given: u32) -> Result<(), Violation> {
    let lengths = first.headers;
    let lacks_ip = first.ip != IpOffload::None && (lengths.mac < 14 || lengths.ip < 20);
    let lacks_transport =
        first.transport != TransportOffload::None && (first.ip == IpOffload::None || lengths.transport < 8);
    if lengths.sum() > given || lacks_ip || lacks_transport {
        return Err(Violation::HeaderLengths);
    }
    Ok(())
}

fn whole(data: &[Data], given: u32, limits: Limits) -> Result<(), Violation> {
    if data.len() > BUFFERS {
        Err(Violation::TooManyBuffers(data.len()))
    } else if given < SHORTEST {
        Err(Violation::TooShort(given))
    } else if given > limits.max_frame {
        Err(Violation::TooLong(given))
    } else {
        Ok(())
    }
}

fn segmented(data: &[Data], segment: Segmentation, given: u32, limits: Limits) -> Result<(), Violation> {
    let first = data.first().ok_or(Violation::NoData)?;
    let headers = first.headers.sum();
    if first.transport != TransportOffload::Tcp {
        return Err(Violation::HeaderLengths);
    }
    if !MSS.contains(&segment.mss) {
        return Err(Violation::SegmentSize(segment.mss));
    }
    let stated = headers + segment.payload;
    if stated != given || segment.payload == 0 {
        return Err(Violation::SegmentLength { stated, given });
    }
    let on_wire = headers + u32::from(segment.mss).min(segment.payload);
    if on_wire > limits.max_frame {
        return Err(Violation::TooLong(on_wire));
    }
    let most = buffers_of_worst_segment(data, headers, segment);
    if most > BUFFERS { Err(Violation::TooManyBuffers(most)) } else { Ok(()) }
}

/// Buffers that the worst segment gathers: those its payload lies in, and those of the headers, which each one repeats.
fn buffers_of_worst_segment(data: &[Data], headers: u32, segment: Segmentation) -> usize {
    let ends: Vec<u32> = data
        .iter()
        .scan(0, |end, data| {
            *end += u32::from(data.size);
            Some(*end)
        })
        .collect();
    let buffer_of = |byte: u32| ends.partition_point(|end| *end <= byte);
    let header_buffers = if headers == 0 { 0 } else { buffer_of(headers - 1) + 1 };
    let end = headers + segment.payload;
    let buffers = |start: u32| {
        let last = end.min(start + u32::from(segment.mss)) - 1;
        // a buffer that holds headers and payload is gathered once
        let first = buffer_of(start).max(header_buffers);
        header_buffers + (buffer_of(last) + 1).saturating_sub(first)
    };
    (headers..end).step_by(usize::from(segment.mss)).map(buffers).max().unwrap_or(0)
}
