//! The control socket of a running sensor: one question a connection, answered in JSON.

use sensor::Watch;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest question.
const QUESTION: u64 = 1024;
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
    pub(crate) fn open(path: &str, watch: &Arc<Watch>, quiet: bool) -> Option<Self> {
        if path.is_empty() {
            return None;
        }
        let path = PathBuf::from(path);
        match listen(&path) {
            Ok(listener) => {
                let watch = Arc::clone(watch);
                let thread = std::thread::Builder::new().name("control".into());
                thread.spawn(move || serve(&listener, &watch)).ok()?;
                Some(Self { path })
            }
            Err(error) => {
                if !quiet {
                    eprintln!("vigie: no control socket at {}: {error}", path.display());
                }
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

/// A socket that nobody answers on is left over from a sensor that was killed, and replaced.
fn listen(path: &Path) -> std::io::Result<UnixListener> {
    if path.exists() {
        if UnixStream::connect(path).is_ok() {
            return Err(std::io::Error::new(std::io::ErrorKind::AddrInUse, "another sensor listens there"));
        }
        std::fs::remove_file(path)?;
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    UnixListener::bind(path)
}

fn serve(listener: &UnixListener, watch: &Watch) {
    for stream in listener.incoming().flatten() {
        // One client that misbehaves costs itself its answer.
        let _ = answer(stream, watch);
    }
}

fn answer(mut stream: UnixStream, watch: &Watch) -> std::io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut question = String::new();
    BufReader::new((&stream).take(QUESTION)).read_line(&mut question)?;
    let text = match question.trim() {
        "counters" => counters(watch).to_string(),
        other => serde_json::json!({"error": format!("unknown question {other:?}; known: counters")}).to_string(),
    };
    stream.write_all(text.as_bytes())?;
    stream.write_all(b"\n")
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
pub(crate) fn ask(path: &Path, question: &str) -> std::io::Result<serde_json::Value> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE + TIMEOUT))?;
    writeln!(stream, "{question}")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(std::io::Error::other)
}
