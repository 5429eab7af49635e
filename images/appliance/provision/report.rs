//! What became of provisioning, for the console, the journal and the support bundle.

use super::Roles;
use crate::source::Platform;
use crate::{Place, Problem};
use serde_json::{Value, json};
use std::fs;

/// What became of what was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was given.
    #[default]
    Nothing,
    /// It is new, and in force.
    Accepted,
    /// It is what was in force already.
    Unchanged,
    /// It is wrong; what was in force before stays.
    Refused,
}

impl Standing {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Nothing, "nothing given"),
        (Self::Accepted, "accepted"),
        (Self::Unchanged, "unchanged"),
        (Self::Refused, "refused"),
    ];

    /// In a word or two.
    #[must_use]
    pub fn text(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, text)| text)
    }
}

/// One round of provisioning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Where the machine runs.
    pub platform: Platform,
    /// Who gave something; empty when nobody did.
    pub source: String,
    /// What became of it.
    pub standing: Standing,
    /// Each mistake.
    pub problems: Vec<String>,
    /// What was passed over, and why.
    pub notes: Vec<String>,
    /// Name of the machine.
    pub hostname: String,
    /// Its management interface.
    pub management: String,
    /// Its capture interface.
    pub capture: String,
}

impl Report {
    pub(super) fn refused(&mut self, problems: Vec<Problem>) {
        self.standing = Standing::Refused;
        self.problems = problems.iter().map(ToString::to_string).collect();
    }

    pub(super) fn roles(&mut self, roles: &Roles) {
        let name = |nic: &Option<crate::Nic>| nic.as_ref().map(|n| n.name.clone()).unwrap_or_default();
        self.management = name(&roles.management);
        self.capture = name(&roles.capture);
    }

    /// For files.
    #[must_use]
    pub fn json(&self) -> String {
        let value = json!({
            "platform": self.platform.name(),
            "source": self.source,
            "standing": self.standing.text(),
            "problems": self.problems,
            "notes": self.notes,
            "hostname": self.hostname,
            "management": self.management,
            "capture": self.capture,
        });
        format!("{value:#}\n")
    }

    /// The report of this boot.
    #[must_use]
    pub fn load(place: &Place) -> Option<Self> {
        let text = fs::read_to_string(place.run("provision.json")).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |key: &str| {
            let items = value.get(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let standing = Standing::ALL.iter().find(|(_, name)| *name == text("standing"));
        Some(Self {
            platform: Platform::named(&text("platform")),
            source: text("source"),
            standing: standing.map_or(Standing::Nothing, |(standing, _)| *standing),
            problems: list("problems"),
            notes: list("notes"),
            hostname: text("hostname"),
            management: text("management"),
            capture: text("capture"),
        })
    }

    /// Line by line, for the journal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let from = if self.source.is_empty() { String::new() } else { format!(" from {}", self.source) };
        let mut lines =
            vec![format!("{}: configuration {}{from}", self.platform.name(), self.standing.text())];
        lines.extend(self.problems.iter().map(|p| format!("refused: {p}")));
        if self.standing == Standing::Refused {
            lines.push("what was in force before stays in force".to_owned());
        }
        lines.extend(self.notes.iter().map(|n| format!("note: {n}")));
        lines.push(format!(
            "host name {}, management on {}, capture on {}",
            self.hostname,
            or_none(&self.management),
            or_none(&self.capture)
        ));
        lines
    }
}

fn or_none(name: &str) -> &str {
    if name.is_empty() { "no interface" } else { name }
}
