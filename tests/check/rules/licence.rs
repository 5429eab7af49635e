//! Everything here is Apache-2.0 OR MIT, and other people's text stays out.

use crate::exempt::{WORDS, listed};
use crate::{Finding, Text, Tree};

pub(super) const RULE: &str = "licence";

const OURS: &str = "Apache-2.0 OR MIT";

/// What a file copied from elsewhere would say.
const FOREIGN: &[&str] = &[
    "General Public License",
    "All rights reserved",
    "Permission is hereby granted",
    "Redistribution and use in source",
];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = ["LICENSE-APACHE", "LICENSE-MIT"]
        .into_iter()
        .filter(|path| tree.get(path).is_none())
        .map(|path| Finding::new(RULE, path, 1, "missing: both licence texts stand at the root"))
        .collect();
    findings.extend(tree.get("Cargo.toml").and_then(workspace));
    findings.extend(tree.files.iter().filter(|file| !listed(WORDS, &file.path)).flat_map(one));
    findings
}

fn workspace(manifest: &Text) -> Option<Finding> {
    let table: toml::Table = manifest.body().parse().ok()?;
    let said = table.get("workspace")?.get("package")?.get("license")?.as_str()?;
    (said != OURS)
        .then(|| Finding::new(RULE, &manifest.path, 1, format!("the licence is `{OURS}`, not `{said}`")))
}

fn one(file: &Text) -> Vec<Finding> {
    let foreign = |line: &str| FOREIGN.iter().any(|text| line.contains(text));
    let tagged = |line: &str| line.contains("SPDX-License-Identifier:") && !line.contains(OURS);
    file.lines()
        .filter(|(_, line)| foreign(line) || tagged(line))
        .map(|(at, _)| {
            let say =
                "somebody else's licence: other people's text stays out, facts are written in our own words";
            Finding::new(RULE, &file.path, at, say)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [(&str, &str); 2] = [("LICENSE-APACHE", "x"), ("LICENSE-MIT", "All rights reserved")];

    #[test]
    fn our_own_licence_passes() {
        let manifest = ("Cargo.toml", "[workspace.package]\nlicense = \"Apache-2.0 OR MIT\"\n");
        assert_eq!(look(&Tree::of(&[TEXTS[0], TEXTS[1], manifest])), []);
    }

    #[test]
    fn another_licence_is_found_in_manifest_and_text() {
        let manifest = ("Cargo.toml", "[workspace.package]\nlicense = \"MIT\"\n");
        let copied = ("src/a.rs", "\n// GNU General Public License\n");
        let lines: Vec<_> = look(&Tree::of(&[TEXTS[0], TEXTS[1], manifest, copied]))
            .into_iter()
            .map(|f| (f.file, f.line))
            .collect();
        assert_eq!(lines, [("Cargo.toml".to_owned(), 1), ("src/a.rs".to_owned(), 2)]);
    }

    #[test]
    fn the_texts_must_be_there() {
        assert_eq!(look(&Tree::of(&[])).len(), 2);
    }
}
