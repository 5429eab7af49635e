//! `vigie protocols`.

use super::exit::{Exit, Told};
use super::print;
use parse::{Depth, Protocol, Transport};
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(crate) fn protocols(as_json: bool) -> Result<Exit, Told> {
    if as_json {
        let protocols = app::protocols().iter().map(|p| entry(p));
        let services = app::services().iter().map(|s| {
            json!({
                "name": s.name, "title": s.title, "category": s.category.name(), "kind": "service",
                "depth": "label", "ports": [], "ndpi": s.ndpi,
            })
        });
        let list: Vec<Value> = protocols.chain(services).collect();
        return print(format!("{:#}\n", Value::Array(list)).as_bytes());
    }
    print(table().as_bytes())
}

fn entry(p: &Protocol) -> Value {
    json!({
        "name": p.name, "title": p.title, "category": p.category.name(), "kind": "protocol",
        "depth": depth(p), "ports": ports(p), "ndpi": p.ndpi,
    })
}

fn depth(p: &Protocol) -> &'static str {
    match p.depth {
        Depth::Label => "label",
        Depth::Parser => "parser",
    }
}

fn ports(p: &Protocol) -> Vec<String> {
    let name = |transport: &Transport| match transport {
        Transport::Tcp => "tcp".to_owned(),
        Transport::Udp => "udp".to_owned(),
        Transport::Sctp => "sctp".to_owned(),
        Transport::Ip(n) => format!("ip-{n}"),
    };
    p.ports.iter().map(|(transport, port)| format!("{}/{port}", name(transport))).collect()
}

fn table() -> String {
    let mut out = format!("{:<22} {:<8} {:<16} {:<44} ports\n", "name", "depth", "category", "title");
    for p in app::protocols() {
        let _ = writeln!(
            out,
            "{:<22} {:<8} {:<16} {:<44} {}",
            p.name,
            depth(p),
            p.category.name(),
            p.title,
            ports(p).join(" ")
        );
    }
    let services = app::services();
    let _ =
        writeln!(out, "\n{} protocols, {} services on top of them", app::protocols().len(), services.len());
    out
}
