//! What VMware keeps for a guest: `guestinfo.ovfEnv`, and `guestinfo.userdata` in the encodings that its users know.
//!
//! The hypervisor is asked through its own door only where both the firmware and the processor say VMware, since that door
//! is a fault anywhere else.

use super::{Platform, environment, user_text};
use crate::document::Draft;
use crate::{Place, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Asks for one value; nothing when the hypervisor has none.
type Ask<'a> = dyn FnMut(&str) -> Result<Option<Vec<u8>>, String> + 'a;

pub(super) fn read(place: &Place) -> Result<Option<Draft>, Problem> {
    if Platform::of(place) != Platform::Vmware {
        return Ok(None);
    }
    of_hypervisor()
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn of_hypervisor() -> Result<Option<Draft>, Problem> {
    if !vmw_backdoor::is_vmware_cpu() {
        return Ok(None);
    }
    let failed = |e: vmw_backdoor::VmwError| Problem::whole("guestinfo", e.to_string());
    let mut guard = vmw_backdoor::probe_backdoor().map_err(failed)?;
    let mut channel = guard.open_enhanced_chan().map_err(failed)?;
    asked(&mut |key| channel.get_guestinfo(key.as_bytes()).map_err(|e| e.to_string()))
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn of_hypervisor() -> Result<Option<Draft>, Problem> {
    Ok(None)
}

fn asked(ask: &mut Ask<'_>) -> Result<Option<Draft>, Problem> {
    let mut value = |key: &str| {
        let bytes = ask(key).map_err(|why| Problem::whole(key, why))?;
        Ok(bytes.filter(|bytes| !bytes.trim_ascii().is_empty()))
    };
    let mut draft: Option<Draft> = None;
    let mut take = |more: Draft| match &mut draft {
        Some(draft) => draft.under(more),
        None => draft = Some(more),
    };
    if let Some(bytes) = value("guestinfo.ovfEnv")? {
        take(environment(&String::from_utf8_lossy(&bytes)));
    }
    if let Some(bytes) = value("guestinfo.userdata")? {
        let encoding = value("guestinfo.userdata.encoding")?.unwrap_or_default();
        let encoding = String::from_utf8_lossy(&encoding).trim().to_owned();
        take(decoded(&encoding, bytes));
    }
    Ok(draft)
}

/// gzip is seen by its first bytes, so one decoding serves both encodings.
fn decoded(encoding: &str, bytes: Vec<u8>) -> Draft {
    const ORIGIN: &str = "guestinfo.userdata";
    let mut draft = Draft::from(ORIGIN);
    match encoding {
        "" => user_text(ORIGIN, &bytes),
        "base64" | "b64" | "gzip+base64" | "gz+b64" => {
            let packed: Vec<u8> = bytes.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
            match STANDARD.decode(packed) {
                Ok(bytes) => user_text(ORIGIN, &bytes),
                Err(error) => {
                    draft.refuse("", "", format!("not base64: {error}"));
                    draft
                }
            }
        }
        other => {
            draft.refuse(
                "guestinfo.userdata.encoding",
                other,
                "base64 or gzip+base64, or nothing for plain text",
            );
            draft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[(&str, &str)]) -> Option<Draft> {
        asked(&mut |key| {
            Ok(values.iter().find(|(name, _)| *name == key).map(|(_, text)| text.as_bytes().to_vec()))
        })
        .expect("readable")
    }

    #[test]
    fn user_data_comes_in_the_encodings_of_vmware() {
        let packed = STANDARD.encode("hostname = \"a\"");
        for (text, encoding) in
            [("hostname = \"a\"", ""), (packed.as_str(), "base64"), (packed.as_str(), "gzip+base64")]
        {
            let draft = told(&[("guestinfo.userdata", text), ("guestinfo.userdata.encoding", encoding)]);
            assert_eq!(draft.expect("something").table["hostname"].as_str(), Some("a"));
        }
        let wrong = told(&[("guestinfo.userdata", "x"), ("guestinfo.userdata.encoding", "rot13")])
            .expect("something");
        assert!(wrong.problems[0].to_string().contains("`rot13`"));
        assert_eq!(told(&[("guestinfo.userdata", " ")]), None);
    }

    #[test]
    fn properties_win_over_user_data() {
        let env = "<Environment xmlns=\"http://schemas.dmtf.org/ovf/environment/1\" \
            xmlns:oe=\"http://schemas.dmtf.org/ovf/environment/1\"><PropertySection>\
            <Property oe:key=\"hostname\" oe:value=\"b\"/></PropertySection></Environment>";
        let draft = told(&[
            ("guestinfo.ovfEnv", env),
            ("guestinfo.userdata", "hostname = \"a\"\nnetwork.mtu = 1400"),
        ]);
        let draft = draft.expect("something");
        assert_eq!(draft.table["hostname"].as_str(), Some("b"));
        assert_eq!(draft.table["network"]["mtu"].as_integer(), Some(1400));
    }

    #[test]
    fn other_hypervisors_are_not_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(&Place::under(folder.path())), Ok(None));
    }
}
