//! Link types, as libpcap numbers them (<https://www.tcpdump.org/linktypes.html>).

/// How the first byte of a frame is to be read. An open number: unknown ones print and survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback, host byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet, 802.3 with LLC included.
    pub const ETHERNET: Self = Self(1);
    /// PPP without framing.
    pub const PPP: Self = Self(9);
    /// PPP in HDLC-like framing (RFC 1662).
    pub const PPP_HDLC: Self = Self(50);
    /// PPPoE session frame, from its header on.
    pub const PPP_ETHER: Self = Self(51);
    /// Raw IP, some older writers.
    pub const RAW_OLD: Self = Self(12);
    /// Raw IP, another old number.
    pub const RAW_BSD: Self = Self(14);
    /// LLC/SNAP encapsulated ATM (RFC 1483).
    pub const ATM_RFC1483: Self = Self(11);
    /// Raw IP, version from the first nibble.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// 802.11 without a radio header.
    pub const IEEE802_11: Self = Self(105);
    /// OpenBSD loopback, network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// 802.11 behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, second form.
    pub const LINUX_SLL2: Self = Self(276);
}

impl std::fmt::Debug for LinkType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkType({})", self.0)
    }
}
