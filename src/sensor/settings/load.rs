//! From a configuration file, and from `--set`, to settings. A mistake names file, line, key, what was read and what is
//! allowed.

use super::value::{Kind, Value};
use super::{KEYS, Key, Settings};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In this file, at this line.
    File(String, usize),
    /// On the command line.
    Set,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The file cannot be read.
    Unreadable(String, String),
    /// It is not TOML.
    Syntax(Origin, String),
    /// No such key.
    Unknown(Origin, String, Option<&'static str>),
    /// The key does not take this.
    NotAllowed(Origin, &'static str, String, String),
    /// `--set` without `=`.
    NoValue(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, line) => write!(f, "{path}:{line}"),
            Self::Set => write!(f, "--set"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, why) => write!(f, "{path}: cannot be read: {why}"),
            Self::Syntax(at, what) => write!(f, "{at}: not TOML: {what}"),
            Self::Unknown(at, key, Some(near)) => {
                write!(f, "{at}: unknown key `{key}`; did you mean `{near}`?")
            }
            Self::Unknown(at, key, None) => {
                write!(f, "{at}: unknown key `{key}`; `vigie config reference` lists them all")
            }
            Self::NotAllowed(at, key, read, allowed) => {
                write!(f, "{at}: `{key}` is {read}; allowed is {allowed}")
            }
            Self::NoValue(text) => write!(f, "--set {text}: expected KEY=VALUE"),
        }
    }
}

impl std::error::Error for Problem {}

/// Reads a configuration file into `settings`. Every problem is reported; nothing is applied when there is one.
///
/// # Errors
/// All problems of the file.
pub fn load(settings: &mut Settings, path: &Path) -> Result<(), Vec<Problem>> {
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|e| vec![Problem::Unreadable(name.clone(), e.to_string())])?;
    let table = DeTable::parse(&text).map_err(|e| {
        let at = Origin::File(name.clone(), line_of(&text, e.span().unwrap_or(0..0)));
        vec![Problem::Syntax(at, e.message().to_owned())]
    })?;
    let mut reader = Reader { name, text: &text, found: Vec::new(), problems: Vec::new() };
    reader.table("", table.get_ref());
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    for (key, value) in reader.found {
        (key.put)(settings, value);
    }
    Ok(())
}

/// Applies one `KEY=VALUE`.
///
/// # Errors
/// When the key is unknown or does not take the value.
pub fn set(settings: &mut Settings, text: &str) -> Result<(), Problem> {
    let (path, value) = text.split_once('=').ok_or_else(|| Problem::NoValue(text.into()))?;
    let key =
        find(path.trim()).ok_or_else(|| Problem::Unknown(Origin::Set, path.into(), nearest(path.trim())))?;
    let read = key.kind.read(value).filter(|v| key.kind.allows(v));
    let value =
        read.ok_or_else(|| Problem::NotAllowed(Origin::Set, key.path, value.into(), key.kind.range()))?;
    (key.put)(settings, value);
    Ok(())
}

fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.path == path)
}

/// The key that is written most alike, when it is alike at all.
fn nearest(path: &str) -> Option<&'static str> {
    let likeness = |key: &&Key| strsim::jaro_winkler(key.path, path);
    let best = KEYS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(&best) > 0.8).then_some(best.path)
}

fn line_of(text: &str, span: Range<usize>) -> usize {
    text.get(..span.start).unwrap_or(text).matches('\n').count() + 1
}

struct Reader<'t> {
    name: String,
    text: &'t str,
    found: Vec<(&'static Key, Value)>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn at(&self, span: Range<usize>) -> Origin {
        Origin::File(self.name.clone(), line_of(self.text, span))
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, item) in table {
            let path = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            match (find(&path), item.get_ref()) {
                (Some(key), value) => self.value(key, value, item.span()),
                (None, DeValue::Table(inner)) if is_parent(&path) => self.table(&path, inner),
                (None, _) => {
                    let problem = Problem::Unknown(self.at(name.span()), path.clone(), nearest(&path));
                    self.problems.push(problem);
                }
            }
        }
    }

    fn value(&mut self, key: &'static Key, value: &DeValue<'_>, span: Range<usize>) {
        match convert(&key.kind, value).filter(|v| key.kind.allows(v)) {
            Some(value) => self.found.push((key, value)),
            None => {
                let read = self.text.get(span.clone()).unwrap_or_default().to_owned();
                self.problems.push(Problem::NotAllowed(self.at(span), key.path, read, key.kind.range()));
            }
        }
    }
}

/// Whether keys lie below this path.
fn is_parent(path: &str) -> bool {
    KEYS.iter().any(|k| k.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

fn convert(kind: &Kind, value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::Boolean(b) => Some(Value::Flag(*b)),
        DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).ok().map(Value::Number),
        DeValue::String(text) if matches!(kind, Kind::Bytes(..)) => kind.read(text),
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Array(items) => {
            let values = items.iter().map(|i| convert(kind, i.get_ref())).collect::<Option<Vec<_>>>()?;
            list(kind, values)
        }
        _ => None,
    }
}

fn list(kind: &Kind, values: Vec<Value>) -> Option<Value> {
    match kind {
        Kind::Numbers(..) => {
            let number = |v| if let Value::Number(n) = v { Some(n) } else { None };
            values.into_iter().map(number).collect::<Option<_>>().map(Value::Numbers)
        }
        Kind::Texts | Kind::Lines(_) => {
            let text = |v| if let Value::Text(t) = v { Some(t) } else { None };
            values.into_iter().map(text).collect::<Option<_>>().map(Value::Texts)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let path = std::env::temp_dir().join(format!("vigie-settings-{}-{}", std::process::id(), text.len()));
        std::fs::write(&path, text).expect("a file");
        let result = load(&mut Settings::default(), &path);
        std::fs::remove_file(&path).expect("cleaned up");
        result.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let told = problems("workers = 2\n[stream]\ndepht = 1\nmidstream = \"maybe\"\n");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains(":3:") && told[0].contains("did you mean `stream.depth`"), "{}", told[0]);
        assert!(told[1].contains(":4:") && told[1].contains("true or false"), "{}", told[1]);
    }

    #[test]
    fn units_lists_and_nesting_are_read() {
        let told = problems(
            "[stream]\ndepth = \"2 MiB\"\n[flow.timeout.tcp]\nnew = 5\n[decode]\nvxlan_ports = [4789]\n",
        );
        assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn what_is_not_toml_is_said_so() {
        assert!(problems("workers = = 2\n")[0].contains("not TOML"));
    }
}
