//! Seeded damage: whatever bytes are changed, readers end, balance, and agree, plain and compressed.

use super::*;

/// A small generator (Marsaglia's xorshift), so that every run damages alike.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

fn sample(ng: bool, order: Order) -> Vec<u8> {
    let mut file = if ng {
        [order.section(), order.interface(1, 0, &[(9, vec![9])]), order.interface(101, 64, &[])].concat()
    } else {
        order.pcap(0xa1b2_c3d4, 4, 200, 1)
    };
    for i in 0..12_u32 {
        let data = vec![7; i as usize * 9];
        file.extend(match (ng, i % 4) {
            (false, _) => order.record(i, i, &data),
            (true, 0) => order.block(3, &[&order.u32(i * 9)[..], &data].concat()),
            (true, 1) => order.block(5, &data),
            (true, 2) if i == 6 => [order.section(), order.interface(1, 0, &[])].concat(),
            (true, _) => order.packet(u32::from(i < 6 && i % 2 == 0), u64::from(i), &data, i * 9),
        });
    }
    file
}

fn damage(dice: &mut Dice, file: &mut Vec<u8>) {
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(file.len());
        match dice.roll(5) {
            0 => file[at] ^= 1 << dice.roll(8),
            1 => file[at] = [0, 0xff, 0x7f, 0x80][dice.roll(4)],
            2 => file.truncate(at.max(32)),
            3 => drop(file.remove(at)),
            _ => {
                let piece = file[at..(at + 16).min(file.len())].to_vec();
                file.splice(at..at, piece);
            }
        }
    }
}

#[test]
fn damaged_captures_end_balance_and_agree() {
    let folder = Folder::new("mutation");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut opened = 0;
    for round in 0..1_500 {
        let order = if round % 2 == 0 { Order::Le } else { Order::Be };
        let mut file = sample(round % 4 < 2, order);
        damage(&mut dice, &mut file);
        let path = folder.file("capture", &file);
        let plain = read_by(std::slice::from_ref(&path), 1, FileSettings::default());
        let packed = folder.file("capture.gz", &gzip(&file));
        let settings = FileSettings { buffer: 100, burst: 3, ahead: 1 };
        let fed = read_by(&[packed], 1, settings);
        let (plain, fed) = match (plain, fed) {
            (Ok(plain), Ok(fed)) => (&plain[0].clone(), fed[0].clone()),
            (Err(_), Err(_)) => continue,
            (plain, fed) => panic!("round {round}: only one was opened: {} {}", plain.is_ok(), fed.is_ok()),
        };
        opened += 1;
        assert_eq!(plain.frames, fed.frames, "round {round}");
        assert_eq!(plain.ledger, fed.ledger, "round {round}: {:?} {:?}", plain.warnings, fed.warnings);
        let lent = plain.frames.len() as u64;
        assert_eq!(plain.ledger.received, lent + plain.ledger.lost_in_all(), "round {round}");
        assert_eq!(plain.warnings.len(), fed.warnings.len(), "round {round}");
    }
    assert!(opened > 1_000, "{opened}");
}
