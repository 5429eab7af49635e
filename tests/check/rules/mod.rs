//! The rules, one file each.

mod docs;
mod header;
mod length;
mod licence;
mod manifest;
mod marks;
mod names;
mod rooms;
mod safety;
mod words;

use crate::{Finding, Tree};

/// A rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, as findings carry it.
    pub name: &'static str,
    /// Looks over a tree.
    pub look: fn(&Tree) -> Vec<Finding>,
}

/// Every rule.
pub const ALL: &[Rule] = &[
    Rule { name: rooms::RULE, look: rooms::look },
    Rule { name: manifest::RULE, look: manifest::look },
    Rule { name: header::RULE, look: header::look },
    Rule { name: names::RULE, look: names::look },
    Rule { name: length::RULE, look: length::look },
    Rule { name: safety::RULE, look: safety::look },
    Rule { name: words::RULE, look: words::look },
    Rule { name: marks::RULE, look: marks::look },
    Rule { name: docs::RULE, look: docs::look },
    Rule { name: licence::RULE, look: licence::look },
];

/// Whether `needle` stands in `line` as a word of its own.
fn has_word(line: &str, needle: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    line.match_indices(needle).any(|(at, _)| {
        edge(line.get(..at).and_then(|s| s.chars().next_back()))
            && edge(line.get(at + needle.len()..).and_then(|s| s.chars().next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own() {
        let mut names: Vec<_> = ALL.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn a_word_has_edges() {
        assert!(has_word("so be it", "be"));
        assert!(!has_word("so better", "be"));
        assert!(!has_word("to_be", "be"));
    }
}
