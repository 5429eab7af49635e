use std::fmt;

/// One place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path below the root.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Name of the rule.
    pub rule: &'static str,
    /// What was found and what to do about it.
    pub say: String,
}

impl Finding {
    /// A finding at a line.
    pub fn new(rule: &'static str, file: &str, line: usize, say: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, rule, say: say.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.rule, self.say)
    }
}
