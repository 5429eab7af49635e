//! A document before it is checked, with the names that its user knows its keys by.

use crate::Problem;
use crate::problem::shown;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// A table, where each key was said, and what there is to tell about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// Where it all comes from: `user-data`.
    pub origin: String,
    /// What was said, by the schema's keys.
    pub table: Table,
    /// What was passed over, and why.
    pub notes: Vec<String>,
    pub(crate) problems: Vec<Problem>,
    /// Key of the schema to the origin and the name by which it was said.
    said: BTreeMap<String, (String, String)>,
}

impl Draft {
    /// An empty one.
    #[must_use]
    pub fn from(origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..Self::default() }
    }

    /// One in the schema's own words.
    #[must_use]
    pub fn of(origin: &str, table: Table) -> Self {
        Self { table, ..Self::from(origin) }
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty() && self.problems.is_empty()
    }

    /// Takes a value for a key of the schema that was said under another name. What was said before stays.
    pub(crate) fn put(&mut self, path: &str, name: &str, value: Value) {
        let mut table = &mut self.table;
        let mut parts: Vec<&str> = path.split('.').collect();
        let Some(last) = parts.pop() else { return };
        for part in parts {
            let inner = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else { return };
            table = inner;
        }
        if !table.contains_key(last) {
            table.insert(last.to_owned(), value);
            self.said.insert(path.to_owned(), (self.origin.clone(), name.to_owned()));
        }
    }

    /// Takes everything that another draft says and this one does not.
    pub(crate) fn under(&mut self, other: Self) {
        let mut leaves = Vec::new();
        super::keys::leaves("", &other.table, &mut leaves);
        for (path, value) in leaves {
            let (origin, name) =
                other.said.get(&path).cloned().unwrap_or_else(|| (other.origin.clone(), path.clone()));
            let mine = std::mem::replace(&mut self.origin, origin);
            self.put(&path, &name, value.clone());
            self.origin = mine;
        }
        self.notes.extend(other.notes);
        self.problems.extend(other.problems);
    }

    /// Notes what is passed over.
    pub(crate) fn note(&mut self, key: &str, why: &str) {
        self.notes.push(format!("{}: `{}` {why}", self.origin, shown(key)));
    }

    /// Adds a mistake.
    pub(crate) fn refuse(&mut self, key: &str, read: &str, allowed: impl Into<String>) {
        self.problems.push(Problem::new(&self.origin, key, read, allowed));
    }

    /// A mistake at a key of the schema, in its user's words.
    pub(crate) fn problem(&self, path: &str, read: &str, allowed: impl Into<String>) -> Problem {
        let (origin, name) =
            self.said.get(path).map_or((self.origin.as_str(), path), |(o, n)| (o.as_str(), n.as_str()));
        Problem::new(origin, name, read, allowed)
    }
}
