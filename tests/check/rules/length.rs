//! Length of files and functions.

use crate::exempt::{LONG_FILES, LONG_FUNCTIONS, listed};
use crate::{Finding, Text, Tree, source};

pub(super) const RULE: &str = "length";

/// Lines of a file, at the most.
const FILE: usize = 800;

/// Lines of a function, at the most.
const FUNCTION: usize = 80;

/// Kinds of file that people read from top to bottom.
const READ: &[&str] = &[".rs", ".sh", ".py", ".md", "Makefile"];

pub(super) fn look(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.files.iter().filter_map(file).collect();
    findings.extend(tree.ending(".rs").flat_map(functions));
    findings
}

fn file(file: &Text) -> Option<Finding> {
    let lines = file.body().lines().count();
    let read = READ.iter().any(|ending| file.is(ending)) && !file.path.starts_with("docs/reference/");
    let long = read && lines > FILE && !listed(LONG_FILES, &file.path);
    let say = format!("{lines} lines, {FILE} at the most: split it along a seam that has a name");
    long.then(|| Finding::new(RULE, &file.path, FILE + 1, say))
}

fn functions(file: &Text) -> Vec<Finding> {
    let functions = source::facts(file).map(|facts| facts.functions.as_slice()).unwrap_or_default();
    functions
        .iter()
        .map(|f| (f.last + 1 - f.first, f))
        .filter(|(lines, f)| {
            *lines > FUNCTION && !listed(LONG_FUNCTIONS, &format!("{}::{}", file.path, f.name))
        })
        .map(|(lines, f)| {
            let say = format!("`{}` has {lines} lines, {FUNCTION} at the most: give its parts names", f.name);
            Finding::new(RULE, &file.path, f.first, say)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("\nfn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn limits_are_the_last_allowed_value() {
        let body = function_of(FUNCTION);
        assert_eq!(look(&Tree::of(&[("src/a.rs", &body), ("src/b.rs", &"\n".repeat(FILE))])), []);
    }

    #[test]
    fn one_line_more_is_found() {
        let body = function_of(FUNCTION + 1);
        let findings = look(&Tree::of(&[("src/a.rs", &body), ("src/b.rs", &"\n".repeat(FILE + 1))]));
        let found: Vec<_> = findings.into_iter().map(|f| (f.file, f.line)).collect();
        assert_eq!(found, [("src/b.rs".to_owned(), FILE + 1), ("src/a.rs".to_owned(), 2)]);
    }

    #[test]
    fn methods_count_and_data_does_not() {
        let method = format!("struct S;\nimpl S {{\n{}\n}}", function_of(FUNCTION + 1));
        let findings =
            look(&Tree::of(&[("src/a.rs", &method), ("tests/cases/x.json", &"\n".repeat(FILE * 2))]));
        assert_eq!(findings.len(), 1);
    }
}
