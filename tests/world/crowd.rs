//! Well-behaved crowds: millions of flows at once, and conversations with something to say.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use crate::{Builder, Conversation, Dice, Side, Source, Tcp, TcpFlags, speech};

/// What the flows of a [`Crowd`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrowdKind {
    /// UDP, sides taking turns.
    Udp,
    /// TCP: SYN, SYN/ACK, ACK, then data, sides taking turns.
    Tcp,
}

/// Flows that all live at the same time: first the first frame of each, then the second of each, and so on.
#[derive(Clone, Debug)]
pub struct Crowd {
    kind: CrowdKind,
    flows: u64,
    rounds: u32,
    flow: u64,
    round: u32,
}

impl Crowd {
    const CLIENT_PORTS: u64 = 60_000;

    /// `flows` flows of `rounds` frames each. At most 4 billion flows differ from each other.
    #[must_use]
    pub const fn new(kind: CrowdKind, flows: u64, rounds: u32) -> Self {
        Self { kind, flows, rounds, flow: 0, round: 0 }
    }

    fn ends(&self) -> (SocketAddr, SocketAddr) {
        let address = Ipv4Addr::from(0x0a00_0000 | (self.flow / Self::CLIENT_PORTS) as u32 & 0x00ff_ffff);
        let port = 1024 + (self.flow % Self::CLIENT_PORTS) as u16;
        let server = Ipv4Addr::new(192, 0, 2, (self.flow % 250) as u8 + 1);
        (SocketAddr::from((address, port)), SocketAddr::from((server, 9000)))
    }

    fn segment(&self, ports: (u16, u16)) -> (Tcp, &'static [u8]) {
        let (syn, ack) = (TcpFlags::SYN, TcpFlags::ACK);
        // data goes eight bytes a round from round 3 on, odd rounds the client's
        let said = |odd: u32| (self.round.saturating_sub(3) + odd) / 2 * 8;
        let header = Tcp::new(ports.0, ports.1);
        match self.round {
            0 => (header.flags(syn).seq(1000), &[]),
            1 => (header.flags(syn | ack).seq(2000).ack(1001), &[]),
            2 => (header.seq(1001).ack(2001), &[]),
            round if round % 2 == 1 => (header.seq(1001 + said(0)).ack(2001 + said(0)), b"question"),
            _ => (header.seq(2001 + said(0)).ack(1001 + said(1)), b"answer.."),
        }
    }
}

impl Source for Crowd {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        if self.flow == self.flows {
            self.flow = 0;
            self.round += 1;
        }
        if self.round >= self.rounds || self.flows == 0 {
            return false;
        }
        let (client, server) = self.ends();
        let from_client = match self.kind {
            CrowdKind::Tcp => self.round == 0 || self.round == 2 || self.round > 2 && self.round % 2 == 1,
            CrowdKind::Udp => self.round.is_multiple_of(2),
        };
        let (from, to) = if from_client { (client, server) } else { (server, client) };
        let builder = Builder::ethernet().ip(from.ip(), to.ip());
        *frame = match self.kind {
            CrowdKind::Udp => builder.udp(from.port(), to.port()).payload(b"datagram").build(),
            CrowdKind::Tcp => {
                let (header, bytes) = self.segment((from.port(), to.port()));
                builder.tcp(header).payload(bytes).build()
            }
        };
        self.flow += 1;
        true
    }
}

/// Whole conversations, some at a time: web requests with bodies, TLS sessions, DNS lookups.
#[derive(Clone, Debug)]
pub struct Talk {
    left: u64,
    number: u64,
    at_once: usize,
    dice: Dice,
    open: Vec<VecDeque<Vec<u8>>>,
}

impl Talk {
    /// `count` conversations, `at_once` of them interleaved.
    #[must_use]
    pub const fn new(count: u64, at_once: usize, seed: u64) -> Self {
        Self { left: count, number: 0, at_once, dice: Dice::new(seed), open: Vec::new() }
    }

    fn begin(&mut self) -> VecDeque<Vec<u8>> {
        let client = Ipv4Addr::from(0xac10_0000 | (self.number / 50_000) as u32 & 0xf_ffff);
        let client = SocketAddr::from((client, 10_000 + (self.number % 50_000) as u16));
        let host = 1 + (self.number % 200) as u8;
        let server = |port| SocketAddr::from(([198, 51, 100, host], port));
        self.number += 1;
        match self.dice.below(4) {
            0 => self.lookup(client).into(),
            1 => self.secure(client, server(443)).into(),
            _ => self.web(client, server(80)).into(),
        }
    }

    fn lookup(&mut self, client: SocketAddr) -> Vec<Vec<u8>> {
        let resolver = SocketAddr::from(([198, 51, 100, 53], 53));
        let (id, name) = (self.dice.word(), format!("host{}.example", self.dice.below(5000)));
        let send = |from: SocketAddr, to: SocketAddr, bytes: &[u8]| {
            Builder::ethernet().ip(from.ip(), to.ip()).udp(from.port(), to.port()).payload(bytes).build()
        };
        vec![
            send(client, resolver, &speech::dns_query(id, &name)),
            send(resolver, client, &speech::dns_answer(id, &name, [203, 0, 113, 1])),
        ]
    }

    fn secure(&mut self, client: SocketAddr, server: SocketAddr) -> Vec<Vec<u8>> {
        let name = format!("secure{}.example", self.dice.below(500));
        let len = self.dice.between(100, 20_000) as usize;
        let mut talk = Conversation::new(client, server);
        talk.open();
        talk.say(Side::Client, &speech::tls_client_hello(&name, &mut self.dice));
        talk.say(Side::Server, &speech::tls_server_flight(len, &mut self.dice));
        talk.close();
        talk.into_frames()
    }

    fn web(&mut self, client: SocketAddr, server: SocketAddr) -> Vec<Vec<u8>> {
        let mut talk = Conversation::new(client, server);
        talk.open();
        for _ in 0..self.dice.between(1, 3) {
            let (item, len) = (self.dice.below(100_000), self.dice.between(0, 12_000) as usize);
            talk.say(Side::Client, &speech::http_get("www.example", &format!("/item/{item}")));
            talk.say(Side::Server, &speech::http_response(&self.dice.bytes(len)));
        }
        if self.dice.below(10) == 0 {
            talk.reset(Side::Server)
        } else {
            talk.close()
        }
        talk.into_frames()
    }
}

impl Source for Talk {
    fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
        while self.open.len() < self.at_once.max(1) && self.left > 0 {
            self.left -= 1;
            let next = self.begin();
            self.open.push(next);
        }
        let turn = self.dice.below(self.open.len() as u32) as usize;
        let Some(talk) = self.open.get_mut(turn) else { return false };
        let next = talk.pop_front();
        if talk.is_empty() {
            self.open.swap_remove(turn);
        }
        *frame = next.unwrap_or_default();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(mut source: impl Source) -> usize {
        let mut frame = Vec::new();
        std::iter::from_fn(|| source.fill(&mut frame).then_some(())).count()
    }

    #[test]
    fn a_crowd_is_alive_at_once() {
        let mut crowd = Crowd::new(CrowdKind::Tcp, 3, 5);
        let (mut frame, mut flags) = (Vec::new(), Vec::new());
        while crowd.fill(&mut frame) {
            flags.push(frame[47]);
        }
        assert_eq!(flags, [2, 2, 2, 18, 18, 18, 16, 16, 16, 16, 16, 16, 16, 16, 16]);
        assert_eq!(count(Crowd::new(CrowdKind::Udp, 7, 2)), 14);
        assert_eq!(count(Crowd::new(CrowdKind::Udp, 0, 2)), 0);
    }

    #[test]
    fn sides_of_a_crowd_count_each_others_bytes() {
        let mut crowd = Crowd::new(CrowdKind::Tcp, 1, 7);
        let mut frame = Vec::new();
        let mut next = [0u32; 2];
        while crowd.fill(&mut frame) {
            let word = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
            let side = usize::from(frame[26] != 10);
            let header = usize::from(frame[46] >> 4) * 4;
            if next[side] != 0 {
                assert_eq!(word(38), next[side]);
            }
            if frame[47] & 16 != 0 {
                assert_eq!(word(42), next[1 - side]);
            }
            next[side] = word(38) + u32::from(frame[47] & 2 != 0) + (frame.len() - 34 - header) as u32;
        }
        assert_eq!(next, [1017, 2017]);
    }

    #[test]
    fn conversations_all_come_to_their_end() {
        let mut talk = Talk::new(40, 8, 2);
        let (mut frame, mut begun, mut ended, mut lookups) = (Vec::new(), 0, 0, 0);
        while talk.fill(&mut frame) {
            match (frame[23], frame[47]) {
                (17, _) => lookups += 1,
                (6, 2) => begun += 1,
                (6, flags) if flags & 4 != 0 => ended += 1,
                (6, flags) if flags & 1 != 0 && frame[26] == 172 => ended += 1,
                _ => {}
            }
        }
        assert_eq!(begun + lookups / 2, 40);
        assert_eq!(begun, ended);
    }
}
