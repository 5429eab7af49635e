//! The free text that a machine is given: our own TOML, or the part of `#cloud-config` that we take.

use super::{MOST, cloud_config};
use crate::document::Draft;
use flate2::read::GzDecoder;
use std::io::Read as _;
use toml::Table;

/// Reads a text, which may be gzip.
#[must_use]
pub fn user_text(origin: &str, bytes: &[u8]) -> Draft {
    let mut draft = Draft::from(origin);
    let opened = match bytes.starts_with(&[0x1f, 0x8b]) {
        true => {
            let mut text = Vec::new();
            match GzDecoder::new(bytes).take(MOST + 1).read_to_end(&mut text) {
                Ok(_) => text,
                Err(error) => {
                    draft.refuse("", "", format!("damaged gzip: {error}"));
                    return draft;
                }
            }
        }
        false => bytes.to_vec(),
    };
    if u64::try_from(opened.len()).is_ok_and(|n| n > MOST) {
        draft.refuse("", "", format!("longer than {MOST} bytes"));
        return draft;
    }
    let Ok(text) = std::str::from_utf8(&opened) else {
        draft.refuse("", "", "neither text in UTF-8 nor gzip of it");
        return draft;
    };
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if first.starts_with("#cloud-config") {
        return cloud_config(origin, text);
    }
    if first.starts_with("#!") || first.starts_with("Content-Type:") || first.starts_with("MIME-Version:") {
        draft.refuse("", "", "a script or a multipart message: this machine runs nothing that it is given; write `#cloud-config` or TOML");
        return draft;
    }
    match text.parse::<Table>() {
        Ok(table) => Draft::of(origin, table),
        Err(error) => {
            let line = error
                .span()
                .map_or(1, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
            draft.refuse(
                &format!("line {line}"),
                "",
                format!("not TOML: {} (YAML begins with the line `#cloud-config`)", error.message()),
            );
            draft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(bytes).and_then(|()| out.finish()).expect("memory")
    }

    #[test]
    fn toml_and_cloud_config_and_gzip_are_read() {
        for text in [
            &b"hostname = \"a\"\n"[..],
            b"#cloud-config\nhostname: a\n",
            b"\xef\xbb\xbf\n#cloud-config\nhostname: a",
        ] {
            for bytes in [text.to_vec(), gzip(text)] {
                let draft = user_text("user-data", &bytes);
                assert_eq!(draft.table.get("hostname").and_then(|h| h.as_str()), Some("a"), "{draft:?}");
            }
        }
    }

    #[test]
    fn what_is_neither_says_so() {
        for (bytes, why) in [
            (b"#!/bin/sh\nreboot".to_vec(), "runs nothing"),
            (b"a = 1\nb =".to_vec(), "line 2"),
            (vec![0xff, 0xfe, 0], "UTF-8"),
            (gzip(&vec![b' '; 2 << 20]), "longer"),
            (gzip(b"a = 1")[..12].to_vec(), "damaged"),
        ] {
            let draft = user_text("user-data", &bytes);
            assert_eq!(draft.problems.len(), 1);
            assert!(draft.problems[0].to_string().contains(why), "{}", draft.problems[0]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), yaml in any::<bool>()) {
            let mut text = if yaml { b"#cloud-config\n".to_vec() } else { Vec::new() };
            text.extend(bytes);
            let _ = crate::document::Document::read(&user_text("x", &text));
        }
    }
}
