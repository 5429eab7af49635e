//! Pages of `docs/reference`: what the binary says about itself, kept where people read it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// A derived page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// File below `docs/reference`.
    pub file: &'static str,
    /// How it comes about.
    pub form: Form,
}

/// How a page comes about.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// The binary writes the whole page in Markdown.
    Whole(&'static [&'static str]),
    /// What the binary says to each of these stands below a title, in a fence each.
    Told(&'static str, &'static [&'static [&'static str]]),
}

/// Every derived page.
pub const PAGES: &[Page] = &[
    Page { file: "configuration.md", form: Form::Whole(&["config", "reference"]) },
    Page { file: "counters.md", form: Form::Whole(&["counters", "--reference"]) },
    Page { file: "protocols.md", form: Form::Told("Protocols and services", &[&["protocols"]]) },
    Page {
        file: "command.md",
        form: Form::Told(
            "Command line",
            &[
                &["--help"],
                &["read", "--help"],
                &["run", "--help"],
                &["protocols", "--help"],
                &["config", "--help"],
                &["counters", "--help"],
                &["completions", "--help"],
                &["man", "--help"],
            ],
        ),
    },
];

/// Derives every page; answers those that differed. With `write` they are also written.
pub fn derive(root: &Path, binary: &Path, write: bool) -> Result<Vec<&'static str>, String> {
    let folder = root.join("docs/reference");
    let mut stale = Vec::new();
    for page in PAGES {
        let want = page_of(page, |args| say(binary, args))?;
        let path = folder.join(page.file);
        if std::fs::read_to_string(&path).unwrap_or_default() == want {
            continue;
        }
        stale.push(page.file);
        if write {
            std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
            std::fs::write(&path, want).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(stale)
}

fn page_of(page: &Page, say: impl Fn(&[&str]) -> Result<String, String>) -> Result<String, String> {
    match page.form {
        Form::Whole(args) => Ok(tidy(&say(args)?)),
        Form::Told(title, calls) => {
            let mut text = format!("# {title}\n\nDerived by `make reference`; edits are lost.\n");
            for args in calls {
                let said = tidy(&say(args)?);
                let _ = write!(text, "\n`vigie {}`\n\n```text\n{said}```\n", args.join(" "));
            }
            Ok(text)
        }
    }
}

/// No blanks at the ends of lines, one line feed at the end of all.
fn tidy(said: &str) -> String {
    said.trim_end().lines().fold(String::new(), |out, line| out + line.trim_end() + "\n")
}

fn say(binary: &Path, args: &[&str]) -> Result<String, String> {
    let told = |why: String| format!("{} {}: {why}", binary.display(), args.join(" "));
    let output = Command::new(binary).args(args).output().map_err(|e| told(e.to_string()))?;
    if !output.status.success() {
        return Err(told(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr))));
    }
    String::from_utf8(output.stdout).map_err(|e| told(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_stands_in_a_fence_without_trailing_blanks() {
        let page = Page { file: "x.md", form: Form::Told("X", &[&["a"], &["b", "c"]]) };
        let text = page_of(&page, |args| Ok(format!("{}  \n\n", args.concat()))).expect("said");
        assert!(
            text.ends_with("\n`vigie a`\n\n```text\na\n```\n\n`vigie b c`\n\n```text\nbc\n```\n"),
            "{text}"
        );
    }

    #[test]
    fn a_page_is_stale_until_it_is_written() {
        let root = std::env::temp_dir().join(format!("house-check-{}", std::process::id()));
        let binary = Path::new("/bin/echo");
        let stale = derive(&root, binary, true).expect("written");
        assert_eq!(stale.len(), PAGES.len());
        assert_eq!(derive(&root, binary, false).expect("compared"), Vec::<&str>::new());
        std::fs::remove_dir_all(&root).expect("cleaned up");
    }

    #[test]
    fn a_binary_that_is_not_there_is_an_error_that_names_it() {
        let error = say(Path::new("no/such/vigie"), &["protocols"]).expect_err("nothing to run");
        assert!(error.starts_with("no/such/vigie protocols:"), "{error}");
    }
}
