//! Names (RFC 1035 section 4.1.4): labels and pointers unpacked into one buffer, within bounds.

/// Longest name kept; dnsmasq's bound, and Suricata's. What is longer is cut.
const LONGEST: usize = 1025;
/// Most labels and pointers of one name.
const STEPS: u32 = 255;
/// Most bytes that the names of one message may unpack to, and most pointers that it may make us follow: what
/// honest traffic never reaches, and what keeps the cost of a message proportional to its size.
const BYTES: usize = 128 * 1024;
const JUMPS: u32 = 16 * 1024;

/// An unpacked name: its place in the buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Name {
    start: u32,
    len: u16,
    /// Whether it was cut.
    pub(crate) truncated: bool,
}

/// What went wrong with names that were kept all the same.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trouble {
    /// A pointer points at itself.
    pub(crate) infinite_loop: bool,
    /// A name was cut.
    pub(crate) truncated: bool,
    /// A name has too many labels and pointers.
    pub(crate) label_limit: bool,
}

/// The unpacked names of one message.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bytes: Vec<u8>,
    jumps: u32,
    /// The last sound name and where it began: most records point to a name that was just unpacked.
    last: Option<(usize, Name)>,
    /// What went wrong.
    pub(crate) trouble: Trouble,
}

/// How the walk over one name ended.
enum End {
    /// At its root label, or at the end of the message.
    Root,
    /// Cut, after a pointer, so the name's end in the message is known.
    Cut,
}

impl Names {
    /// Forgets every name.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        if self.bytes.capacity() > 16 * 1024 {
            self.bytes = Vec::new();
        }
        self.jumps = 0;
        self.last = None;
        self.trouble = Trouble::default();
    }

    /// Heap bytes held.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// The bytes of a name, dotted, without the root's dot.
    pub(crate) fn get(&self, name: Name) -> &[u8] {
        let start = name.start as usize;
        self.bytes.get(start..start + usize::from(name.len)).unwrap_or_default()
    }

    /// Unpacks the name at `at`; answers it and the place behind it.
    pub(crate) fn unpack(&mut self, message: &[u8], at: usize) -> Option<(Name, usize)> {
        if let Some((target, name)) = self.last
            && pointer(message, at) == Some(target)
        {
            return Some((name, at + 2));
        }
        let start = self.bytes.len();
        let before = self.trouble;
        self.trouble = Trouble::default();
        let walked = self.walk(message, at, start);
        let found = self.trouble;
        self.trouble.join(before);
        let behind = walked?;
        let len = (self.bytes.len() - start).min(LONGEST);
        self.bytes.truncate(start + len);
        let name = Name {
            start: u32::try_from(start).ok()?,
            len: u16::try_from(len).ok()?,
            truncated: found.truncated,
        };
        if !found.any() {
            self.last = Some((pointer(message, at).unwrap_or(at), name));
        }
        Some((name, behind))
    }

    /// Walks the labels of one name; answers the place behind it.
    fn walk(&mut self, message: &[u8], at: usize, start: usize) -> Option<usize> {
        let mut pos = at;
        let mut behind = None;
        for step in 1.. {
            let Some(&n) = message.get(pos) else { break };
            match n & 0xc0 {
                0 if n == 0 => {
                    pos += 1;
                    break;
                }
                0 => {
                    let end = pos + 1 + usize::from(n);
                    self.append(message.get(pos + 1..end)?, start);
                    pos = end;
                }
                0xc0 => match self.follow(message, pos, behind.is_some())? {
                    (_, End::Cut) => break,
                    (target, End::Root) => {
                        behind.get_or_insert(pos + 2);
                        pos = target;
                    }
                },
                _ => return None,
            }
            if let End::Cut = self.bound(step, start, behind.is_some())? {
                break;
            }
        }
        Some(behind.unwrap_or(pos))
    }

    /// Adds a label, unless the name has been cut.
    fn append(&mut self, label: &[u8], start: usize) {
        if self.trouble.truncated {
            return;
        }
        if self.bytes.len() > start {
            self.bytes.push(b'.');
        }
        self.bytes.extend_from_slice(label);
    }

    /// Where the pointer at `pos` leads. A pointer to itself ends the name when another one led there, and is an
    /// error otherwise, for then nobody knows where the name ends.
    fn follow(&mut self, message: &[u8], pos: usize, jumped: bool) -> Option<(usize, End)> {
        let target = pointer(message, pos)?;
        if target > message.len() {
            return None;
        }
        if target == pos {
            self.trouble.infinite_loop = true;
            return jumped.then_some((pos, End::Cut));
        }
        self.jumps += 1;
        Some((target, End::Root))
    }

    /// Holds the name within its bounds, and the message within its own.
    fn bound(&mut self, step: u32, start: usize, jumped: bool) -> Option<End> {
        if step > STEPS || self.jumps > JUMPS {
            self.trouble.label_limit = true;
            self.trouble.truncated |= jumped;
            return jumped.then_some(End::Cut);
        }
        if self.bytes.len() - start > LONGEST || self.bytes.len() > BYTES {
            self.bytes.truncate((start + LONGEST).min(BYTES.max(start)));
            self.trouble.truncated = true;
            if jumped {
                return Some(End::Cut);
            }
        }
        Some(End::Root)
    }
}

impl Trouble {
    fn any(self) -> bool {
        self.infinite_loop || self.truncated || self.label_limit
    }

    fn join(&mut self, other: Self) {
        self.infinite_loop |= other.infinite_loop;
        self.truncated |= other.truncated;
        self.label_limit |= other.label_limit;
    }
}

/// Target of the pointer at `at`, if one is there.
fn pointer(message: &[u8], at: usize) -> Option<usize> {
    let bytes = message.get(at..at + 2)?.try_into().ok()?;
    let word = u16::from_be_bytes(bytes);
    (word & 0xc000 == 0xc000).then_some(usize::from(word & 0x3fff))
}
