//! What a guest boots from: an initramfs in cpio's "newc" format (Linux, Documentation/driver-api/early-userspace/
//! buffer-format.rst), put together from files of here and of the root folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kernel, Root};

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const DEVICE: u32 = 0o020_600;

/// An initramfs: busybox, an init that runs scripts from the second serial port, and what a test adds.
#[derive(Debug)]
pub struct Image {
    root: Root,
    kernel: Kernel,
    archive: Vec<u8>,
    folders: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Image {
    /// One that boots and does nothing by itself.
    ///
    /// # Panics
    /// When the root folder lacks busybox.
    #[must_use]
    pub fn new(root: &Root, kernel: Kernel) -> Self {
        let (archive, folders, files) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut image = Self { root: root.clone(), kernel, archive, folders, files };
        image.node("dev/console", DEVICE, (5, 1), &[]);
        for folder in ["proc", "sys", "tmp", "run", "modules"] {
            image.folder(Path::new(folder));
        }
        image.file(&root.file("/usr/bin/busybox"), "/bin/busybox");
        image.script("/init", include_str!("init.sh"));
        image
    }

    /// The root folder it takes files from.
    #[must_use]
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// The kernel that it boots with.
    #[must_use]
    pub const fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Adds kernel modules with all that they need, and a program `insert-NAME` that inserts them in order.
    ///
    /// # Panics
    /// When the root folder does not have them.
    #[must_use]
    pub fn module(mut self, name: &str) -> Self {
        let order = self.root.order(self.kernel, name);
        for file in &order {
            self.file(&self.root.kernel_file(self.kernel, file), &format!("/modules/{file}"));
        }
        let insert = |file: &String| {
            let loaded = file.trim_end_matches(".ko").replace('-', "_");
            format!("[ -d /sys/module/{loaded} ] || insmod /modules/{file}\n")
        };
        let body: String = order.iter().map(insert).collect();
        self.script(&format!("/bin/insert-{name}"), &format!("#!/bin/sh -e\n{body}"));
        self
    }

    /// Adds a program of the root folder, with its libraries.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn program(mut self, path: &str, plugins: &[&str]) -> Self {
        let root = self.root.file("/");
        self.with_libraries(&root, path, plugins);
        self
    }

    /// Adds a program of this machine, with its libraries.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn own_program(mut self, path: &Path) -> Self {
        self.with_libraries(Path::new("/"), &path.display().to_string(), &[]);
        self
    }

    /// Writes it, not packed: QEMU hands it over as it is.
    ///
    /// # Errors
    /// When there is no room.
    pub fn write(mut self, to: &Path) -> io::Result<()> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        fs::write(to, &self.archive)
    }

    /// A program, its libraries and plug-ins go into a folder of their own, loader included, so that programs of two
    /// systems live side by side. The program of that name in `/bin` starts it through that loader.
    fn with_libraries(&mut self, root: &Path, path: &str, plugins: &[&str]) {
        let program = name_of(path);
        let home = format!("/opt/{program}");
        let mut objects: Vec<String> =
            [path].iter().chain(plugins).map(|&object| object.to_owned()).collect();
        let needed: Vec<String> = objects.iter().flat_map(|object| libraries(root, object)).collect();
        let loader = needed.iter().map(|library| name_of(library)).find(|name| name.starts_with("ld-"));
        let loader = loader.unwrap_or_else(|| panic!("{path} has no loader: is it linked statically?"));
        objects.extend_from_slice(&needed);
        for object in &objects {
            let inside = root.join(object.trim_start_matches('/'));
            self.file(&inside, &format!("{home}/{}", name_of(object)));
        }
        let start =
            format!("#!/bin/sh\nexec {home}/{loader} --library-path {home} {home}/{program} \"$@\"\n");
        self.script(&format!("/bin/{program}"), &start);
    }

    fn file(&mut self, from: &Path, to: &str) {
        let content = fs::read(from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
        self.node(to, PROGRAM, (0, 0), &content);
    }

    fn script(&mut self, to: &str, text: &str) {
        self.node(to, PROGRAM, (0, 0), text.as_bytes());
    }

    /// Adds an entry with the folders above it, once.
    fn node(&mut self, path: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        let path = path.trim_start_matches('/');
        if !self.files.insert(path.into()) {
            return;
        }
        if let Some(parent) = Path::new(path).parent() {
            self.folder(parent);
        }
        self.entry(path, mode, device, content);
    }

    fn folder(&mut self, path: &Path) {
        if path.as_os_str().is_empty() || !self.folders.insert(path.to_owned()) {
            return;
        }
        if let Some(parent) = path.parent() {
            self.folder(parent);
        }
        self.entry(&path.to_string_lossy(), FOLDER, (0, 0), &[]);
    }

    /// One header, its name and its content, each padded to four bytes.
    fn entry(&mut self, name: &str, mode: u32, (major, minor): (u32, u32), content: &[u8]) {
        let size = u32::try_from(content.len()).expect("less than 4 GiB");
        let inode = u32::try_from(self.files.len() + self.folders.len()).expect("a few files");
        let name_size = u32::try_from(name.len() + 1).expect("a short name");
        let fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name_size, 0];
        self.archive.extend_from_slice(b"070701");
        for field in fields {
            write!(self.archive, "{field:08x}").expect("memory");
        }
        self.archive.extend_from_slice(name.as_bytes());
        self.archive.push(0);
        self.pad();
        self.archive.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        let whole = self.archive.len().next_multiple_of(4);
        self.archive.resize(whole, 0);
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What `ldd` names for a program of this root folder.
fn libraries(root: &Path, program: &str) -> Vec<String> {
    let output = Command::new("chroot").arg(root).args(["ldd", program]).output().expect("chroot");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !text.contains("not found"), "ldd {program}: {text}");
    text.lines().filter_map(library).collect()
}

/// The path in one line of `ldd`: `libc.so.6 => /lib/libc.so.6 (0x…)`, or the loader's, `/lib64/ld.so (0x…)`.
fn library(line: &str) -> Option<String> {
    let path = line.split("=> ").last()?.trim().split(' ').next()?;
    path.starts_with('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_libraries_are_found() {
        assert_eq!(library("\tlibc.so.6 => /lib/libc.so.6 (0x7f00)"), Some("/lib/libc.so.6".into()));
        assert_eq!(
            library("\t/lib64/ld-linux-x86-64.so.2 (0x7f00)"),
            Some("/lib64/ld-linux-x86-64.so.2".into())
        );
        assert_eq!(library("\tlinux-vdso.so.1 (0x7f00)"), None);
        assert_eq!(library("\tstatically linked"), None);
    }
}
