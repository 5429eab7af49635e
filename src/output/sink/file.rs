//! A file of lines, rotated by size and age.

use super::{Write, Wrote};
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// When a file is put aside and a new one begun, and how many are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// At this many bytes; 0 for never.
    pub size: u64,
    /// After this long; zero for never.
    pub age: Duration,
    /// Files put aside that are kept, oldest deleted first; 0 for all.
    pub keep: u32,
}

/// A file sink.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    file: fs::File,
    rotation: Rotation,
    size: u64,
    since: Instant,
}

/// Lines are written in pieces of at most this many bytes: what a kill in mid-write could leave is bounded. Smaller pieces
/// cost more, since each ends within a page.
const PIECE: usize = 256 * 1024;

impl File {
    /// Begins a new file, or goes on behind the last whole line of an old one when `append` is set.
    ///
    /// # Errors
    /// When the file cannot be opened; the caller names the path.
    pub fn open(path: &Path, append: bool, rotation: Rotation) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(!append);
        let mut file = options.open(path)?;
        let size = if append { end_of_lines(&mut file)? } else { 0 };
        // What is no file (/dev/null, a pipe) must not be moved away.
        let rotation = if file.metadata()?.is_file() { rotation } else { Rotation::default() };
        Ok(Self { path: path.to_owned(), file, rotation, size, since: Instant::now() })
    }

    /// Whether the path still leads to the open file.
    fn is_in_place(&self) -> io::Result<bool> {
        let open = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_due(&self) -> bool {
        let by_size = self.rotation.size > 0 && self.size >= self.rotation.size;
        let by_age = !self.rotation.age.is_zero() && self.since.elapsed() >= self.rotation.age;
        self.size > 0 && (by_size || by_age)
    }

    fn rotate(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.free_name()?)?;
        self.prune()?;
        *self = Self::open(&self.path, false, self.rotation.clone())?;
        Ok(())
    }

    /// `eve.json.000001` and so on: names sort in the order in which the files were put aside.
    fn free_name(&self) -> io::Result<PathBuf> {
        let last = self.put_aside()?.last().map_or(0, |(n, _)| *n);
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{:06}", last + 1));
        Ok(name.into())
    }

    fn prune(&self) -> io::Result<()> {
        let files = self.put_aside()?;
        let extra = files.len().saturating_sub(self.rotation.keep as usize);
        if self.rotation.keep > 0 {
            for (_, path) in files.into_iter().take(extra) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Files put aside, oldest first.
    fn put_aside(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let stem = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned() + ".";
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(number) = name.strip_prefix(&stem).and_then(|n| n.parse().ok()) {
                found.push((number, path));
            }
        }
        found.sort();
        Ok(found)
    }
}

impl Write for File {
    fn write(&mut self, lines: &[u8]) -> io::Result<Wrote> {
        if self.is_due() {
            self.rotate()?;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(whole_lines(rest));
            if let Err(error) = self.file.write_all(piece) {
                // What was written of a line is taken back, so that the file holds whole lines only.
                let _ = self.file.set_len(self.size);
                return Err(error);
            }
            self.size += piece.len() as u64;
            rest = after;
        }
        Ok(Wrote::All)
    }

    fn idle(&mut self) -> io::Result<()> {
        if self.is_due() { self.rotate() } else { Ok(()) }
    }

    fn reopen(&mut self, failed: bool) -> io::Result<bool> {
        if !failed && self.is_in_place()? {
            return Ok(false);
        }
        *self = Self::open(&self.path, true, self.rotation.clone())?;
        Ok(true)
    }
}

/// Length of as many whole lines as fit into a piece; of the first line when it alone is longer.
fn whole_lines(bytes: &[u8]) -> usize {
    if bytes.len() <= PIECE {
        return bytes.len();
    }
    let fits = bytes.get(..PIECE).and_then(|head| memchr::memrchr(b'\n', head));
    fits.or_else(|| memchr::memchr(b'\n', bytes)).map_or(bytes.len(), |at| at + 1)
}

/// Cuts off a line that a killed run left unfinished, and stands behind the last whole one.
fn end_of_lines(file: &mut fs::File) -> io::Result<u64> {
    let len = file.seek(SeekFrom::End(0))?;
    let mut end = len;
    let mut buffer = vec![0; 4096];
    while end > 0 {
        let from = end.saturating_sub(4096);
        let want = usize::try_from(end - from).unwrap_or(4096);
        file.seek(SeekFrom::Start(from))?;
        let part = buffer.get_mut(..want).unwrap_or_default();
        file.read_exact(part)?;
        if let Some(at) = memchr::memrchr(b'\n', part) {
            end = from + at as u64 + 1;
            break;
        }
        end = from;
    }
    if end < len {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, removed at its end.
    struct Folder(PathBuf);
    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("vigie-sink-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }
    }
    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn appending_cuts_an_unfinished_line() {
        let folder = Folder::new("append");
        let path = folder.0.join("eve.json");
        fs::write(&path, b"one\ntwo\nthr").expect("a file");
        File::open(&path, true, Rotation::default()).expect("a sink").write(b"three\n").expect("room");
        assert_eq!(fs::read(&path).expect("a file"), b"one\ntwo\nthree\n");
    }

    #[test]
    fn rotation_by_size_keeps_as_many_as_it_is_told() {
        let folder = Folder::new("rotate");
        let path = folder.0.join("eve.json");
        let rotation = Rotation { size: 10, keep: 2, ..Rotation::default() };
        let mut sink = File::open(&path, false, rotation).expect("a sink");
        for n in 0..5 {
            sink.write(format!("line number {n}\n").as_bytes()).expect("room");
        }
        let mut names: Vec<_> = fs::read_dir(&folder.0)
            .expect("a folder")
            .map(|e| e.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        assert_eq!(names, ["eve.json", "eve.json.000003", "eve.json.000004"]);
        assert_eq!(fs::read(&path).expect("a file"), b"line number 4\n");
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        let folder = Folder::new("moved");
        let path = folder.0.join("eve.json");
        let mut sink = File::open(&path, true, Rotation::default()).expect("a sink");
        sink.write(b"one\n").expect("room");
        assert!(!sink.reopen(false).expect("in place"));
        let aside = folder.0.join("eve.json.1");
        fs::rename(&path, &aside).expect("moved");
        sink.write(b"two\n").expect("room");
        assert!(sink.reopen(false).expect("anew"));
        sink.write(b"three\n").expect("room");
        assert_eq!(fs::read(&aside).expect("a file"), b"one\ntwo\n");
        assert_eq!(fs::read(&path).expect("a file"), b"three\n");
    }

    #[test]
    fn what_is_no_file_is_never_moved_away() {
        let rotation = Rotation { size: 1, ..Rotation::default() };
        let mut sink = File::open(Path::new("/dev/null"), true, rotation).expect("a sink");
        for _ in 0..3 {
            sink.write(b"line\n").expect("room");
            assert!(!sink.is_due());
        }
    }
}
