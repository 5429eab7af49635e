//! Settings: every room's own, composed, and the catalogue of keys that a configuration can set.
//!
//! One entry in [`keys`] makes a key: its text, unit, default and range, how it is read into the rooms' structs and
//! how it is shown. The reference page, `config check` and `--set` all derive from it.

#[macro_use]
mod key;
mod keys;
mod load;
mod value;

pub use key::Key;
pub use keys::KEYS;
pub use load::{Origin, Problem, load, set};
pub use value::{Form, Kind, Value};

use crate::worker::WorkerSettings;
use output::sink::Rotation;
use std::path::PathBuf;
use std::time::Duration;

/// Most workers of a live source: what a fanout group and the largest virtual functions have.
const MOST_WORKERS: u16 = 256;
/// Most that are begun where nobody has said how many: each has its ring.
const MOST_UNASKED: u16 = 16;

/// Everything that can be told, with the rooms' own structs inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Worker threads; 0 for one a core.
    pub workers: u16,
    /// Name of this sensor, `host` in every event; empty for none.
    pub name: String,
    /// What each worker is told.
    pub worker: WorkerSettings,
    /// Where events go.
    pub eve: Eve,
    /// Where live frames come from.
    pub live: capture::af_packet::LiveSettings,
    /// The interface carries nothing but mirrored copies.
    pub mirror_only: bool,
    /// Where frames of bypassed flows are dropped.
    pub drops: Drops,
    /// What rings are sized for, where their sizes are 0.
    pub profile: capture::af_packet::Profile,
    /// Which virtual function live frames come from, in place of an interface.
    pub vf: Vf,
    /// The vhost-user socket that live frames come by, in place of an interface.
    pub vhost: Vhost,
    /// When it is said that steering is broken.
    pub steering: crate::alarm::Alarm,
    /// What is kept of live frames.
    pub record: capture::record::RecordSettings,
    /// Seconds between `stats` events; 0 for none.
    pub stats_interval: u64,
    /// Path of the control socket; empty for none.
    pub control: String,
}

/// Where frames of bypassed flows are dropped before they reach this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptureBypass {
    /// Nowhere: they come, and are only counted.
    #[default]
    Off,
    /// At its sockets.
    Socket,
    /// At the interface, in its driver.
    Xdp,
    /// At the interface, in the kernel.
    XdpGeneric,
}

/// Dropping of frames, and the room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drops {
    /// Where.
    pub at: CaptureBypass,
    /// Directions of IPv4 flows.
    pub ipv4: u32,
    /// Directions of IPv6 flows.
    pub ipv6: u32,
}

impl Default for Drops {
    fn default() -> Self {
        Self { at: CaptureBypass::Off, ipv4: 65_536, ipv6: 16_384 }
    }
}

/// A virtual function, and how it is driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vf {
    /// PCI address, or `vfio-user:` and the path of a socket; empty for none.
    pub place: String,
    /// Descriptors of each queue's ring.
    pub descriptors: u16,
    /// Bytes of each receive buffer.
    pub buffer: u16,
    /// Longest frame.
    pub max_frame: u16,
    /// Whether the NIC takes VLAN tags out of frames.
    pub strip_vlan: bool,
    /// Whether frames carry the NIC's time, where it can be had.
    pub nic_time: bool,
    /// VLANs to receive, where the host prunes.
    pub vlans: Vec<u16>,
    /// Addresses to receive for beside its own, as text.
    pub addresses: Vec<String>,
    /// Flows to have copies of, as text.
    pub subscribe: Vec<String>,
    /// Whether one queue is taken and this process deals frames out, in place of the NIC.
    pub deal_here: bool,
}

impl Default for Vf {
    fn default() -> Self {
        let driver = capture::vf::DriverSettings::new(1);
        Self {
            place: String::new(),
            descriptors: driver.descriptors,
            buffer: driver.buffer,
            max_frame: driver.max_frame,
            strip_vlan: driver.strip_vlan,
            nic_time: driver.nic_time,
            vlans: driver.vlans,
            addresses: Vec::new(),
            subscribe: Vec::new(),
            deal_here: false,
        }
    }
}

/// A vhost-user socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vhost {
    /// Its path; empty for none.
    pub path: String,
    /// Who makes it.
    pub role: capture::vhost_user::Role,
}

/// Where EVE goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Eve {
    /// A file, or `-` for standard output; empty for none.
    pub file: String,
    /// A UNIX socket that somebody listens on; empty for none.
    pub socket: String,
    /// When the file is put aside.
    pub rotation: Rotation,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 0,
            name: String::new(),
            worker: WorkerSettings::default(),
            eve: Eve {
                rotation: Rotation { size: 1 << 30, age: Duration::from_secs(86_400), keep: 8 },
                ..Eve::default()
            },
            live: capture::af_packet::LiveSettings {
                block_size: 0,
                blocks: 0,
                retire_ms: 0,
                ..capture::af_packet::LiveSettings::new("")
            },
            mirror_only: false,
            drops: Drops::default(),
            profile: capture::af_packet::Profile::default(),
            vf: Vf::default(),
            vhost: Vhost::default(),
            steering: crate::alarm::Alarm::default(),
            record: capture::record::RecordSettings::default(),
            stats_interval: 8,
            control: "/run/vigie/control.sock".into(),
        }
    }
}

impl Settings {
    /// The EVE file as a path, when there is one.
    #[must_use]
    pub fn eve_file(&self) -> Option<PathBuf> {
        (!self.eve.file.is_empty()).then(|| PathBuf::from(&self.eve.file))
    }

    /// Workers of a live source: as many as were asked for, or one for each core of this machine, as far as it is likely
    /// that so many are wanted.
    #[must_use]
    pub fn worker_count(&self) -> u16 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match self.workers {
            0 => u16::try_from(cores).unwrap_or(u16::MAX).clamp(1, MOST_UNASKED),
            asked => asked.min(MOST_WORKERS),
        }
    }

    /// Workers that read capture files: no more than there are shares to deal out.
    #[must_use]
    pub fn reader_count(&self) -> u16 {
        self.worker_count().min(crate::worker::SHARES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_shows_what_the_rooms_default_to() {
        let settings = Settings::default();
        for key in KEYS {
            let shown = (key.show)(&settings);
            assert!(key.kind.allows(&shown), "{}: {shown} is outside {}", key.path, key.kind.range());
            assert!(!key.text.is_empty(), "{}", key.path);
        }
    }

    #[test]
    fn every_key_can_be_set_to_what_it_shows() {
        let mut settings = Settings::default();
        for key in KEYS {
            let shown = (key.show)(&settings).to_string();
            set(&mut settings, &format!("{}={shown}", key.path)).unwrap_or_else(|p| panic!("{p}"));
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn live_sources_have_more_workers_than_files() {
        let counts = |workers| {
            let settings = Settings { workers, ..Settings::default() };
            (settings.worker_count(), settings.reader_count())
        };
        assert_eq!(
            [1, 16, 17, 64, 256, 300].map(counts),
            [(1, 1), (16, 16), (17, 16), (64, 16), (256, 16), (256, 16)]
        );
        let (unasked, readers) = counts(0);
        assert!((1..=16).contains(&unasked) && readers == unasked);
    }

    #[test]
    fn an_unknown_key_suggests_the_nearest() {
        let problem = set(&mut Settings::default(), "stream.midstraem=true").unwrap_err();
        assert!(problem.to_string().contains("stream.midstream"), "{problem}");
    }
}
