//! Events as the binary wrote them, and the schema they keep to.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Events of one run.
#[derive(Clone, Debug, Default)]
pub struct Eve {
    /// In the order in which they were written.
    pub events: Vec<Value>,
}

impl Eve {
    /// Reads lines of JSON. Every line is whole.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            return Err("the last line has no end".into());
        }
        let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        let events = lines.map(|line| {
            serde_json::from_slice(line).map_err(|e| format!("{e}: {}", String::from_utf8_lossy(line)))
        });
        Ok(Self { events: events.collect::<Result<_, _>>()? })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?)
    }

    /// Events of one type.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["event_type"] == kind)
    }

    /// How many of each type.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for event in &self.events {
            *kinds.entry(event["event_type"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        kinds
    }
}

/// The published EVE schema, with what we add.
pub struct Schema {
    validator: jsonschema::Validator,
}

impl Schema {
    /// Reads the schema and allows our additions: `app` on flows, `tap` on everything, and our own counters below
    /// `stats`. `docs/start.md` lists them for users.
    ///
    /// # Panics
    /// When the file is no schema.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut schema: Value = serde_json::from_slice(&text).expect("the schema is JSON");
        let object = |properties: Value| json!({"type": "object", "additionalProperties": false, "properties": properties});
        let word = json!({"type": ["string", "null"]});
        let app = object(json!({"protocol": word, "service": word, "category": word, "confidence": word}));
        add(&mut schema, "/properties", "app", app);
        let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
        let tap = object(json!({
            "kind": text, "tenant": text, "vni": number, "endpoint": text, "session": number, "network": number,
            "key": number, "outer_src": text, "direction": text, "truncated": {"type": "boolean"},
        }));
        add(&mut schema, "/properties", "tap", tap);
        add(&mut schema, "/properties/stats/properties", "vigie", json!({"type": "object"}));
        add_what_suricata_writes_too(&mut schema);
        Self { validator: jsonschema::validator_for(&schema).expect("a valid schema") }
    }

    /// What is wrong with an event; empty when nothing is.
    #[must_use]
    pub fn faults(&self, event: &Value) -> Vec<String> {
        if self.validator.is_valid(event) {
            return Vec::new();
        }
        self.validator.iter_errors(event).map(|e| format!("{}: {e}", e.instance_path())).collect()
    }
}

/// Record data for which the published file (of 8.0.6) has no place, although Suricata 8.0.8 writes it as we do: found
/// by comparing both programs' events over the same captures.
fn add_what_suricata_writes_too(schema: &mut Value) {
    let answer = "/properties/dns/properties/answers/items/properties";
    add(schema, answer, "opt", json!({"type": "array"}));
    add(schema, answer, "rdata_truncated", json!({"type": "boolean"}));
    let text = json!({"type": "string"});
    for section in ["answers", "authorities", "additionals"] {
        let record = format!("/properties/mdns/properties/{section}/items/properties");
        for name in ["a", "aaaa", "cname", "mx", "ns", "null", "hinfo", "https", "nsec"] {
            add(schema, &record, name, text.clone());
        }
        for name in ["soa", "srv", "sshfp"] {
            add(schema, &record, name, json!({"type": "object"}));
        }
        add(schema, &record, "opt", json!({"type": "array"}));
        add(schema, &record, "rdata_truncated", json!({"type": "boolean"}));
    }
    add(schema, "/properties/mdns/properties/authorities/items/properties", "ptr", text);
    let txt = json!({"type": "array"});
    add(schema, "/properties/mdns/properties/authorities/items/properties", "txt", txt);
}

fn add(schema: &mut Value, at: &str, name: &str, what: Value) {
    let place = schema.pointer_mut(at).and_then(Value::as_object_mut).expect("the schema has that place");
    let old: Option<Value> = Map::insert(place, name.to_owned(), what);
    assert!(old.is_none(), "{name} has come into the schema: take ours out");
}
