//! How frames are spread over queues.

use avf::rss::{Family, Hena, KEY_BYTES, Lut, Toeplitz};
use avf::virtchnl::{Algorithm, RssConfig};

use crate::Host;

/// The key that the PF programs before a driver sets one: any bytes would do, these are not symmetric.
const FIRST_KEY: [u8; KEY_BYTES] = first_key();

const fn first_key() -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    let mut at = 0;
    let mut value = 0x41_u8;
    while at < KEY_BYTES {
        value = value.wrapping_mul(167).wrapping_add(13);
        key[at] = value;
        at += 1;
    }
    key
}

/// Key, lookup table and hashed classes.
#[derive(Clone, Debug)]
pub struct Rss {
    /// Hash key, made ready.
    pub toeplitz: Toeplitz,
    /// Hash key.
    pub key: [u8; KEY_BYTES],
    /// Queue of each hash value.
    pub lut: Lut,
    /// Classes that are hashed (op 26).
    pub hena: Hena,
    /// Header patterns that are hashed (op 45), in the order in which they came.
    pub patterns: Vec<RssConfig>,
    /// How it is hashed (op 18, op 45).
    pub algorithm: Algorithm,
}

impl Rss {
    pub(crate) fn new(host: &Host, family: Family) -> Self {
        Self {
            toeplitz: Toeplitz::new(&FIRST_KEY),
            key: FIRST_KEY,
            lut: Lut::deal(host.pairs, host.lut.into()),
            hena: Hena::of(family),
            patterns: Vec::new(),
            algorithm: Algorithm::TOEPLITZ,
        }
    }

    /// Takes a key.
    pub(crate) fn set_key(&mut self, key: [u8; KEY_BYTES]) {
        self.key = key;
        self.toeplitz = Toeplitz::new(&key);
    }

    /// Whether both directions of a flow hash alike whatever the key is.
    #[must_use]
    pub fn is_symmetric(&self) -> bool {
        self.algorithm == Algorithm::TOEPLITZ_SYMMETRIC
    }
}
