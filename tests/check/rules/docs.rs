//! Pages point at what exists: links, headings, and every path written in code font.

use crate::{Finding, Text, Tree};

pub(super) const RULE: &str = "docs";

/// Beginnings of paths in this tree.
const TREES: &[&str] = &["src/", "tests/", "docs/", "iavf/", "vf-ice/", "cloud/", "images/"];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.ending(".md").flat_map(|file| links(tree, file)).collect();
    for file in tree.files.iter().filter(|file| file.is(".md") || file.is(".rs")) {
        findings.extend(paths(tree, file));
    }
    findings
}

fn links(tree: &Tree, file: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.lines() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if let Some(say) = wrong(tree, file, target) {
                findings.push(Finding::new(RULE, &file.path, at, say));
            }
        }
    }
    findings
}

fn wrong(tree: &Tree, file: &Text, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
    if !tree.has(&path) {
        return Some(format!("the link `{target}` leads nowhere: mend or remove it"));
    }
    let page = tree.get(&path)?;
    let known =
        anchor.is_empty() || page.body().lines().any(|line| anchor_of(line).as_deref() == Some(anchor));
    (!known).then(|| format!("`{path}` has no heading `#{anchor}`: mend the link"))
}

/// A path as seen from a page.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchor of a heading.
fn anchor_of(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let fold = |c: char| if c == ' ' { '-' } else { c };
    let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    Some(kept.map(fold).collect::<String>().to_lowercase())
}

/// Paths in code font, in pages and in the comments of sources.
fn paths(tree: &Tree, file: &Text) -> Vec<Finding> {
    let comments_only = file.is(".rs");
    file.lines()
        .filter(|(_, line)| !comments_only || line.trim_start().starts_with("//"))
        .flat_map(|(at, line)| line.split('`').skip(1).step_by(2).map(move |word| (at, word)))
        .filter(|(_, word)| TREES.iter().any(|tree| word.starts_with(tree)))
        .filter(|(_, word)| !word.contains(|c: char| " *{<…$=,".contains(c)))
        .filter(|(_, word)| !tree.has(word))
        .map(|(at, word)| {
            Finding::new(RULE, &file.path, at, format!("`{word}` does not exist: name what does"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_resolve_pass() {
        let tree = Tree::of(&[
            (
                "docs/a.md",
                "[b](b.md) [c](decisions/c.md#the-first-one) [up](../README.md) [w](https://x.org) `docs/*.md`",
            ),
            ("docs/b.md", "`docs/a.md` and `tests/cases/` and `vigie read`"),
            ("docs/decisions/c.md", "## The first one\n"),
            ("README.md", "[a](docs/a.md)"),
            ("tests/cases/x", ""),
        ]);
        assert_eq!(look(&tree), []);
    }

    #[test]
    fn links_headings_and_paths_that_lead_nowhere_are_found() {
        let tree = Tree::of(&[
            ("docs/a.md", "[b](b.md)\n[a](#nothing)\n`src/gone.rs`\n"),
            ("src/x.rs", "//! see `docs/gone.md`\nlet s = \"`docs/other.md`\";\n"),
        ]);
        let found: Vec<_> = look(&tree).into_iter().map(|f| (f.file, f.line)).collect();
        assert_eq!(
            found,
            [
                ("docs/a.md".to_owned(), 1),
                ("docs/a.md".to_owned(), 2),
                ("docs/a.md".to_owned(), 3),
                ("src/x.rs".to_owned(), 1)
            ]
        );
    }
}
