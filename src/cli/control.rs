//! The control socket of a running sensor: one question a connection, answered in JSON.

use sensor::Watch;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest question.
const QUESTION: usize = 1024;
/// Bytes of a wrong question that are shown back.
const SHOWN: usize = 64;
/// Owner and group may ask.
const MODE: u32 = 0o660;
/// How long workers have to publish their state.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the other end has to send or take anything.
const TIMEOUT: Duration = Duration::from_secs(2);

/// An open control socket; its file goes when this does.
pub(crate) struct Control {
    path: PathBuf,
}

impl Control {
    /// Listens at `path`. A sensor without control socket still senses: failures are told, not fatal.
    pub(crate) fn open(path: &str, watch: &Arc<Watch>) -> Option<Self> {
        if path.is_empty() {
            return None;
        }
        let path = PathBuf::from(path);
        let watch = Arc::clone(watch);
        let thread = std::thread::Builder::new().name("control".into());
        let begun = listen(&path).and_then(|listener| thread.spawn(move || serve(&listener, &watch)));
        match begun {
            Ok(_) => Some(Self { path }),
            Err(error) => {
                eprintln!(
                    "vigie: no control socket at {}: {error}; capturing goes on without",
                    path.display()
                );
                None
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A socket that nobody answers on is left over from a sensor that was killed, and replaced. The new one is there for
/// owner and group only from its first moment: it gets its name after its mode.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if path.exists() && UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another sensor listens there"));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut unnamed = path.as_os_str().to_owned();
    unnamed.push(format!(".{}", std::process::id()));
    let unnamed = PathBuf::from(unnamed);
    let named = UnixListener::bind(&unnamed).and_then(|listener| {
        fs::set_permissions(&unnamed, fs::Permissions::from_mode(MODE))?;
        fs::rename(&unnamed, path)?;
        Ok(listener)
    });
    if named.is_err() {
        let _ = fs::remove_file(&unnamed);
    }
    named
}

fn serve(listener: &UnixListener, watch: &Watch) {
    for stream in listener.incoming() {
        // One client that misbehaves costs itself its answer; a lack of descriptors must not become a busy loop.
        if stream.and_then(|stream| answer(stream, watch)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn answer(mut stream: UnixStream, watch: &Watch) -> io::Result<()> {
    stream.set_write_timeout(Some(TIMEOUT))?;
    let question = question(&mut stream)?;
    let text = match question.trim_ascii() {
        b"counters" => counters(watch).to_string(),
        other => {
            let shown = String::from_utf8_lossy(other.get(..SHOWN).unwrap_or(other));
            serde_json::json!({"error": format!("unknown question {shown:?}; known: counters")}).to_string()
        }
    };
    stream.write_all(text.as_bytes())?;
    stream.write_all(b"\n")
}

/// Reads one line, within [`TIMEOUT`] in all however slowly it comes, and not more than [`QUESTION`] bytes.
fn question(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let since = Instant::now();
    let mut line = Vec::new();
    let mut part = [0; 256];
    while line.len() < QUESTION && !line.contains(&b'\n') {
        let left = TIMEOUT.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part)? {
            0 => break,
            n => line.extend_from_slice(part.get(..n).unwrap_or_default()),
        }
    }
    line.truncate(line.iter().position(|b| *b == b'\n').unwrap_or(line.len()));
    Ok(line)
}

/// Every counter, as a list in catalogue order.
fn counters(watch: &Watch) -> serde_json::Value {
    let question = watch.ask();
    let since = Instant::now();
    while !watch.answered(question) && since.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut list = Vec::new();
    watch.snapshot().each(&mut |c| {
        list.push(serde_json::json!({"name": c.name, "value": c.value, "text": c.text}));
    });
    serde_json::Value::Array(list)
}

/// Asks a running sensor.
pub(crate) fn ask(path: &Path, question: &str) -> io::Result<serde_json::Value> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE + TIMEOUT))?;
    writeln!(stream, "{question}")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        theirs.write_all(bytes).expect("room");
        drop(theirs);
        question(&mut ours)
    }

    #[test]
    fn questions_are_bounded_whatever_comes() {
        assert_eq!(asked(b"counters\nmore").expect("a line"), b"counters");
        assert_eq!(asked(b"").expect("nothing"), b"");
        assert_eq!(asked(&[0xff; 100]).expect("garbage"), [0xff; 100]);
        assert!(asked(&[b'x'; 100_000]).expect("too much").len() < QUESTION + 256);
    }

    #[test]
    fn the_socket_is_for_owner_and_group_and_replaces_what_was_left() {
        let path = std::env::temp_dir().join(format!("vigie-control-{}", std::process::id()));
        drop(listen(&path).expect("a socket"));
        let again = listen(&path).expect("nobody answers on the old one");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        assert!(listen(&path).is_err(), "somebody listens");
        drop(again);
        fs::remove_file(&path).expect("cleaned up");
    }
}
