//! From a document to the files that systemd, nftables, OpenSSH and the sensor read. Nothing here touches the machine.

use crate::Nic;
use crate::document::{Document, Network};
use ipnet::IpNet;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Which interface is for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// By which the machine is reached.
    pub management: Option<Nic>,
    /// From which frames come; the same one on a machine that has no other.
    pub capture: Option<Nic>,
    /// What was asked for and is not there.
    pub missing: Vec<(&'static str, String)>,
}

impl Roles {
    /// Deals the interfaces of a machine out.
    #[must_use]
    pub fn of(document: &Document, nics: &[Nic]) -> Self {
        let mut missing = Vec::new();
        let mut named = |key: &'static str, said: &Option<String>| {
            let said = said.as_ref()?;
            let found = nics.iter().find(|nic| nic.is(said)).cloned();
            if found.is_none() {
                missing.push((key, said.clone()));
            }
            found
        };
        let management = named("network.interface", &document.network.interface);
        let capture = named("capture.interface", &document.capture.interface);
        let other = |than: &Option<Nic>| nics.iter().find(|nic| Some(*nic) != than.as_ref()).cloned();
        let management = management.or_else(|| other(&capture)).or_else(|| nics.first().cloned());
        let capture = capture.or_else(|| other(&management)).or_else(|| management.clone());
        Self { management, capture, missing }
    }

    /// Whether one interface is for both.
    #[must_use]
    pub fn shared(&self) -> bool {
        self.management == self.capture
    }
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where.
    pub path: &'static str,
    /// What; a file without a body is to be absent.
    pub body: Option<String>,
    /// For whom.
    pub mode: u32,
}

/// Header of files that are made again at every start.
const MADE: &str = "# Written by `vigie provision` at every start.\n";

/// Every file that a document makes, on a machine with a disk of so many bytes for what persists.
#[must_use]
pub fn files(document: &Document, roles: &Roles, disk: Option<u64>) -> Vec<Made> {
    let file = |path, body: Option<String>, mode| Made { path, body, mode };
    let keys = (!document.ssh.keys.is_empty()).then(|| document.ssh.keys.join("\n") + "\n");
    let management = roles.management.as_ref().map(|nic| management(&document.network, nic));
    let capture = roles.capture.as_ref().filter(|_| !roles.shared());
    let time = (!document.time.is_empty())
        .then(|| format!("{MADE}[Time]\nNTP={}\nFallbackNTP=\n", document.time.join(" ")));
    let hostname = document.hostname.clone().unwrap_or_else(|| "vigie".to_owned());
    let hosts =
        format!("127.0.0.1 localhost\n127.0.1.1 {hostname}\n::1 localhost ip6-localhost ip6-loopback\n");
    vec![
        file("/etc/hostname", Some(hostname + "\n"), 0o644),
        file("/etc/hosts", Some(hosts), 0o644),
        file("/etc/systemd/network/10-management.network", management, 0o644),
        file(
            "/etc/systemd/network/20-capture.network",
            capture.map(|nic| hidden(nic, document.capture.mtu)),
            0o644,
        ),
        file("/etc/systemd/network/90-others.network", Some(others(roles)), 0o644),
        file("/etc/systemd/timesyncd.conf.d/50-provisioned.conf", time, 0o644),
        file("/etc/vigie/sets.nft", Some(sets(document, roles)), 0o644),
        file("/etc/vigie/keys/admin", keys, 0o644),
        file("/etc/vigie/update", document.update.as_ref().map(|from| format!("{from}\n")), 0o644),
        file("/etc/vigie/vigie.toml", Some(document.sensor_file(disk)), 0o644),
    ]
}

/// What tells an interface apart from its siblings: both, since functions of one card may share an address.
fn matching(nic: &Nic) -> String {
    format!("[Match]\nName={}\nMACAddress={}\n", nic.name, nic.mac)
}

fn management(network: &Network, nic: &Nic) -> String {
    let mut out = format!("{MADE}{}\n[Link]\nRequiredForOnline=yes\n", matching(nic));
    if let Some(mtu) = network.mtu {
        let _ = writeln!(out, "MTUBytes={mtu}");
    }
    out.push_str("\n[Network]\nLLDP=no\nEmitLLDP=no\nLLMNR=no\nMulticastDNS=no\n");
    if network.addresses.is_empty() {
        out.push_str("DHCP=yes\nIPv6AcceptRA=yes\n");
    } else {
        out.push_str("DHCP=no\nIPv6AcceptRA=no\n");
        lines(&mut out, "Address", &network.addresses);
        lines(&mut out, "Gateway", &network.gateways);
    }
    lines(&mut out, "DNS", &network.dns);
    if network.addresses.is_empty() {
        // A machine that was cloned has the same id until its first start: the address decides, as switches do.
        out.push_str("\n[DHCPv4]\nClientIdentifier=mac\nUseHostname=no\nUseDomains=no\n");
        if !network.dns.is_empty() {
            out.push_str("UseDNS=no\n\n[DHCPv6]\nUseDNS=no\n");
        }
    }
    out
}

fn lines<T: ToString>(out: &mut String, key: &str, values: &[T]) {
    for value in values {
        let _ = writeln!(out, "{key}={}", value.to_string());
    }
}

/// What makes an interface invisible to the host's stack: it has no address, speaks no ARP and no neighbour discovery, and
/// is brought up by whoever captures from it.
const HIDDEN: &str = "DHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\nEmitLLDP=no\nLLMNR=no\nMulticastDNS=no\n\
    ConfigureWithoutCarrier=no\n";

fn hidden(nic: &Nic, mtu: Option<u16>) -> String {
    let mut out = format!(
        "{MADE}{}\n[Link]\nRequiredForOnline=no\nActivationPolicy=manual\nARP=no\nMulticast=no\nAllMulticast=no\n",
        matching(nic)
    );
    if let Some(mtu) = mtu {
        let _ = writeln!(out, "MTUBytes={mtu}");
    }
    out + "\n[Network]\n" + HIDDEN
}

/// Interfaces that nobody spoke of stay down.
fn others(roles: &Roles) -> String {
    let known = [&roles.management, &roles.capture].into_iter().flatten();
    let names: Vec<&str> = known.map(|nic| nic.name.as_str()).collect();
    // One `!` before a list turns the whole of it round.
    let but = if names.is_empty() { String::new() } else { format!("Name=!{}\n", names.join(" ")) };
    format!(
        "{MADE}[Match]\nType=ether\n{but}\n[Link]\nRequiredForOnline=no\nActivationPolicy=manual\n\n[Network]\n{HIDDEN}"
    )
}

fn sets(document: &Document, roles: &Roles) -> String {
    let mut out = MADE.to_owned();
    if !document.ssh.keys.is_empty() {
        let from = &document.ssh.from;
        let anywhere = ["0.0.0.0/0", "::/0"].map(|net| net.parse::<IpNet>().ok());
        let nets: Vec<IpNet> =
            if from.is_empty() { anywhere.into_iter().flatten().collect() } else { from.clone() };
        for (set, v4) in [("ssh4", true), ("ssh6", false)] {
            let list: Vec<String> = nets
                .iter()
                .filter(|net| matches!(net.addr(), IpAddr::V4(_)) == v4)
                .map(ToString::to_string)
                .collect();
            if !list.is_empty() {
                let _ = writeln!(out, "add element inet vigie {set} {{ {} }}", list.join(", "));
            }
        }
    }
    if let Some(nic) = roles.capture.as_ref().filter(|_| !roles.shared()) {
        let _ = writeln!(out, "add element inet vigie capture {{ \"{}\" }}", nic.name);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Draft;

    fn nic(name: &str, last: u8) -> Nic {
        Nic {
            name: name.into(),
            mac: format!("02:00:00:00:00:{last:02x}"),
            slot: format!("0000:00:{last:02x}.0"),
            driver: "virtio_net".into(),
            up: false,
        }
    }

    fn document(text: &str) -> Document {
        Document::read(&Draft::of("test", text.parse().expect("TOML"))).expect("a document")
    }

    fn body(made: &[Made], path: &str) -> String {
        let file = made.iter().find(|m| m.path == path).expect(path);
        file.body.clone().unwrap_or_default()
    }

    #[test]
    fn the_first_interface_is_for_management_and_the_second_for_capture() {
        let nics = [nic("a", 1), nic("b", 2), nic("c", 3)];
        let roles = |text: &str| {
            let roles = Roles::of(&document(text), &nics);
            let name = |nic: &Option<Nic>| nic.as_ref().map_or(String::new(), |n| n.name.clone());
            (name(&roles.management), name(&roles.capture))
        };
        assert_eq!(roles(""), ("a".into(), "b".into()));
        assert_eq!(roles("capture.interface = \"a\""), ("b".into(), "a".into()));
        assert_eq!(roles("network.interface = \"02:00:00:00:00:03\""), ("c".into(), "a".into()));
        assert_eq!(
            roles("network.interface = \"b\"\ncapture.interface = \"0000:00:03.0\""),
            ("b".into(), "c".into())
        );
    }

    #[test]
    fn one_interface_is_enough_and_none_is_survived() {
        let one = Roles::of(&Document::default(), &[nic("a", 1)]);
        assert!(one.shared());
        assert!(!body(&files(&Document::default(), &one, None), "/etc/vigie/sets.nft").contains("capture"));
        let none = Roles::of(&Document::default(), &[]);
        assert_eq!((none.management.clone(), none.capture.clone()), (None, None));
        assert_eq!(
            body(&files(&Document::default(), &none, None), "/etc/systemd/network/10-management.network"),
            ""
        );
    }

    #[test]
    fn what_is_not_there_is_told_and_another_taken() {
        let roles = Roles::of(&document("network.interface = \"eth9\""), &[nic("a", 1)]);
        assert_eq!(roles.missing, [("network.interface", "eth9".to_owned())]);
        assert_eq!(roles.management.map(|n| n.name).as_deref(), Some("a"));
    }

    #[test]
    fn nothing_is_open_without_a_key() {
        let nics = [nic("a", 1), nic("b", 2)];
        let closed = files(&Document::default(), &Roles::of(&Document::default(), &nics), None);
        assert!(!body(&closed, "/etc/vigie/sets.nft").contains("ssh"));
        assert_eq!(closed.iter().find(|m| m.path.ends_with("admin")).expect("named").body, None);
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        let open = document(&format!("ssh.keys = \"{key}\"\nssh.from = \"192.0.2.0/24\""));
        let open = files(&open, &Roles::of(&open, &nics), None);
        let sets = body(&open, "/etc/vigie/sets.nft");
        assert!(sets.contains("ssh4 { 192.0.2.0/24 }") && !sets.contains("ssh6"), "{sets}");
        assert!(sets.contains("capture { \"b\" }"), "{sets}");
        assert_eq!(body(&open, "/etc/vigie/keys/admin"), format!("{key}\n"));
    }

    #[test]
    fn addresses_and_dhcp_make_networks() {
        let nics = [nic("a", 1), nic("b", 2)];
        let fixed = document(
            "network.address = \"192.0.2.7/24\"\nnetwork.gateway = \"192.0.2.1\"\nnetwork.dns = [\"192.0.2.53\"]",
        );
        let made = files(&fixed, &Roles::of(&fixed, &nics), None);
        let text = body(&made, "/etc/systemd/network/10-management.network");
        for line in ["Address=192.0.2.7/24", "Gateway=192.0.2.1", "DNS=192.0.2.53", "DHCP=no"] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        let dhcp = files(&Document::default(), &Roles::of(&Document::default(), &nics), None);
        assert!(body(&dhcp, "/etc/systemd/network/10-management.network").contains("DHCP=yes"));
        let hidden = body(&dhcp, "/etc/systemd/network/20-capture.network");
        for line in ["ARP=no", "LinkLocalAddressing=no", "IPv6AcceptRA=no", "DHCP=no"] {
            assert!(hidden.lines().any(|l| l == line), "{line}: {hidden}");
        }
    }
}
