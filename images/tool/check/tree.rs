//! The image that is looked at.

use std::fs;
use std::path::{Path, PathBuf};

/// Most bytes of a file that is looked into.
const MOST: u64 = 1 << 20;

/// A root file system as a folder, a raw disk, or both.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The root file system.
    pub root: Option<PathBuf>,
    /// The disk.
    pub disk: Option<PathBuf>,
}

/// A root file system. Links are never followed: they lead out of the folder.
pub(super) struct Root<'s>(&'s Path);

impl Subject {
    pub(super) fn tree(&self) -> Option<Root<'_>> {
        self.root.as_deref().map(Root)
    }
}

impl Root<'_> {
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.at(path)).is_ok()
    }

    /// A file as text; nothing when it is absent, a link, or too long.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let path = self.at(path);
        let meta = fs::symlink_metadata(&path).ok()?;
        (meta.is_file() && meta.len() <= MOST)
            .then(|| fs::read(path).ok())?
            .map(|b| String::from_utf8_lossy(&b).into_owned())
    }

    /// Names in a folder.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Every file below a folder, as paths below the root.
    pub(super) fn files(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut left = vec![folder.trim_end_matches('/').to_owned()];
        while let Some(folder) = left.pop() {
            for name in self.names(&folder) {
                let path = format!("{folder}/{name}");
                match fs::symlink_metadata(self.at(&path)) {
                    Ok(meta) if meta.is_dir() => left.push(path),
                    Ok(meta) if meta.is_file() => found.push(path),
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }

    /// Whether the kernel has a driver, as a module or built in.
    pub(super) fn has_driver(&self, name: &str) -> bool {
        let dashed = |text: &str| text.replace('-', "_");
        let wanted = dashed(name);
        self.names("usr/lib/modules").iter().any(|kernel| {
            let folder = format!("usr/lib/modules/{kernel}");
            let is = |path: &str| {
                let file = path.rsplit('/').next().unwrap_or_default();
                dashed(file.split(".ko").next().unwrap_or_default()) == wanted
            };
            let built_in = self.text(&format!("{folder}/modules.builtin")).unwrap_or_default();
            built_in.lines().any(is)
                || self.files(&folder).iter().any(|path| path.contains(".ko") && is(path))
        })
    }

    /// What of these drivers is missing.
    pub(super) fn without_drivers(&self, names: &[&str]) -> Vec<String> {
        names.iter().filter(|name| !self.has_driver(name)).map(|name| format!("no driver {name}")).collect()
    }

    /// What of these files is missing.
    pub(super) fn without_files(&self, paths: &[&str]) -> Vec<String> {
        paths.iter().filter(|path| !self.has(path)).map(|path| format!("no /{path}")).collect()
    }
}
