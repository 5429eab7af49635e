//! Check: the rules of the house, over every file that is or will be tracked.
//!
//! Gives: [`check`], which answers [`Finding`]s with a file, a line and what to do, and [`reference`], which derives
//! the pages of `docs/reference` from the binary and compares them. Depends on: nothing of the sensor.
//! Will never know: what the code does. The rules in words: `docs/rooms.md`; exemptions: [`exempt`] and nowhere else.

#![forbid(unsafe_code)]

pub mod exempt;
mod finding;
pub mod reference;
pub mod rules;
mod source;
mod tree;

pub use finding::Finding;
pub use tree::{Text, Tree};

/// Every rule over a tree, findings in order of file and line.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = rules::ALL.iter().flat_map(|rule| (rule.look)(tree)).collect();
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree that this crate stands in keeps its own rules.
    #[test]
    fn this_tree_keeps_the_rules_of_the_house() {
        let tree = Tree::read(&Tree::above(env!("CARGO_MANIFEST_DIR"))).expect("the tree is readable");
        let findings = check(&tree);
        let told: String = findings.iter().map(|f| format!("{f}\n")).collect();
        assert!(findings.is_empty(), "\n{told}");
    }
}
