//! A drive that the hypervisor made for this machine: NoCloud (label `cidata`, what a Proxmox cloud-init drive is), or an
//! OVF environment (a CD with ovf-env.xml). The kernel reads its file system, mounted read-only, without devices or
//! programs; we read three small files.

use super::{Found, MOST, environment, network_config, user_text};
use crate::document::Draft;
use crate::{Place, Problem};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use toml::Value;

/// Labels that such drives have, as udev writes them, in lower case.
const LABELS: &[&str] = &["cidata", "ovf\\x20env", "ovfenv", "ovf-transport"];
/// What their file systems are.
const KINDS: &[&str] = &["iso9660", "vfat", "udf"];
/// Optical drives are looked into whatever their label.
const OPTICAL: &str = "sr";

/// An open drive; given back when dropped.
pub(super) struct Drive {
    folder: PathBuf,
    mounted: bool,
}

impl Drop for Drive {
    fn drop(&mut self) {
        if self.mounted {
            let _ = umount2(&self.folder, MntFlags::MNT_DETACH);
        }
    }
}

/// Finds a drive that says something.
pub(super) fn open(place: &Place, seed: Option<&Path>) -> Result<Option<Drive>, Problem> {
    if let Some(seed) = seed {
        return Ok(Some(Drive { folder: seed.to_owned(), mounted: false }));
    }
    let folder = place.run("drive");
    for device in candidates(place) {
        fs::create_dir_all(&folder).map_err(|e| Problem::whole("drive", e.to_string()))?;
        if let Some(drive) = mounted(&device, &folder).filter(Drive::speaks) {
            return Ok(Some(drive));
        }
    }
    Ok(None)
}

fn candidates(place: &Place) -> Vec<PathBuf> {
    let names = |folder: &str, fits: &dyn Fn(&str) -> bool| {
        let entries = fs::read_dir(place.at(folder)).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> =
            entries.filter(|e| e.file_name().to_str().is_some_and(fits)).map(|e| e.path()).collect();
        found.sort();
        found
    };
    let labelled = names("dev/disk/by-label", &|name| LABELS.contains(&name.to_lowercase().as_str()));
    let optical = names("dev", &|name| {
        name.strip_prefix(OPTICAL).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    labelled.into_iter().chain(optical).collect()
}

fn mounted(device: &Path, folder: &Path) -> Option<Drive> {
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_NOSUID;
    KINDS
        .iter()
        .any(|kind| mount(Some(device), folder, Some(*kind), flags, None::<&str>).is_ok())
        .then(|| Drive { folder: folder.to_owned(), mounted: true })
}

impl Drive {
    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let mut bytes = Vec::new();
        match File::open(self.folder.join(name)) {
            Ok(file) => file.take(MOST + 1).read_to_end(&mut bytes),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => Err(e),
        }
        .map_err(|e| Problem::whole(name, e.to_string()))?;
        if u64::try_from(bytes.len()).is_ok_and(|n| n > MOST) {
            return Err(Problem::whole(name, format!("longer than {MOST} bytes")));
        }
        Ok(Some(bytes))
    }

    fn speaks(&self) -> bool {
        ["ovf-env.xml", "meta-data", "user-data"].iter().any(|name| self.folder.join(name).is_file())
    }

    /// What it says.
    pub(super) fn read(&self) -> Result<Option<Found>, Problem> {
        if let Some(bytes) = self.file("ovf-env.xml")? {
            return Ok(Found::some("OVF environment", environment(&String::from_utf8_lossy(&bytes))));
        }
        let (user, meta) = (self.file("user-data")?, self.file("meta-data")?);
        if user.is_none() && meta.is_none() {
            return Ok(None);
        }
        let mut draft = user_text("user-data", &user.unwrap_or_default());
        if let Some(bytes) = self.file("network-config")? {
            draft.under(network_config(&String::from_utf8_lossy(&bytes)));
        }
        draft.under(meta_data(&String::from_utf8_lossy(&meta.unwrap_or_default())));
        Ok(Found::some("NoCloud drive", draft))
    }
}

/// The host name, and keys; instance ids say nothing to a machine that looks at everything at every start.
fn meta_data(text: &str) -> Draft {
    let mut draft = Draft::from("meta-data");
    let root = match super::cloud_config::yaml(text) {
        Ok(root) => root,
        Err(why) => {
            draft.refuse("", "", format!("not YAML: {why}"));
            return draft;
        }
    };
    let name = ["local-hostname", "hostname"].iter().find_map(|key| Some((*key, root.get(*key)?.as_str()?)));
    if let Some((key, name)) = name {
        draft.put("hostname", key, Value::String(name.to_owned()));
    }
    let keys = super::cloud_config::strings(root.get("public-keys").filter(|keys| keys.is_array()));
    if !keys.is_empty() {
        draft.put("ssh.keys", "public-keys", Value::Array(keys));
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn seed(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        folder
    }

    fn found(files: &[(&str, &str)]) -> Result<Option<Found>, Problem> {
        let folder = seed(files);
        let drive = open(&Place::under(folder.path()), Some(folder.path()))?;
        drive.expect("a seed").read()
    }

    #[test]
    fn three_files_make_one_document() {
        let read = found(&[
            ("meta-data", "instance-id: i-1\nlocal-hostname: from-meta\n"),
            ("user-data", "#cloud-config\nvigie:\n  capture: {mode: packet}\n"),
            ("network-config", "version: 1\nconfig:\n- {type: physical, name: eth0, mac_address: '02:00:00:00:00:01', subnets: [{type: dhcp}]}\n"),
        ])
        .expect("readable")
        .expect("something");
        assert_eq!(read.source, "NoCloud drive");
        let document = Document::read(&read.draft).expect("a document");
        assert_eq!(document.hostname.as_deref(), Some("from-meta"));
        assert_eq!(document.network.interface.as_deref(), Some("02:00:00:00:00:01"));
    }

    #[test]
    fn a_drive_that_says_nothing_is_nothing_and_one_that_says_too_much_is_refused() {
        assert_eq!(found(&[]).expect("readable"), None);
        let long = "x".repeat((1 << 20) + 1);
        assert!(found(&[("user-data", &long)]).expect_err("too long").to_string().contains("longer"));
    }

    #[test]
    fn drives_are_found_by_label_and_optical_ones_anyway() {
        let folder = seed(&[]);
        let place = Place::under(folder.path());
        fs::create_dir_all(place.at("dev/disk/by-label")).expect("a folder");
        for name in [
            "dev/sr0",
            "dev/sr",
            "dev/sda",
            "dev/disk/by-label/CIDATA",
            "dev/disk/by-label/OVF\\x20ENV",
            "dev/disk/by-label/root",
        ] {
            fs::write(place.at(name), "").expect("a file");
        }
        let names: Vec<String> = candidates(&place)
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect();
        assert_eq!(names, ["CIDATA", "OVF\\x20ENV", "sr0"]);
    }
}
