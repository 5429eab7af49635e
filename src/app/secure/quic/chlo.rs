//! Google's own handshake before TLS: the client hello is a table of four-letter tags
//! (QUIC Crypto, revision 2016-12-06), and CYU fingerprints the tags.

use parse::Cursor;

use super::version::Version;
use crate::tls::fingerprint::md5_hex;

/// Most tags: the documented ones are fewer than forty.
const TAGS: usize = 128;

/// A client hello.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientHello<'a> {
    /// Pairs of tag and end offset.
    table: &'a [[u8; 8]],
    values: &'a [u8],
}

/// A CYU fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cyu {
    /// MD5 of the string.
    pub(super) hash: String,
    /// Version and tags: `46,PAD-SNI-VER`.
    pub(super) string: String,
}

impl<'a> ClientHello<'a> {
    /// Finds it among the frames of a packet, where it always stands whole. The frames before it (acknowledgements
    /// and the like) changed from version to version, its own beginning never did.
    pub(super) fn find(payload: &'a [u8]) -> Option<Self> {
        let mut left = payload;
        loop {
            let at = left.windows(4).position(|letters| letters == b"CHLO")?;
            left = left.get(at + 4..)?;
            if let Some(hello) = Self::parse(left) {
                return Some(hello);
            }
        }
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut at = Cursor::new(bytes);
        let count = usize::from(at.u16_le()?);
        let padding = at.u16()?;
        if padding != 0 || count == 0 || count > TAGS {
            return None;
        }
        let (table, _) = at.take(count * 8)?.as_chunks::<8>();
        Some(Self { table, values: at.rest() })
    }

    /// Tags and their values, as far as the values are there.
    pub(super) fn tags(&self) -> impl Iterator<Item = (&'a [u8; 4], &'a [u8])> + use<'a> {
        let values = self.values;
        let mut from = 0;
        self.table.iter().map_while(move |entry| {
            let (tag, end) = entry.split_first_chunk()?;
            let to = usize::try_from(u32::from_le_bytes(*end.first_chunk()?)).ok()?;
            let value = values.get(from..to)?;
            from = to;
            Some((tag, value))
        })
    }

    /// Value of a tag.
    pub(super) fn value(&self, tag: &[u8; 4]) -> Option<&'a [u8]> {
        self.tags().find(|(name, _)| *name == tag).map(|(_, value)| value)
    }

    /// CYU (salesforce, 2019). Versions that it was not made for have none.
    pub(super) fn cyu(&self, version: Version) -> Option<Cyu> {
        let mut string = String::with_capacity(4 + 5 * self.table.len());
        string.push_str(match version.google()? {
            39 => "39",
            43 => "43",
            44 | 45 => "44",
            46 => "46",
            _ => return None,
        });
        for (index, entry) in self.table.iter().enumerate() {
            string.push(if index == 0 { ',' } else { '-' });
            let letters = entry.iter().take(4).take_while(|&&letter| letter != 0);
            string.extend(letters.map(|&letter| char::from(letter)));
        }
        Some(Cyu { hash: md5_hex(string.as_bytes()), string })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(tags: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"\xa0\x01\x04\x00CHLO".to_vec();
        bytes.extend([tags.len() as u8, 0, 0, 0]);
        let mut end = 0u32;
        for (tag, value) in tags {
            end += value.len() as u32;
            bytes.extend(*tag);
            bytes.extend(end.to_le_bytes());
        }
        tags.iter().for_each(|(_, value)| bytes.extend(*value));
        bytes
    }

    #[test]
    fn values_are_found_by_tag() {
        let bytes = hello(&[(b"PAD\0", &[0; 9]), (b"SNI\0", b"a.example"), (b"UAID", b"Browser/1")]);
        let found = ClientHello::find(&bytes).unwrap();
        assert_eq!(found.value(b"SNI\0"), Some(&b"a.example"[..]));
        assert_eq!(found.value(b"UAID"), Some(&b"Browser/1"[..]));
        assert_eq!(found.value(b"SCID"), None);
        for cut in 0..bytes.len() {
            if let Some(less) = ClientHello::find(&bytes[..cut]) {
                assert_eq!(less.value(b"UAID"), None);
            }
        }
    }

    #[test]
    fn the_published_examples_of_cyu() {
        let of = |version: &[u8; 4], names: &str| {
            let tags: Vec<[u8; 4]> = names
                .split('-')
                .map(|name| {
                    let mut tag = [0; 4];
                    tag[..name.len()].copy_from_slice(name.as_bytes());
                    tag
                })
                .collect();
            let pairs: Vec<(&[u8; 4], &[u8])> = tags.iter().map(|tag| (tag, &b"v"[..])).collect();
            let bytes = hello(&pairs);
            ClientHello::find(&bytes).unwrap().cyu(Version(u32::from_be_bytes(*version))).unwrap()
        };
        let cyu = of(b"Q043", "PAD-SNI-VER-CCS-PDMD-ICSL-MIDS-CFCW-SFCW");
        assert_eq!(cyu.hash, "e030dea1f2eea44ac7db5fe4de792acd");
        assert_eq!(cyu.string, "43,PAD-SNI-VER-CCS-PDMD-ICSL-MIDS-CFCW-SFCW");
        let cyu = of(b"Q043", "PAD-SNI-STK-VER-CCS-SCID-PDMD-ICSL-MIDS-CFCW-SFCW");
        assert_eq!(cyu.hash, "0811fab28e41e8c8a33e220a15b964d9");
    }
}
