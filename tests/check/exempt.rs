//! Every exemption from the rules, by name, with its reason.

/// Files that may pass the hard limit of lines: catalogues and tables of a specification.
pub const LONG_FILES: &[(&str, &str)] = &[
    ("Cargo.lock", "written by cargo"),
    ("LICENSE-APACHE", "the licence as published"),
    ("src/sensor/settings/keys.rs", "the catalogue of keys"),
];

/// Functions that may pass the hard limit of lines, as `file::function`.
pub const LONG_FUNCTIONS: &[(&str, &str)] =
    &[("src/app/web/http/uri.rs::best_fit", "a table of characters and their nearest bytes")];

/// Crates that may hold unsafe code.
pub const UNSAFE: &[(&str, &str)] = &[
    ("src/capture", "rings shared with the kernel"),
    ("src/device", "registers and memory of PCI functions"),
];

/// Files that speak of forbidden words because they forbid them.
pub const WORDS: &[(&str, &str)] = &[
    ("tests/check/rules/words.rs", "the list itself"),
    ("tests/check/rules/marks.rs", "the list itself"),
    ("tests/check/rules/licence.rs", "the list itself"),
    ("tests/check/rules/names.rs", "the list itself"),
    ("src/app/services/cloud.rs", "names of services that traffic goes to"),
    ("LICENSE-APACHE", "the licence as published"),
    ("LICENSE-MIT", "the licence as published"),
    ("Cargo.lock", "written by cargo"),
];

/// Whether a name stands in a list.
#[must_use]
pub fn listed(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(entry, _)| *entry == name)
}
