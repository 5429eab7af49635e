//! Where unsafe code may stand.

use crate::exempt::UNSAFE;
use crate::{Finding, Text, Tree, source};

pub(super) const RULE: &str = "unsafe";

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let fenced =
        |file: &&Text| !UNSAFE.iter().any(|(folder, _)| file.path.starts_with(&format!("{folder}/")));
    tree.ending(".rs").filter(fenced).flat_map(|file| one(tree, file)).collect()
}

fn one(tree: &Tree, file: &Text) -> Vec<Finding> {
    let Some(facts) = source::facts(file) else { return Vec::new() };
    let mut findings: Vec<Finding> = facts
        .unsafe_lines
        .iter()
        .map(|line| {
            let say =
                "unsafe code stands in the rooms listed in tests/check/exempt.rs alone: use a safe interface";
            Finding::new(RULE, &file.path, *line, say)
        })
        .collect();
    if is_root_of_crate(tree, file) && !facts.forbids_unsafe {
        findings.push(Finding::new(RULE, &file.path, 1, "write `#![forbid(unsafe_code)]` below the header"));
    }
    findings
}

fn is_root_of_crate(tree: &Tree, file: &Text) -> bool {
    if file.path == "src/main.rs" {
        return true;
    }
    let folder = file.path.trim_end_matches(file.name());
    matches!(file.name(), "lib.rs" | "main.rs") && tree.has(&format!("{folder}Cargo.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("src/flow/Cargo.toml", "");

    #[test]
    fn a_fenced_crate_is_fine_and_so_is_the_word() {
        let body = "#![forbid(unsafe_code)]\n// unsafe\nconst S: &str = \"unsafe {\";\n";
        assert_eq!(look(&Tree::of(&[MANIFEST, ("src/flow/lib.rs", body)])), []);
    }

    #[test]
    fn blocks_functions_and_impls_are_found() {
        let body = "#![forbid(unsafe_code)]\nunsafe fn a() {}\nfn b() { unsafe { a() } }\nunsafe impl Send for S {}\n";
        let lines: Vec<_> =
            look(&Tree::of(&[MANIFEST, ("src/flow/lib.rs", body)])).iter().map(|f| f.line).collect();
        assert_eq!(lines, [2, 3, 4]);
    }

    #[test]
    fn a_crate_must_say_so() {
        assert_eq!(look(&Tree::of(&[MANIFEST, ("src/flow/lib.rs", "fn a() {}")])).len(), 1);
    }

    #[test]
    fn listed_rooms_may() {
        let body = "fn b() { unsafe { a() } }\n";
        assert_eq!(look(&Tree::of(&[("src/capture/Cargo.toml", ""), ("src/capture/lib.rs", body)])), []);
    }
}
