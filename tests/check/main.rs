//! Runs the rules of the house over the tree it stands in.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "its findings are its output")]

use house_check::{Tree, check, reference};
use std::path::Path;
use std::process::ExitCode;

const USE: &str = "usage: house-check            every rule over the tree
       house-check reference BINARY           compare docs/reference with what BINARY says
       house-check reference BINARY --write   write docs/reference";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = Tree::above(&std::env::current_dir().unwrap_or_default().to_string_lossy());
    let answer = match words.as_slice() {
        [] => rules(&root),
        ["reference", binary] => pages(&root, binary, false),
        ["reference", binary, "--write"] => pages(&root, binary, true),
        _ => Err(USE.into()),
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(say) => {
            eprintln!("{say}");
            ExitCode::FAILURE
        }
    }
}

fn rules(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root).map_err(|e| format!("cannot read {}: {e}", root.display()))?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    let files = tree.files.len();
    match findings.len() {
        0 => {
            println!("house check: {files} files, every rule kept");
            Ok(())
        }
        n => Err(format!("house check: {n} findings in {files} files")),
    }
}

fn pages(root: &Path, binary: &str, write: bool) -> Result<(), String> {
    let stale = reference::derive(root, Path::new(binary), write)?;
    match stale.as_slice() {
        [] => {
            println!("reference: {} pages are current", reference::PAGES.len());
            Ok(())
        }
        list if write => {
            println!("reference: written: {}", list.join(" "));
            Ok(())
        }
        list => Err(format!("reference: stale, run `make reference`: {}", list.join(" "))),
    }
}
