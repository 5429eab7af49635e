//! Marks of unfinished work.

use super::has_word;
use crate::exempt::{WORDS, listed};
use crate::{Finding, Text, Tree};

pub(super) const RULE: &str = "marks";

/// Whole words.
const MARKS: &[&str] = &["TODO", "FIXME", "XXX", "HACK", "for now", "placeholder", "Being laid out"];

/// Code, wherever it stands.
const CODE: &[&str] = &["todo!(", "unimplemented!(", "#[ignore", "assert!(true"];

/// Kinds of file that are written by hand.
const WRITTEN: &[&str] = &[".rs", ".toml", ".md", ".sh", ".py", "Makefile", "run"];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let written = |file: &&Text| WRITTEN.iter().any(|end| file.is(end)) && !listed(WORDS, &file.path);
    tree.files.iter().filter(written).flat_map(one).collect()
}

fn one(file: &Text) -> Vec<Finding> {
    let word = |line: &str| MARKS.iter().copied().find(|mark| has_word(line, mark));
    let code = |line: &str| CODE.iter().copied().find(|mark| line.contains(mark));
    file.lines()
        .filter_map(|(at, line)| Some((at, word(line).or_else(|| code(line))?)))
        .map(|(at, mark)| {
            Finding::new(RULE, &file.path, at, format!("`{mark}`: finish it, or open an issue"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_work_passes() {
        assert_eq!(
            look(&Tree::of(&[("src/a.rs", "// waits for nowhere\nfn hack() {}\n"), ("a.json", "TODO")])),
            []
        );
    }

    #[test]
    fn marks_are_found() {
        let tree = Tree::of(&[("src/a.rs", "// TODO x\n\n#[ignore]\n"), ("docs/b.md", "good for now.")]);
        let found: Vec<_> = look(&tree).into_iter().map(|f| (f.file, f.line)).collect();
        assert_eq!(
            found,
            [("docs/b.md".to_owned(), 1), ("src/a.rs".to_owned(), 1), ("src/a.rs".to_owned(), 3)]
        );
    }
}
