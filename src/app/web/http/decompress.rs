//! Compression taken off a body while it streams by, layer by layer, as browsers do it: what claims to be gzip may be
//! bare deflate, and what cannot be read at all is passed on as it is.

use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, HeapAlloc, HuffmanCode};
use flate2::{Decompress, FlushDecompress, Status};
use lzma_rs::decompress::{Options, Stream};
use std::io::Write;

/// How a layer was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    /// RFC 1951, bare.
    Deflate,
    /// RFC 1950.
    Zlib,
    Brotli,
    Lzma,
}

impl Coding {
    /// What to try when bytes turn out not to be of this coding.
    const fn other(self) -> Self {
        match self {
            Self::Gzip | Self::Brotli | Self::Lzma => Self::Deflate,
            Self::Deflate => Self::Zlib,
            Self::Zlib => Self::Gzip,
        }
    }
}

/// Codings tried after the one that was promised.
const RETRIES: u8 = 3;
/// Decoded bytes that are handed on at a time.
const PIECE: usize = 8 * 1024;
/// Largest LZMA dictionary.
const LZMA_MEMORY: usize = 1024 * 1024;
/// Compressed bytes given to the LZMA decoder at a time: it hands out everything that they stand for at once.
const LZMA_STEP: usize = 64;

/// What an output answers: whether it takes more.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

type Brotli = BrotliState<HeapAlloc<u8>, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>;

enum Decoder {
    Gzip {
        head: GzipHead,
        inflate: Decompress,
    },
    Inflate(Decompress),
    Brotli(Box<Brotli>),
    Lzma(Box<Stream<Vec<u8>>>),
    /// Cannot be read: bytes pass through as they are.
    Through,
    /// Broke after output had been given: nothing more comes of it.
    Dead,
}

/// One layer.
pub(crate) struct Layer {
    coding: Coding,
    decoder: Decoder,
    retries: u8,
    /// Reached the end of its stream; what follows is ignored.
    ended: bool,
    piece: Vec<u8>,
}

/// How a step of a decoder went.
enum Outcome {
    /// Everything was read.
    Read,
    /// The stream is over.
    End,
    /// The bytes are not of this coding; so many were given out by this very step.
    Broken { given: usize },
    /// The output takes no more.
    Refused,
}

impl Layer {
    pub(crate) fn new(coding: Coding) -> Self {
        Self { coding, decoder: Decoder::of(coding), retries: 0, ended: false, piece: Vec::new() }
    }

    /// Decodes bytes and gives them out; says whether the output takes more.
    pub(crate) fn feed(&mut self, data: &[u8], out: Take<'_>) -> bool {
        loop {
            match &self.decoder {
                Decoder::Through => return out(data),
                Decoder::Dead => return true,
                _ if self.ended => return true,
                _ => {}
            }
            self.piece.resize(PIECE, 0);
            match self.decoder.step(data, &mut self.piece, out) {
                Outcome::Read => return true,
                Outcome::End => self.ended = true,
                Outcome::Refused => return false,
                Outcome::Broken { given } if given > 0 && self.retries == 0 => self.decoder = Decoder::Dead,
                Outcome::Broken { .. } if self.retries < RETRIES => {
                    self.retries += 1;
                    self.coding = self.coding.other();
                    self.decoder = Decoder::of(self.coding);
                }
                Outcome::Broken { .. } => self.decoder = Decoder::Through,
            }
        }
    }

    /// Gives out what is left at the end of the body.
    pub(crate) fn finish(&mut self, out: Take<'_>) {
        if let Decoder::Lzma(stream) = &mut self.decoder
            && stream.flush().is_ok()
            && let Some(left) = stream.get_output_mut()
            && !left.is_empty()
        {
            out(left);
            left.clear();
        }
        if let Decoder::Lzma(stream) = std::mem::replace(&mut self.decoder, Decoder::Dead)
            && let Ok(left) = stream.finish()
            && !left.is_empty()
        {
            out(&left);
        }
    }

    /// Whether no known coding fits.
    pub(crate) const fn failed(&self) -> bool {
        matches!(self.decoder, Decoder::Through)
    }

    /// Heap bytes held, as far as they are known.
    pub(crate) fn held(&self) -> usize {
        let window = match self.decoder {
            Decoder::Gzip { .. } | Decoder::Inflate(_) => 48 * 1024,
            Decoder::Brotli(_) => 256 * 1024,
            Decoder::Lzma(_) => LZMA_MEMORY,
            Decoder::Through | Decoder::Dead => 0,
        };
        window + self.piece.capacity()
    }
}

impl Decoder {
    fn of(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip { head: GzipHead::default(), inflate: Decompress::new(false) },
            Coding::Deflate => Self::Inflate(Decompress::new(false)),
            Coding::Zlib => Self::Inflate(Decompress::new(true)),
            Coding::Brotli => {
                let table = HeapAlloc::new(HuffmanCode::default());
                Self::Brotli(Box::new(BrotliState::new(HeapAlloc::new(0), HeapAlloc::new(0), table)))
            }
            Coding::Lzma => {
                let options = Options { memlimit: Some(LZMA_MEMORY), ..Options::default() };
                Self::Lzma(Box::new(Stream::new_with_options(&options, Vec::new())))
            }
        }
    }

    fn step(&mut self, data: &[u8], piece: &mut [u8], out: Take<'_>) -> Outcome {
        match self {
            Self::Gzip { head, inflate } => match head.read(data) {
                Some(rest) => unpack(inflate, rest, piece, out),
                None if head.wrong => Outcome::Broken { given: 0 },
                None => Outcome::Read,
            },
            Self::Inflate(inflate) => unpack(inflate, data, piece, out),
            Self::Brotli(state) => unbrotli(state, data, piece, out),
            Self::Lzma(stream) => unlzma(stream, data, out),
            Self::Through | Self::Dead => Outcome::Read,
        }
    }
}

fn unpack(inflate: &mut Decompress, data: &[u8], piece: &mut [u8], out: Take<'_>) -> Outcome {
    let mut rest = data;
    let mut given = 0;
    loop {
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(rest, piece, FlushDecompress::None);
        let read = usize::try_from(inflate.total_in() - before_in).unwrap_or(usize::MAX);
        let wrote = usize::try_from(inflate.total_out() - before_out).unwrap_or(usize::MAX);
        rest = rest.get(read..).unwrap_or_default();
        given += wrote;
        let bytes = piece.get(..wrote).unwrap_or_default();
        if !bytes.is_empty() && !out(bytes) {
            return Outcome::Refused;
        }
        match status {
            Err(_) => return Outcome::Broken { given },
            Ok(Status::StreamEnd) => return Outcome::End,
            Ok(_) if wrote < piece.len() && (rest.is_empty() || (read == 0 && wrote == 0)) => {
                return Outcome::Read;
            }
            Ok(_) => {}
        }
    }
}

fn unbrotli(state: &mut Brotli, data: &[u8], piece: &mut [u8], out: Take<'_>) -> Outcome {
    let (mut left, mut at, mut total, mut given) = (data.len(), 0, 0, 0);
    loop {
        let (mut room, mut wrote) = (piece.len(), 0);
        let result =
            BrotliDecompressStream(&mut left, &mut at, data, &mut room, &mut wrote, piece, &mut total, state);
        given += wrote;
        let bytes = piece.get(..wrote).unwrap_or_default();
        if !bytes.is_empty() && !out(bytes) {
            return Outcome::Refused;
        }
        match result {
            BrotliResult::ResultSuccess => return Outcome::End,
            BrotliResult::NeedsMoreInput => return Outcome::Read,
            BrotliResult::NeedsMoreOutput if wrote > 0 => {}
            BrotliResult::NeedsMoreOutput | BrotliResult::ResultFailure => return Outcome::Broken { given },
        }
    }
}

fn unlzma(stream: &mut Stream<Vec<u8>>, data: &[u8], out: Take<'_>) -> Outcome {
    let mut given = 0;
    for bytes in data.chunks(LZMA_STEP) {
        let written = stream.write_all(bytes);
        if let Some(decoded) = stream.get_output_mut() {
            given += decoded.len();
            let taken = decoded.is_empty() || out(decoded);
            decoded.clear();
            if !taken {
                return Outcome::Refused;
            }
        }
        if written.is_err() {
            return Outcome::Broken { given };
        }
    }
    Outcome::Read
}

/// The head of a gzip member (RFC 1952, 2.3), read as it comes. Its checks are not made: browsers make none.
#[derive(Debug, Default)]
struct GzipHead {
    part: GzipPart,
    /// Bytes of the fixed part, of the extra field's length, or of the header checksum so far.
    seen: u16,
    flags: u8,
    extra: u16,
    /// It does not begin as gzip does.
    wrong: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum GzipPart {
    #[default]
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    Check,
    Done,
}

impl GzipHead {
    /// Reads on; what stands behind the head once that is complete.
    fn read<'a>(&mut self, data: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = data;
        while self.part != GzipPart::Done {
            if self.part != GzipPart::Fixed && self.absent() {
                self.advance();
                continue;
            }
            let (&byte, behind) = rest.split_first()?;
            rest = behind;
            self.byte(byte);
            if self.wrong {
                return None;
            }
        }
        Some(rest)
    }

    /// Whether the flags say that the next part is not there.
    fn absent(&self) -> bool {
        let flag = match self.part {
            GzipPart::ExtraLength | GzipPart::Extra => 4,
            GzipPart::Name => 8,
            GzipPart::Comment => 16,
            GzipPart::Check => 2,
            GzipPart::Fixed | GzipPart::Done => return false,
        };
        self.flags & flag == 0 || (self.part == GzipPart::Extra && self.seen >= self.extra)
    }

    fn advance(&mut self) {
        self.seen = 0;
        self.part = match self.part {
            GzipPart::Fixed => GzipPart::ExtraLength,
            GzipPart::ExtraLength => GzipPart::Extra,
            GzipPart::Extra => GzipPart::Name,
            GzipPart::Name => GzipPart::Comment,
            GzipPart::Comment => GzipPart::Check,
            GzipPart::Check | GzipPart::Done => GzipPart::Done,
        };
    }

    fn byte(&mut self, byte: u8) {
        let at = self.seen;
        self.seen = at.saturating_add(1);
        match (self.part, at) {
            (GzipPart::Fixed, 0) => self.wrong = byte != 0x1f,
            (GzipPart::Fixed, 1) => self.wrong = byte != 0x8b,
            (GzipPart::Fixed, 2) => self.wrong = byte != 8,
            (GzipPart::Fixed, 3) => self.flags = byte,
            (GzipPart::ExtraLength, 0) => self.extra = u16::from(byte),
            (GzipPart::ExtraLength, _) => self.extra |= u16::from(byte) << 8,
            _ => {}
        }
        let over = match self.part {
            GzipPart::Fixed => at == 9,
            GzipPart::ExtraLength | GzipPart::Check => at == 1,
            GzipPart::Name | GzipPart::Comment => byte == 0,
            GzipPart::Extra | GzipPart::Done => false,
        };
        if over {
            self.advance();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    const TEXT: &[u8] =
        b"the quick brown fox jumps over the lazy dog, the quick brown fox jumps over the lazy dog";

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut to = GzEncoder::new(Vec::new(), Compression::best());
        to.write_all(data).unwrap();
        to.finish().unwrap()
    }

    fn read(coding: Coding, packed: &[u8], step: usize) -> Vec<u8> {
        let mut layer = Layer::new(coding);
        let mut got = Vec::new();
        for bytes in packed.chunks(step) {
            layer.feed(bytes, &mut |d| {
                got.extend_from_slice(d);
                true
            });
        }
        layer.finish(&mut |d| {
            got.extend_from_slice(d);
            true
        });
        got
    }

    #[test]
    fn every_coding_is_read_in_pieces_of_any_size() {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(TEXT).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(TEXT).unwrap();
        let mut brotli = Vec::new();
        brotli::BrotliCompress(&mut &TEXT[..], &mut brotli, &brotli::enc::BrotliEncoderParams::default())
            .unwrap();
        let mut lzma = Vec::new();
        lzma_rs::lzma_compress(&mut &TEXT[..], &mut lzma).unwrap();
        let packed = [
            (Coding::Gzip, gzip(TEXT)),
            (Coding::Deflate, deflate.finish().unwrap()),
            (Coding::Zlib, zlib.finish().unwrap()),
            (Coding::Brotli, brotli),
            (Coding::Lzma, lzma),
        ];
        for (coding, packed) in packed {
            for step in [1, 7, packed.len()] {
                assert_eq!(read(coding, &packed, step), TEXT, "{coding:?} by {step}");
            }
        }
    }

    #[test]
    fn a_wrong_promise_is_forgiven() {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(TEXT).unwrap();
        let deflate = deflate.finish().unwrap();
        assert_eq!(read(Coding::Gzip, &deflate, deflate.len()), TEXT);
        let gz = gzip(TEXT);
        assert_eq!(read(Coding::Deflate, &gz, gz.len()), TEXT);
        assert_eq!(read(Coding::Gzip, b"<html>plain after all</html>", 100), b"<html>plain after all</html>");
    }

    #[test]
    fn every_part_of_a_gzip_head_is_passed_over() {
        let plain = gzip(TEXT);
        let mut packed = plain[..3].to_vec();
        packed.push(4 | 8 | 16 | 2);
        packed.extend_from_slice(&plain[4..10]);
        packed.extend_from_slice(b"\x03\x00abcname\0comment\0\x12\x34");
        packed.extend_from_slice(&plain[10..]);
        for step in [1, 5, packed.len()] {
            assert_eq!(read(Coding::Gzip, &packed, step), TEXT);
        }
    }

    #[test]
    fn a_cut_stream_gives_what_it_held() {
        let packed = gzip(&TEXT.repeat(500));
        let got = read(Coding::Gzip, &packed[..packed.len() - 12], 64);
        assert!(got.len() > TEXT.len() && TEXT.repeat(500).starts_with(&got));
    }

    #[test]
    fn an_output_that_refuses_stops_the_layer() {
        let packed = gzip(&vec![0; 1 << 20]);
        let mut calls = 0;
        let mut layer = Layer::new(Coding::Gzip);
        let more = layer.feed(&packed, &mut |_| {
            calls += 1;
            calls < 3
        });
        assert!(!more && calls == 3);
    }
}
