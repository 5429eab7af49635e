//! The Huffman code of header strings (RFC 7541, 5.2 and appendix B). The code is canonical: the lengths of the
//! codes say all, so the tables are made of them when this is compiled.

/// Length in bits of the code of each byte, and of the end mark (appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Longest code.
const LONGEST: usize = 30;
/// Bits that the first look takes at once: most text has no longer codes.
const FIRST: u32 = 8;
/// The end mark, which must not occur.
const END: u16 = 256;

/// The codes of one length: the first one, how many there are, and where their symbols begin.
#[derive(Clone, Copy)]
struct Group {
    first: u64,
    count: u64,
    symbols: usize,
}

struct Tables {
    /// By the first eight bits: the byte and the length of its code, or length 0.
    short: [(u8, u8); 256],
    groups: [Group; LONGEST + 1],
    /// Every symbol, in the order of its code.
    symbols: [u16; 257],
}

static TABLES: Tables = tables();

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "worked out by the compiler, once"
)]
const fn tables() -> Tables {
    let mut t = Tables {
        short: [(0, 0); 256],
        groups: [Group { first: 0, count: 0, symbols: 0 }; LONGEST + 1],
        symbols: [0; 257],
    };
    let (mut code, mut placed, mut bits) = (0u64, 0, 1);
    while bits <= LONGEST {
        code <<= 1;
        t.groups[bits] = Group { first: code, count: 0, symbols: placed };
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == bits {
                t.symbols[placed] = symbol as u16;
                t.groups[bits].count += 1;
                placed += 1;
                if bits <= FIRST as usize {
                    let spare = FIRST as usize - bits;
                    let (mut at, end) = ((code as usize) << spare, ((code + 1) as usize) << spare);
                    while at < end {
                        t.short[at] = (symbol as u8, bits as u8);
                        at += 1;
                    }
                }
                code += 1;
            }
            symbol += 1;
        }
        bits += 1;
    }
    t
}

/// Bits waiting to be read, the next one topmost.
struct Bits<'a> {
    window: u64,
    len: u32,
    rest: std::slice::Iter<'a, u8>,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.len <= 56 {
            let Some(&byte) = self.rest.next() else { return };
            self.window |= u64::from(byte) << (56 - self.len);
            self.len += 8;
        }
    }

    /// The next symbol; `None` when what is left is no whole code.
    fn symbol(&mut self) -> Option<u16> {
        let [top, ..] = self.window.to_be_bytes();
        let &(byte, bits) = TABLES.short.get(usize::from(top))?;
        if bits != 0 {
            self.take(u32::from(bits))?;
            return Some(u16::from(byte));
        }
        for (bits, group) in (0u32..).zip(&TABLES.groups).skip(FIRST as usize + 1) {
            let nth = (self.window >> (64 - bits)).checked_sub(group.first).filter(|nth| *nth < group.count);
            if let Some(nth) = nth {
                self.take(bits)?;
                return TABLES.symbols.get(group.symbols + usize::try_from(nth).ok()?).copied();
            }
        }
        None
    }

    fn take(&mut self, bits: u32) -> Option<()> {
        self.len = self.len.checked_sub(bits)?;
        self.window <<= bits;
        Some(())
    }

    /// Whether what is left is padding: fewer than eight bits, all ones.
    fn is_padding(&self) -> bool {
        self.len < 8 && (self.len == 0 || self.window >> (64 - self.len) == (1 << self.len) - 1)
    }
}

/// Decodes a whole string behind what `out` holds; says whether it was well-formed. What could be read stays.
pub(super) fn decode(data: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bits = Bits { window: 0, len: 0, rest: data.iter() };
    loop {
        bits.fill();
        match bits.symbol() {
            None => return bits.is_padding(),
            Some(END) => return false,
            Some(symbol) => out.extend(u8::try_from(symbol)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &[u8]) -> Vec<u8> {
        let (mut acc, mut len, mut out) = (0u64, 0, Vec::new());
        for &byte in text {
            let bits = LENGTHS[usize::from(byte)];
            let group = &TABLES.groups[usize::from(bits)];
            let of_group = &TABLES.symbols[group.symbols..];
            let nth = of_group.iter().position(|&s| s == u16::from(byte)).unwrap() as u64;
            acc = acc << bits | (group.first + nth);
            len += u32::from(bits);
            while len >= 8 {
                len -= 8;
                out.push((acc >> len) as u8);
            }
        }
        if len > 0 {
            out.push((acc << (8 - len)) as u8 | ((1u16 << (8 - len)) - 1) as u8);
        }
        out
    }

    fn read(data: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let whole = decode(data, &mut out);
        (out, whole)
    }

    #[test]
    fn the_code_is_complete_and_canonical() {
        let sum: u64 = LENGTHS.iter().map(|&bits| 1u64 << (LONGEST as u32 - u32::from(bits))).sum();
        assert_eq!(sum, 1 << LONGEST);
        let end = &TABLES.groups[30];
        assert_eq!(end.first + end.count - 1, 0x3fff_ffff);
        assert_eq!(TABLES.symbols[256], END);
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(read(&encode(&all)), (all.clone(), true));
        for byte in 0..=255u8 {
            assert_eq!(read(&encode(&[byte, b'a', byte])), (vec![byte, b'a', byte], true));
        }
    }

    #[test]
    fn codes_from_the_specification() {
        // appendix B: 0xff is 3ffffee of 26 bits, line feed 3ffffffc of 30
        assert_eq!(encode(&[255]), [0xff, 0xff, 0xfb, 0xbf]);
        assert_eq!(encode(b"\n"), [0xff, 0xff, 0xff, 0xf3]);
        assert_eq!(
            read(b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"),
            (b"www.example.com".to_vec(), true)
        );
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        assert_eq!(read(&[0x1f]), (b"a".to_vec(), true));
        assert_eq!(read(&[0x18]), (b"a".to_vec(), false));
        assert_eq!(read(&[0x1f, 0xff]), (b"a".to_vec(), false));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff]), (vec![], false));
        assert_eq!(read(&[]), (vec![], true));
    }
}
