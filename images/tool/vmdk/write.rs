//! Writing. Tables follow the grains that they list; where they are is said in a footer, which repeats the header.

use crate::Fault;
use crate::disk::{SECTOR, fill, hash, hex, is_zero};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::{self, Read, Seek, Write};

/// Bytes of a grain.
const GRAIN: usize = 64 << 10;
const GRAIN_SECTORS: u64 = GRAIN as u64 / SECTOR;
/// Grains of a table.
const TABLE: usize = 512;
/// Sectors of the descriptor.
const DESCRIPTOR: u64 = 20;
/// Sectors before the first grain: header, descriptor, and what pads them to a grain.
const OVERHEAD: u64 = 128;
/// Where the directory is, while it is not known.
const AT_THE_END: u64 = u64::MAX;

/// Markers of what is no grain.
#[derive(Clone, Copy)]
enum Marker {
    EndOfStream = 0,
    Table = 1,
    Directory = 2,
    Footer = 3,
}

/// Writes a raw disk of `size` bytes as streamOptimized VMDK. The same disk gives the same bytes.
///
/// # Errors
/// When the disk cannot be read, is too large for its tables, or the output cannot be written.
pub fn write(
    disk: &mut (impl Read + Seek),
    size: u64,
    name: &str,
    out: &mut impl Write,
) -> Result<(), Fault> {
    if size == 0 || !size.is_multiple_of(SECTOR) || size > 2 << 40 {
        return Err(Fault::new(format!(
            "{size} bytes: a VMDK of this kind has whole sectors, 2 TiB at the most"
        )));
    }
    disk.rewind()?;
    let content = hash(disk)?;
    disk.rewind()?;
    let mut stream = Stream { out, sector: 0 };
    stream.put(&header(size, AT_THE_END))?;
    stream.put(&padded(descriptor(size, name, &content).into_bytes(), DESCRIPTOR)?)?;
    stream.zeros(OVERHEAD - stream.sector)?;
    let directory = grains(disk, &mut stream)?;
    let bytes = words(&directory);
    stream.marker(Marker::Directory, sectors(bytes.len()))?;
    let at = stream.sector;
    stream.put(&bytes)?;
    stream.marker(Marker::Footer, 1)?;
    stream.put(&header(size, at))?;
    stream.marker(Marker::EndOfStream, 0)?;
    stream.out.flush().map_err(Fault::from)
}

/// Writes every grain that is not zero and every table that is not empty; gives the directory.
fn grains(disk: &mut impl Read, stream: &mut Stream<'_, impl Write>) -> Result<Vec<u32>, Fault> {
    let mut directory = Vec::new();
    let mut buffer = vec![0; GRAIN * TABLE];
    let mut first = 0_u64;
    loop {
        let n = fill(disk, &mut buffer)?;
        if n == 0 {
            return Ok(directory);
        }
        // A last grain that the disk does not fill is filled with zeros.
        let whole = n.div_ceil(GRAIN) * GRAIN;
        buffer[n..whole].fill(0);
        let mut table = vec![0_u32; TABLE];
        for (index, packed) in packed(&buffer[..whole])?.into_iter().enumerate() {
            if let Some(packed) = packed {
                table[index] = position(stream.sector)?;
                stream.grain((first + index as u64) * GRAIN_SECTORS, &packed)?;
            }
        }
        if table.iter().all(|entry| *entry == 0) {
            directory.push(0);
        } else {
            let bytes = words(&table);
            stream.marker(Marker::Table, sectors(bytes.len()))?;
            directory.push(position(stream.sector)?);
            stream.put(&bytes)?;
        }
        first += TABLE as u64;
    }
}

/// Deflates grains, on as many cores as there are: each by itself, so that their number changes nothing.
fn packed(grains: &[u8]) -> Result<Vec<Option<Vec<u8>>>, Fault> {
    let count = grains.len() / GRAIN;
    let share = count.div_ceil(std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let one = |grain: &[u8]| -> io::Result<Option<Vec<u8>>> {
        if is_zero(grain) {
            return Ok(None);
        }
        let mut out = ZlibEncoder::new(Vec::new(), Compression::default());
        out.write_all(grain)?;
        out.finish().map(Some)
    };
    let done: io::Result<Vec<Vec<Option<Vec<u8>>>>> = std::thread::scope(|scope| {
        let work = |part: &'_ [u8]| part.chunks(GRAIN).map(one).collect::<io::Result<Vec<_>>>();
        let parts: Vec<_> =
            grains.chunks(share * GRAIN).map(|part| scope.spawn(move || work(part))).collect();
        let ended = |part: std::thread::ScopedJoinHandle<'_, _>| {
            part.join().unwrap_or_else(|_| Err(io::Error::other("a thread failed")))
        };
        parts.into_iter().map(ended).collect()
    });
    Ok(done?.into_iter().flatten().collect())
}

struct Stream<'o, W: Write> {
    out: &'o mut W,
    /// Sectors written.
    sector: u64,
}

impl<W: Write> Stream<'_, W> {
    /// Whole sectors.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.zero_bytes(sectors(bytes.len()) * SECTOR - bytes.len() as u64)?;
        self.sector += sectors(bytes.len());
        Ok(())
    }

    fn zero_bytes(&mut self, count: u64) -> io::Result<()> {
        io::copy(&mut io::repeat(0).take(count), self.out).map(drop)
    }

    fn zeros(&mut self, count: u64) -> io::Result<()> {
        self.zero_bytes(count * SECTOR)?;
        self.sector += count;
        Ok(())
    }

    fn grain(&mut self, lba: u64, packed: &[u8]) -> Result<(), Fault> {
        let length = u32::try_from(packed.len()).map_err(|_| Fault::new("a grain that grew"))?;
        let mut bytes = Vec::with_capacity(packed.len() + 12);
        bytes.extend(lba.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(packed);
        self.put(&bytes).map_err(Fault::from)
    }

    fn marker(&mut self, marker: Marker, length: u64) -> io::Result<()> {
        let mut bytes = [0; SECTOR as usize];
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        bytes[12..16].copy_from_slice(&(marker as u32).to_le_bytes());
        self.put(&bytes)
    }
}

fn sectors(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(SECTOR)
}

fn position(sector: u64) -> Result<u32, Fault> {
    u32::try_from(sector).map_err(|_| Fault::new("more than 2 TiB when packed"))
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn padded(mut bytes: Vec<u8>, length: u64) -> Result<Vec<u8>, Fault> {
    let most = usize::try_from(length * SECTOR).unwrap_or(usize::MAX);
    if bytes.len() > most {
        return Err(Fault::new("the name of the disk is too long"));
    }
    bytes.resize(most, 0);
    Ok(bytes)
}

fn header(size: u64, directory: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(SECTOR as usize);
    out.extend(b"KDMV");
    out.extend(3_u32.to_le_bytes());
    // Line ends can be tested; grains are compressed; there are markers.
    out.extend(0x3_0001_u32.to_le_bytes());
    for value in [size / SECTOR, GRAIN_SECTORS, 1, DESCRIPTOR] {
        out.extend(value.to_le_bytes());
    }
    out.extend((TABLE as u32).to_le_bytes());
    // No second directory.
    for value in [0, directory, OVERHEAD] {
        out.extend(value.to_le_bytes());
    }
    // Cleanly shut down; then what a transfer as text would spoil.
    out.extend(b"\0\n \r\n");
    // Deflate.
    out.extend(1_u16.to_le_bytes());
    out.resize(SECTOR as usize, 0);
    out
}

/// Its CID comes from the content, and is not the one that says "no parent".
fn descriptor(size: u64, name: &str, content: &[u8; 32]) -> String {
    let cid = match hex(&content[..4]) {
        cid if cid == "ffffffff" => "fffffffe".to_owned(),
        cid => cid,
    };
    let (sectors, heads, track) = (size / SECTOR, 255, 63);
    let cylinders = (sectors / (heads * track)).clamp(1, 65_535);
    format!(
        "# Disk DescriptorFile\nversion=1\nCID={cid}\nparentCID=ffffffff\ncreateType=\"streamOptimized\"\n\n\
         # Extent description\nRW {sectors} SPARSE \"{name}\"\n\n# The Disk Data Base\n#DDB\n\n\
         ddb.adapterType = \"lsilogic\"\nddb.geometry.cylinders = \"{cylinders}\"\nddb.geometry.heads = \"{heads}\"\n\
         ddb.geometry.sectors = \"{track}\"\nddb.virtualHWVersion = \"19\"\n"
    )
}
