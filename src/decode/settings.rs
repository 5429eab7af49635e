//! What a user may change about decoding.

use crate::{fragment, mirror};

/// How frames are decoded. The defaults are those of the reference engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Verify IP and transport checksums. Off by default: mirrored copies are often taken before they are filled in.
    pub checksums: bool,
    /// How many tunnels one may be inside another before the decoder stops and says so.
    pub tunnel_depth: u8,
    /// UDP destination ports on which VXLAN is expected: the assigned one, that of its generic form, and the old one.
    pub vxlan_ports: Vec<u16>,
    /// UDP destination ports on which GENEVE is expected.
    pub geneve_ports: Vec<u16>,
    /// UDP ports on which GTP-U is expected.
    pub gtp_ports: Vec<u16>,
    /// Look for Teredo on UDP port 3544.
    pub teredo: bool,
    /// Read ERSPAN type I, which is nothing but a GRE protocol number.
    pub erspan_type1: bool,
    /// How fragments are put together.
    pub defrag: fragment::Settings,
    /// Which tunnels are mirror sessions.
    pub mirror: mirror::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            checksums: false,
            tunnel_depth: 8,
            vxlan_ports: vec![4789, 4790, 8472],
            geneve_ports: vec![6081],
            gtp_ports: vec![2152],
            teredo: true,
            erspan_type1: true,
            defrag: fragment::Settings::default(),
            mirror: mirror::Settings::default(),
        }
    }
}
