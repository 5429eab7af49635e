//! Any text that a machine is given: read or refused, and what is accepted stays within the files that are made of it.

#![no_main]

use appliance::document::{Document, Draft};
use appliance::provision::{Roles, files};
use appliance::source::{environment, network_config, user_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut drafts: Vec<Draft> = vec![user_text("fuzz", bytes), environment(&text), network_config(&text)];
    drafts.push(user_text("fuzz", format!("#cloud-config\n{text}").as_bytes()));
    for draft in drafts {
        let Ok(document) = Document::read(&draft) else { continue };
        for made in files(&document, &Roles::of(&document, &[])) {
            let body = made.body.unwrap_or_default();
            assert!(!body.contains('\0') && !body.contains('\u{1b}'), "{body:?}");
            if made.path.ends_with(".network") || made.path.ends_with(".nft") {
                assert!(body.lines().all(|line| line.is_ascii()), "{body:?}");
            }
        }
    }
});
