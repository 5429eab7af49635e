//! `vigie config`.

use super::exit::{Exit, Told};
use super::flags::ConfigAction;
use super::print;
use super::settings::settings;
use sensor::Settings;
use sensor::settings::KEYS;
use std::fmt::Write as _;

pub(crate) fn config(action: &ConfigAction) -> Result<Exit, Told> {
    match action {
        ConfigAction::Check(sources) => {
            settings(sources)?;
            print(b"the configuration is good\n")
        }
        ConfigAction::Show(sources) => print(show(&settings(sources)?).as_bytes()),
        ConfigAction::Reference => print(reference().as_bytes()),
    }
}

/// Dotted keys are valid TOML: what is shown can be loaded.
fn show(settings: &Settings) -> String {
    KEYS.iter().fold(String::new(), |mut out, key| {
        let _ = writeln!(out, "{} = {}", key.path, (key.show)(settings));
        out
    })
}

/// The reference page, in Markdown.
fn reference() -> String {
    let defaults = Settings::default();
    let mut out = String::from(
        "# Configuration keys\n\nDerived from the catalogue of keys by `vigie config reference`.\n\n",
    );
    out.push_str("| key | default | allowed | text |\n|---|---|---|---|\n");
    for key in KEYS {
        let reload = if key.reload { " Taken over at SIGHUP." } else { "" };
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {}{reload} |",
            key.path,
            (key.show)(&defaults),
            key.kind.range(),
            key.text
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_loaded() {
        let path = std::env::temp_dir().join(format!("vigie-shown-{}.toml", std::process::id()));
        std::fs::write(&path, show(&Settings::default())).expect("a file");
        let mut loaded = Settings { workers: 7, ..Settings::default() };
        let result = sensor::settings::load(&mut loaded, &path);
        std::fs::remove_file(&path).expect("cleaned up");
        assert_eq!(result, Ok(()));
        assert_eq!(loaded, Settings::default());
    }
}
