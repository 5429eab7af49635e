//! A virtual function as its PF keeps it: what the host decided, and what the driver asked for.

use avf::rss::LUT_ENTRIES;
use avf::virtchnl::Caps;

use crate::{Options, Persona, Vf};

/// One virtual function. [`Self::host`] survives a reset, [`Self::vf`] does not.
#[derive(Clone, Debug)]
pub struct Function {
    /// Whom the model plays.
    pub persona: Persona,
    /// How it behaves.
    pub options: Options,
    /// What the host decided.
    pub host: Host,
    /// What the driver asked for since the last reset.
    pub vf: Vf,
    /// The device's clock, in nanoseconds.
    pub clock: u64,
}

/// What the host's administrator and the PF hold for a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Whether the function is trusted.
    pub trusted: bool,
    /// Whether the source address of what it sends is checked.
    pub spoof_check: bool,
    /// MAC address that the host set.
    pub mac: Option<[u8; 6]>,
    /// VLAN of the port.
    pub port_vlan: Option<u16>,
    /// Queue pairs that the function has.
    pub pairs: u16,
    /// Queue pairs that it may have beyond those.
    pub pairs_left: u16,
    /// MSI-X vectors that the function has, whatever becomes of its queues.
    pub vectors: u16,
    /// Whether the link is up.
    pub link_up: bool,
    /// Its speed in Mbps.
    pub link_mbps: u32,
    /// Entries of its RSS table.
    pub lut: u16,
    /// Whether the PF disabled the function (malicious driver detection, or the host).
    pub disabled: bool,
}

impl Function {
    /// A function that no driver has touched.
    #[must_use]
    pub fn new(persona: Persona, options: Options) -> Self {
        let large = options.grants.contains(Caps::LARGE_NUM_QPAIRS) && options.lut > LUT_ENTRIES as u16;
        let most = if large { persona.most_pairs_large.min(reach(options.lut)) } else { persona.most_pairs };
        let pairs = options.pairs.unwrap_or(persona.pairs).clamp(1, most);
        let host = Host {
            trusted: options.trusted,
            spoof_check: options.spoof_check,
            mac: options.mac,
            port_vlan: options.port_vlan,
            pairs,
            pairs_left: options.pairs_left,
            vectors: options.vectors.unwrap_or(pairs + persona.other_vectors),
            link_up: options.link_up,
            link_mbps: options.link_mbps.unwrap_or(persona.link_mbps),
            lut: options.lut,
            disabled: false,
        };
        let vf = Vf::new(&host, persona.family);
        let clock = options.clock;
        Self { persona, options, host, vf, clock }
    }

    /// Whether the host lets functions have more than 16 queue pairs: it gave this one a table that can name them.
    #[must_use]
    pub fn may_be_large(&self) -> bool {
        self.options.grants.contains(Caps::LARGE_NUM_QPAIRS) && self.host.lut > LUT_ENTRIES as u16
    }

    /// Queue pairs that it may have, by what it negotiated.
    #[must_use]
    pub fn most_pairs(&self) -> u16 {
        if self.vf.has(Caps::LARGE_NUM_QPAIRS) {
            self.persona.most_pairs_large.min(reach(self.host.lut))
        } else {
            self.persona.most_pairs
        }
    }

    /// Queue pairs that it can use: what it has, by what it negotiated.
    #[must_use]
    pub fn pairs(&self) -> u16 {
        self.host.pairs.min(self.most_pairs())
    }

    /// Whether frames have two tags to this function, the outer one first.
    #[must_use]
    pub fn has_double_tags(&self) -> bool {
        self.options.double_vlan && self.persona.on_request.contains(Caps::VLAN_V2)
    }

    /// Forgets what the driver asked for, as every reset does. The host's decisions stay.
    pub fn forget(&mut self) {
        self.vf = Vf::new(&self.host, self.persona.family);
        self.host.disabled = false;
    }
}

/// How many queues a table of so many entries can name: 4, 6 or 8 bits each.
const fn reach(lut: u16) -> u16 {
    match lut {
        0..512 => 16,
        512..2048 => 64,
        _ => 256,
    }
}
