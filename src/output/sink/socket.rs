//! A UNIX stream socket: lines for a reader that comes and goes.

use super::{Write, Wrote};
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two attempts to reach a reader that went away.
const RETRY: Duration = Duration::from_secs(1);
/// A reader that takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// A socket sink. The first connection must succeed; later ones are tried again while lines are lost and counted.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    stream: Option<UnixStream>,
    tried: Instant,
    /// Whether lines were lost since the reader was last there.
    was_away: bool,
}

impl Socket {
    /// Connects to a listening socket.
    ///
    /// # Errors
    /// When nobody listens there; the caller names the path.
    pub fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), stream: Some(open(path)?), tried: Instant::now(), was_away: false })
    }

    fn reconnect(&mut self) {
        if self.stream.is_none() && self.tried.elapsed() >= RETRY {
            self.tried = Instant::now();
            self.stream = open(&self.path).ok();
        }
    }
}

fn open(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

impl Write for Socket {
    fn write(&mut self, lines: &[u8]) -> io::Result<Wrote> {
        self.reconnect();
        let written = self.stream.as_mut().is_some_and(|stream| stream.write_all(lines).is_ok());
        if !written {
            // The next reader begins with a whole line.
            self.stream = None;
            self.was_away = true;
            return Ok(Wrote::Lost);
        }
        Ok(if std::mem::take(&mut self.was_away) { Wrote::Returned } else { Wrote::All })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_reader_that_goes_away_costs_lines_and_not_the_sink() {
        let path = std::env::temp_dir().join(format!("vigie-socket-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        assert!(Socket::connect(&path).is_err());
        let listener = UnixListener::bind(&path).expect("a socket");
        let mut sink = Socket::connect(&path).expect("a reader");
        let (mut reader, _) = listener.accept().expect("a connection");
        assert_eq!(sink.write(b"one\n").expect("no failure"), Wrote::All);
        let mut seen = [0; 4];
        reader.read_exact(&mut seen).expect("a line");
        drop(reader);
        while sink.write(b"two\n").expect("no failure") == Wrote::All {}
        assert_eq!(sink.write(b"three\n").expect("no failure"), Wrote::Lost);
        sink.tried = Instant::now().checked_sub(RETRY).expect("an old machine");
        assert_eq!(sink.write(b"four\n").expect("no failure"), Wrote::Returned);
        assert_eq!(sink.write(b"five\n").expect("no failure"), Wrote::All);
        std::fs::remove_file(&path).expect("cleaned up");
    }
}
