//! Names that say nothing about what is in the room.

use crate::{Finding, Text, Tree, source};

pub(super) const RULE: &str = "names";

const FORBIDDEN: &[&str] =
    &["common", "base", "util", "utils", "helper", "helpers", "misc", "types", "manager", "managers"];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(|file| paths(file).into_iter().chain(modules(file))).collect()
}

fn paths(file: &Text) -> Option<Finding> {
    let stem = |part: &str| part.split('.').next().unwrap_or_default().to_lowercase();
    let bad = file.path.split('/').map(stem).find(|part| FORBIDDEN.contains(&part.as_str()))?;
    Some(Finding::new(RULE, &file.path, 1, format!("`{bad}` says nothing: name it after what it holds")))
}

fn modules(file: &Text) -> Vec<Finding> {
    if !file.is(".rs") {
        return Vec::new();
    }
    let modules = source::facts(file).map(|facts| facts.modules.as_slice()).unwrap_or_default();
    modules
        .iter()
        .filter(|(name, _)| FORBIDDEN.contains(&name.as_str()))
        .map(|(name, line)| {
            Finding::new(
                RULE,
                &file.path,
                *line,
                format!("`mod {name}` says nothing: name it after what it holds"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_something_pass() {
        assert_eq!(look(&Tree::of(&[("src/flow/table.rs", "mod expiry;"), ("src/app/base64.rs", "")])), []);
    }

    #[test]
    fn files_folders_and_modules_are_looked_at() {
        let tree =
            Tree::of(&[("src/utils/x.rs", ""), ("src/flow/helpers.rs", ""), ("src/a.rs", "\nmod types {}")]);
        let found: Vec<_> = look(&tree).into_iter().map(|f| (f.file, f.line)).collect();
        assert_eq!(
            found,
            [
                ("src/a.rs".to_owned(), 2),
                ("src/flow/helpers.rs".to_owned(), 1),
                ("src/utils/x.rs".to_owned(), 1)
            ]
        );
    }
}
