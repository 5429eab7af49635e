//! Google Compute Engine: one question for everything, with the header that no browser can be tricked into sending.
//! Source: "About VM metadata" and "Predefined metadata keys" of its documentation.

use super::http::{Asker, HttpError};
use super::{Metadata, user_text};
use crate::document::Draft;
use serde_json::Value as Json;
use std::time::Duration;
use toml::Value;

const FLAVOUR: &str = "Google";

pub(super) fn read(metadata: &Metadata, patience: Duration) -> Result<Draft, HttpError> {
    let asker = Asker::new(patience);
    let base = format!("{}/computeMetadata/v1", metadata.service);
    let ask = |path: &str| {
        let url = format!("{base}/{path}?recursive=true");
        let answer = asker.get(&url, &[("Metadata-Flavor", FLAVOUR)])?;
        let answer = answer.ok_or_else(|| HttpError::new(&url, "nothing there"))?;
        if answer.flavour.as_deref() != Some(FLAVOUR) {
            return Err(HttpError::new(&url, "somebody else answers: the header Metadata-Flavor is missing"));
        }
        serde_json::from_slice::<Json>(&answer.body).map_err(|e| HttpError::new(&url, e))
    };
    let (instance, project) = (ask("instance/")?, ask("project/")?);
    let attribute = |of: &Json, key: &str| of.get("attributes")?.get(key)?.as_str().map(str::to_owned);
    let mut draft = match attribute(&instance, "vigie").or_else(|| attribute(&instance, "user-data")) {
        Some(text) => user_text("user-data", text.as_bytes()),
        None => Draft::from("user-data"),
    };
    let mut facts = Draft::from("metadata");
    let blocked =
        attribute(&instance, "block-project-ssh-keys").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let lists = [attribute(&instance, "ssh-keys"), attribute(&project, "ssh-keys").filter(|_| !blocked)];
    let mut keys: Vec<Value> = Vec::new();
    for line in lists.iter().flatten().flat_map(|list| list.lines()).filter(|line| !line.trim().is_empty()) {
        match key(line) {
            Some(key) => keys.push(Value::String(key)),
            None => facts.note("ssh-keys", "has a key that is passed over: it expires, or has no user"),
        }
    }
    if !keys.is_empty() {
        facts.put("ssh.keys", "ssh-keys", Value::Array(keys));
    }
    if let Some(name) = instance.get("hostname").and_then(Json::as_str) {
        facts.put("hostname", "hostname", Value::String(name.split('.').next().unwrap_or(name).to_owned()));
    }
    draft.under(facts);
    Ok(draft)
}

/// `user:ssh-ed25519 AAAA... comment`. Keys that expire say so behind `google-ssh`; nothing here would take them away in
/// time, so they are not taken.
fn key(line: &str) -> Option<String> {
    let (user, key) = line.trim().split_once(':')?;
    let fine = !user.is_empty() && !user.contains(' ') && !key.contains("google-ssh");
    fine.then(|| key.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_expire_are_not_taken() {
        assert_eq!(key("jo:ssh-ed25519 AAAA jo@x").as_deref(), Some("ssh-ed25519 AAAA jo@x"));
        assert_eq!(
            key("jo:ssh-rsa AAAA google-ssh {\"userName\":\"jo\",\"expireOn\":\"2030-01-01T00:00:00+0000\"}"),
            None
        );
        assert_eq!(key("ssh-rsa AAAA"), None);
    }
}
