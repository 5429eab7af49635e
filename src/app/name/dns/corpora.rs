//! Against ipfixprobe's own expectation, when the environment variable `VIGIE_CORPORA` names the corpora's folder.

use super::{Dns, Variant};
use crate::witness::{Witness, datagram};
use parse::Side;
use std::path::Path;

/// UDP payloads of an Ethernet and IPv4 capture in little-endian pcap.
fn payloads(capture: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = &capture[24..];
    while let Some((head, behind)) = rest.split_at_checked(16) {
        let len = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        let udp = &behind[14 + usize::from(behind[14] & 15) * 4..len];
        found.push((u16::from_be_bytes([udp[0], udp[1]]), udp[8..].to_vec()));
        rest = &behind[len..];
    }
    found
}

/// One row of the expectation, in the words of our export.
fn expected(row: &str) -> String {
    let columns: Vec<&str> = row.split(',').collect();
    let text = |hex: &str| -> String {
        let bytes = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap());
        bytes.map(char::from).collect()
    };
    let [ttl, answers, class, id, psize, qtype, rlength] = [9, 12, 13, 14, 15, 16, 17].map(|i| columns[i]);
    let [wanted, rcode, name, rdata] = [21, 22, 26, 27].map(|i| columns[i].trim_matches('"'));
    let answer = match answers {
        "0" => String::new(),
        _ => format!("\"rr_ttl\":{ttl},\"rlength\":{rlength},\"rdata\":\"{}\",", text(rdata)),
    };
    format!(
        "\"id\":{id},\"rcode\":{rcode},\"answers\":{answers},\"name\":\"{name}\",\"qtype\":{qtype},\"class\":{class},\
         {answer}\"psize\":{psize},\"do\":{wanted}"
    )
}

#[test]
fn flow_export_is_ipfixprobes() {
    let Some(corpora) = std::env::var_os("VIGIE_CORPORA") else {
        eprintln!("VIGIE_CORPORA is not set: nothing compared");
        return;
    };
    let folder = Path::new(&corpora).join("ipfixprobe");
    let capture = std::fs::read(folder.join("pcaps/dns.pcap")).unwrap();
    let rows = std::fs::read_to_string(folder.join("expected/dns.csv")).unwrap();
    let mut want: Vec<String> = rows.lines().filter(|r| !r.starts_with("ipaddr")).map(expected).collect();
    let mut seen = Witness::default();
    for (port, payload) in payloads(&capture) {
        let side = if port == 53 { Side::ToClient } else { Side::ToServer };
        datagram(&mut Dns::new(Variant::Unicast), side, &payload, &mut seen);
    }
    // The type of the answer is another plug-in's.
    let mut have: Vec<String> = seen.exports.iter().map(|e| without(e, "\"atype\":")).collect();
    want.sort();
    have.sort();
    assert_eq!(have, want);
}

/// A text without the number behind a key, and the comma behind that.
fn without(text: &str, key: &str) -> String {
    match text.split_once(key) {
        Some((before, behind)) => before.to_owned() + behind.split_once(',').unwrap().1,
        None => text.to_owned(),
    }
}
