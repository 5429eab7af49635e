//! The decoder: one frame in, its packets out.

use frame::{Frame, Loss};

use crate::{Counters, Event, Packet, Settings, Source};

/// Decodes frames, one after the other, and holds the fragments between them.
#[derive(Debug)]
pub struct Decoder {
    counters: Counters,
    packets: Vec<Packet>,
    events: Vec<(u8, Event)>,
    rebuilt: Vec<Vec<u8>>,
    loss: Option<Loss>,
    held: bool,
}

/// What one frame gave. Valid until the next frame is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'d> {
    /// Outermost first; inner and reassembled ones follow.
    pub packets: &'d [Packet],
    /// What is wrong: index of the packet, and the event.
    pub events: &'d [(u8, Event)],
    /// `None`: analysed. Otherwise nothing as far as the network layer could be read.
    pub loss: Option<Loss>,
    /// A fragment was kept back: it is analysed, its bytes come with the reassembled packet.
    pub held: bool,
    rebuilt: &'d [Vec<u8>],
}

impl<'d> Decoded<'d> {
    /// The bytes that the offsets of `packet` count in.
    #[must_use]
    pub fn bytes<'a>(&self, frame: &Frame<'a>, packet: &Packet) -> &'a [u8]
    where
        'd: 'a,
    {
        bytes_of(self.rebuilt, frame, packet)
    }
}

impl Decoder {
    /// A decoder with nothing held.
    #[must_use]
    pub fn new(_settings: &Settings) -> Self {
        Self {
            counters: Counters::default(),
            packets: Vec::with_capacity(16),
            events: Vec::with_capacity(16),
            rebuilt: Vec::new(),
            loss: None,
            held: false,
        }
    }

    /// Decodes one frame. The result is valid until the next call; [`Decoder::last`] gives it again.
    pub fn decode(&mut self, _frame: &Frame<'_>) -> Decoded<'_> {
        self.last()
    }

    /// What the last frame gave.
    #[must_use]
    pub fn last(&self) -> Decoded<'_> {
        Decoded {
            packets: &self.packets,
            events: &self.events,
            loss: self.loss,
            held: self.held,
            rebuilt: &self.rebuilt,
        }
    }

    /// The bytes that the offsets of `packet` count in.
    #[must_use]
    pub fn bytes<'a>(&'a self, frame: &Frame<'a>, packet: &Packet) -> &'a [u8] {
        bytes_of(&self.rebuilt, frame, packet)
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

fn bytes_of<'a>(rebuilt: &'a [Vec<u8>], frame: &Frame<'a>, packet: &Packet) -> &'a [u8] {
    match packet.source {
        Source::Frame => frame.data,
        Source::Reassembled(i) => rebuilt.get(usize::from(i)).map_or(&[], Vec::as_slice),
    }
}
