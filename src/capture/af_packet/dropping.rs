//! Frames of bypassed flows are dropped before they reach a ring: the queues of an interface get ready for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frame::LinkType;
use libc::c_int;

use super::queue::Queue;
use super::socket::Socket;
use super::{DropSettings, LiveSettings};
use crate::bypass::{Book, Shelf};
use crate::ebpf::{At, Filter, FilterError, FilterSettings, Xdp};

/// What drops frames for one queue, or for all of them.
#[derive(Clone, Debug)]
pub(super) struct Dropper {
    filter: Arc<Mutex<Filter>>,
    /// At the interface, when not at the socket.
    xdp: Xdp,
}

impl Dropper {
    fn lock(&self) -> MutexGuard<'_, Filter> {
        self.filter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets frames into a socket, but for those that are to be dropped.
    pub(super) fn let_in(&self, socket: &Socket) -> std::io::Result<()> {
        if self.xdp != Xdp::Off {
            return socket.let_in();
        }
        let filter = self.lock();
        socket.filter(filter.fd().map_err(std::io::Error::other)?)
    }

    /// Has an interface that was made anew drop frames again.
    pub(super) fn again(&self, index: c_int) -> Result<(), FilterError> {
        match self.xdp {
            Xdp::Off => Ok(()),
            xdp => self.lock().attach(index.cast_unsigned(), xdp == Xdp::Native),
        }
    }

    /// From now on no frame is dropped at the interface; what is dropped at a socket ends with it.
    pub(super) fn end(&self) {
        if self.xdp != Xdp::Off {
            self.lock().detach();
        }
    }
}

/// Gets queues ready that are bound and let nothing in yet. Where the kernel refuses, they say so, and drop nothing.
pub(super) fn prepare(queues: &mut [Queue], settings: &LiveSettings, wanted: &DropSettings) {
    if wanted.xdp != Xdp::Off {
        let Err(why) = at_interface(queues, settings, wanted) else { return };
        say(
            queues,
            format!("frames of bypassed flows are dropped at the socket, not at the interface: {why}"),
        );
    }
    if let Err(why) = each(queues, settings, wanted) {
        say(queues, format!("bypassed flows are received still, and then not looked at: {why}"));
    }
}

fn say(queues: &mut [Queue], text: String) {
    if let Some(first) = queues.first_mut() {
        first.warn(text);
    }
}

/// Every socket has a program and maps of its own, and its part of the room.
fn each(queues: &mut [Queue], settings: &LiveSettings, wanted: &DropSettings) -> Result<(), FilterError> {
    let parts = u32::try_from(queues.len()).unwrap_or(u32::MAX).max(1);
    let mut ready = Vec::new();
    for queue in queues.iter() {
        let told = told(settings, wanted, queue.link(), parts);
        let load = if ready.is_empty() { Filter::load } else { Filter::another };
        let filter = load(&told, At::Socket)?;
        let shelf = Arc::new(Shelf::new(filter.maps()?));
        ready.push((Dropper { filter: Arc::new(Mutex::new(filter)), xdp: Xdp::Off }, shelf));
    }
    for (queue, (dropper, shelf)) in queues.iter_mut().zip(ready) {
        queue.drops(dropper, Book::new(shelf, true));
    }
    Ok(())
}

/// One program for the interface, with one set of maps.
fn at_interface(queues: &mut [Queue], settings: &LiveSettings, wanted: &DropSettings) -> Result<(), String> {
    let Some((index, link)) = queues.first().and_then(|queue| Some((queue.index()?, queue.link()))) else {
        return Ok(());
    };
    if queues.first().is_some_and(Queue::hides_tags) {
        let name = &settings.interface;
        return Err(format!(
            "the driver takes VLAN tags out of frames before a program sees them; `ethtool -K {name} rxvlan off` has \
             it leave them"
        ));
    }
    let told = told(settings, wanted, link, 1);
    let filter = Filter::load(&told, At::Interface).map_err(|why| why.to_string())?;
    let shelf = Arc::new(Shelf::new(filter.maps().map_err(|why| why.to_string())?));
    let dropper = Dropper { filter: Arc::new(Mutex::new(filter)), xdp: wanted.xdp };
    dropper.again(index).map_err(|why| why.to_string())?;
    for (number, queue) in queues.iter_mut().enumerate() {
        queue.drops(dropper.clone(), Book::new(Arc::clone(&shelf), number == 0));
    }
    Ok(())
}

fn told(settings: &LiveSettings, wanted: &DropSettings, link: LinkType, parts: u32) -> FilterSettings {
    FilterSettings {
        tunnels: settings.tunnels,
        levels: wanted.levels,
        raw_link: link == LinkType::RAW,
        ipv4: wanted.ipv4 / parts,
        ipv6: wanted.ipv6 / parts,
    }
}
