//! The same input gives the same bytes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::stage::Stage;

#[test]
fn two_builds_are_identical() {
    let Some(stage) = Stage::set("builds") else { return };
    let again = stage.made.again("test-again");
    let files = listed(&again);
    assert!(files.iter().any(|name| name.ends_with(".qcow2")), "{files:?}");
    for name in files {
        let [one, other] = [stage.made.file(&name), again.join(&name)].map(|path| sum(&path));
        stage.note(&name, &one);
        assert_eq!(one, other, "{name} differs");
    }
    // what other flavours make of a disk
    for (word, name) in [("vhd", "disk.vhd"), ("gcp", "disk.tar.gz")] {
        let [one, other] = [stage.made.file(""), again.clone()].map(|folder| {
            convert(
                &folder.join("../in/image-tool"),
                word,
                &folder.join("disk.raw"),
                &stage.path().join(name),
            )
        });
        stage.note(name, &one);
        assert_eq!(one, other, "{name} differs");
    }
}

/// Writes a disk in another format, and gives its hash.
fn convert(tool: &Path, word: &str, disk: &Path, to: &Path) -> String {
    let status = Command::new(tool)
        .arg(word)
        .arg(disk)
        .arg(to)
        .status()
        .expect("the tool that the image was made with");
    assert!(status.success(), "{word}: {status}");
    sum(to)
}

fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<String> =
        files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn sum(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().next().unwrap_or_default().to_owned()
}
