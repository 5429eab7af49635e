use super::{frame_of, tagged};
use crate::datapath::{Verdict, flush};
use crate::rig::{OWN, Rig, Setting};
use crate::vf::Direction;
use crate::{Loopback, Options, Persona};

/// A small generator, so that a seed tells the whole run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn wide(&mut self) -> u64 {
        (self.below(1 << 31) as u64) << 33 ^ self.below(1 << 31) as u64
    }
}

/// Whatever comes, and whenever the driver looks: every frame is in a ring, filtered or lost with a reason, and those in
/// rings come out once, in order, whole.
#[test]
fn what_goes_in_comes_out_or_is_counted() {
    for seed in 0..60 {
        let mut draw = Draw(seed);
        let options = Options { zero_tail: draw.below(2) == 0, ..Options::default() };
        let options =
            if draw.below(2) == 0 { options } else { Options { zero_tail: true, ..Options::lenient() } };
        let setting = Setting { buffer: 128 << draw.below(5), longest: 3000, ..Setting::default() };
        let mut rig = Rig::running(Persona::i40e(), options, setting);
        let mut expected = vec![Vec::new(); 4];
        let mut came = vec![Vec::new(); 4];
        for _ in 0..400 {
            let mut frame = frame_of(60 + draw.below(3100));
            frame[30] = draw.below(256) as u8;
            match draw.below(10) {
                0 => frame[..6].copy_from_slice(&[2; 6]),
                1 => frame = tagged(&frame, 0x8100, 5),
                2 => frame[..6].fill(0xFF),
                _ => frame[..6].copy_from_slice(&OWN),
            }
            if let Verdict::Received(queue) = rig.inject(&frame) {
                expected[usize::from(queue)].push(frame);
            }
            let queue = draw.below(4) as u16;
            if draw.below(12) == 0 {
                flush(&mut rig.model, Direction::Rx, queue);
            }
            if draw.below(6) == 0 {
                came[usize::from(queue)].extend(rig.segments(queue));
            }
        }
        for queue in 0..4 {
            flush(&mut rig.model, Direction::Rx, queue);
            let mut whole = Vec::new();
            let mut bytes = Vec::new();
            let mut segments = std::mem::take(&mut came[usize::from(queue)]);
            segments.extend(rig.segments(queue));
            for (said, part) in segments {
                bytes.extend(part);
                if said.last {
                    whole.push(std::mem::take(&mut bytes));
                }
            }
            assert_eq!(whole, expected[usize::from(queue)], "seed {seed}, queue {queue}");
        }
        let ledger = rig.model.ledger;
        let received: usize = expected.iter().map(Vec::len).sum();
        assert!(ledger.balances() && ledger.offered == 400 && ledger.received == received as u64);
        let statistics = rig.statistics();
        assert_eq!(statistics.rx_frames(), ledger.received + ledger.no_descriptor + ledger.too_long);
        assert_eq!(statistics.rx_discards, ledger.no_descriptor + ledger.too_long);
        assert_eq!(rig.model.memory.stray_count(), 0);
    }
}

/// A driver that means harm: rings and buffers full of anything, tails anywhere, messages in between.
#[test]
fn whatever_lies_in_rings_is_survived() {
    for seed in 0..200 {
        let mut draw = Draw(seed);
        let persona = if draw.below(2) == 0 { Persona::i40e() } else { Persona::ice() };
        let loopback = [Loopback::Off, Loopback::Echo, Loopback::Swap, Loopback::Answer][draw.below(4)];
        let setting = Setting { buffer: 128 << draw.below(5), ..Setting::default() };
        let mut rig = Rig::running(persona, Options { loopback, ..Options::default() }, setting);
        let inside = rig.buffer_of(0, 0);
        for _ in 0..40 {
            let queue = draw.below(4) as u16;
            for at in 0..8 {
                let address =
                    if draw.below(4) == 0 { draw.wide() } else { inside + draw.below(1 << 16) as u64 };
                rig.put(queue, at, [address, draw.wide(), draw.wide(), draw.wide()]);
                // kinds and sizes that a device takes, more often than not
                let kind = if draw.below(3) == 0 { draw.wide() } else { 0x10 | 100 << 34 };
                rig.put_tx(queue, at, [address, kind]);
            }
            let direction = if draw.below(2) == 0 { Direction::Rx } else { Direction::Tx };
            let limit = [8, 64, 70][draw.below(3)];
            crate::datapath::tail_written(&mut rig.model, direction, queue, draw.below(limit) as u32);
            rig.inject(&frame_of(60 + draw.below(2000)));
            flush(&mut rig.model, direction, queue);
            if rig.model.function.host.disabled {
                break;
            }
        }
        assert!(rig.model.ledger.balances(), "seed {seed}");
    }
}
