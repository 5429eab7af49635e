use crate::source::Facts;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One tracked file.
#[derive(Clone, Debug)]
pub struct Text {
    /// Path below the root, with `/`.
    pub path: String,
    /// What it says; `None` when it is not text.
    pub body: Option<String>,
    /// What a parser found in it, once somebody has asked.
    pub(crate) facts: OnceLock<Option<Facts>>,
}

impl Text {
    pub(crate) fn new(path: String, body: Option<String>) -> Self {
        Self { path, body, facts: OnceLock::new() }
    }

    /// The body, empty when the file is not text.
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    /// Lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.body().lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Whether the path ends like this.
    #[must_use]
    pub fn is(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }

    /// File name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Every file that git tracks, or would if it were added.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// By path.
    pub files: Vec<Text>,
}

impl Tree {
    /// The root of the tree that `folder` lies in: where the lock file is.
    #[must_use]
    pub fn above(folder: &str) -> PathBuf {
        let start = Path::new(folder);
        start.ancestors().find(|at| at.join("Cargo.lock").exists()).unwrap_or(start).to_owned()
    }

    /// Reads every file below `root` that is not ignored.
    pub fn read(root: &Path) -> io::Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()?;
        if !listed.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&listed.stderr).into_owned()));
        }
        let mut paths: Vec<String> = String::from_utf8_lossy(&listed.stdout)
            .split('\0')
            .filter(|path| root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        paths.sort();
        paths.dedup();
        let files = paths.into_iter().map(|path| read_text(root, path)).collect::<io::Result<_>>()?;
        Ok(Self { files })
    }

    /// A tree made of samples, for the tests of the rules.
    #[must_use]
    pub fn of(samples: &[(&str, &str)]) -> Self {
        let mut files: Vec<Text> = samples
            .iter()
            .map(|(path, body)| Text::new((*path).to_owned(), Some((*body).to_owned())))
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// The file at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Text> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether a file or folder of that name is tracked.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.iter().any(|file| {
            file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Files whose path ends like this.
    pub fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a Text> {
        self.files.iter().filter(move |file| file.is(ending))
    }
}

fn read_text(root: &Path, path: String) -> io::Result<Text> {
    let bytes = std::fs::read(root.join(&path))?;
    let body = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    Ok(Text::new(path, body))
}
