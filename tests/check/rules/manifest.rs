//! Manifests: membership by hand, inherited settings, libraries at the room's own root.

use crate::{Finding, Text, Tree};
use toml::{Table, Value};

pub(super) const RULE: &str = "manifest";

/// Keys that every package inherits.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];

/// Has a workspace of its own, as cargo-fuzz wants it.
const APART: &str = "tests/fuzz/Cargo.toml";

/// Folders and files that may stand at the root.
const ROOT: &[&str] = &[
    "src",
    "iavf",
    "vf-ice",
    "cloud",
    "images",
    "tests",
    "docs",
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Makefile",
    "CHANGELOG.md",
    "rust-toolchain.toml",
];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let members = members(tree);
    let mut findings: Vec<Finding> = tree
        .ending("Cargo.toml")
        .filter(|file| file.path != APART)
        .flat_map(|file| package(file, &members))
        .collect();
    findings.extend(tree.files.iter().filter_map(at_root));
    findings.extend(tree.get("Cargo.lock").map(sources).unwrap_or_default());
    findings
}

fn members(tree: &Tree) -> Vec<String> {
    let table: Table = tree.get("Cargo.toml").map(Text::body).unwrap_or_default().parse().unwrap_or_default();
    let list = table.get("workspace").and_then(|w| w.get("members")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn package(file: &Text, members: &[String]) -> Vec<Finding> {
    let find = |say: String| Finding::new(RULE, &file.path, 1, say);
    let Ok(table) = file.body().parse::<Table>() else { return vec![find("is not TOML: mend it".into())] };
    let Some(package) = table.get("package").and_then(Value::as_table) else { return Vec::new() };
    let mut findings = Vec::new();
    for key in INHERITED {
        if package.get(*key).and_then(|v| v.get("workspace")).is_none() {
            findings.push(find(format!("write `{key}.workspace = true`")));
        }
    }
    if table.get("lints").and_then(|lints| lints.get("workspace")).is_none() {
        findings.push(find("write `[lints]` with `workspace = true`".into()));
    }
    let folder = file.path.trim_end_matches("Cargo.toml").trim_end_matches('/');
    if !folder.is_empty() && !members.iter().any(|member| member == folder) {
        findings.push(find(format!("list `{folder}` in the root manifest, in the order a packet meets it")));
    }
    let library = table.get("lib").and_then(|lib| lib.get("path")).and_then(Value::as_str);
    let is_program = table.get("lib").is_none() && table.get("bin").is_some();
    if !folder.is_empty() && !is_program && library != Some("lib.rs") {
        findings.push(find("set the library's path to `lib.rs`, at the room's own root".into()));
    }
    findings.extend(outside(file, &table));
    findings
}

/// Versions of libraries are written once, in the root manifest.
fn outside(file: &Text, table: &Table) -> Vec<Finding> {
    let lists = ["dependencies", "dev-dependencies", "build-dependencies"];
    let entries = lists.iter().filter_map(|section| table.get(*section)?.as_table()).flatten();
    entries
        .filter(|(_, how)| how.get("workspace").is_none())
        .map(|(name, _)| {
            let line = file.lines().find(|(_, l)| l.starts_with(name.as_str())).map_or(1, |(at, _)| at);
            let say =
                format!("give `{name}` its version in the root manifest and write `{name}.workspace = true`");
            Finding::new(RULE, &file.path, line, say)
        })
        .collect()
}

fn at_root(file: &Text) -> Option<Finding> {
    let top = file.path.split('/').next().unwrap_or_default();
    let fine = top.starts_with('.') || ROOT.contains(&top);
    let say = format!("`{top}` may not stand at the root: move it into a room, `tests` or `docs`");
    (!fine).then(|| Finding::new(RULE, &file.path, 1, say))
}

/// Every library comes from the public registry.
fn sources(lock: &Text) -> Vec<Finding> {
    let foreign =
        |line: &str| line.starts_with("source = ") && !line.contains("github.com/rust-lang/crates.io-index");
    lock.lines()
        .filter(|(_, line)| foreign(line))
        .map(|(at, line)| Finding::new(RULE, &lock.path, at, format!("{line}: use the public registry")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT_MANIFEST: (&str, &str) = ("Cargo.toml", "[workspace]\nmembers = [\"src/flow\"]\n");
    const GOOD: &str = "[package]\nname = \"flow\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\n[lib]\npath = \"lib.rs\"\n[lints]\nworkspace = true\n";

    #[test]
    fn a_plain_room_is_fine() {
        assert_eq!(look(&Tree::of(&[ROOT_MANIFEST, ("src/flow/Cargo.toml", GOOD)])), []);
    }

    #[test]
    fn a_version_of_its_own_is_found_with_its_line() {
        let own = format!("{GOOD}[dependencies]\nlibc = \"0.2\"\n");
        let findings = look(&Tree::of(&[ROOT_MANIFEST, ("src/flow/Cargo.toml", &own)]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 12);
    }

    #[test]
    fn missing_inheritance_membership_and_library_path_are_found() {
        let findings = look(&Tree::of(&[("src/attic/Cargo.toml", "[package]\nname = \"attic\"\n")]));
        assert_eq!(findings.len(), INHERITED.len() + 3);
    }

    #[test]
    fn the_root_is_kept_clean() {
        assert_eq!(look(&Tree::of(&[("scripts/build.sh", "")])).len(), 1);
        assert_eq!(look(&Tree::of(&[(".ci/run", ""), ("docs/start.md", "")])), []);
    }

    #[test]
    fn a_private_registry_is_found() {
        let lock = ("Cargo.lock", "source = \"registry+https://example.org/index\"\n");
        assert_eq!(look(&Tree::of(&[lock])).len(), 1);
    }
}
