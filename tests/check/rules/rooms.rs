//! Who may know whom.

use crate::{Finding, Text, Tree};

pub(super) const RULE: &str = "rooms";

/// What a crate may depend on within the workspace.
#[derive(Debug)]
struct Room {
    /// Its manifest's folder; the root package is the empty one.
    folder: &'static str,
    /// Package names it may know.
    knows: &'static [&'static str],
}

const FAMILIES: &[&str] = &[
    "app-web",
    "app-secure",
    "app-name",
    "app-mail",
    "app-files",
    "app-identity",
    "app-data",
    "app-industry",
    "app-voice",
    "app-infra",
];

/// The table. The binary hands over to `sensor` and prints catalogues of the rooms it names. `flow` names `frame` for time and ledger, which `decode` shows it anyway; `event` and `output` know
/// `parse` for the type of a field (docs/decisions/0003-event-tape.md).
const ROOMS: &[Room] = &[
    Room { folder: "", knows: &["sensor", "app", "parse", "capture", "appliance"] },
    Room { folder: "src/frame", knows: &[] },
    Room { folder: "src/parse", knows: &[] },
    Room { folder: "src/avf", knows: &[] },
    Room { folder: "src/avf/driver", knows: &["frame", "device", "avf"] },
    Room { folder: "src/device", knows: &[] },
    Room { folder: "src/event", knows: &["parse"] },
    Room { folder: "src/capture", knows: &["frame", "device", "avf", "avf-driver", "iavf", "vf-ice"] },
    Room { folder: "src/decode", knows: &["frame"] },
    Room { folder: "src/flow", knows: &["frame", "decode"] },
    Room { folder: "src/app", knows: &["parse"] },
    Room { folder: "src/rules", knows: &["parse", "event"] },
    Room { folder: "src/policy", knows: &["event"] },
    Room { folder: "src/behave", knows: &["event"] },
    Room { folder: "src/output", knows: &["event", "parse"] },
    Room { folder: "src/store", knows: &["event"] },
    Room { folder: "src/web", knows: &["store", "event"] },
    Room { folder: "cloud", knows: &["event"] },
    Room { folder: "images/appliance", knows: &["sensor", "capture"] },
    Room { folder: "images/tool", knows: &[] },
    Room { folder: "iavf", knows: &["device", "avf", "avf-driver"] },
    Room { folder: "vf-ice", knows: &["frame", "device", "avf", "avf-driver"] },
    Room { folder: "tests/model", knows: &["frame", "device", "avf"] },
    Room { folder: "tests/world", knows: &[] },
    Room { folder: "tests/check", knows: &[] },
    Room { folder: "tests/replay", knows: &["world"] },
    Room { folder: "tests/testbed", knows: &["world", "capture"] },
];

/// Crates that may know everything: the sensor puts the rooms together, the rest measures and attacks them.
const ALL_KNOWING: &[&str] = &["src/sensor", "tests/driver", "tests/bench", "tests/fuzz"];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let inner = inner_packages(tree);
    tree.ending("Cargo.toml").flat_map(|file| one(file, &inner)).collect()
}

/// Packages of this workspace, from the names of its manifests.
fn inner_packages(tree: &Tree) -> Vec<String> {
    let name = |file: &Text| {
        let table: toml::Table = file.body().parse().ok()?;
        Some(table.get("package")?.get("name")?.as_str()?.to_owned())
    };
    tree.ending("Cargo.toml").filter_map(name).collect()
}

fn one(file: &Text, inner: &[String]) -> Vec<Finding> {
    let folder = file.path.trim_end_matches("Cargo.toml").trim_end_matches('/');
    if ALL_KNOWING.contains(&folder) {
        return Vec::new();
    }
    let known = known(folder);
    let mut findings = Vec::new();
    if known.is_none() {
        let say = "this room is not in the table of tests/check/rules/rooms.rs: add it with what it may know";
        findings.push(Finding::new(RULE, &file.path, 1, say));
    }
    let knows = known.unwrap_or_default();
    for (package, section) in dependencies(file) {
        let only_tests = section == "dev-dependencies" && package == "world";
        if inner.contains(&package) && !knows.contains(&package.as_str()) && !only_tests {
            let may = if knows.is_empty() { "nobody".to_owned() } else { knows.join(", ") };
            let say =
                format!("may not know `{package}`; it may know {may}. Move the code, or pass what is needed");
            findings.push(Finding::new(RULE, &file.path, line_of(file, &package), say));
        }
    }
    findings
}

fn known(folder: &str) -> Option<Vec<&'static str>> {
    if folder.strip_prefix("src/app/").is_some() {
        return Some(vec!["parse"]);
    }
    let mut knows = ROOMS.iter().find(|room| room.folder == folder)?.knows.to_vec();
    if folder == "src/app" {
        knows.extend(FAMILIES);
    }
    Some(knows)
}

fn dependencies(file: &Text) -> Vec<(String, &'static str)> {
    let table: toml::Table = file.body().parse().unwrap_or_default();
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|section| Some((table.get(section)?.as_table()?, section)))
        .flat_map(|(list, section)| list.keys().map(move |name| (name.clone(), section)))
        .collect()
}

fn line_of(file: &Text, package: &str) -> usize {
    file.lines().filter(|(_, line)| line.starts_with(package)).last().map_or(1, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: (&str, &str) = ("src/frame/Cargo.toml", "[package]\nname = \"frame\"\n[dependencies]\n");
    const FLOW: (&str, &str) =
        ("src/flow/Cargo.toml", "[package]\nname = \"flow\"\n[dependencies]\nframe.workspace = true\n");

    #[test]
    fn a_room_may_know_those_below_it() {
        assert_eq!(look(&Tree::of(&[FRAME, FLOW])), []);
    }

    #[test]
    fn a_room_may_not_know_those_above_it() {
        let turned =
            ("src/frame/Cargo.toml", "[package]\nname = \"frame\"\n[dependencies]\nflow.workspace = true\n");
        let findings = look(&Tree::of(&[turned, FLOW]));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].file.as_str(), findings[0].line), ("src/frame/Cargo.toml", 4));
        assert!(findings[0].say.contains("`flow`"));
    }

    #[test]
    fn families_do_not_know_each_other() {
        let web = (
            "src/app/web/Cargo.toml",
            "[package]\nname = \"app-web\"\n[dependencies]\napp-mail.workspace = true",
        );
        let mail = ("src/app/mail/Cargo.toml", "[package]\nname = \"app-mail\"\n");
        assert_eq!(look(&Tree::of(&[web, mail])).len(), 1);
    }

    #[test]
    fn only_tests_may_know_the_world() {
        let world = ("tests/world/Cargo.toml", "[package]\nname = \"world\"\n");
        let dev = (
            "src/flow/Cargo.toml",
            "[package]\nname = \"flow\"\n[dev-dependencies]\nworld.workspace = true\n",
        );
        let full =
            ("src/flow/Cargo.toml", "[package]\nname = \"flow\"\n[dependencies]\nworld.workspace = true\n");
        assert_eq!(look(&Tree::of(&[world, dev])), []);
        assert_eq!(look(&Tree::of(&[world, full])).len(), 1);
    }

    #[test]
    fn a_room_that_nobody_thought_of_is_asked_for() {
        let findings = look(&Tree::of(&[("src/attic/Cargo.toml", "[package]\nname = \"attic\"\n")]));
        assert_eq!(findings.len(), 1);
    }
}
