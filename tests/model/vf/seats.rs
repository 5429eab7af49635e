//! Which vector each queue signals (ops 7 and 111).

use super::Direction;

/// A queue's vector, and which of its throttles it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// MSI-X vector.
    pub vector: u16,
    /// Throttle, 0 to 2.
    pub itr: u16,
}

/// The seats of all queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    rx: Vec<Option<Seat>>,
    tx: Vec<Option<Seat>>,
}

impl Seats {
    /// Queues that signal nobody.
    pub(crate) fn new(pairs: u16) -> Self {
        let none = vec![None; usize::from(pairs)];
        Self { rx: none.clone(), tx: none }
    }

    /// A queue's seat; none when it was not mapped.
    #[must_use]
    pub fn of(&self, direction: Direction, queue: u16) -> Option<Seat> {
        let side = match direction {
            Direction::Rx => &self.rx,
            Direction::Tx => &self.tx,
        };
        side.get(usize::from(queue)).copied().flatten()
    }

    /// A queue signals the vector that it was mapped to last, and no other.
    pub(crate) fn put(&mut self, direction: Direction, queue: u16, seat: Seat) {
        let side = match direction {
            Direction::Rx => &mut self.rx,
            Direction::Tx => &mut self.tx,
        };
        if let Some(place) = side.get_mut(usize::from(queue)) {
            *place = Some(seat);
        }
    }

    /// Nobody signals a vector any more.
    pub(crate) fn clear(&mut self, vector: u16) {
        let both = self.rx.iter_mut().chain(&mut self.tx);
        both.for_each(|seat| *seat = seat.filter(|seat| seat.vector != vector));
    }

    /// Queues of a vector: those that receive, then those that send.
    pub fn queues(&self, vector: u16) -> impl Iterator<Item = (Direction, u16)> {
        self.all().filter(move |(_, _, seat)| seat.vector == vector).map(|(way, queue, _)| (way, queue))
    }

    /// Which throttle a vector uses: that of its receive queues, if it has any.
    pub(crate) fn throttle(&self, vector: u16) -> u16 {
        self.all().find(|(_, _, seat)| seat.vector == vector).map_or(0, |(_, _, seat)| seat.itr)
    }

    fn all(&self) -> impl Iterator<Item = (Direction, u16, Seat)> {
        side(Direction::Rx, &self.rx).chain(side(Direction::Tx, &self.tx))
    }
}

fn side(way: Direction, seats: &[Option<Seat>]) -> impl Iterator<Item = (Direction, u16, Seat)> {
    (0..).zip(seats).filter_map(move |(queue, seat)| seat.map(|seat| (way, queue, seat)))
}
