//! The feed: one thread reads what is compressed or comes through a pipe, and lends each segment to all readers. It also
//! asks whose each frame is, where there is a rule: once, and not once a reader.
//!
//! The thread waits for the slowest reader, some segments ahead of it, and ends when the capture does or when no
//! reader is left. Segments are used again as soon as the last reader has let go of them.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use flate2::bufread::MultiGzDecoder;

use super::FileSettings;
use super::find::{Capture, Kind, beginning};
use super::format::{Fault, Format};
use super::segment::{Dealer, Ending, Pump, Segment, Spares};
use super::sniff;

/// Compressed bytes read at once.
const COMPRESSED: usize = 64 << 10;

/// Counts what passes, so that progress can be told in bytes of the file.
struct Counted<R> {
    from: R,
    passed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(into)?;
        self.passed.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Starts a feed for so many readers. It opens the file itself: a named pipe opens when its writer comes.
pub(super) fn start(
    capture: &Capture,
    readers: usize,
    settings: FileSettings,
    dealer: Option<Dealer>,
) -> io::Result<Vec<Receiver<Arc<Segment>>>> {
    let (outlets, intakes) = (0..readers).map(|_| sync_channel(settings.ahead.max(1))).unzip();
    let capture = capture.clone();
    std::thread::Builder::new()
        .name("capture-feed".to_owned())
        .spawn(move || feed(&capture, settings.buffer, outlets, dealer))?;
    Ok(intakes)
}

fn feed(capture: &Capture, size: usize, outlets: Vec<SyncSender<Arc<Segment>>>, dealer: Option<Dealer>) {
    let passed = Arc::new(AtomicU64::new(0));
    let mut outlet = Outlet { outlets, dealer, spares: Spares::default(), passed: Arc::clone(&passed) };
    let regular = matches!(capture.kind, Kind::Plain | Kind::Gzip);
    let ended = open(capture)
        .map_err(|e| unusable(e.to_string()))
        .and_then(|(file, len)| run(Counted { from: file.take(len), passed }, regular, size, &mut outlet));
    if let Err(ending) = ended {
        outlet.send(|segment| segment.ending = Some(ending));
    }
}

/// The file, and how much of it is read: of a regular one, what it holds now.
fn open(capture: &Capture) -> io::Result<(File, u64)> {
    let file = match capture.kind {
        // Not through the library's buffered handle: nobody else reads from it, and the pump has its own buffer.
        Kind::Input => File::from(io::stdin().as_fd().try_clone_to_owned()?),
        _ => File::open(&capture.path)?,
    };
    let about = file.metadata()?;
    let len = if about.is_file() { about.len() } else { u64::MAX };
    Ok((file, len))
}

/// Finds out what the stream holds, and feeds it to the end.
fn run(mut file: impl Read, regular: bool, size: usize, outlet: &mut Outlet) -> Result<(), Ending> {
    let head = beginning(&mut file).map_err(|e| unusable(e.to_string()))?;
    let gzip = sniff::is_gzip(&head);
    let raw = Cursor::new(head).chain(file);
    if !gzip {
        return pump(raw, size, regular, outlet);
    }
    let packed = BufReader::with_capacity(COMPRESSED, raw);
    pump(MultiGzDecoder::new(packed), size, regular, outlet)
}

fn pump(mut from: impl Read, size: usize, patient: bool, outlet: &mut Outlet) -> Result<(), Ending> {
    let head = beginning(&mut from).map_err(|e| unusable(e.to_string()))?;
    let Some(format) = head.first_chunk::<4>().and_then(|magic| Format::from_magic(*magic)) else {
        let what = if head.is_empty() { "nothing".to_owned() } else { sniff::describe(&head) };
        return Err(unusable(format!("neither pcap nor pcapng; what it holds is {what}")));
    };
    let mut pump = Pump::new(Cursor::new(head).chain(from), format, size, patient);
    while outlet.send(|segment| pump.fill(segment)) {}
    Ok(())
}

fn unusable(text: String) -> Ending {
    Ending::fault(0, Fault::head(text))
}

/// Where the feed's segments go.
struct Outlet {
    outlets: Vec<SyncSender<Arc<Segment>>>,
    dealer: Option<Dealer>,
    /// Segments that were sent.
    spares: Spares,
    passed: Arc<AtomicU64>,
}

impl Outlet {
    /// Sends one segment to every reader that is left, and tells whether another one is wanted.
    fn send(&mut self, fill: impl FnOnce(&mut Segment)) -> bool {
        let mut shared = self.spares.take();
        let Some(segment) = Arc::get_mut(&mut shared) else { return false };
        fill(segment);
        if let Some(dealer) = &mut self.dealer {
            dealer.sort(segment);
        }
        segment.position = self.passed.load(Ordering::Relaxed);
        let last = segment.ending.is_some();
        self.outlets.retain(|outlet| outlet.send(Arc::clone(&shared)).is_ok());
        self.spares.keep(shared);
        !last && !self.outlets.is_empty()
    }
}
