//! IPv4 options (RFC 791 section 3.1), read only to see whether they are possible.

use crate::Event;
use crate::walk::Walk;

const ROUTE_RECORD: u8 = 7;
const QUICK_START: u8 = 25;
const TIMESTAMP: u8 = 68;
const SECURITY: u8 = 130;
const LOOSE_ROUTE: u8 = 131;
const CIPSO: u8 = 134;
const STREAM_ID: u8 = 136;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

impl Walk<'_> {
    /// Walks the options; at most 40 bytes, so the walk is short whatever they say.
    pub(super) fn ipv4_options(&mut self, at: usize, end: usize) {
        let mut rest = self.span(at, end);
        if rest.len() < end - at {
            return;
        }
        if !rest.len().is_multiple_of(8) {
            self.raise(Event::Ipv4OptPadRequired);
        }
        let mut seen = 0_u16;
        loop {
            rest = match rest {
                [] | [0, ..] => return,
                [1, rest @ ..] => rest,
                [_] => return self.raise(Event::Ipv4OptEolRequired),
                [kind, length, ..] => {
                    let length = usize::from(*length);
                    let Some((option, after)) = rest.split_at_checked(length).filter(|_| length >= 2) else {
                        return self.fail(Event::Ipv4OptInvalidLen);
                    };
                    if let Err(event) = once(*kind, &mut seen).and_then(|()| check(*kind, option)) {
                        self.raise(event);
                        if !matches!(event, Event::Ipv4OptDuplicate | Event::Ipv4OptInvalid) {
                            return;
                        }
                    }
                    after
                }
            };
        }
    }
}

/// Every known option may stand once.
fn once(kind: u8, seen: &mut u16) -> Result<(), Event> {
    let known = [
        ROUTE_RECORD,
        QUICK_START,
        TIMESTAMP,
        SECURITY,
        LOOSE_ROUTE,
        CIPSO,
        STREAM_ID,
        STRICT_ROUTE,
        ROUTER_ALERT,
    ];
    let Some(place) = known.iter().position(|k| *k == kind) else { return Err(Event::Ipv4OptInvalid) };
    let bit = 1 << place;
    if *seen & bit != 0 {
        return Err(Event::Ipv4OptDuplicate);
    }
    *seen |= bit;
    Ok(())
}

/// Whether an option, type and length included, is possible.
fn check(kind: u8, option: &[u8]) -> Result<(), Event> {
    let length_is = |good: bool| if good { Ok(()) } else { Err(Event::Ipv4OptInvalidLen) };
    match kind {
        QUICK_START => length_is(option.len() >= 8),
        SECURITY => length_is(option.len() == 3 || option.len() == 11),
        STREAM_ID | ROUTER_ALERT => length_is(option.len() == 4),
        ROUTE_RECORD | LOOSE_ROUTE | STRICT_ROUTE => check_route(option),
        TIMESTAMP => check_timestamp(option),
        CIPSO => check_cipso(option),
        _ => Ok(()),
    }
}

/// The pointer counts from 1, in steps of an address, behind type, length and itself.
fn check_route(option: &[u8]) -> Result<(), Event> {
    let [_, _, pointer, ..] = option else { return Err(Event::Ipv4OptInvalidLen) };
    let pointer = usize::from(*pointer);
    if pointer < 4 || !pointer.is_multiple_of(4) || pointer > option.len() + 1 {
        return Err(Event::Ipv4OptMalformed);
    }
    Ok(())
}

/// As a route, in steps of 4 or, with addresses, of 8 bytes.
fn check_timestamp(option: &[u8]) -> Result<(), Event> {
    let [_, _, pointer, flags, ..] = option else { return Err(Event::Ipv4OptInvalidLen) };
    let (pointer, step) = (usize::from(*pointer), if matches!(flags & 0x0f, 1 | 3) { 8 } else { 4 });
    if pointer < 5 || !(pointer - 5).is_multiple_of(step) || pointer > option.len() + 1 {
        return Err(Event::Ipv4OptMalformed);
    }
    Ok(())
}

/// Commercial security labels (FIPS 188): a domain of 4 bytes, then tags with their lengths.
fn check_cipso(option: &[u8]) -> Result<(), Event> {
    let Some(mut tags) = option.get(6..).filter(|_| option.len() >= 10) else {
        return Err(Event::Ipv4OptInvalidLen);
    };
    while let [kind, rest @ ..] = tags {
        let (length, align) = match rest {
            [length, align, ..] => (usize::from(*length), *align),
            _ => return Err(Event::Ipv4OptMalformed),
        };
        let known = matches!(kind, 1 | 2 | 5 | 6 | 7);
        if !known || length < 4 || length > tags.len() || (*kind != 7 && align != 0) {
            return Err(Event::Ipv4OptMalformed);
        }
        tags = tags.get(length..).unwrap_or_default();
    }
    Ok(())
}
