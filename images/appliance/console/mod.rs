//! The page on a screen or a serial line: how the machine stands, and the few things that are set by hand. Plain lines of
//! text; nothing here needs a terminal of any kind.

mod menu;
mod page;
mod view;

pub use view::{Counts, View};

use crate::{Hands, Place};
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How often the page is looked at again; it is shown again when it says something else.
const EVERY: Duration = Duration::from_secs(10);
/// A page that changes at every look is not shown more often than this on a line.
const QUIET: u32 = 6;

/// Asks the running sensor for its counters.
pub type Ask<'a> = dyn Fn() -> Option<Counts> + 'a;

/// Shows the page and does what is typed, until the line is closed.
///
/// # Errors
/// When the line cannot be written.
pub fn console(
    place: &Place,
    hands: &dyn Hands,
    ask: &Ask<'_>,
    version: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = typed();
    let mut shown = String::new();
    let mut since = 0;
    loop {
        let view = View::of(place, hands, ask, version);
        let (steady, page) = (page::steady(&view), page::page(&view));
        since += 1;
        if steady != shown || since >= QUIET {
            write!(out, "{page}{}> ", menu::MENU)?;
            out.flush()?;
            (shown, since) = (steady, 0);
        }
        match lines.recv_timeout(EVERY) {
            Ok(line) => {
                menu::act(line.trim(), place, hands, &lines, out)?;
                shown.clear();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// The page once, without the menu.
#[must_use]
pub fn page(place: &Place, hands: &dyn Hands, ask: &Ask<'_>, version: &str) -> String {
    page::page(&View::of(place, hands, ask, version))
}

/// Lines as they are typed, by a thread that waits for them.
fn typed() -> Receiver<String> {
    let (to, from) = channel();
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut line);
            let text = String::from_utf8_lossy(&line).into_owned();
            if !matches!(read, Ok(1..)) || to.send(text).is_err() {
                return;
            }
        }
    });
    from
}

/// Longest line that is listened to; the rest is another line.
const LONGEST: u64 = 200;

#[cfg(test)]
mod tests;
