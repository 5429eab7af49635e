//! Maps of a program in the kernel, by the system call itself: what is done to many entries at once has no library.
#![expect(unsafe_code, reason = "the C interface of bpf(2)")]

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

/// Commands of bpf(2) (`linux/bpf.h`).
mod command {
    pub(super) const LOOKUP: libc::c_int = 1;
    pub(super) const UPDATE: libc::c_int = 2;
    pub(super) const DELETE: libc::c_int = 3;
    pub(super) const TAKE: libc::c_int = 21;
    pub(super) const LOOKUP_BATCH: libc::c_int = 24;
}

/// The entry must not be there yet.
const NO_EXIST: u64 = 1;
/// What lookups say in the kernel where a command is not known for this kind of map.
const NOT_SUPPORTED: i32 = 524;

/// What is asked about one entry.
#[repr(C)]
struct Element {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// What is asked about many entries.
#[repr(C)]
struct Many {
    from: u64,
    to: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

/// A map with keys of `K` bytes, and values of so many bytes: for all CPUs together where each has its own.
#[derive(Debug)]
pub(crate) struct Map<const K: usize> {
    fd: OwnedFd,
    value: usize,
}

/// Where a walk over a whole map goes on; nothing for its beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor(Option<u32>);

impl Cursor {
    pub(crate) const fn is_at_beginning(self) -> bool {
        self.0.is_none()
    }
}

/// Room for the entries of one step of such a walk.
#[derive(Debug)]
pub(crate) struct Room<const K: usize> {
    pub(crate) keys: Vec<[u8; K]>,
    pub(crate) values: Vec<u8>,
}

impl<const K: usize> Room<K> {
    pub(crate) fn new(entries: usize, value: usize) -> Self {
        Self { keys: vec![[0; K]; entries], values: vec![0; entries * value] }
    }
}

impl<const K: usize> Map<K> {
    /// `value` is what one lookup writes.
    pub(crate) const fn new(fd: OwnedFd, value: usize) -> Self {
        Self { fd, value }
    }

    pub(crate) const fn value_size(&self) -> usize {
        self.value
    }

    fn fd(&self) -> u32 {
        self.fd.as_raw_fd().cast_unsigned()
    }

    /// Puts a value in; with `new` only where there is none.
    pub(crate) fn insert(&self, key: &[u8; K], value: &[u8], new: bool) -> io::Result<()> {
        assert_eq!(value.len(), self.value, "the kernel reads this much");
        let asked = Element {
            map: self.fd(),
            pad: 0,
            key: address(key),
            value: address(value),
            flags: if new { NO_EXIST } else { 0 },
        };
        // SAFETY: key and value are readable for the length of the call, and as long as the map says: the key by its
        // type, the value by the assertion.
        unsafe { call(command::UPDATE, &asked) }
    }

    /// Reads a value; false where there is none.
    pub(crate) fn read(&self, key: &[u8; K], into: &mut [u8]) -> io::Result<bool> {
        self.fetch(command::LOOKUP, key, into)
    }

    /// Takes an entry out, with what it counted until then; false where there is none.
    pub(crate) fn take(&self, key: &[u8; K], into: &mut [u8]) -> io::Result<bool> {
        match self.fetch(command::TAKE, key, into) {
            // Kernels before 5.14 do this for other maps only; what is counted between the two calls is in the total.
            Err(e) if matches!(e.raw_os_error(), Some(libc::EINVAL | NOT_SUPPORTED | libc::EOPNOTSUPP)) => {
                let there = self.read(key, into)?;
                self.remove(key)?;
                Ok(there)
            }
            result => result,
        }
    }

    fn fetch(&self, what: libc::c_int, key: &[u8; K], into: &mut [u8]) -> io::Result<bool> {
        assert_eq!(into.len(), self.value, "the kernel writes this much");
        let asked = Element {
            map: self.fd(),
            pad: 0,
            key: address(key),
            value: into.as_mut_ptr().expose_provenance() as u64,
            flags: 0,
        };
        // SAFETY: the key is readable and the value writable for the length of the call, and as long as the map says:
        // the key by its type, the value by the assertion.
        match unsafe { call(what, &asked) } {
            Ok(()) => Ok(true),
            Err(e) if e.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Takes an entry out, if it is there.
    pub(crate) fn remove(&self, key: &[u8; K]) -> io::Result<()> {
        let asked = Element { map: self.fd(), pad: 0, key: address(key), value: 0, flags: 0 };
        // SAFETY: the key is readable for the length of the call, and as long as the map's by its type.
        match unsafe { call(command::DELETE, &asked) } {
            Err(e) if e.raw_os_error() != Some(libc::ENOENT) => Err(e),
            _ => Ok(()),
        }
    }

    /// Reads the next entries of the map, as many as there is room for: how many they are. The cursor is at its beginning
    /// again when those were the last.
    pub(crate) fn walk(&self, cursor: &mut Cursor, room: &mut Room<K>) -> io::Result<usize> {
        assert_eq!(room.values.len(), room.keys.len() * self.value, "the kernel writes this much");
        let (from, mut to) = (cursor.0.unwrap_or_default(), 0_u32);
        let mut asked = Many {
            from: cursor.0.map_or(0, |_| address(&from)),
            to: std::ptr::from_mut(&mut to).expose_provenance() as u64,
            keys: room.keys.as_mut_ptr().expose_provenance() as u64,
            values: room.values.as_mut_ptr().expose_provenance() as u64,
            count: u32::try_from(room.keys.len()).unwrap_or(u32::MAX),
            map: self.fd(),
            element_flags: 0,
            flags: 0,
        };
        // SAFETY: keys and values are writable for as many entries as `count` says, by the assertion; the two places
        // are words, of which one is read and one written; all of them outlive the call.
        let done = unsafe { call_many(command::LOOKUP_BATCH, &mut asked) };
        match done {
            Ok(()) => *cursor = Cursor(Some(to)),
            Err(e) if e.raw_os_error() == Some(libc::ENOENT) => *cursor = Cursor::default(),
            Err(e) => {
                *cursor = Cursor::default();
                return Err(e);
            }
        }
        Ok((asked.count as usize).min(room.keys.len()))
    }
}

fn address<T: ?Sized>(of: &T) -> u64 {
    std::ptr::from_ref(of).cast::<u8>().expose_provenance() as u64
}

/// # Safety
/// The addresses must be valid for what the command does with them.
unsafe fn call(command: libc::c_int, asked: &Element) -> io::Result<()> {
    // SAFETY: `asked` is readable for its own size, which is told; the caller vouches for what it points to.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(asked), size_of::<Element>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// # Safety
/// The addresses must be valid for what the command does with them.
unsafe fn call_many(command: libc::c_int, asked: &mut Many) -> io::Result<()> {
    // SAFETY: `asked` is readable for its own size, which is told, and writable where the kernel puts the count; the
    // caller vouches for what it points to.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(asked), size_of::<Many>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
