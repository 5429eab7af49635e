//! An interface to capture from: up and promiscuous, invisible to the machine's own stack, its rings as large as they go,
//! nothing joined that came apart over the wire.

use super::Prepared;
use crate::{Hands, Nic, Place};
use std::fs;

/// What makes frames larger than they were on the wire, or takes something out of them.
const OFFLOADS: &[&str] = &["gro", "lro", "rx-gro-hw", "rxvlan"];
/// Most descriptors that a ring is given: beyond this it is latency and memory alone.
const RING: u32 = 4096;

pub(super) fn tune(place: &Place, hands: &dyn Hands, nic: &Nic, shared: bool, prepared: &mut Prepared) {
    let name = nic.name.as_str();
    let mut run = |what: &str, command: &[&str]| match hands.run(command) {
        Ok(_) => prepared.set.push(what.to_owned()),
        Err(error) => prepared.refused.push(format!("{what}: {error}")),
    };
    if !shared {
        // Set where it is, since the file of an interface appears with it.
        let off = place.at(&format!("proc/sys/net/ipv6/conf/{name}/disable_ipv6"));
        if off.exists()
            && let Err(error) = fs::write(&off, "1")
        {
            run(&format!("no IPv6 on {name} ({error})"), &["false"]);
        }
        run(
            &format!("{name} is hidden from the machine's own stack"),
            &[
                "nft",
                &format!(
                    "add table netdev vigie_{0}; delete table netdev vigie_{0}; add table netdev vigie_{0}; add chain netdev \
                     vigie_{0} ingress {{ type filter hook ingress device \"{name}\" priority 0; policy drop; }}",
                    plain(name)
                ),
            ],
        );
    }
    // Large rings first: most drivers lose the link for a moment.
    if let Some(most) = hands.run(&["ethtool", "-g", name]).ok().and_then(|text| larger(&text)) {
        run(&format!("{name}: receive ring of {most}"), &["ethtool", "-G", name, "rx", &most.to_string()]);
    }
    let features = hands.run(&["ethtool", "-k", name]).unwrap_or_default();
    for offload in OFFLOADS.iter().filter(|offload| is_on(&features, offload)) {
        if shared && *offload == "rxvlan" {
            continue;
        }
        run(&format!("{name}: {offload} off"), &["ethtool", "-K", name, offload, "off"]);
    }
    if !shared {
        run(
            &format!("{name} is up"),
            &["ip", "link", "set", "dev", name, "arp", "off", "promisc", "on", "up"],
        );
    }
}

/// A name as nftables takes it for a table.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The size that a receive ring can grow to, from `ethtool -g`: maxima first, then what is set.
fn larger(text: &str) -> Option<u32> {
    let mut sizes = text.lines().filter_map(|line| line.strip_prefix("RX:")?.trim().parse::<u32>().ok());
    let (most, now) = (sizes.next()?.min(RING), sizes.next()?);
    (most > now).then_some(most)
}

/// Whether a feature is on and can be switched, from `ethtool -k`.
fn is_on(text: &str, short: &str) -> bool {
    let long = match short {
        "gro" => "generic-receive-offload",
        "lro" => "large-receive-offload",
        "rxvlan" => "rx-vlan-offload",
        other => other,
    };
    text.lines().any(|line| {
        let line = line.trim();
        line.strip_prefix(long)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| rest.trim() == "on")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RINGS: &str = "Ring parameters for eth1:\nPre-set maximums:\nRX:\t\t8192\nRX Mini:\tn/a\nTX:\t\t4096\n\
        Current hardware settings:\nRX:\t\t512\nRX Mini:\tn/a\nTX:\t\t512\n";
    const FEATURES: &str = "Features for eth1:\nrx-checksumming: on [fixed]\ngeneric-receive-offload: on\n\
        large-receive-offload: off [fixed]\nrx-vlan-offload: on [fixed]\nrx-gro-hw: off\n";

    #[test]
    fn rings_grow_to_what_there_is() {
        assert_eq!(larger(RINGS), Some(4096));
        assert_eq!(larger(&RINGS.replace("512", "8192")), None);
        assert_eq!(larger("Cannot get device ring settings"), None);
    }

    #[test]
    fn features_are_switched_where_they_can_be() {
        let on: Vec<&&str> = OFFLOADS.iter().filter(|offload| is_on(FEATURES, offload)).collect();
        assert_eq!(on, [&"gro"]);
    }
}
