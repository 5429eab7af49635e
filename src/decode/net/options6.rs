//! IPv6 hop-by-hop and destination options (RFC 8200 section 4.2), read only to see whether they are possible.

use crate::Event;
use crate::walk::Walk;

const PAD_N: u8 = 1;
const ROUTER_ALERT: u8 = 0x05;
const JUMBO: u8 = 0xc2;
const HOME_ADDRESS: u8 = 0xc9;

impl Walk<'_> {
    pub(super) fn ipv6_options(&mut self, at: usize, end: usize, hop_by_hop: bool) {
        let mut rest = self.span(at, end);
        if rest.len() < end - at {
            return;
        }
        let (mut padding, mut others) = (false, false);
        loop {
            rest = match rest {
                [] => break,
                [0, rest @ ..] => {
                    padding = true;
                    rest
                }
                [kind, length, body @ ..] if body.len() >= usize::from(*length) => {
                    let (value, after) = body.split_at(usize::from(*length));
                    let Some(other) = self.ipv6_option(*kind, value.len(), hop_by_hop) else { break };
                    padding |= *kind == PAD_N;
                    others |= other;
                    after
                }
                _ => {
                    self.fail(Event::Ipv6ExthdrInvalidOptlen);
                    break;
                }
            };
        }
        if padding && !others {
            self.raise(if hop_by_hop {
                Event::Ipv6HopoptsOnlyPadding
            } else {
                Event::Ipv6DstoptsOnlyPadding
            });
        }
    }

    /// Whether the option is more than padding; `None` when its length is impossible.
    fn ipv6_option(&mut self, kind: u8, length: usize, hop_by_hop: bool) -> Option<bool> {
        let least = match kind {
            PAD_N => {
                if length == 0 {
                    self.raise(Event::Ipv6ZeroLenPadn);
                }
                return Some(false);
            }
            ROUTER_ALERT => 2,
            JUMBO => 4,
            HOME_ADDRESS => 16,
            _ => {
                self.raise(if hop_by_hop {
                    Event::Ipv6HopoptsUnknownOpt
                } else {
                    Event::Ipv6DstoptsUnknownOpt
                });
                return Some(true);
            }
        };
        if length < least {
            self.fail(Event::Ipv6ExthdrInvalidOptlen);
            return None;
        }
        // a jumbo option alone counts as padding, as in the reference engine
        Some(kind != JUMBO)
    }
}
