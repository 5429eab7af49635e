//! Azure: its instance metadata service, and the report to its fabric that ends provisioning; without it, creating the
//! machine times out. Sources: "Azure Instance Metadata Service" and "Creating generalized images without a provisioning
//! agent" of its documentation.

use super::http::{Asker, HttpError};
use super::{Metadata, user_text};
use crate::document::Draft;
use crate::provision::Standing;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use std::time::Duration;
use toml::Value;

/// Versions of the two interfaces.
const INSTANCE: &str = "2021-02-01";
const FABRIC: (&str, &str) = ("x-ms-version", "2012-11-30");

pub(super) fn read(metadata: &Metadata, patience: Duration) -> Result<Draft, HttpError> {
    let url = format!("{}/metadata/instance?api-version={INSTANCE}", metadata.service);
    let answer = Asker::new(patience).get(&url, &[("Metadata", "true")])?;
    let answer = answer.ok_or_else(|| HttpError::new(&url, "nothing there"))?;
    let root: Json = serde_json::from_slice(&answer.body).map_err(|e| HttpError::new(&url, e))?;
    let compute = root.get("compute").unwrap_or(&Json::Null);
    let text = |key: &str| compute.get(key).and_then(Json::as_str).unwrap_or_default();
    let mut draft = match STANDARD.decode(text("userData")) {
        Ok(bytes) if bytes.is_empty() => Draft::from("user-data"),
        Ok(bytes) => user_text("user-data", &bytes),
        Err(_) => {
            let mut draft = Draft::from("user-data");
            draft.refuse("userData", text("userData"), "text in base64");
            draft
        }
    };
    let mut facts = Draft::from("metadata");
    let listed = compute.get("publicKeys").and_then(Json::as_array).into_iter().flatten();
    // A key may be folded onto several lines there.
    let unfolded = |key: &str| key.replace(['\r', '\n'], "");
    let keys: Vec<Value> =
        listed.filter_map(|key| Some(Value::String(unfolded(key.get("keyData")?.as_str()?)))).collect();
    if !keys.is_empty() {
        facts.put("ssh.keys", "publicKeys", Value::Array(keys));
    }
    let profile = compute.get("osProfile").and_then(|p| p.get("computerName")).and_then(Json::as_str);
    if let Some(name) =
        profile.filter(|name| !name.is_empty()).or_else(|| Some(text("name")).filter(|n| !n.is_empty()))
    {
        facts.put("hostname", "computerName", Value::String(name.to_owned()));
    }
    draft.under(facts);
    Ok(draft)
}

/// What the fabric asks of this machine, as far as a report repeats it.
#[derive(Debug, PartialEq, Eq)]
struct Goal {
    incarnation: String,
    container: String,
    instance: String,
}

/// Tells the fabric that this machine is ready. It is, also where what it was given was refused: it runs with what was in
/// force before, and a machine that is torn down cannot say why.
///
/// # Errors
/// When the fabric does not answer or asks for nothing.
pub fn ready(metadata: &Metadata, standing: &Standing, patience: Duration) -> Result<(), HttpError> {
    let asker = Asker::new(patience);
    let url = format!("{}/machine/?comp=goalstate", metadata.fabric);
    let answer = asker.get(&url, &[FABRIC])?.ok_or_else(|| HttpError::new(&url, "nothing there"))?;
    let goal = goal(&answer.text())
        .ok_or_else(|| HttpError::new(&url, "a goal without incarnation, container or instance"))?;
    let url = format!("{}/machine/?comp=health", metadata.fabric);
    let headers = [FABRIC, ("content-type", "text/xml;charset=utf-8"), ("x-ms-agent-name", "vigie")];
    asker.post(&url, &headers, &health(&goal, *standing)).map(drop)
}

fn goal(text: &str) -> Option<Goal> {
    let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')).ok()?;
    let value = |name: &str| {
        let node = document.descendants().find(|node| node.tag_name().name() == name)?;
        Some(node.text()?.trim().to_owned())
    };
    let goal = Goal {
        incarnation: value("Incarnation")?,
        container: value("ContainerId")?,
        instance: value("InstanceId")?,
    };
    // They are written into another document as they stand.
    let plain =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    let all = plain(&goal.incarnation) && plain(&goal.container) && plain(&goal.instance);
    all.then_some(goal)
}

fn health(goal: &Goal, standing: Standing) -> String {
    let details = match standing {
        Standing::Refused => {
            "<Details><SubStatus>Provisioned</SubStatus><Description>The configuration was refused; the console says why.\
             </Description></Details>"
        }
        _ => "",
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Health xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n  <GoalStateIncarnation>{}</GoalStateIncarnation>\n  \
         <Container>\n    <ContainerId>{}</ContainerId>\n    <RoleInstanceList>\n      <Role>\n        \
         <InstanceId>{}</InstanceId>\n        <Health>\n          <State>Ready</State>{details}\n        </Health>\n      \
         </Role>\n    </RoleInstanceList>\n  </Container>\n</Health>\n",
        goal.incarnation, goal.container, goal.instance
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_would_break_the_report_is_none() {
        let text = |id: &str| {
            format!(
                "<GoalState><Incarnation>1</Incarnation><Container><ContainerId>{id}</ContainerId><RoleInstanceList>\
                 <RoleInstance><InstanceId>i-1._vm</InstanceId></RoleInstance></RoleInstanceList></Container></GoalState>"
            )
        };
        assert_eq!(goal(&text("c-1")).expect("a goal").container, "c-1");
        assert_eq!(goal(&text("&lt;x/&gt;")), None);
        assert_eq!(goal(&text("")), None);
        assert_eq!(goal("<GoalState/>"), None);
    }
}
