//! Reading, as an importer does that has never seen the writer: once from front to end, marker by marker, then the tables
//! against what was met on the way.

use crate::Fault;
use flate2::read::ZlibDecoder;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// What a VMDK holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Sectors of the disk.
    pub capacity: u64,
    /// Grains that are stored.
    pub grains: u64,
    /// Sectors of the file.
    pub length: u64,
}

struct Header {
    capacity: u64,
    grain: u64,
    table: u64,
    directory: u64,
    overhead: u64,
}

/// Most sectors of a disk that are believed: 2 TiB.
const CAPACITY_MOST: u64 = 1 << 32;
/// Most sectors of a grain that are believed.
const GRAIN_MOST: u64 = 2048;

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, |b| u64::from(u32::from_le_bytes(b)))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn bad<T>(text: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::new(format!("VMDK: {}", text.into())))
}

/// Reads a VMDK to its end, writes the disk that it holds, and checks everything on the way.
///
/// # Errors
/// When it is damaged, is not streamOptimized, has anything behind its end, or the disk cannot be written.
pub fn read(from: impl Read, disk: &mut dyn Write) -> Result<Shape, Fault> {
    let mut from = Sectors { from, next: 0 };
    let first = from.one()?;
    let header = parse(&first)?;
    if header.directory != u64::MAX {
        return bad("the directory is in front: this was not written as a stream");
    }
    let descriptor = from.many(u64_at(&first, 36).min(header.overhead))?;
    let text = String::from_utf8_lossy(&descriptor);
    if !text.contains("createType=\"streamOptimized\"") {
        return bad("its descriptor does not say streamOptimized");
    }
    from.skip_to(header.overhead)?;
    let mut walk = Walk { disk, at: 0, header, grains: BTreeMap::new(), tables: BTreeMap::new() };
    let footer = loop {
        let here = from.next;
        let marker = from.one()?;
        let (value, size) = (u64_at(&marker, 0), u32_at(&marker, 8));
        match (size, u32_at(&marker, 12)) {
            (1.., _) => walk.grain(here, value, size, &marker, &mut from)?,
            (0, 1) => {
                let at = from.next;
                walk.tables.insert(at, from.many(value)?);
            }
            (0, 2) => {
                let at = from.next;
                let directory = from.many(value)?;
                walk.directory(at, &directory)?;
                walk.header.directory = at;
            }
            (0, 3) => break from.many(1)?,
            (0, 0) => return bad(format!("it ends at sector {here}, without a footer")),
            (0, other) => return bad(format!("an unknown marker {other} at sector {here}")),
        }
    };
    let last = parse(&footer)?;
    if last.directory != walk.header.directory || last.capacity != walk.header.capacity {
        return bad("its footer contradicts what came before");
    }
    if from.one()?.iter().any(|byte| *byte != 0) {
        return bad("no end-of-stream marker behind the footer");
    }
    if !from.ended()? {
        return bad(format!("something stands behind the end-of-stream marker, at sector {}", from.next));
    }
    walk.zeros_to(walk.header.capacity)?;
    Ok(Shape { capacity: last.capacity, grains: walk.grains.len() as u64, length: from.next })
}

fn parse(bytes: &[u8]) -> Result<Header, Fault> {
    if bytes.get(..4) != Some(b"KDMV") {
        return bad("no header");
    }
    if (u32_at(bytes, 4), u32_at(bytes, 8)) != (3, 0x3_0001) {
        return bad(format!(
            "version {} with flags {:#x}, not 3 with 0x30001",
            u32_at(bytes, 4),
            u32_at(bytes, 8)
        ));
    }
    if bytes.get(73..77) != Some(b"\n \r\n") || bytes.get(77..79) != Some(&[1, 0]) {
        return bad("line ends were changed on the way, or it is not deflated");
    }
    let header = Header {
        capacity: u64_at(bytes, 12),
        grain: u64_at(bytes, 20),
        table: u32_at(bytes, 44),
        directory: u64_at(bytes, 56),
        overhead: u64_at(bytes, 64),
    };
    if header.capacity > CAPACITY_MOST {
        return bad(format!("{} sectors: more than 2 TiB", header.capacity));
    }
    if header.grain == 0 || header.grain > GRAIN_MOST || header.table != 512 || header.overhead > 1 << 20 {
        return bad("grains or tables of a size that nobody reads");
    }
    Ok(header)
}

struct Walk<'d> {
    disk: &'d mut dyn Write,
    /// Sectors of the disk that were written.
    at: u64,
    header: Header,
    /// First sector of a grain, and where it was met.
    grains: BTreeMap<u64, u64>,
    tables: BTreeMap<u64, Vec<u8>>,
}

impl Walk<'_> {
    fn grain(
        &mut self,
        here: u64,
        lba: u64,
        size: u64,
        first: &[u8],
        from: &mut Sectors<impl Read>,
    ) -> Result<(), Fault> {
        if !lba.is_multiple_of(self.header.grain) || lba < self.at || lba >= self.header.capacity {
            return bad(format!("the grain at sector {here} is for sector {lba}: not in order"));
        }
        let mut packed = first.get(12..).unwrap_or_default().to_vec();
        let more = (size + 12).div_ceil(512) - 1;
        if more > self.header.grain * 2 {
            return bad(format!("the grain at sector {here} has {size} bytes"));
        }
        packed.extend(from.many(more)?);
        packed.truncate(usize::try_from(size).unwrap_or(0));
        let mut grain = Vec::new();
        let most = self.header.grain * 512;
        ZlibDecoder::new(packed.as_slice())
            .take(most + 1)
            .read_to_end(&mut grain)
            .map_err(|e| Fault::new(format!("VMDK: the grain at sector {here}: {e}")))?;
        if grain.len() as u64 != most {
            return bad(format!("the grain at sector {here} unpacks to {} bytes", grain.len()));
        }
        self.zeros_to(lba)?;
        let left = (self.header.capacity - lba) * 512;
        let kept = usize::try_from(left.min(most)).unwrap_or(0);
        self.disk.write_all(grain.get(..kept).unwrap_or_default())?;
        self.at = (lba + self.header.grain).min(self.header.capacity);
        self.grains.insert(lba / self.header.grain, here);
        Ok(())
    }

    fn zeros_to(&mut self, sector: u64) -> Result<(), Fault> {
        io::copy(&mut io::repeat(0).take((sector - self.at) * 512), self.disk)?;
        self.at = sector;
        Ok(())
    }

    /// Each entry leads to a table that was met, each of its entries to a grain that was met, and none is left over.
    fn directory(&self, at: u64, directory: &[u8]) -> Result<(), Fault> {
        let tables = self.header.capacity.div_ceil(self.header.grain * self.header.table);
        let (mut grains, mut used) = (0, 0);
        for index in 0..tables {
            let table = match u32_at(directory, usize::try_from(index * 4).unwrap_or(usize::MAX)) {
                0 => continue,
                sector => match self.tables.get(&sector) {
                    Some(table) => table,
                    None => {
                        return bad(format!(
                            "the directory at sector {at} leads to sector {sector}: no table"
                        ));
                    }
                },
            };
            used += 1;
            for (entry, sector) in (0..).zip(table.chunks_exact(4).map(|word| u32_at(word, 0))) {
                let lists = self.grains.get(&(index * self.header.table + entry)).copied();
                if lists != Some(sector).filter(|sector| *sector != 0) {
                    return bad(format!("table {index} says sector {sector} where {lists:?} was met"));
                }
                grains += u64::from(sector != 0);
            }
        }
        if (grains, used) != (self.grains.len() as u64, self.tables.len() as u64) {
            return bad("grains or tables that nobody lists");
        }
        Ok(())
    }
}

struct Sectors<R> {
    from: R,
    next: u64,
}

impl<R: Read> Sectors<R> {
    fn one(&mut self) -> Result<Vec<u8>, Fault> {
        self.many(1)
    }

    fn many(&mut self, count: u64) -> Result<Vec<u8>, Fault> {
        if count > 1 << 20 {
            return bad(format!("{count} sectors at once at sector {}", self.next));
        }
        let mut bytes = Vec::new();
        let wanted = count * 512;
        let got = (&mut self.from).take(wanted).read_to_end(&mut bytes)?;
        if got as u64 != wanted {
            return bad(format!("it breaks off at sector {}", self.next));
        }
        self.next += count;
        Ok(bytes)
    }

    fn skip_to(&mut self, sector: u64) -> Result<(), Fault> {
        self.many(sector.saturating_sub(self.next)).map(drop)
    }

    fn ended(&mut self) -> Result<bool, Fault> {
        Ok(self.from.read(&mut [0])? == 0)
    }
}
