//! Reading and writing payloads: little-endian, every byte checked once.

use std::fmt;

/// Why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It ends too early.
    Short {
        /// Bytes that were wanted.
        needed: usize,
        /// Bytes there are.
        had: usize,
    },
    /// A field is beyond what any device has.
    Range {
        /// The field.
        field: &'static str,
        /// What it says.
        value: u64,
        /// The most it may say.
        most: u64,
    },
    /// A function was given a group address for its own.
    GroupAddress([u8; 6]),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { needed, had } => write!(f, "{had} bytes where {needed} are needed"),
            Self::Range { field, value, most } => write!(f, "{field} is {value}, {most} at the most"),
            Self::GroupAddress(address) => write!(f, "a group address for a function: {address:02x?}"),
        }
    }
}

impl std::error::Error for Malformed {}

/// A structure of the protocol: read and written as inverses, apart from padding, which is written as zero.
pub trait Message: Sized {
    /// Takes it from the front.
    ///
    /// # Errors
    /// [`Malformed`] when bytes are missing or a field is beyond reason.
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// Appends it.
    fn write(&self, to: &mut Vec<u8>);

    /// Reads a payload. What follows is ignored: whoever has to insist on a length does it with
    /// [`check`](super::length::check).
    ///
    /// # Errors
    /// As [`Message::read`].
    fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        Self::read(&mut Reader::new(payload))
    }

    /// Writes a payload.
    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        self.write(&mut payload);
        payload
    }
}

/// A place in a payload.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    whole: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload, whole: payload.len() }
    }

    /// The next `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let needed = (self.whole - self.rest.len()).saturating_add(count);
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(Malformed::Short { needed, had: self.whole })?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.bytes(count).map(|_| ())
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// So many of something; a count that the payload does not hold fails before anything grows.
    pub(crate) fn list<T: Message>(&mut self, count: u16) -> Result<Vec<T>, Malformed> {
        (0..count).map(|_| T::read(self)).collect()
    }
}

/// Appending fields.
pub(crate) trait Put {
    fn bytes(&mut self, bytes: &[u8]);

    fn zeros(&mut self, count: usize);

    fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn i32(&mut self, value: i32) {
        self.bytes(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    fn list<T: Message>(&mut self, list: &[T]);
}

impl Put for Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn zeros(&mut self, count: usize) {
        self.resize(self.len() + count, 0);
    }

    fn list<T: Message>(&mut self, list: &[T]) {
        list.iter().for_each(|element| element.write(self));
    }
}

/// A list's length as its field says it. Lists that long do not fit a buffer, which [`fits`](super::length::fits) and
/// the mailbox refuse.
pub(crate) fn count_of<T>(list: &[T]) -> u16 {
    u16::try_from(list.len()).unwrap_or(u16::MAX)
}

/// A field that must not exceed what any device has.
pub(crate) fn at_most<T: Copy + Into<u64>>(field: &'static str, value: T, most: u64) -> Result<T, Malformed> {
    let read = value.into();
    if read > most { Err(Malformed::Range { field, value: read, most }) } else { Ok(value) }
}

/// Reads and writes a structure field by field, in the order of the wire. `pad N` stands for bytes that mean nothing.
macro_rules! layout {
    ($name:ident { $($part:tt)* }) => {
        impl $crate::virtchnl::wire::Message for $name {
            fn read(
                from: &mut $crate::virtchnl::wire::Reader<'_>,
            ) -> Result<Self, $crate::virtchnl::wire::Malformed> {
                let mut this = Self::default();
                $crate::virtchnl::wire::layout!(@read this, from, $($part)*);
                Ok(this)
            }

            fn write(&self, to: &mut Vec<u8>) {
                use $crate::virtchnl::wire::Put as _;
                $crate::virtchnl::wire::layout!(@write self, to, $($part)*);
            }
        }
    };
    (@read $this:ident, $from:ident, ) => {};
    (@read $this:ident, $from:ident, pad $count:literal; $($rest:tt)*) => {
        $from.skip($count)?;
        $crate::virtchnl::wire::layout!(@read $this, $from, $($rest)*);
    };
    (@read $this:ident, $from:ident, $field:ident $(. $index:tt)? : $kind:ident; $($rest:tt)*) => {
        $this.$field $(. $index)? = $from.$kind()?;
        $crate::virtchnl::wire::layout!(@read $this, $from, $($rest)*);
    };
    (@write $this:ident, $to:ident, ) => {};
    (@write $this:ident, $to:ident, pad $count:literal; $($rest:tt)*) => {
        $to.zeros($count);
        $crate::virtchnl::wire::layout!(@write $this, $to, $($rest)*);
    };
    (@write $this:ident, $to:ident, $field:ident $(. $index:tt)? : array; $($rest:tt)*) => {
        $to.bytes(&$this.$field $(. $index)?);
        $crate::virtchnl::wire::layout!(@write $this, $to, $($rest)*);
    };
    (@write $this:ident, $to:ident, $field:ident $(. $index:tt)? : $kind:ident; $($rest:tt)*) => {
        $to.$kind($this.$field $(. $index)?);
        $crate::virtchnl::wire::layout!(@write $this, $to, $($rest)*);
    };
}

pub(crate) use layout;
