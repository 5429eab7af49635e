//! QUIC versions: how their headers are laid out and how their first packets are protected.

/// A version number, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(pub(super) u32);

/// How a version writes its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// RFC 9000 section 17.2, and everything that keeps to the invariants of RFC 8999.
    Ietf,
    /// RFC 9369 section 3.2: the same with other packet type numbers.
    Second,
    /// Google's public header, up to Q043.
    Public,
    /// Google's first long header, Q044 and Q045: types count down from 0x7f.
    Google44,
    /// Google's second long header, Q046 to Q048: RFC 9000 types, connection id lengths in half a byte each.
    Google46,
}

/// Salt and label words of the first packets' keys (RFC 9001 section 5.2, RFC 9369 section 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Secrets {
    /// Salt of the first extraction.
    pub(super) salt: [u8; 20],
    /// Labels of key, vector and header protection key.
    pub(super) labels: [&'static [u8]; 3],
}

const FIRST: [&[u8]; 3] = [b"quic key", b"quic iv", b"quic hp"];
const SECOND: [&[u8]; 3] = [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"];

/// RFC 9001 section 5.2; drafts 33 and 34 had it already.
const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
/// RFC 9369 section 3.3.1.
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// draft-ietf-quic-v2-01 section 3.3.1.
const SALT_2_DRAFT: [u8; 20] = [
    0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a,
    0xe3, 0xe5, 0xd3,
];
/// draft-ietf-quic-tls-29 to 32, section 5.2.
const SALT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];
/// draft-ietf-quic-tls-23 to 28, section 5.2.
const SALT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
    0xf9, 0xf5, 0x02,
];
/// draft-ietf-quic-tls-22, section 5.2.
const SALT_22: [u8; 20] = [
    0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a,
    0x02, 0x64, 0x4a,
];
/// Google's Q050.
const SALT_Q050: [u8; 20] = [
    0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3,
    0xb5, 0x6b, 0x45,
];
/// Google's T050.
const SALT_T050: [u8; 20] = [
    0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60,
    0x48, 0x83, 0x10,
];
/// Google's T051.
const SALT_T051: [u8; 20] = [
    0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda,
    0x6e, 0x03, 0x3d,
];

impl Version {
    /// Not a version: the packet lists the versions its sender speaks (RFC 9000 section 17.2.1).
    pub(super) const NEGOTIATION: Self = Self(0);
    /// RFC 9000.
    pub(super) const ONE: Self = Self(1);
    /// RFC 9369.
    pub(super) const TWO: Self = Self(0x6b33_43cf);
    /// draft-ietf-quic-v2-01.
    const TWO_DRAFT: Self = Self(0x709a_50c4);
    /// The draft that was deployed longest.
    const DRAFT_29: Self = Self(0xff00_001d);

    /// How it writes its headers.
    pub(super) const fn layout(self) -> Layout {
        if let Some(number) = self.google() {
            return match number {
                ..=43 => Layout::Public,
                44 | 45 => Layout::Google44,
                46..=48 => Layout::Google46,
                _ => Layout::Ietf,
            };
        }
        match self {
            Self::TWO | Self::TWO_DRAFT => Layout::Second,
            _ => Layout::Ietf,
        }
    }

    /// Number of a Google version: 46 for `Q046`.
    pub(super) const fn google(self) -> Option<u8> {
        match self.0.to_be_bytes() {
            [b'Q', b'0', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + ones - b'0'),
            _ => None,
        }
    }

    /// What its first packets are protected with; `None` when that is not known or they are not.
    pub(super) const fn secrets(self) -> Option<Secrets> {
        let (salt, labels) = match self.0 {
            1 | 0xff00_0021..=0xff00_0022 => (SALT_1, FIRST),
            0x6b33_43cf => (SALT_2, SECOND),
            0x709a_50c4 => (SALT_2_DRAFT, SECOND),
            0xff00_001d..=0xff00_0020 => (SALT_29, FIRST),
            // mvfst of 2020 was built on draft 27
            0xff00_0017..=0xff00_001c | 0xface_b002 | 0xface_b00e => (SALT_23, FIRST),
            0xff00_0016 | 0xface_b001 => (SALT_22, FIRST),
            0x5130_3530 => (SALT_Q050, FIRST),
            0x5430_3530 => (SALT_T050, FIRST),
            0x5430_3531 => (SALT_T051, FIRST),
            _ => return None,
        };
        Some(Secrets { salt, labels })
    }

    /// Number of the frame that carries the handshake: Google kept its own while it moved to the rest.
    pub(super) const fn crypto_frame(self) -> u8 {
        match self.0.to_be_bytes() {
            [b'Q' | b'T', b'0', b'5', _] => 0x08,
            _ => 0x06,
        }
    }

    /// Versions whose secrets are worth a try when its own are not known: experiments change the number first.
    pub(super) const fn guesses(self) -> &'static [Self] {
        match self.secrets() {
            Some(_) => &[],
            None => &[Self::ONE, Self::DRAFT_29],
        }
    }

    /// Reserved to exercise version negotiation (RFC 9000 section 15).
    pub(super) const fn is_greased(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }

    /// Whether somebody has announced that number for a version of QUIC.
    pub(super) const fn is_known(self) -> bool {
        if self.google().is_some() {
            return true;
        }
        matches!(
            self.0,
            1 | 0x6b33_43cf
                | 0x709a_50c4
                | 0xff02_0000
                // IETF drafts
                | 0xff00_0001..=0xff00_0022
                // mvfst
                | 0xface_b000..=0xface_b01f
                // Google with TLS
                | 0x5430_3436..=0x5430_3531
                // picoquic
                | 0x5043_5130..=0x5043_5131
                // quicly
                | 0x91c1_7000..=0x91c1_70ff
                // quic-go
                | 0x5147_4f00..=0x5147_4fff
                // MozQuic
                | 0xf123_f0c0..=0xf123_f0cf
                // quant
                | 0x4547_4700..=0x4547_47ff
                // measurability experiments
                | 0xf0f0_f0f0..=0xf0f0_f2ff
                // MsQuic
                | 0xabcd_0000..=0xabcd_000f
                // Tencent
                | 0x0700_7000..=0x0700_700f
        )
    }

    /// As events show it: `Q046`, or the number in hexadecimal.
    pub(super) fn text(self) -> Text {
        let mut text = Text { digits: [0; 8], from: 0 };
        if let Some(39 | 43..=46) = self.google() {
            text.from = 4;
            text.digits
                .iter_mut()
                .skip(4)
                .zip(self.0.to_be_bytes())
                .for_each(|(place, letter)| *place = letter);
            return text;
        }
        let nibbles = (0..8).map(|index| (self.0 >> (28 - 4 * index)).to_le_bytes()[0] & 0x0f);
        for (place, nibble) in text.digits.iter_mut().zip(nibbles) {
            *place = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
        text.from = text.digits.iter().take(7).take_while(|&&digit| digit == b'0').count();
        text
    }
}

/// Up to eight characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    digits: [u8; 8],
    from: usize,
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.digits.get(self.from..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_print_as_events_show_them() {
        for (version, text) in [
            (0, "0"),
            (1, "1"),
            (0x6b33_43cf, "6b3343cf"),
            (0xff00_001d, "ff00001d"),
            (0x5130_3436, "Q046"),
            (0x5130_3339, "Q039"),
            (0x5130_3530, "51303530"),
        ] {
            assert_eq!(Version(version).text().as_ref(), text.as_bytes(), "{version:x}");
        }
    }

    #[test]
    fn every_draft_from_22_to_34_has_secrets_and_no_other() {
        let with: Vec<u32> =
            (1..=40).filter(|&draft| Version(0xff00_0000 | draft).secrets().is_some()).collect();
        assert_eq!(with, (22..=34).collect::<Vec<_>>());
    }

    #[test]
    fn layouts_of_google_versions() {
        assert_eq!(Version(u32::from_be_bytes(*b"Q043")).layout(), Layout::Public);
        assert_eq!(Version(u32::from_be_bytes(*b"Q045")).layout(), Layout::Google44);
        assert_eq!(Version(u32::from_be_bytes(*b"Q046")).layout(), Layout::Google46);
        assert_eq!(Version(u32::from_be_bytes(*b"Q050")).layout(), Layout::Ietf);
        assert!(Version(0x1a2a_3a4a).is_greased() && !Version(0x1a2a_3a4b).is_greased());
    }
}
