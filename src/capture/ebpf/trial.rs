//! Frames that the program is asked about before it is trusted.

use super::{Steering, SteeringError, Tunnels};

/// Conversations of each kind that are tried.
const CONVERSATIONS: u8 = 8;

/// An outer wrapping: its name, and how it wraps an Ethernet frame.
pub(super) type Wrapping = (&'static str, fn(&[u8], &Tunnels) -> Option<Vec<u8>>);

pub(super) const WRAPPINGS: [Wrapping; 7] = [
    ("plain", |inner, _| Some(inner.to_vec())),
    ("two VLAN tags", |inner, _| Some(tagged(&tagged(inner, 0x8100), 0x88a8))),
    ("VXLAN", |inner, tunnels| vxlan(inner, tunnels)),
    ("IP in GENEVE with options", |inner, tunnels| geneve([8, 0], inner.get(14..)?, tunnels)),
    ("Ethernet in GENEVE with options", |inner, tunnels| geneve([0x65, 0x58], inner, tunnels)),
    ("VXLAN in GENEVE", |inner, tunnels| geneve([0x65, 0x58], &vxlan(inner, tunnels)?, tunnels)),
    ("ERSPAN type II", |inner, _| Some(erspan(inner))),
];

/// Both directions of a conversation have the same answer, and not all conversations the same.
pub(super) fn hold(steering: &Steering, tunnels: &Tunnels) -> Result<(), SteeringError> {
    for (name, wrap) in WRAPPINGS {
        let mut answers = Vec::new();
        for number in 0..CONVERSATIONS {
            let (there, back) = ([10, 0, 0, number], [192, 0, 2, 77]);
            let (Some(one), Some(other)) =
                (wrap(&tcp(there, back), tunnels), wrap(&tcp(back, there), tunnels))
            else {
                break;
            };
            let answer = steering.answer(&one)?;
            if answer != steering.answer(&other)? || answer == 0 {
                return Err(SteeringError::Trial(name));
            }
            answers.push(answer);
        }
        answers.sort_unstable();
        answers.dedup();
        if answers.len() == 1 {
            return Err(SteeringError::Trial(name));
        }
    }
    Ok(())
}

const ETHERNET: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

/// An Ethernet frame around an IPv4 packet around this.
pub(super) fn ipv4(from: [u8; 4], to: [u8; 4], protocol: u8, body: &[u8]) -> Vec<u8> {
    let total = u16::try_from(body.len() + 20).unwrap_or(u16::MAX).to_be_bytes();
    let head = [0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
    [&ETHERNET[..], &[8, 0], &head, &from, &to, body].concat()
}

pub(super) fn tcp(from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
    ipv4(from, to, 6, &[0; 20])
}

fn tagged(frame: &[u8], kind: u16) -> Vec<u8> {
    let (front, rest) = frame.split_at(12.min(frame.len()));
    let [high, low] = kind.to_be_bytes();
    [front, &[high, low, 0, 7], rest].concat()
}

/// Outer addresses that say nothing of the conversation, and a source port that differs between its directions, as
/// mirrors choose them.
fn udp(port: u16, inner: &[u8], body: &[u8]) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    let entropy =
        inner.iter().zip(1_u8..).fold(0_u8, |sum, (byte, n)| sum.wrapping_add(byte.wrapping_mul(n | 1)));
    let length = u16::try_from(body.len() + 8).unwrap_or(u16::MAX).to_be_bytes();
    let head = [0xc0, entropy, high, low, length[0], length[1], 0, 0];
    ipv4([198, 51, 100, 1], [198, 51, 100, 2], 17, &[&head[..], body].concat())
}

fn vxlan(inner: &[u8], tunnels: &Tunnels) -> Option<Vec<u8>> {
    let port = tunnels.vxlan.iter().copied().find(|port| *port != 0)?;
    Some(udp(port, inner, &[&[8, 0, 0, 0, 0, 0, 42, 0][..], inner].concat()))
}

fn geneve([k0, k1]: [u8; 2], inner: &[u8], tunnels: &Tunnels) -> Option<Vec<u8>> {
    let port = tunnels.geneve.iter().copied().find(|port| *port != 0)?;
    let option = [1, 8, 0, 1, 0xde, 0xad, 0xbe, 0xef];
    Some(udp(port, inner, &[&[2, 0, k0, k1, 0, 0, 9, 0][..], &option, inner].concat()))
}

fn erspan(inner: &[u8]) -> Vec<u8> {
    let head = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 3, 0, 0, 0, 0];
    ipv4([198, 51, 100, 1], [198, 51, 100, 2], 47, &[&head[..], inner].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_object_is_the_one_that_was_made_of_the_source() {
        let digest =
            |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let expected = [
            format!("{}  walk.bpf.h\n", digest(include_bytes!("walk.bpf.h"))),
            format!("{}  steer.bpf.c\n", digest(include_bytes!("steer.bpf.c"))),
            format!("{}  steer.bpf.o\n", digest(super::super::OBJECT)),
        ];
        assert_eq!(include_str!("steer.sha256"), expected.concat(), "run `make ebpf`");
    }

    #[test]
    fn the_kernel_passes_its_trial() {
        match Steering::load(&Tunnels::default()) {
            Ok(steering) => assert!(steering.fd().is_ok()),
            Err(SteeringError::Trial(what)) => panic!("{what}"),
            Err(why) => eprintln!("skipped: {why}"),
        }
    }
}
