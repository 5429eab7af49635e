//! `network-config` of a NoCloud drive, versions 1 and 2: the interface that has an address is the one by which the
//! machine is reached.

use super::cloud_config::{strings, yaml};
use crate::document::Draft;
use serde_json::Value as Json;
use toml::Value;

/// Reads a `network-config`.
#[must_use]
pub fn network_config(text: &str) -> Draft {
    let mut draft = Draft::from("network-config");
    let root = match yaml(text) {
        Ok(Json::Null) => return draft,
        Ok(root) => root.get("network").cloned().unwrap_or(root),
        Err(why) => {
            draft.refuse("", "", format!("not YAML: {why}"));
            return draft;
        }
    };
    match root.get("version").and_then(Json::as_u64) {
        Some(1) => first(&mut draft, &root),
        Some(2) => second(&mut draft, &root),
        _ => draft.refuse("version", &text_of(root.get("version")), "1 or 2"),
    }
    draft
}

fn text_of(value: Option<&Json>) -> String {
    match value {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn list<'v>(value: &'v Json, key: &str) -> impl Iterator<Item = &'v Json> {
    value.get(key).and_then(Json::as_array).into_iter().flatten()
}

/// Version 1: a list of devices with subnets, and name servers beside them.
fn first(draft: &mut Draft, root: &Json) {
    let kind = |item: &Json| text_of(item.get("type"));
    let mut dns = Vec::new();
    for item in list(root, "config").filter(|item| kind(item) == "nameserver") {
        dns.extend(strings(item.get("address")));
    }
    let has_address =
        |item: &&Json| kind(item) == "physical" && list(item, "subnets").any(|s| kind(s) != "manual");
    if let Some(device) = list(root, "config").find(has_address) {
        interface(draft, &text_of(device.get("mac_address")), &text_of(device.get("name")));
        number(draft, device.get("mtu"));
        let (mut addresses, mut gateways) = (Vec::new(), Vec::new());
        for subnet in list(device, "subnets") {
            let how = kind(subnet);
            match how.as_str() {
                "static" | "static6" => addresses.push(Value::String(with_prefix(subnet))),
                "dhcp"
                | "dhcp4"
                | "dhcp6"
                | "ipv6_slaac"
                | "ipv6_dhcpv6-stateful"
                | "ipv6_dhcpv6-stateless"
                | "manual" => {}
                _ => draft.refuse(
                    "subnets.type",
                    &how,
                    "static, static6, dhcp, dhcp4, dhcp6, ipv6_slaac or manual",
                ),
            }
            gateways.extend(strings(subnet.get("gateway")));
            dns.extend(strings(subnet.get("dns_nameservers")));
        }
        put(draft, "network.address", "subnets.address", addresses);
        put(draft, "network.gateway", "subnets.gateway", gateways);
    }
    put(draft, "network.dns", "nameserver.address", dns);
}

/// `192.0.2.7` with a netmask beside it, or `192.0.2.7/24`.
fn with_prefix(subnet: &Json) -> String {
    let address = text_of(subnet.get("address"));
    let mask = text_of(subnet.get("netmask"));
    if address.contains('/') || mask.is_empty() {
        return address;
    }
    let length = match mask.parse::<std::net::IpAddr>() {
        Ok(mask) => ipnet::ip_mask_to_prefix(mask).map_or(mask.to_string(), |n| n.to_string()),
        Err(_) => mask,
    };
    format!("{address}/{length}")
}

/// Version 2: devices by a name of their own, as in netplan.
fn second(draft: &mut Draft, root: &Json) {
    let devices = root.get("ethernets").and_then(Json::as_object);
    let yes = |device: &Json, key: &str| matches!(text_of(device.get(key)).as_str(), "true" | "yes");
    let has_address = |device: &Json| {
        list(device, "addresses").next().is_some() || yes(device, "dhcp4") || yes(device, "dhcp6")
    };
    let Some((id, device)) = devices.and_then(|all| all.iter().find(|(_, device)| has_address(device)))
    else {
        return;
    };
    let matched = device.get("match");
    let mac = text_of(matched.and_then(|m| m.get("macaddress")));
    let name = text_of(device.get("set-name").or_else(|| matched.and_then(|m| m.get("name"))));
    interface(draft, &mac, if name.is_empty() && matched.is_none() { id } else { &name });
    number(draft, device.get("mtu"));
    put(draft, "network.address", "addresses", strings(device.get("addresses")));
    let mut gateways = strings(device.get("gateway4"));
    gateways.extend(strings(device.get("gateway6")));
    for route in list(device, "routes") {
        match text_of(route.get("to")).as_str() {
            "default" | "0.0.0.0/0" | "::/0" => gateways.extend(strings(route.get("via"))),
            other => {
                draft.note("routes", &format!("to {other} is passed over: default routes alone are taken"))
            }
        }
    }
    if !strings(device.get("addresses")).is_empty() {
        put(draft, "network.gateway", "routes", gateways);
    }
    put(
        draft,
        "network.dns",
        "nameservers",
        strings(device.get("nameservers").and_then(|n| n.get("addresses"))),
    );
}

/// The address tells interfaces apart; a name is what another system would have called it.
fn interface(draft: &mut Draft, mac: &str, name: &str) {
    let (said, key) = if mac.is_empty() { (name, "name") } else { (mac, "mac_address") };
    if !said.is_empty() {
        draft.put("network.interface", key, Value::String(said.to_owned()));
    }
}

fn number(draft: &mut Draft, value: Option<&Json>) {
    if let Some(mtu) = value {
        let value = mtu.as_i64().map_or_else(|| Value::String(text_of(Some(mtu))), Value::Integer);
        draft.put("network.mtu", "mtu", value);
    }
}

fn put(draft: &mut Draft, path: &str, name: &str, values: Vec<Value>) {
    if !values.is_empty() {
        draft.put(path, name, Value::Array(values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn read(text: &str) -> Document {
        Document::read(&network_config(text)).unwrap_or_else(|p| panic!("{text}: {p:?}"))
    }

    /// What Proxmox writes onto its drive.
    const PROXMOX: &str = "version: 1\nconfig:\n    - type: physical\n      name: eth0\n      mac_address: 'bc:24:11:00:00:01'\n      \
        subnets:\n      - type: static\n        address: '192.0.2.7'\n        netmask: '255.255.255.0'\n        gateway: '192.0.2.1'\n      \
        - type: static6\n        address: '2001:db8::7/64'\n        gateway: '2001:db8::1'\n    - type: nameserver\n      \
        address:\n      - '192.0.2.53'\n      search:\n      - 'example.org'\n";

    #[test]
    fn version_1_is_read() {
        let document = read(PROXMOX);
        let network = &document.network;
        assert_eq!(network.interface.as_deref(), Some("bc:24:11:00:00:01"));
        let shown: Vec<String> = network.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.0.2.7/24", "2001:db8::7/64"]);
        assert_eq!((network.gateways.len(), network.dns.len()), (2, 1));
    }

    #[test]
    fn dhcp_leaves_the_address_to_the_network() {
        let document = read(
            "version: 1\nconfig:\n- type: physical\n  name: eth0\n  mac_address: 02:00:00:00:00:01\n  subnets:\n  - type: dhcp4\n",
        );
        assert!(document.network.addresses.is_empty());
        assert_eq!(document.network.interface.as_deref(), Some("02:00:00:00:00:01"));
    }

    #[test]
    fn version_2_is_read_inside_network_too() {
        let text = "network:\n  version: 2\n  ethernets:\n    mirror:\n      match: {macaddress: '02:00:00:00:00:02'}\n    \
            lan:\n      match:\n        macaddress: '02:00:00:00:00:01'\n      set-name: lan0\n      mtu: 9000\n      \
            addresses: [192.0.2.7/24]\n      routes:\n      - {to: default, via: 192.0.2.1}\n      \
            nameservers: {addresses: [192.0.2.53]}\n";
        let network = read(text).network;
        assert_eq!(network.interface.as_deref(), Some("02:00:00:00:00:01"));
        assert_eq!((network.mtu, network.gateways.len()), (Some(9000), 1));
    }

    #[test]
    fn mistakes_keep_the_words_of_their_file() {
        for (text, told) in [
            ("version: 3\n", "`version` is `3`"),
            (
                "version: 1\nconfig: [{type: physical, subnets: [{type: static, address: 192.0.2.7}]}]",
                "`subnets.address`",
            ),
            ("version: 1\nconfig: [{type: physical, subnets: [{type: bond}]}]", "`subnets.type` is `bond`"),
            ("version: 1\nconfig: [{type: nameserver, address: [nowhere]}]", "`nameserver.address`"),
            ("{{", "not YAML"),
        ] {
            let problems = Document::read(&network_config(text)).expect_err(text);
            assert!(problems[0].to_string().contains(told), "{text}: {}", problems[0]);
            assert!(problems[0].to_string().starts_with("network-config"), "{}", problems[0]);
        }
    }
}
