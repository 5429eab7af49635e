//! DHCP on the wire (RFC 2131 section 2, RFC 2132): the header of BOOTP, then options.

use parse::Cursor;

/// Bytes of the header without the cookie.
pub(crate) const HEADER: usize = 236;
/// What comes before options (RFC 2131 section 3).
pub(crate) const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];

/// A view of the header; its length has been checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    /// 1 for a request, 2 for a reply.
    pub(crate) op: u8,
    /// The client's number for the exchange.
    pub(crate) xid: u32,
    /// Address that the client has.
    pub(crate) client: [u8; 4],
    /// Address that the client gets.
    pub(crate) yours: [u8; 4],
    /// Server to boot from.
    pub(crate) next_server: [u8; 4],
    /// Relay.
    pub(crate) relay: [u8; 4],
    /// Hardware address, as long as the header says, 16 at most.
    pub(crate) hardware: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the header; answers it and what follows the cookie, which Suricata does not look at. `None` when bytes are missing.
    #[must_use]
    pub(crate) fn read(message: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut c = Cursor::new(message);
        let (op, _htype, hlen) = (c.u8()?, c.u8()?, c.u8()?);
        c.skip(1)?;
        let xid = c.u32()?;
        c.skip(4)?;
        let (client, yours, next_server, relay) = (c.array()?, c.array()?, c.array()?, c.array()?);
        let hardware = c.take(16)?;
        let hardware = hardware.get(..usize::from(hlen)).unwrap_or(hardware);
        c.skip(64 + 128)?;
        c.skip(COOKIE.len())?;
        Some((Self { op, xid, client, yours, next_server, relay, hardware }, c.rest()))
    }
}

/// One option: code and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DhcpOption<'a> {
    /// What it is.
    pub(crate) code: u8,
    /// Its value.
    pub(crate) value: &'a [u8],
}

/// Codes of RFC 2132 that events name.
pub(crate) mod code {
    #![allow(missing_docs, reason = "the names are those of the RFC")]
    pub(crate) const PAD: u8 = 0;
    pub(crate) const SUBNET_MASK: u8 = 1;
    pub(crate) const ROUTERS: u8 = 3;
    pub(crate) const DNS_SERVERS: u8 = 6;
    pub(crate) const HOSTNAME: u8 = 12;
    pub(crate) const REQUESTED_IP: u8 = 50;
    pub(crate) const LEASE_TIME: u8 = 51;
    pub(crate) const MESSAGE_TYPE: u8 = 53;
    pub(crate) const PARAMETERS: u8 = 55;
    pub(crate) const RENEWAL_TIME: u8 = 58;
    pub(crate) const REBINDING_TIME: u8 = 59;
    pub(crate) const VENDOR_CLASS: u8 = 60;
    pub(crate) const CLIENT_ID: u8 = 61;
    pub(crate) const END: u8 = 255;
}

/// How the options of a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With the end option.
    Proper,
    /// The bytes ended first.
    Truncated,
    /// With one that cannot be.
    Malformed,
}

/// Walks over options, shows each, and answers how they ended.
pub(crate) fn options<'a>(bytes: &'a [u8], mut show: impl FnMut(DhcpOption<'a>)) -> Ending {
    let mut c = Cursor::new(bytes);
    loop {
        match c.u8() {
            None => return Ending::Truncated,
            Some(code::PAD) => {}
            Some(code::END) => return Ending::Proper,
            Some(code) => {
                let Some(value) = c.counted8() else { return Ending::Truncated };
                // RFC 2132 section 9.14: a client identifier is a type and at least one byte.
                if code == code::CLIENT_ID && value.len() < 2 {
                    return Ending::Malformed;
                }
                show(DhcpOption { code, value });
            }
        }
    }
}
