//! Halves and places as the program in the kernel has them: `struct key4`, `key6` and `place` of `ebpf/bypass.bpf.c`.

use frame::bypass::{Around, Half, Level};

pub(crate) const KEY4: usize = 24;
pub(crate) const KEY6: usize = 48;
pub(crate) const PLACE: usize = 136;

/// The key of a half, in the map of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    V4([u8; KEY4]),
    V6([u8; KEY6]),
}

/// A cursor that writes one field after the other; what has no room is left out, and the sizes are tested.
struct Pen<'a>(&'a mut [u8]);

impl Pen<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some((to, rest)) = std::mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            to.copy_from_slice(bytes);
            self.0 = rest;
        }
    }

    fn ports(&mut self, ports: [u16; 2]) {
        ports.iter().for_each(|port| self.put(&port.to_be_bytes()));
    }

    fn vlans(&mut self, vlans: [u16; 3]) {
        vlans.iter().for_each(|vlan| self.put(&vlan.to_ne_bytes()));
    }
}

/// The key of a half in a place.
pub(crate) fn key(half: &Half, place: u32) -> Key {
    if half.version == 4 { Key::V4(short(half, place)) } else { Key::V6(long(half, place)) }
}

fn head(pen: &mut Pen<'_>, half: &Half, place: u32) {
    pen.ports(half.ends.ports);
    pen.vlans(half.ends.vlans);
    pen.put(&[half.protocol, 0]);
    pen.put(&place.to_ne_bytes());
}

fn short(half: &Half, place: u32) -> [u8; KEY4] {
    let mut key = [0; KEY4];
    let mut pen = Pen(&mut key);
    head(&mut pen, half, place);
    for address in [&half.ends.src, &half.ends.dst] {
        pen.put(address.first_chunk::<4>().unwrap_or(&[0; 4]));
    }
    key
}

/// With both addresses in full, as the walk has it for both versions.
pub(crate) fn long(half: &Half, place: u32) -> [u8; KEY6] {
    let mut key = [0; KEY6];
    let mut pen = Pen(&mut key);
    head(&mut pen, half, place);
    pen.put(&half.ends.src);
    pen.put(&half.ends.dst);
    key
}

/// What is around a half.
pub(crate) fn place(around: &Around) -> [u8; PLACE] {
    let mut place = [0; PLACE];
    let mut pen = Pen(&mut place);
    let mut options = around.options_len;
    for Level { ends, id, kind } in &around.levels {
        pen.put(&ends.src);
        pen.put(&ends.dst);
        pen.put(&id.to_be_bytes());
        pen.ports(ends.ports);
        pen.vlans(ends.vlans);
        pen.put(&[*kind as u8, std::mem::take(&mut options)]);
    }
    pen.put(&around.options);
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use frame::bypass::{Ends, Kind};

    #[test]
    fn every_field_has_its_place() {
        let ends = Ends { src: [1; 16], dst: [2; 16], ports: [0x0304, 0x0506], vlans: [7, 8, 9] };
        let half = Half { ends, protocol: 6, version: 6, ..Half::default() };
        let Key::V6(long) = key(&half, 0x0a0b_0c0d) else { panic!("not IPv6") };
        assert_eq!(long[..4], [3, 4, 5, 6]);
        assert_eq!((long[10], &long[16..32], &long[32..]), (6, &[1; 16][..], &[2; 16][..]));
        assert_eq!(long[12..16], 0x0a0b_0c0d_u32.to_ne_bytes());
        let Key::V4(short) = key(&Half { version: 4, ..half }, 0) else { panic!("not IPv4") };
        assert_eq!((&short[16..20], &short[20..]), (&[1; 4][..], &[2; 4][..]));
        let level = Level { ends, id: 0x0102_0304, kind: Kind::Geneve };
        let around = Around { levels: [level; 2], options: [5; 40], options_len: 40 };
        let bytes = place(&around);
        assert_eq!((bytes[46], bytes[47], bytes[94], bytes[95]), (2, 40, 2, 0));
        assert_eq!((&bytes[32..36], &bytes[96..]), (&[1, 2, 3, 4][..], &[5; 40][..]));
    }
}
