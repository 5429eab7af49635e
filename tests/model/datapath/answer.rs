//! A host on the other side of the wire: whoever asks for an address finds it, and what is sent to it comes back.
//!
//! ARP (RFC 826), neighbour discovery (RFC 4861), pings (RFC 792, RFC 4443), UDP and TCP to any port of any address.
//! It keeps nothing: a TCP segment is answered out of itself. Sequence numbers of both directions are the same, because
//! what is sent back is what came; the window offered is the sender's own, so that it never sends more than it can take
//! back. Frames whose checksums are wrong are not answered, so that a wrong offload shows.

use avf::ptype::{Ip, Layers, Link, Transport, Tunnel};
use avf::rx::Cast;
use etherparse::{IpNumber, TcpHeaderSlice, ip_number};

use super::sight::{Ports, Sight, look};
use super::sums;

/// Its Ethernet address, for every address that is asked for.
pub(crate) const ADDRESS: [u8; 6] = [0x02, 0x70, 0x65, 0x65, 0x72, 0x01];

const ARP_REQUEST: u16 = 1;
const ARP_REPLY: u16 = 2;

/// ICMP echo, request and answer; of ICMPv6; and its neighbour solicitation and advertisement.
const ECHO: [u8; 2] = [8, 0];
const ECHO_V6: [u8; 2] = [128, 129];
const NEIGHBOUR: [u8; 2] = [135, 136];

/// Solicited and overriding (RFC 4861, section 4.4), and the option with its address.
const ADVERTISED: u8 = 0x60;
const TARGET_ADDRESS: [u8; 2] = [2, 1];

/// Bytes of the IPv6 header and of its fragment header.
const V6_HEADER: usize = 40;
const V6_FRAGMENT: usize = 8;

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// TCP options that are not given back as they came (RFC 2018, RFC 7323).
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// What it answers to a frame, if anything.
pub(crate) fn answer(frame: &[u8]) -> Option<Vec<u8>> {
    let sight = look(frame, Ports::default());
    let at = 14 + 4 * sight.tags.iter().flatten().count();
    let mut reply = frame.to_vec();
    if sight.layers.link == Link::Arp {
        resolve(&mut reply, at)?;
    } else {
        let Layers { outer: Some(ip), fragment, tunnel: Tunnel::None, transport, .. } = sight.layers else {
            return None;
        };
        let packet = Packet::of(frame, at, ip, &sight)?;
        let unicast = sight.cast == Cast::Unicast;
        if fragment {
            packet.reply_fragment(&mut reply, unicast)?;
        } else {
            packet.reply(&mut reply, transport, unicast)?;
        }
    }
    turn_ethernet(&mut reply)?;
    Some(reply)
}

/// Answers go where the question came from.
fn turn_ethernet(reply: &mut [u8]) -> Option<()> {
    let (destination, rest) = reply.split_first_chunk_mut::<6>()?;
    let source = rest.first_chunk_mut::<6>()?;
    *destination = *source;
    *source = ADDRESS;
    Some(())
}

/// An ARP request for an address becomes its reply; probes and announcements find nobody.
fn resolve(reply: &mut [u8], at: usize) -> Option<()> {
    let body = reply.get_mut(at..)?.first_chunk_mut::<28>()?;
    let [.., operation_high, operation_low] = *body.first_chunk::<8>()?;
    let sender: [u8; 10] = *body.get(8..18)?.first_chunk()?;
    let target: [u8; 4] = *body.get(24..28)?.first_chunk()?;
    let source = sender.get(6..)?;
    if u16::from_be_bytes([operation_high, operation_low]) != ARP_REQUEST
        || source == target
        || source == [0; 4]
    {
        return None;
    }
    body.get_mut(6..8)?.copy_from_slice(&ARP_REPLY.to_be_bytes());
    body.get_mut(8..14)?.copy_from_slice(&ADDRESS);
    body.get_mut(14..18)?.copy_from_slice(&target);
    body.get_mut(18..28)?.copy_from_slice(&sender);
    Some(())
}

/// Where the parts of an IP packet lie in its frame.
#[derive(Clone, Copy, Debug)]
struct Packet {
    ip: Ip,
    at: usize,
    transport: usize,
    end: usize,
    protocol: u8,
    /// Whether the transport's header is in it.
    first: bool,
}

impl Packet {
    /// `None` where it is not whole, has a wrong checksum, or is for a group.
    fn of(frame: &[u8], at: usize, ip: Ip, sight: &Sight) -> Option<Self> {
        let bytes = frame.get(at..)?;
        let wrong = sight.checks.ip_bad || sight.checks.transport_bad;
        let (header, length, next) = match ip {
            Ip::V4 => (usize::from(bytes.first()? & 0xF) * 4, usize::from(field(bytes, 2)?), *bytes.get(9)?),
            Ip::V6 => (V6_HEADER, V6_HEADER + usize::from(field(bytes, 4)?), *bytes.get(6)?),
        };
        let whole = header <= length && length <= bytes.len();
        let (protocol, offset, header) = match ip {
            Ip::V4 => (next, field(bytes, 6)? & 0x1FFF, header),
            Ip::V6 if next == ip_number::IPV6_FRAG.0 => {
                (*bytes.get(V6_HEADER)?, field(bytes, V6_HEADER + 2)? >> 3, header + V6_FRAGMENT)
            }
            Ip::V6 => (next, 0, header),
        };
        let packet = Self { ip, at, transport: at + header, end: at + length, protocol, first: offset == 0 };
        (whole && !wrong && packet.transport <= packet.end).then_some(packet)
    }

    fn reply(self, reply: &mut [u8], transport: Transport, unicast: bool) -> Option<()> {
        match (transport, IpNumber(self.protocol)) {
            (Transport::Udp, ip_number::UDP) if unicast => self.turn(reply, true),
            (Transport::Tcp, ip_number::TCP) if unicast => self.tcp(reply),
            (Transport::Icmp, ip_number::ICMP | ip_number::IPV6_ICMP) => self.icmp(reply, unicast),
            _ => None,
        }
    }

    /// Fragments of datagrams and pings come back one by one; the sum of a ping changes by what its kind does.
    fn reply_fragment(self, reply: &mut [u8], unicast: bool) -> Option<()> {
        match IpNumber(self.protocol) {
            ip_number::UDP if unicast => self.turn(reply, self.first),
            ip_number::ICMP | ip_number::IPV6_ICMP if unicast => {
                if self.first {
                    let [asked, answered] = self.echo();
                    let [kind, _, sum @ ..] = reply.get_mut(self.transport..)?.first_chunk_mut::<4>()?;
                    if *kind != asked {
                        return None;
                    }
                    *kind = answered;
                    *sum = changed(*sum, asked, answered);
                }
                self.turn(reply, false)
            }
            _ => None,
        }
    }

    /// Kinds of an echo's request and answer.
    fn echo(self) -> [u8; 2] {
        match self.ip {
            Ip::V4 => ECHO,
            Ip::V6 => ECHO_V6,
        }
    }

    /// Exchanges addresses and, where there are such, ports. Sums stay as they are.
    fn turn(self, reply: &mut [u8], ports: bool) -> Option<()> {
        let (from, length) = match self.ip {
            Ip::V4 => (self.at + 12, 4),
            Ip::V6 => (self.at + 8, 16),
        };
        swap(reply.get_mut(from..from + 2 * length)?);
        if ports {
            swap(reply.get_mut(self.transport..self.transport + 4)?);
        }
        Some(())
    }

    fn icmp(self, reply: &mut [u8], unicast: bool) -> Option<()> {
        let [asked, answered] = self.echo();
        let kind = *reply.get(self.transport)?;
        if self.ip == Ip::V6 && kind == NEIGHBOUR[0] {
            return self.advertise(reply);
        }
        if kind != asked || !unicast {
            return None;
        }
        *reply.get_mut(self.transport)? = answered;
        self.turn(reply, false)?;
        self.sum(reply, ip_number::ICMP.0, ip_number::IPV6_ICMP.0, 2)
    }

    /// A neighbour solicitation becomes an advertisement of the same length; one that looks for duplicates finds none.
    fn advertise(self, reply: &mut [u8]) -> Option<()> {
        let source: [u8; 16] = *reply.get(self.at + 8..)?.first_chunk()?;
        let target: [u8; 16] = *reply.get(self.transport + 8..)?.first_chunk()?;
        if source == [0; 16] || source == target || self.end < self.transport + 32 {
            return None;
        }
        reply.get_mut(self.at + 8..)?.first_chunk_mut().map(|field| *field = target)?;
        reply.get_mut(self.at + 24..)?.first_chunk_mut().map(|field| *field = source)?;
        *reply.get_mut(self.transport)? = NEIGHBOUR[1];
        reply.get_mut(self.transport + 4..)?.first_chunk_mut().map(|field| *field = [ADVERTISED, 0, 0, 0])?;
        let option = reply.get_mut(self.transport + 24..)?.first_chunk_mut::<8>()?;
        let [kind, length, address @ ..] = option;
        [*kind, *length] = TARGET_ADDRESS;
        *address = ADDRESS;
        self.sum(reply, ip_number::ICMP.0, ip_number::IPV6_ICMP.0, 2)
    }

    /// Sends a segment's payload back and acknowledges it; says nothing to what has neither payload, SYN nor FIN.
    fn tcp(self, reply: &mut [u8]) -> Option<()> {
        let (flags, sequence, header) = {
            let tcp = TcpHeaderSlice::from_slice(reply.get(self.transport..self.end)?).ok()?;
            let flags = *tcp.slice().get(13)?;
            (flags, tcp.sequence_number(), tcp.slice().len())
        };
        let payload = self.end - self.transport - header;
        let length = payload + usize::from(flags & SYN != 0) + usize::from(flags & 1);
        if length == 0 || flags & RST != 0 {
            return None;
        }
        let acknowledged = sequence.wrapping_add(u32::try_from(length).ok()?);
        self.turn(reply, true)?;
        let segment = reply.get_mut(self.transport..self.end)?;
        segment.get_mut(8..)?.first_chunk_mut().map(|field| *field = acknowledged.to_be_bytes())?;
        *segment.get_mut(13)? = flags | ACK;
        turn_options(segment.get_mut(20..header)?);
        self.sum(reply, ip_number::TCP.0, ip_number::TCP.0, 16)
    }

    /// Writes the checksum of the transport, whose field lies `field` bytes into it.
    fn sum(self, reply: &mut [u8], v4: u8, v6: u8, field: usize) -> Option<()> {
        let pseudo = match self.ip {
            Ip::V4 if v4 == ip_number::ICMP.0 => 0,
            Ip::V4 => sums::pseudo(reply.get(self.at + 12..self.at + 20)?, v4, self.end - self.transport),
            Ip::V6 => sums::pseudo(reply.get(self.at + 8..self.at + 40)?, v6, self.end - self.transport),
        };
        let segment = reply.get_mut(self.transport..self.end)?;
        segment.get_mut(field..)?.first_chunk_mut().map(|sum| *sum = [0; 2])?;
        let sum = sums::of_segment(pseudo, segment).to_be_bytes();
        segment.get_mut(field..)?.first_chunk_mut().map(|field| *field = sum)
    }
}

/// A checksum after the first byte of what it covers has changed (RFC 1624).
fn changed(sum: [u8; 2], from: u8, to: u8) -> [u8; 2] {
    let words = [!u16::from_be_bytes(sum), !u16::from_be_bytes([from, 0]), u16::from_be_bytes([to, 0])];
    let wide: u32 = words.into_iter().map(u32::from).sum();
    let folded = (wide & 0xFFFF) + (wide >> 16);
    let [.., high, low] = (!((folded & 0xFFFF) + (folded >> 16))).to_be_bytes();
    [high, low]
}

/// Timestamps are given back as the echo of themselves; selective acknowledgements become padding.
fn turn_options(mut options: &mut [u8]) {
    loop {
        let length = match options {
            [] | [0, ..] => return,
            [1, ..] => 1,
            [_, length, ..] => usize::from(*length),
            [_] => return,
        };
        let Some((option, rest)) = std::mem::take(&mut options).split_at_mut_checked(length.max(1)) else {
            return;
        };
        match option {
            [TIMESTAMPS, 10, values @ ..] => {
                let (value, echo) = values.split_at_mut(values.len() / 2);
                echo.copy_from_slice(value);
            }
            [SACK_PERMITTED | SACK, ..] => option.fill(1),
            _ => {}
        }
        options = rest;
    }
}

fn swap(pair: &mut [u8]) {
    let (first, second) = pair.split_at_mut(pair.len() / 2);
    first.swap_with_slice(second);
}

fn field(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|field| u16::from_be_bytes(*field))
}
