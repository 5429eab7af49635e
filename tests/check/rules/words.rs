//! Text speaks of the project alone: no places on somebody's machine, no private hosts, no tools that wrote it.

use super::has_word;
use crate::exempt::{WORDS, listed};
use crate::{Finding, Text, Tree};

pub(super) const RULE: &str = "words";

/// Parts of paths that exist on one machine only.
const PLACES: &[&str] = &["/work/", "/tmp/", "/home/", "/root/", "file:///"];

/// Words about how text came to be.
const TELLERS: &[&str] = &[
    "Claude",
    "Anthropic",
    "ChatGPT",
    "OpenAI",
    "Copilot",
    "LLM",
    "AI-generated",
    "subagent",
    "brief.md",
    "house.md",
    "Co-Authored-By",
];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().filter(|file| !listed(WORDS, &file.path)).flat_map(one).collect()
}

fn one(file: &Text) -> Vec<Finding> {
    let place = |line: &str| PLACES.iter().copied().find(|word| line.contains(word));
    let teller = |line: &str| TELLERS.iter().copied().find(|word| has_word(line, word));
    file.lines()
        .filter_map(|(at, line)| Some((at, place(line).or_else(|| teller(line))?)))
        .map(|(at, word)| {
            let say = format!(
                "`{word}` does not belong to the project: take a variable, a relative path or leave it out"
            );
            Finding::new(RULE, &file.path, at, say)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_relative_paths_pass() {
        let body = "cd \"$HOME/.cache\"\nls ../shared\nhttps://example.org/work\n";
        assert_eq!(look(&Tree::of(&[("tests/a.sh", body)])), []);
    }

    #[test]
    fn places_and_tellers_are_found() {
        let tree = Tree::of(&[("docs/a.md", "see\n/home/jo/x\nasked Claude\nLLMNR is a protocol\n")]);
        let lines: Vec<_> = look(&tree).iter().map(|f| f.line).collect();
        assert_eq!(lines, [2, 3]);
    }
}
