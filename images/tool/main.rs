//! `image-tool`: makes what platforms import, verifies it, and checks an image.

#![forbid(unsafe_code)]

use clap::{Args, Parser, Subcommand};
use image_tool::check::{self, Platform, Subject};
use image_tool::{Fault, bios, disk, gcp, ova, vhd, vmdk};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// From a raw disk to what each platform imports. The same disk gives the same bytes.
#[derive(Debug, Parser)]
#[command(name = "image-tool", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// VMware: a streamOptimized VMDK.
    Vmdk(Pair),
    /// Azure: a fixed VHD.
    Vhd(Pair),
    /// Google Cloud: disk.raw in a tar.gz.
    Gcp(Pair),
    /// VMware: an OVA with properties.
    Ova {
        #[command(flatten)]
        pair: Pair,
        /// A VMDK of that disk which is there already.
        #[arg(long, value_name = "VMDK")]
        vmdk: Option<PathBuf>,
        #[command(flatten)]
        named: Named,
    },
    /// VMDK, OVA, VHD and tar.gz side by side, each verified against the disk.
    All {
        /// The raw disk.
        raw: PathBuf,
        /// Folder to write to.
        folder: PathBuf,
        #[command(flatten)]
        named: Named,
    },
    /// Read a VMDK, OVA, VHD or tar.gz as an importer does, and tell the SHA-256 of the disk in it.
    Verify {
        /// The file.
        file: PathBuf,
        /// Raw disk that it must hold.
        #[arg(long, value_name = "RAW")]
        raw: Option<PathBuf>,
    },
    /// Put GRUB into a disk for firmware without UEFI.
    Bios {
        /// The raw disk.
        raw: PathBuf,
        /// GRUB's boot.img.
        #[arg(long)]
        boot: PathBuf,
        /// What grub-mkimage made.
        #[arg(long)]
        core: PathBuf,
        /// First sector of the BIOS boot partition.
        #[arg(long)]
        start: u64,
        /// Sectors of it.
        #[arg(long)]
        sectors: u64,
    },
    /// Check an image against what a platform's marketplace demands.
    Check {
        /// Which platform; all of them when left out.
        #[arg(long)]
        platform: Option<Platform>,
        /// Its root file system, as a folder.
        #[arg(long, value_name = "FOLDER")]
        root: Option<PathBuf>,
        /// Its raw disk.
        #[arg(long, value_name = "RAW")]
        disk: Option<PathBuf>,
        /// A check to leave out, by its name; may come again.
        #[arg(long, value_name = "CHECK")]
        but: Vec<String>,
        /// Name the checks, and check nothing.
        #[arg(long)]
        list: bool,
    },
}

#[derive(Args, Debug)]
struct Pair {
    /// The raw disk.
    raw: PathBuf,
    /// File to write.
    out: PathBuf,
}

#[derive(Args, Debug)]
struct Named {
    /// Name of the image.
    #[arg(long, default_value = "vigie")]
    name: String,
    /// Version of the image.
    #[arg(long = "image-version", default_value = env!("CARGO_PKG_VERSION"))]
    version: String,
    /// Seconds since 1970 that members of archives bear.
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value_t = 0)]
    date: u64,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Vmdk(pair) => write_vmdk(&pair.raw, &pair.out),
        Command::Vhd(pair) => write_vhd(&pair.raw, &pair.out),
        Command::Gcp(pair) => write_gcp(&pair.raw, &pair.out),
        Command::Ova { pair, vmdk: Some(vmdk), named } => pack(&vmdk, &pair.raw, &pair.out, &named),
        Command::Ova { pair, vmdk: None, named } => write_ova(&pair.raw, &pair.out, &named),
        Command::All { raw, folder, named } => all(&raw, &folder, &named),
        Command::Verify { file, raw } => verify(&file, raw.as_deref()),
        Command::Bios { raw, boot, core, start, sectors } => embed(&raw, &boot, &core, start, sectors),
        Command::Check { platform, root, disk, but, list } => {
            return check(platform, Subject { root, disk }, &but, list);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("image-tool: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn named(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(format!("{}: {error}", path.display()))
}

/// Writes a file that appears when it is whole.
fn appear(path: &Path, write: impl FnOnce(&mut File) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut unready = path.as_os_str().to_owned();
    unready.push(".part");
    let unready = PathBuf::from(unready);
    let mut options = File::options();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&unready)
        .map_err(|e| named(&unready, &e))?;
    let done = write(&mut file).and_then(|()| std::fs::rename(&unready, path).map_err(|e| named(path, &e)));
    if done.is_err() {
        let _ = std::fs::remove_file(&unready);
    }
    done
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn write_vmdk(raw: &Path, out: &Path) -> Result<(), Fault> {
    let (mut from, size) = disk::open(raw)?;
    appear(out, |file| vmdk::write(&mut from, size, &file_name(out), &mut BufWriter::new(file)))
}

fn write_vhd(raw: &Path, out: &Path) -> Result<(), Fault> {
    let (mut from, size) = disk::open(raw)?;
    appear(out, |file| vhd::write(&mut from, size, file))
}

fn write_gcp(raw: &Path, out: &Path) -> Result<(), Fault> {
    let (mut from, size) = disk::open(raw)?;
    appear(out, |file| gcp::write(&mut from, size, &mut BufWriter::new(file)))
}

fn write_ova(raw: &Path, out: &Path, wanted: &Named) -> Result<(), Fault> {
    let vmdk = out.with_extension("vmdk.part");
    write_vmdk(raw, &vmdk)?;
    let packed = pack(&vmdk, raw, out, wanted);
    let _ = std::fs::remove_file(&vmdk);
    packed
}

fn pack(vmdk: &Path, raw: &Path, out: &Path, wanted: &Named) -> Result<(), Fault> {
    let (_, size) = disk::open(raw)?;
    let wish = ova::Wish { name: wanted.name.clone(), version: wanted.version.clone(), date: wanted.date };
    let mut disk = File::open(vmdk).map_err(|e| named(vmdk, &e))?;
    appear(out, |file| ova::pack(&wish, &mut disk, size, &mut BufWriter::new(file)))
}

fn all(raw: &Path, folder: &Path, wanted: &Named) -> Result<(), Fault> {
    std::fs::create_dir_all(folder).map_err(|e| named(folder, &e))?;
    let path = |ending: &str| folder.join(format!("{}.{ending}", wanted.name));
    write_vmdk(raw, &path("vmdk"))?;
    pack(&path("vmdk"), raw, &path("ova"), wanted)?;
    write_vhd(raw, &path("vhd"))?;
    write_gcp(raw, &path("tar.gz"))?;
    ["vmdk", "ova", "vhd", "tar.gz"].iter().try_for_each(|ending| verify(&path(ending), Some(raw)))
}

fn verify(path: &Path, raw: Option<&Path>) -> Result<(), Fault> {
    let mut file = File::open(path).map_err(|e| named(path, &e))?;
    let mut disk = Hash::default();
    let told = |fault: Fault| Fault::new(format!("{}: {fault}", path.display()));
    let name = file_name(path);
    let said = match name.rsplit('.').next() {
        Some("vmdk") => {
            let shape = vmdk::read(BufReader::new(file), &mut disk).map_err(told)?;
            format!("streamOptimized VMDK, {} MiB, {} grains", shape.capacity / 2048, shape.grains)
        }
        Some("ova") => {
            let contents = ova::verify(BufReader::new(file), &mut disk).map_err(told)?;
            let (adapters, properties) = (contents.adapters.join(", "), contents.properties.len());
            format!(
                "OVA of {}, {} MiB, {adapters}, {properties} properties",
                contents.name,
                contents.capacity >> 20
            )
        }
        Some("vhd") => {
            let size = vhd::read(&mut file).map_err(told)?;
            file.seek(SeekFrom::Start(0))?;
            std::io::copy(&mut file.take(size), &mut disk)?;
            format!("fixed VHD, {} MiB", size >> 20)
        }
        Some("gz") => {
            format!("disk.raw, {} MiB", gcp::read(BufReader::new(file), &mut disk).map_err(told)? >> 20)
        }
        _ => return Err(told(Fault::new("a name that ends in vmdk, ova, vhd or tar.gz is expected"))),
    };
    let own = disk::hex(&disk.finish());
    if let Some(raw) = raw {
        let (mut from, _) = disk::open(raw)?;
        let wanted = disk::hex(&disk::hash(&mut from)?);
        if own != wanted {
            return Err(told(Fault::new(format!(
                "it holds a disk with SHA-256 {own}, and {} has {wanted}",
                raw.display()
            ))));
        }
    }
    writeln!(std::io::stdout(), "{name}: {said}, disk {own}").map_err(Fault::from)
}

/// A sink that hashes.
#[derive(Default)]
struct Hash(sha2::Sha256);

impl Hash {
    fn finish(self) -> [u8; 32] {
        sha2::Digest::finalize(self.0).into()
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        sha2::Digest::update(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn embed(raw: &Path, boot: &Path, core: &Path, start: u64, sectors: u64) -> Result<(), Fault> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| named(path, &e));
    let (boot, core) = (read(boot)?, read(core)?);
    let mut disk = File::options().read(true).write(true).open(raw).map_err(|e| named(raw, &e))?;
    bios::embed(&mut disk, &boot, &core, start, sectors)
}

fn check(platform: Option<Platform>, subject: Subject, but: &[String], list: bool) -> ExitCode {
    let platforms: Vec<Platform> = platform.map_or_else(|| Platform::ALL.to_vec(), |one| vec![one]);
    let mut out = std::io::stdout().lock();
    if !list && subject.root.is_none() && subject.disk.is_none() {
        eprintln!("image-tool: nothing to check: give --root FOLDER, --disk RAW, or both");
        return ExitCode::from(2);
    }
    if let Some(name) = but.iter().find(|name| check::CHECKS.iter().all(|check| check.name != **name)) {
        eprintln!("image-tool: no check `{name}`: --list names them");
        return ExitCode::from(2);
    }
    let mut failed = 0;
    for check in check::CHECKS.iter().filter(|check| platforms.iter().any(|p| check.platforms.contains(p))) {
        let line = match list {
            true => format!("{:<16} {}", check.name, check.text),
            false => {
                let is_wanted = but.iter().all(|name| name != check.name);
                let faults = is_wanted.then(|| (check.look)(&subject)).flatten();
                failed += usize::from(matches!(&faults, Some(list) if !list.is_empty()));
                match faults {
                    None => format!("left out  {:<16} {}", check.name, check.text),
                    Some(faults) if faults.is_empty() => {
                        format!("fine      {:<16} {}", check.name, check.text)
                    }
                    Some(faults) => format!(
                        "FAULT     {:<16} {}\n            {}",
                        check.name,
                        check.text,
                        faults.join("\n            ")
                    ),
                }
            }
        };
        if writeln!(out, "{line}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
