//! The socket at which orders are taken: a line each, answered by a line.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::{Order, Shared};

/// Longest order.
const LONGEST: u64 = 1 << 20;

/// A control socket. Its file is removed on drop.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Makes the socket; who may write its file may order.
    ///
    /// # Errors
    /// When the path is taken, or the socket cannot be made there.
    pub fn listen(path: &Path) -> io::Result<Self> {
        Ok(Self { listener: UnixListener::bind(path)?, path: path.to_owned() })
    }

    /// Takes orders for a model, from each client in a thread of its own, until the socket fails.
    ///
    /// # Errors
    /// When it does.
    pub fn serve(&self, model: &Shared) -> io::Result<()> {
        for client in self.listener.incoming() {
            let (client, model) = (client?, Shared::clone(model));
            std::thread::Builder::new().name("orders".into()).spawn(move || {
                // a client that breaks off ends its own thread
                let _ = obey(&client, &model);
            })?;
        }
        Ok(())
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // whoever removed it before us did what we wanted
        let _ = fs::remove_file(&self.path);
    }
}

fn obey(client: &UnixStream, model: &Shared) -> io::Result<()> {
    let mut lines = BufReader::new(client);
    let mut out = client;
    loop {
        let mut line = String::new();
        if lines.by_ref().take(LONGEST).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let answer = Order::obey(line.trim(), model);
        out.write_all(format!("{answer}\n").as_bytes())?;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::host::Hosted;
    use crate::{Model, Options, Persona};

    #[test]
    fn each_line_is_answered_by_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control");
        let model = Arc::new(Mutex::new(Hosted::new(Model::new(Persona::x722(), Options::default()))));
        let control = Control::listen(&path).expect("a socket");
        std::thread::spawn(move || control.serve(&model));
        let mut client = UnixStream::connect(&path).expect("connected");
        client.write_all(b"{\"do\":\"stats\"}\nnonsense\n").expect("written");
        let mut lines = BufReader::new(client).lines();
        assert!(lines.next().expect("a line").expect("read").contains("\"state\":\"active\""));
        assert!(lines.next().expect("a line").expect("read").contains("\"error\""));
    }
}
