//! The thread that meets front ends, one after the other, and answers their messages.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use vhost::vhost_user::{BackendReqHandler, Error, VhostUserBackendReqHandlerMut as _};

use super::OpenError;
use super::early;
use super::place::Door;
use super::seat::Seat;
use super::session::Session;

/// Pause between two looks at the door, and after each connection: whoever comes again and again gets no more of us.
const PAUSE: Duration = Duration::from_millis(50);
/// Most warnings that wait to be read.
const MAX_WARNINGS: usize = 64;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection there is, and why it was cut where it was.
#[derive(Debug, Default)]
pub(super) struct Line {
    stream: Mutex<Option<UnixStream>>,
    fault: Mutex<Option<String>>,
}

impl Line {
    /// Ends the connection; the first reason is kept.
    pub(super) fn cut(&self, why: String) {
        lock(&self.fault).get_or_insert(why);
        if let Some(stream) = &*lock(&self.stream) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn begin(&self, stream: Option<UnixStream>) {
        *lock(&self.fault) = None;
        *lock(&self.stream) = stream;
    }
}

/// What the server and the workers share.
#[derive(Debug)]
pub(super) struct House {
    /// One a worker.
    pub(super) seats: Vec<Seat>,
    line: Arc<Line>,
    stopping: AtomicBool,
    warnings: Mutex<Vec<String>>,
    absences: Mutex<u64>,
}

impl House {
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.warnings))
    }

    /// How often a front end went away since this was last asked.
    pub(super) fn absences(&self) -> u64 {
        std::mem::take(&mut lock(&self.absences))
    }

    fn warn(&self, text: String) {
        let mut warnings = lock(&self.warnings);
        if warnings.len() < MAX_WARNINGS {
            warnings.push(text);
        }
    }
}

/// Keeps the server at work; when the last queue lets go of it, it ends.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) house: Arc<House>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Whether the server has ended, which it does by itself only when it panics.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.house.stopping.store(true, Ordering::Release);
        self.house.line.cut("the source was closed".to_owned());
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Starts the server, with room for so many workers.
pub(super) fn start(door: Door, workers: usize) -> Result<Arc<Keeper>, OpenError> {
    let path = door.path().to_owned();
    let refuse = |step| move |e: io::Error| OpenError::Refused(step, path, e);
    let line = Arc::new(Line::default());
    let seats: io::Result<Vec<Seat>> = (0..workers).map(|_| Seat::new(Arc::clone(&line))).collect();
    let seats = seats.map_err(refuse.clone()("make what workers wait at, for"))?;
    let house = Arc::new(House {
        seats,
        line,
        stopping: AtomicBool::new(false),
        warnings: Mutex::default(),
        absences: Mutex::default(),
    });
    let server = Server { door, house: Arc::clone(&house) };
    let thread = std::thread::Builder::new().name("vhost-user".into()).spawn(move || server.run());
    let thread = Some(thread.map_err(refuse("start the thread that serves"))?);
    Ok(Arc::new(Keeper { house, thread }))
}

struct Server {
    door: Door,
    house: Arc<House>,
}

impl Server {
    fn run(mut self) {
        let mut known = false;
        while !self.house.is_stopping() {
            if let Some(stream) = self.door.next() {
                if known {
                    self.house.warn(format!("{}: a front end is there again", self.door.path().display()));
                }
                known = true;
                let why = self.serve(stream);
                if !self.house.is_stopping() {
                    *lock(&self.house.absences) += 1;
                    self.house.warn(format!("{}: {why}", self.door.path().display()));
                }
            }
            std::thread::park_timeout(PAUSE);
        }
    }

    /// Answers one front end until it ends, or has to be ended; says which.
    fn serve(&self, stream: UnixStream) -> String {
        self.house.line.begin(stream.try_clone().ok());
        // The source may have been closed before there was a connection to be cut.
        if self.house.is_stopping() {
            self.house.line.cut(String::new());
        }
        let session = Arc::new(Mutex::new(Session::new(Arc::clone(&self.house))));
        let mut early = stream.try_clone().ok();
        let mut handler = BackendReqHandler::from_stream(stream, Arc::clone(&session));
        let error = loop {
            // An end of the connection is for the handler to find.
            if let Some(stream) = &mut early {
                let note = |ring, on| drop(lock(&session).set_vring_enable(ring, on));
                let _ = early::take(stream, || lock(&session).is_agreed(), note);
            }
            if let Err(error) = handler.handle_request() {
                break error;
            }
        };
        lock(&session).end();
        drop(handler);
        let fault = lock(&self.house.line.fault).take();
        self.house.line.begin(None);
        match (fault, error) {
            (Some(why), _) => format!("the front end broke the rules, and was sent away: {why}"),
            (None, Error::Disconnected | Error::PartialMessage | Error::SocketBroken(_)) => {
                "the front end went away; waiting for it".to_owned()
            }
            (None, error) => format!("the front end broke the rules, and was sent away: {error}"),
        }
    }
}
