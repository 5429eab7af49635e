//! Nothing of whoever made the image, nothing that every clone would share, and no way in.

use super::Subject;
use super::tree::Root;

/// What begins a private key or a cloud credential. Each is put together here, so that the tool does not find itself.
const MARKS: &[(&str, &str)] = &[
    ("-----BEGIN ", "PRIVATE KEY-----"),
    ("aws_secret", "_access_key"),
    ("\"private_key", "_id\":"),
    ("AccountKey", "="),
];
/// Where files are looked into: everything that is configuration or somebody's.
const LOOKED_INTO: &[&str] =
    &["etc", "root", "home", "var", "opt", "srv", "usr/local", "usr/lib/vigie", "usr/share/vigie"];
/// Key pairs that distributions ship for tests, and public ones.
const HARMLESS: &[&str] = &["usr/share/doc/"];

pub(super) fn passwords(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults = Vec::new();
    let Some(shadow) = root.text("etc/shadow") else { return Some(vec!["no /etc/shadow".into()]) };
    for line in shadow.lines() {
        let mut fields = line.split(':');
        let (name, password) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        if !password.starts_with(['!', '*']) {
            let what = if password.is_empty() { "an empty password" } else { "a password" };
            faults.push(format!("{name} has {what}"));
        } else if password.contains('$') {
            faults.push(format!("{name} has a password, locked; its hash is in the image"));
        }
    }
    for line in root.text("etc/passwd").unwrap_or_default().lines() {
        if line.split(':').nth(1).is_some_and(|field| field != "x" && field != "*") {
            faults.push(format!(
                "{} has its password in /etc/passwd",
                line.split(':').next().unwrap_or_default()
            ));
        }
    }
    Some(faults)
}

pub(super) fn login_keys(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let is_one = |path: &&String| {
        path.ends_with("/authorized_keys")
            || path.ends_with("/authorized_keys2")
            || path.starts_with("etc/vigie/keys/")
    };
    let folders = ["etc", "root", "home", "var"].into_iter();
    let files: Vec<String> = folders.flat_map(|folder| root.files(folder)).collect();
    Some(files.iter().filter(is_one).map(|path| format!("/{path}")).collect())
}

pub(super) fn private_keys(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults = Vec::new();
    for path in LOOKED_INTO.iter().flat_map(|folder| root.files(folder)) {
        if HARMLESS.iter().any(|start| path.starts_with(start)) {
            continue;
        }
        let host_key = path.rsplit('/').next().is_some_and(|name| name.starts_with("ssh_host_"));
        if host_key || root.text(&path).is_some_and(|text| has_mark(&text)) {
            faults.push(format!("/{path}"));
        }
    }
    Some(faults)
}

fn has_mark(text: &str) -> bool {
    let marked = |line: &str| {
        MARKS.iter().any(|(start, end)| {
            line.find(start)
                .is_some_and(|at| line.get(at + start.len()..).is_some_and(|rest| rest.contains(end)))
        })
    };
    text.lines().any(|line| marked(line) || access_key(line))
}

/// An access key of AWS: `AKIA` or `ASIA` and sixteen letters and digits.
fn access_key(line: &str) -> bool {
    let is_one = |word: &str| {
        word.len() == 20
            && ["AKIA", "ASIA"].iter().any(|start| word.starts_with(start))
            && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    line.split(|c: char| !c.is_ascii_alphanumeric()).any(is_one)
}

pub(super) fn identity(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults = Vec::new();
    match root.text("etc/machine-id") {
        Some(text) if text.trim().is_empty() || text.trim() == "uninitialized" => {}
        Some(text) => faults.push(format!("/etc/machine-id is {}", text.trim())),
        None => {
            faults.push("/etc/machine-id is absent: systemd takes the start for a first one each time".into())
        }
    }
    let shared = [
        "var/lib/dbus/machine-id",
        "var/lib/systemd/random-seed",
        "var/lib/systemd/credential.secret",
        "etc/hostid",
    ];
    // A link to /etc/machine-id is how it should be.
    let is_file = |path: &&&str| std::fs::symlink_metadata(root.at(path)).is_ok_and(|meta| meta.is_file());
    faults.extend(shared.iter().filter(is_file).map(|path| format!("/{path}")));
    Some(faults)
}

pub(super) fn traces(subject: &Subject) -> Option<Vec<String>> {
    let root = subject.tree()?;
    let mut faults: Vec<String> = Vec::new();
    for folder in [
        "var/log",
        "var/lib/apt/lists",
        "var/cache/apt",
        "var/lib/dhcp",
        "var/lib/systemd/network",
        "run",
        "tmp",
        "var/tmp",
    ] {
        faults.extend(
            root.files(folder).into_iter().filter(|path| !empty(&root, path)).map(|path| format!("/{path}")),
        );
    }
    let histories = ["root", "home"].into_iter().flat_map(|folder| root.files(folder));
    faults.extend(histories.filter(|path| path.ends_with("_history")).map(|path| format!("/{path}")));
    Some(faults)
}

fn empty(root: &Root<'_>, path: &str) -> bool {
    std::fs::symlink_metadata(root.at(path)).is_ok_and(|meta| meta.len() == 0)
}
