//! Each room opens with what it gives, what it may depend on, what it will never know.

use crate::{Finding, Text, Tree};

pub(super) const RULE: &str = "header";

/// Lines within which the three sentences stand.
const MOST: usize = 12;

const SENTENCES: &[(&str, &str)] = &[
    ("gives:", "say what the room gives (`Gives:`)"),
    ("depend", "say what the room depends on (`Depends on:`)"),
    ("ill never know", "say what the room will never know (`Will never know:`)"),
];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let room = |file: &&Text| {
        let folder = file.path.trim_end_matches("lib.rs");
        file.name() == "lib.rs" && tree.has(&format!("{folder}Cargo.toml"))
    };
    tree.ending("lib.rs").filter(room).flat_map(one).collect()
}

fn one(file: &Text) -> Vec<Finding> {
    let header: String = file
        .body()
        .lines()
        .take(MOST)
        .take_while(|line| line.starts_with("//!"))
        .map(|line| format!("{}\n", line.to_lowercase()))
        .collect();
    let missing = |(words, say): &(&str, &str)| {
        (!header.contains(words))
            .then(|| Finding::new(RULE, &file.path, 1, format!("in the first lines {say}")))
    };
    SENTENCES.iter().filter_map(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("src/flow/Cargo.toml", "");

    #[test]
    fn three_sentences_open_a_room() {
        let good = "//! Flow: x.\n//!\n//! Gives: y. Depends on: z.\n//! Will never know: w.\n";
        assert_eq!(look(&Tree::of(&[MANIFEST, ("src/flow/lib.rs", good)])), []);
    }

    #[test]
    fn each_missing_sentence_is_told() {
        let findings =
            look(&Tree::of(&[MANIFEST, ("src/flow/lib.rs", "//! Flow: x.\nuse std::io;\n//! Gives: late")]));
        assert_eq!(findings.len(), 3);
    }
}
