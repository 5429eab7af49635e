//! Short texts built without the heap: addresses, numbers.

/// A text of at most 48 bytes; what does not fit is left out.
pub(crate) struct Short {
    bytes: [u8; 48],
    len: usize,
}

impl Short {
    const fn new() -> Self {
        Self { bytes: [0; 48], len: 0 }
    }

    /// An address as Suricata prints it in DNS records: four bytes dotted, sixteen as full groups; anything else is
    /// no address and prints as nothing.
    pub(crate) fn address(raw: &[u8]) -> Self {
        let mut text = Self::new();
        match raw.len() {
            4 => text.dotted(raw),
            16 => text.groups(raw),
            _ => {}
        }
        text
    }

    /// A number, decimal.
    pub(crate) fn decimal(value: u16) -> Self {
        let mut text = Self::new();
        text.number(value);
        text
    }

    /// A number, hexadecimal without leading zeros.
    pub(crate) fn hex(value: u16) -> Self {
        let mut text = Self::new();
        for shift in [12, 8, 4, 0] {
            let nibble = value.checked_shr(shift).unwrap_or(0).to_be_bytes()[1] & 0xf;
            if nibble != 0 || text.len > 0 || shift == 0 {
                text.nibble(nibble);
            }
        }
        text
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn dotted(&mut self, raw: &[u8]) {
        for (i, byte) in raw.iter().enumerate() {
            if i > 0 {
                self.push(b'.');
            }
            self.number(u16::from(*byte));
        }
    }

    fn groups(&mut self, raw: &[u8]) {
        for (i, byte) in raw.iter().enumerate() {
            if i > 0 && i % 2 == 0 {
                self.push(b':');
            }
            self.nibble(byte >> 4);
            self.nibble(byte & 0xf);
        }
    }

    fn number(&mut self, value: u16) {
        let mut begun = false;
        for unit in [10_000, 1_000, 100, 10, 1] {
            let digit = (value / unit % 10).to_be_bytes()[1];
            begun |= digit != 0 || unit == 1;
            if begun {
                self.push(b'0' + digit);
            }
        }
    }

    fn nibble(&mut self, nibble: u8) {
        self.push(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_suricatas() {
        assert_eq!(Short::address(&[10, 0, 255, 1]).as_bytes(), b"10.0.255.1");
        let six = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(Short::address(&six).as_bytes(), b"2001:0db8:0000:0000:0000:0000:0000:0001");
        assert_eq!(Short::address(&[1, 2]).as_bytes(), b"");
        assert_eq!(Short::decimal(0).as_bytes(), b"0");
        assert_eq!(Short::decimal(65280).as_bytes(), b"65280");
        assert_eq!(Short::hex(0).as_bytes(), b"0");
        assert_eq!(Short::hex(0x100).as_bytes(), b"100");
        assert_eq!(Short::hex(0x8180).as_bytes(), b"8180");
    }
}
