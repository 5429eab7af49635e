//! EC2, by version 2 of its instance metadata service: a token first, then questions with it. Source: "Use the Instance
//! Metadata Service to access instance metadata" of the EC2 user guide.

use super::http::{Asker, HttpError};
use super::{Metadata, user_text};
use crate::document::Draft;
use std::time::Duration;
use toml::Value;

/// Seconds that a token is good for: one round of questions.
const LIFE: &str = "300";

pub(super) fn read(metadata: &Metadata, patience: Duration) -> Result<Draft, HttpError> {
    let asker = Asker::new(patience);
    let base = format!("{}/latest", metadata.service);
    let url = format!("{base}/api/token");
    let token = asker.put(&url, &[("x-aws-ec2-metadata-token-ttl-seconds", LIFE)])?;
    let token = token.ok_or_else(|| HttpError::new(&url, "no token: is the metadata service off?"))?.text();
    let ask = |path: &str| asker.get(&format!("{base}/{path}"), &[("x-aws-ec2-metadata-token", &token)]);
    let mut draft = match ask("user-data")? {
        Some(answer) => user_text("user-data", &answer.body),
        None => Draft::from("user-data"),
    };
    let mut keys = Vec::new();
    if let Some(list) = ask("meta-data/public-keys/")? {
        // One key a line, as `0=name`.
        for index in list.text().lines().filter_map(|line| line.split('=').next()).take(16) {
            if let Some(key) = ask(&format!("meta-data/public-keys/{index}/openssh-key"))? {
                keys.push(Value::String(key.text().trim().to_owned()));
            }
        }
    }
    let mut facts = Draft::from("meta-data");
    if !keys.is_empty() {
        facts.put("ssh.keys", "public-keys", Value::Array(keys));
    }
    if let Some(name) = ask("meta-data/local-hostname")? {
        // Several names stand there when a VPC has several domains.
        let name = name.text().split_whitespace().next().unwrap_or_default().to_owned();
        facts.put("hostname", "local-hostname", Value::String(name));
    }
    draft.under(facts);
    Ok(draft)
}
