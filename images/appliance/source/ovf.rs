//! The OVF environment (DMTF DSP0243 1.1.1, section 11; namespace of the environment schema): properties that were filled
//! in when the appliance was deployed.

use super::user_text;
use crate::document::Draft;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Document;
use toml::Value;

const NAMESPACE: &str = "http://schemas.dmtf.org/ovf/environment/1";

/// Properties, and the keys of the schema that they are.
const TEXTS: &[(&str, &str)] = &[
    ("hostname", "hostname"),
    ("interface", "network.interface"),
    ("capture_interface", "capture.interface"),
    ("capture_mode", "capture.mode"),
];

/// Properties that hold several values, with spaces or commas between.
const LISTS: &[(&str, &str)] = &[
    ("address", "network.address"),
    ("gateway", "network.gateway"),
    ("dns", "network.dns"),
    ("ntp", "time.servers"),
    ("ssh_from", "ssh.from"),
];

/// Reads an OVF environment.
#[must_use]
pub fn environment(text: &str) -> Draft {
    let mut draft = Draft::from("OVF property");
    // No document type declaration is read, so nothing in the text refers to anything else.
    let document = match Document::parse(text.trim_start_matches('\u{feff}')) {
        Ok(document) => document,
        Err(error) => {
            draft.refuse("", "", format!("the environment is not XML: {error}"));
            return draft;
        }
    };
    let root = document.root_element();
    if root.tag_name().name() != "Environment" || root.tag_name().namespace() != Some(NAMESPACE) {
        draft.refuse(
            "",
            "",
            format!("the environment begins with `{}`, not with Environment", root.tag_name().name()),
        );
        return draft;
    }
    let mut config = None;
    let sections = root.children().filter(|node| node.tag_name().name() == "PropertySection");
    for node in sections.flat_map(|section| section.children()).filter(|n| n.tag_name().name() == "Property")
    {
        let attribute = |name: &str| node.attribute((NAMESPACE, name)).or_else(|| node.attribute(name));
        let (Some(key), Some(value)) = (attribute("key"), attribute("value")) else { continue };
        // Whoever deploys leaves fields empty that are not wanted.
        let value = value.trim();
        if !value.is_empty() {
            property(&mut draft, &mut config, key, value);
        }
    }
    if let Some(config) = config {
        draft.under(config);
    }
    draft
}

fn property(draft: &mut Draft, config: &mut Option<Draft>, key: &str, value: &str) {
    // vSphere writes the class and the instance of a property around its name.
    let name = key.strip_prefix("vigie.").unwrap_or(key);
    let name = name.split('.').next().unwrap_or(name);
    if let Some((_, path)) = TEXTS.iter().find(|(one, _)| *one == name) {
        draft.put(path, name, Value::String(value.to_owned()));
    } else if let Some((_, path)) = LISTS.iter().find(|(one, _)| *one == name) {
        draft.put(path, name, words(value));
    } else {
        match name {
            "ssh_key" => {
                let keys = value.split(['\n', ',']).map(str::trim).filter(|key| !key.is_empty());
                draft.put(
                    "ssh.keys",
                    name,
                    Value::Array(keys.map(|key| Value::String(key.into())).collect()),
                );
            }
            "config" => *config = opened(draft, value),
            _ => draft.note(name, "is passed over: no such property"),
        }
    }
}

/// `dhcp`, or values with spaces or commas between.
fn words(value: &str) -> Value {
    if value.eq_ignore_ascii_case("dhcp") {
        return Value::String("dhcp".into());
    }
    let words = value.split([' ', ',', ';']).filter(|word| !word.is_empty());
    Value::Array(words.map(|word| Value::String(word.into())).collect())
}

/// A whole document in base64.
fn opened(draft: &mut Draft, value: &str) -> Option<Draft> {
    let packed: String = value.split_whitespace().collect();
    match STANDARD.decode(packed) {
        Ok(bytes) => Some(user_text("OVF property config", &bytes)),
        Err(_) => {
            draft.refuse("config", value, "a document in base64");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use proptest::prelude::*;

    fn env(properties: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Environment xmlns=\"{NAMESPACE}\" \
             xmlns:oe=\"{NAMESPACE}\" xmlns:ve=\"http://www.vmware.com/schema/ovfenv\" oe:id=\"\" ve:vCenterId=\"vm-1\">\n\
             <PlatformSection><Kind>VMware ESXi</Kind></PlatformSection>\n<PropertySection>{properties}</PropertySection>\n\
             <ve:EthernetAdapterSection><ve:Adapter ve:mac=\"00:50:56:00:00:01\"/></ve:EthernetAdapterSection></Environment>"
        )
    }

    fn property(key: &str, value: &str) -> String {
        format!("<Property oe:key=\"{key}\" oe:value=\"{value}\"/>")
    }

    #[test]
    fn properties_become_a_document() {
        let config = STANDARD.encode("hostname = \"other\"\n[sensor]\nworkers = 2\n");
        let text = env(&[
            property("hostname", "sensor-7"),
            property("vigie.address", "192.0.2.7/24, 2001:db8::7/64"),
            property("gateway", "192.0.2.1"),
            property("dns", ""),
            property("ntp", "ntp.example.org 192.0.2.4"),
            property("config", &config),
            property("colour", "blue"),
        ]
        .concat());
        let draft = environment(&text);
        let read = document::Document::read(&draft).expect("a document");
        assert_eq!(read.hostname.as_deref(), Some("sensor-7"));
        assert_eq!((read.network.addresses.len(), read.time.len()), (2, 2));
        assert_eq!(read.sensor["workers"].as_integer(), Some(2));
        assert_eq!(draft.notes, ["OVF property: `colour` is passed over: no such property"]);
    }

    #[test]
    fn mistakes_name_the_property() {
        for (properties, told) in [
            (property("address", "192.0.2.7"), "OVF property: `address` is `[\"192.0.2.7\"]`"),
            (property("ssh_key", "ssh-rsa"), "`ssh_key`"),
            (property("config", "%%"), "`config` is `%%`; allowed is a document in base64"),
            (property("config", &STANDARD.encode("hostname = 1")), "OVF property config: `hostname` is `1`"),
        ] {
            let problems = document::Document::read(&environment(&env(&properties))).expect_err(&properties);
            assert!(problems[0].to_string().contains(told), "{}", problems[0]);
        }
        let told = environment("<x").problems[0].to_string();
        assert!(told.contains("not XML"), "{told}");
        assert!(environment("<Envelope/>").problems[0].to_string().contains("begins with `Envelope`"));
    }

    #[test]
    fn entities_are_not_followed() {
        let text = format!("<!DOCTYPE e [<!ENTITY a \"b\">]>\n{}", env(&property("hostname", "&a;")));
        assert!(!environment(&text).problems.is_empty());
    }

    proptest! {
        #[test]
        fn any_properties_are_survived(key in "[a-z_.]{0,12}", value in "[^<>&\"\\x00-\\x08]{0,60}", tail in ".{0,40}") {
            let text = env(&property(&key, &value));
            let _ = document::Document::read(&environment(&text));
            let _ = environment(&(text + &tail));
        }
    }
}
