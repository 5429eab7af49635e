//! OVA (DMTF DSP0243 1.1.1): descriptor, manifest and disk in one tar, in this order.
//!
//! What importers insist on, and others got wrong: the descriptor first; no space before the bracket of a digest; the format
//! of the disk by its URI; properties that reach the guest only with `ovf:transport`. What the schema demands, [`envelope`]
//! has.

mod envelope;

use crate::disk::{SECTOR, hash, hex};
use crate::{Fault, vmdk};
use roxmltree::{Document, Node};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use tar::{Builder, EntryType, Header};

/// What is packed.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Name of the machine and beginning of the members' names.
    pub name: String,
    /// Version, as people are told.
    pub version: String,
    /// Seconds since 1970 that members bear.
    pub date: u64,
}

/// What the descriptor is made of.
const TEMPLATE: &str = include_str!("../ova/vigie.ovf");
/// The only format of disks that is streamed.
const STREAM: &str = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";

/// Packs a VMDK of a disk of `capacity` bytes.
///
/// # Errors
/// When something cannot be read or written, or a name is none.
pub fn pack(wish: &Wish, disk: &mut File, capacity: u64, out: &mut impl Write) -> Result<(), Fault> {
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    if !plain(&wish.name) || !plain(&wish.version) {
        return Err(Fault::new("name and version have letters, digits, `-`, `_` and `.`"));
    }
    let length = disk.seek(io::SeekFrom::End(0))?;
    disk.rewind()?;
    let digest = hex(&hash(disk)?);
    disk.rewind()?;
    let names = ["ovf", "mf", "vmdk"].map(|ending| format!("{}.{ending}", wish.name));
    let [descriptor_name, manifest_name, disk_name] = &names;
    let descriptor = TEMPLATE
        .replace("@DISK@", disk_name)
        .replace("@LENGTH@", &length.to_string())
        .replace("@CAPACITY@", &capacity.to_string())
        .replace("@NAME@", &wish.name)
        .replace("@VERSION@", &wish.version);
    let own = hex(&hash(&mut descriptor.as_bytes())?);
    let manifest = format!("SHA256({descriptor_name})= {own}\nSHA256({disk_name})= {digest}\n");
    let mut tar = Builder::new(out);
    member(&mut tar, wish, descriptor_name, descriptor.len() as u64, descriptor.as_bytes())?;
    member(&mut tar, wish, manifest_name, manifest.len() as u64, manifest.as_bytes())?;
    member(&mut tar, wish, disk_name, length, disk)?;
    tar.into_inner()?.flush().map_err(Fault::from)
}

fn member(
    tar: &mut Builder<impl Write>,
    wish: &Wish,
    name: &str,
    size: u64,
    from: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(wish.date);
    header.set_entry_type(EntryType::Regular);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, name, from)
}

/// What a verified OVA holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Name of the machine.
    pub name: String,
    /// Bytes of its disk.
    pub capacity: u64,
    /// Keys of its properties.
    pub properties: Vec<String>,
    /// Kinds of its network adapters.
    pub adapters: Vec<String>,
}

/// Reads an OVA as an importer does, once from front to end, and writes the disk that it holds.
///
/// # Errors
/// When anything in it is not as importers want it.
pub fn verify(file: impl Read, disk: &mut dyn Write) -> Result<Contents, Fault> {
    let mut archive = tar::Archive::new(file);
    let mut descriptor = None;
    let mut manifest = None;
    let mut contents = None;
    for (index, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        if entry.header().as_ustar().is_none() {
            return Err(Fault::new(format!("{name}: not in the ustar format")));
        }
        let size = entry.size();
        match (index, name.rsplit('.').next()) {
            (0, Some("ovf")) => descriptor = Some((name, text(&mut entry)?)),
            (1, Some("mf")) => manifest = Some(text(&mut entry)?),
            (2, Some("vmdk")) => {
                let (Some((own_name, own)), Some(manifest)) = (&descriptor, &manifest) else { break };
                let digests = digests(manifest)?;
                agree(&digests, own_name, &hex(&hash(&mut own.as_bytes())?))?;
                let mut seen = Hashing { from: entry, hash: sha2::Digest::new() };
                let shape = vmdk::read(&mut seen, disk)?;
                agree(&digests, &name, &hex(&sha2::Digest::finalize(seen.hash)))?;
                contents = Some(described(own, &name, size, shape.capacity * SECTOR)?);
            }
            _ => {
                return Err(Fault::new(format!(
                    "member {index} is {name}: descriptor, manifest, disk are expected, in this order"
                )));
            }
        }
    }
    contents.ok_or_else(|| Fault::new("descriptor, manifest or disk is missing"))
}

/// A stream that is hashed while somebody else reads it.
struct Hashing<R> {
    from: R,
    hash: sha2::Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        sha2::Digest::update(&mut self.hash, buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}

fn text(entry: &mut impl Read) -> Result<String, Fault> {
    let mut out = String::new();
    entry.take(1 << 20).read_to_string(&mut out)?;
    Ok(out)
}

fn digests(manifest: &str) -> Result<Vec<(String, String)>, Fault> {
    let one = |line: &str| {
        let (name, digest) = line.strip_prefix("SHA256(")?.split_once(")= ")?;
        (digest.len() == 64).then(|| (name.to_owned(), digest.to_owned()))
    };
    let wrong = |line: &str| Fault::new(format!("manifest: `{line}` is not `SHA256(name)= digest`"));
    manifest.lines().map(|line| one(line).ok_or_else(|| wrong(line))).collect()
}

fn agree(digests: &[(String, String)], name: &str, digest: &str) -> Result<(), Fault> {
    match digests.iter().find(|(one, _)| one == name) {
        Some((_, said)) if said == digest => Ok(()),
        Some((_, said)) => Err(Fault::new(format!("manifest: {name} has digest {digest}, not {said}"))),
        None => Err(Fault::new(format!("manifest: {name} is not in it"))),
    }
}

/// The descriptor against the disk that came with it.
fn described(text: &str, disk: &str, length: u64, capacity: u64) -> Result<Contents, Fault> {
    let document = Document::parse(text).map_err(|e| Fault::new(format!("descriptor: {e}")))?;
    let wrong = |what: String| Fault::new(format!("descriptor: {what}"));
    let faults = envelope::faults(&document);
    if !faults.is_empty() {
        return Err(wrong(faults.join("; ")));
    }
    let all = |name: &'static str| document.descendants().filter(move |node| node.tag_name().name() == name);
    let one = |name: &'static str| all(name).next().ok_or_else(|| wrong(format!("no {name}")));
    let attribute =
        |node: Node<'_, '_>, name: &str| node.attribute((OVF, name)).unwrap_or_default().to_owned();
    let file = all("File").next().ok_or_else(|| wrong("no File".into()))?;
    if attribute(file, "href") != disk || attribute(file, "size") != length.to_string() {
        return Err(wrong(format!(
            "File is {} with {} bytes",
            attribute(file, "href"),
            attribute(file, "size")
        )));
    }
    let listed = one("Disk")?;
    if attribute(listed, "fileRef") != attribute(file, "id") || attribute(listed, "format") != STREAM {
        return Err(wrong("Disk is not that file, or its format does not end in #streamOptimized".into()));
    }
    if attribute(listed, "capacity") != capacity.to_string() {
        return Err(wrong(format!("capacity is {}, the disk has {capacity}", attribute(listed, "capacity"))));
    }
    if !attribute(one("VirtualHardwareSection")?, "transport").contains("com.vmware.guestInfo") {
        return Err(wrong("properties do not reach the guest: no transport com.vmware.guestInfo".into()));
    }
    let family = one("VirtualSystemType")?.text().unwrap_or_default();
    let version = family.strip_prefix("vmx-").and_then(|n| n.parse::<u32>().ok());
    if version.is_none_or(|n| !(14..=19).contains(&n)) {
        return Err(wrong(format!(
            "hardware {family}: vmx-14 to vmx-19 show an IOMMU and are known everywhere"
        )));
    }
    let child = |node: Node<'_, '_>, name: &str| {
        node.children()
            .find(|c| c.tag_name().name() == name)
            .and_then(|c| c.text())
            .unwrap_or_default()
            .to_owned()
    };
    let adapters = all("Item").filter(|item| child(*item, "ResourceType") == "10");
    Ok(Contents {
        name: child(one("VirtualSystem")?, "Name"),
        capacity,
        properties: all("Property").map(|property| attribute(property, "key")).collect(),
        adapters: adapters.map(|item| child(item, "ResourceSubType")).collect(),
    })
}

#[cfg(test)]
mod tests;
