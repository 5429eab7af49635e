//! Keys of Initial packets. They follow from the client's first connection id and a published salt, so everybody on
//! the path can read these packets (RFC 9001 section 5.2); what comes later stays closed.

use aes::Aes128;
use aes::cipher::BlockCipherEncrypt;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce, Tag};
use hkdf::Hkdf;
use parse::Side;
use sha2::Sha256;

use super::version::Version;

const TAG: usize = 16;
const SAMPLE: usize = 16;
/// Longest packet number.
const NUMBER: usize = 4;

/// Keys of both sides.
pub(super) struct Keys {
    version: Version,
    sides: [Protection; 2],
}

/// Keys of one side.
struct Protection {
    packet: Aes128Gcm,
    vector: [u8; 12],
    header: Aes128,
}

impl Keys {
    /// Keys for a version and the connection id that the client sent its first packet to.
    pub(super) fn derive(version: Version, dcid: &[u8]) -> Option<Self> {
        Self::borrowing(version, version, dcid)
    }

    /// Keys for `version`, made with the salt and labels of another one.
    pub(super) fn borrowing(version: Version, secrets_of: Version, dcid: &[u8]) -> Option<Self> {
        let secrets = secrets_of.secrets()?;
        let initial = Hkdf::<Sha256>::new(Some(&secrets.salt), dcid);
        let side = |label: &[u8]| {
            let secret: [u8; 32] = expand(&initial, label)?;
            Protection::new(&secret, secrets.labels)
        };
        Some(Self { version, sides: [side(b"client in")?, side(b"server in")?] })
    }

    /// The version they are for.
    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// Opens a packet whose payload starts at `head`; the frames land in `plain`. `None`, and `plain` is of no use,
    /// when the packet was not made with these keys.
    pub(super) fn open(&self, side: Side, packet: &[u8], head: usize, plain: &mut Vec<u8>) -> Option<()> {
        let [client, server] = &self.sides;
        let protection = if side == Side::ToServer { client } else { server };
        protection.open(packet, head, plain)
    }
}

impl Protection {
    fn new(secret: &[u8; 32], [key, vector, header]: [&[u8]; 3]) -> Option<Self> {
        let secret = Hkdf::<Sha256>::from_prk(secret).ok()?;
        let key: [u8; 16] = expand(&secret, key)?;
        let header: [u8; 16] = expand(&secret, header)?;
        Some(Self {
            packet: Aes128Gcm::new(&key.into()),
            vector: expand(&secret, vector)?,
            header: Aes128::new(&header.into()),
        })
    }

    /// Header protection, RFC 9001 section 5.4; then the payload, section 5.3.
    fn open(&self, packet: &[u8], head: usize, plain: &mut Vec<u8>) -> Option<()> {
        let sample = packet.get(head.checked_add(NUMBER)?..)?.first_chunk::<SAMPLE>()?;
        let mut mask = (*sample).into();
        self.header.encrypt_block(&mut mask);
        let (first_mask, number_mask) = mask.as_slice().split_first()?;
        let first = packet.first()? ^ (first_mask & 0x0f);
        let number_len = usize::from(first & 3) + 1;

        plain.clear();
        plain.push(first);
        plain.extend_from_slice(packet.get(1..head)?);
        let mut number = 0u64;
        for (byte, mask) in packet.get(head..head + number_len)?.iter().zip(number_mask) {
            plain.push(byte ^ mask);
            number = number << 8 | u64::from(byte ^ mask);
        }
        let associated = plain.len();
        let (sealed, tag) = packet.get(associated..)?.split_last_chunk::<TAG>()?;
        plain.extend_from_slice(sealed);

        let nonce = self.nonce(number);
        let (associated_data, text) = plain.split_at_mut_checked(associated)?;
        self.packet.decrypt_inout_detached(&nonce, associated_data, text.into(), &Tag::from(*tag)).ok()?;
        plain.drain(..associated);
        Some(())
    }

    /// Packet numbers of Initial packets are written whole: nothing was acknowledged before them.
    fn nonce(&self, number: u64) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = self.vector;
        let tail = nonce.iter_mut().skip(4);
        tail.zip(number.to_be_bytes()).for_each(|(place, byte)| *place ^= byte);
        nonce.into()
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &[u8]) -> Option<[u8; N]> {
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_length = [u8::try_from(label.len() + 6).ok()?];
    let mut out = [0; N];
    secret.expand_multi_info(&[&length, &label_length, b"tls13 ", label, &[0]], &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
impl Keys {
    /// Makes the packet that [`Keys::open`] opens. `header` ends with the packet number.
    pub(super) fn seal(&self, side: Side, header: &[u8], number_len: usize, frames: &[u8]) -> Vec<u8> {
        let protection = &self.sides[side.index()];
        let head = header.len() - number_len;
        let number = header[head..].iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
        let mut body = frames.to_vec();
        let nonce = protection.nonce(number);
        let tag =
            protection.packet.encrypt_inout_detached(&nonce, header, body.as_mut_slice().into()).unwrap();
        let mut packet = [header, &body, &tag].concat();
        let mut mask = (*packet[head + NUMBER..].first_chunk::<SAMPLE>().unwrap()).into();
        protection.header.encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        for index in 0..number_len {
            packet[head + index] ^= mask[1 + index];
        }
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    const DCID: &str = "8394c8f03e515708";

    /// RFC 9001 appendix A.1 and RFC 9369 appendix A.1.
    #[test]
    fn vectors_of_the_published_examples() {
        for (version, client, server) in [
            (Version::ONE, "fa044b2f42a3fd3b46fb255c", "0ac1493ca1905853b0bba03e"),
            (Version::TWO, "91f73e2351d8fa91660e909f", "dd13c276499c0249d3310652"),
        ] {
            let keys = Keys::derive(version, &bytes(DCID)).unwrap();
            assert_eq!(keys.sides[0].vector[..], bytes(client));
            assert_eq!(keys.sides[1].vector[..], bytes(server));
        }
    }

    /// RFC 9001 appendix A.2.
    #[test]
    fn the_clients_packet_of_rfc_9001() {
        let keys = Keys::derive(Version::ONE, &bytes(DCID)).unwrap();
        let mut frames = bytes(super::super::tests::CLIENT_HELLO_FRAME);
        frames.resize(1162, 0);
        let header = bytes("c300000001088394c8f03e5157080000449e00000002");
        let packet = keys.seal(Side::ToServer, &header, 4, &frames);
        assert_eq!(packet.len(), 1200);
        assert_eq!(
            packet[..34],
            bytes("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242")
        );
        assert_eq!(packet[1184..], bytes("e221af44860018ab0856972e194cd934"));
        let mut plain = Vec::new();
        keys.open(Side::ToServer, &packet, 18, &mut plain).unwrap();
        assert_eq!(plain, frames);
        assert_eq!(keys.open(Side::ToClient, &packet, 18, &mut plain), None);
    }

    /// RFC 9001 and RFC 9369, appendices A.3.
    #[test]
    fn the_servers_packets_of_both_versions() {
        let text = bytes(
            "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e\
             00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304",
        );
        for (version, packet) in [
            (
                Version::ONE,
                "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5\
                 a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4\
                 cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
            ),
            (
                Version::TWO,
                "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf8726301791\
                 5358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707\
                 f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
            ),
        ] {
            let keys = Keys::derive(version, &bytes(DCID)).unwrap();
            let packet = bytes(packet);
            let mut plain = Vec::new();
            keys.open(Side::ToClient, &packet, 18, &mut plain).unwrap();
            assert_eq!(plain, text);
            for cut in 0..packet.len() {
                assert_eq!(keys.open(Side::ToClient, &packet[..cut], 18, &mut plain), None);
            }
        }
    }
}
