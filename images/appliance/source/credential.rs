//! systemd credentials: what a hypervisor puts into the firmware's tables (SMBIOS type 11,
//! `io.systemd.credential:vigie.config=...`), as systemd hands it to the unit.

use super::{MOST, user_text};
use crate::document::Draft;
use crate::{Place, Problem};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// The credential that holds a whole document.
const NAME: &str = "vigie.config";

pub(super) fn read(place: &Place) -> Result<Option<Draft>, Problem> {
    let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") else { return Ok(None) };
    within(&place.at(&folder.to_string_lossy()))
}

fn within(folder: &Path) -> Result<Option<Draft>, Problem> {
    let mut bytes = Vec::new();
    match File::open(folder.join(NAME)) {
        Ok(file) => file.take(MOST).read_to_end(&mut bytes),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => Err(e),
    }
    .map_err(|e| Problem::whole("credential", e.to_string()))?;
    Ok(Some(user_text("credential vigie.config", &bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_is_a_document() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(within(folder.path()), Ok(None));
        std::fs::write(folder.path().join(NAME), "hostname = \"a\"").expect("a file");
        let draft = within(folder.path()).expect("readable").expect("something");
        assert_eq!(draft.table["hostname"].as_str(), Some("a"));
    }
}
