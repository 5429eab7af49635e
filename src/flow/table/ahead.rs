//! What the turns of the next packets will read, read before: the misses of many flows overlap then, where a turn waits
//! for its own, one after the other. Nothing changes but the caches.

use std::hint::black_box;

use super::Table;
use crate::Key;
use decode::Sight;

/// How many packets are looked ahead at once.
pub const AHEAD: usize = 16;

/// From so many flows on it is worth it. A packet in `bench-driver`, without and with it, on an Emerald Rapids core with
/// 2 MiB of cache of its own: 92 and 121 ns over 1,000 flows, 115 and 140 over 20,000, 144 and 162 over 50,000, 179 and
/// 164 over 100,000, 227 and 161 over 300,000, 254 and 170 over a million.
pub const MANY: usize = 65_536;

/// Reads what the turns of packets will read, [`AHEAD`] of them at the most: for each the table it will come to, what
/// was seen of it, and its tap. What was seen wrongly costs time, and nothing else.
#[inline(never)]
pub fn look_ahead<'t, A: Default + 't>(packets: impl Iterator<Item = (&'t Table<A>, Sight, u32)>) {
    let mut places = [None; AHEAD];
    // Three loops, each so short that the processor is in many of its rounds at once.
    for (place, (table, sight, tap)) in places.iter_mut().zip(packets) {
        *place = Some((table, table.tag_of(&sight, tap)));
    }
    let places = || places.iter().map_while(|place| *place);
    let mut sum = places().fold(0, |sum, (table, tag)| sum ^ table.index.touch(tag));
    for (table, tag) in places() {
        sum ^= table.touch_record(tag);
    }
    black_box(sum);
}

impl<A: Default> Table<A> {
    /// Flows, those that wait in [`Table::pop_ended`] included.
    #[must_use]
    pub const fn flows(&self) -> usize {
        self.active + self.ended
    }

    fn tag_of(&self, sight: &Sight, tap: u32) -> u32 {
        let (src_port, dst_port) = sight.ports;
        let key = Key {
            src: sight.src,
            dst: sight.dst,
            tenant: 0,
            tap: if self.settings.use_tap { tap } else { 0 },
            vlans: if self.settings.use_vlan { sight.vlans.ids } else { [0; 3] },
            src_port,
            dst_port,
            protocol: sight.protocol,
            version: sight.version,
        };
        key.tag(self.settings.seed)
    }

    /// Reads from each cache line of a record that a turn reads.
    fn touch_record(&self, tag: u32) -> u64 {
        let record = self.index.find(tag, |_| true).and_then(|slot| self.records.get(slot as usize));
        let Some(record) = record else { return 0 };
        let flow = &record.flow;
        let [packets, _] = flow.packets;
        packets ^ flow.last.number ^ u64::from(flow.key.version) ^ u64::from(record.fires) ^ flow.class as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Moment, Settings};
    use decode::{Address, Ip, Network, Packet, Transport, Vlans};
    use frame::Timestamp;

    fn packet(sight: &Sight) -> Packet {
        let Sight { src, dst, ports, protocol, version, vlans } = *sight;
        Packet {
            network: Network::Ip(Ip { src, dst, protocol, version, ..Ip::default() }),
            transport: Transport::Udp(ports.0, ports.1),
            vlans,
            ..Packet::default()
        }
    }

    #[test]
    fn a_look_ahead_finds_the_flow_that_the_turn_finds() {
        let sight = Sight {
            src: Address::v4([192, 0, 2, 1]),
            dst: Address::v4([198, 51, 100, 2]),
            ports: (40_000, 53),
            protocol: 17,
            version: 4,
            vlans: Vlans { ids: [7, 0, 0], count: 1 },
        };
        let back = Sight { src: sight.dst, dst: sight.src, ports: (53, 40_000), ..sight };
        let other = Sight { ports: (40_001, 53), ..sight };
        for (use_tap, use_vlan) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut table: Table<u64> = Table::new(&Settings { use_tap, use_vlan, ..Settings::default() });
            let now = Moment { time: Timestamp::new(1, 0), number: 1 };
            let turn = table.turn(&packet(&sight), &[], now, 3).unwrap();
            let found = |sight: &Sight| table.index.find(table.tag_of(sight, 3), |_| true);
            assert_eq!(
                (found(&sight), found(&back), found(&other)),
                (Some(turn.flow.0), Some(turn.flow.0), None)
            );
            let (before, memory) = (table.counters().clone(), table.memory());
            look_ahead([sight, back, other].into_iter().cycle().take(2 * AHEAD).map(|s| (&table, s, 3)));
            assert_eq!((table.counters(), table.memory()), (&before, memory));
        }
    }
}
