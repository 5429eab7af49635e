//! Two network namespaces joined by a veth pair, made for one test and gone with it.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sched::{CloneFlags, setns};

/// Where `ip netns` keeps namespaces by name.
const NAMESPACES: &str = "/run/netns";

/// One end of the cable: a namespace with one interface of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Interface `left`, 192.0.2.1 and 2001:db8::1.
    Left,
    /// Interface `right`, 192.0.2.2 and 2001:db8::2.
    Right,
}

impl End {
    /// Name of its interface.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// Why there is no network to be had here. A test prints it and passes.
#[derive(Debug)]
pub struct Unavailable(String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no network of its own for this test: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

/// Two hosts and the cable between them. Dropping it undoes everything.
///
/// ```
/// use testbed::{End, Network};
/// match Network::new() {
///     Ok(network) => {
///         let links = network.command(End::Left, "ip").args(["-brief", "link"]).output().unwrap();
///         assert!(String::from_utf8_lossy(&links.stdout).contains("left"));
///     }
///     Err(reason) => println!("skipped: {reason}"),
/// }
/// ```
#[derive(Debug)]
pub struct Network {
    names: [String; 2],
}

impl Network {
    /// Makes the two namespaces and joins them, with offloads off so that frames look as on a cable.
    ///
    /// # Errors
    /// Without root, or where the kernel has no namespaces or veth.
    pub fn new() -> Result<Self, Unavailable> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        sweep(Path::new(NAMESPACES));
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |end: End| format!("vigie-{}-{number}-{}", std::process::id(), end.interface());
        // from here on dropping it removes what was made so far
        let network = Self { names: [name(End::Left), name(End::Right)] };
        for name in &network.names {
            ip(&["netns", "add", name])?;
        }
        for name in &network.names {
            ip(&["-n", name, "link", "set", "lo", "up"])?;
        }
        network.plug()?;
        Ok(network)
    }

    /// Joins the two ends by a new cable, when the old one was unplugged.
    ///
    /// # Errors
    /// When there is one already.
    pub fn plug(&self) -> Result<(), Unavailable> {
        let [left, right] = &self.names;
        ip(&["-n", left, "link", "add", "left", "type", "veth", "peer", "name", "right", "netns", right])?;
        for (end, name) in [(End::Left, left), (End::Right, right)] {
            let number = end as u8 + 1;
            ip(&["-n", name, "link", "set", end.interface(), "up"])?;
            ip(&["-n", name, "addr", "add", &format!("192.0.2.{number}/24"), "dev", end.interface()])?;
            ip(&[
                "-n",
                name,
                "addr",
                "add",
                &format!("2001:db8::{number}/64"),
                "dev",
                end.interface(),
                "nodad",
            ])?;
            // a machine without ethtool keeps its offloads, which only matters to tests that speak TCP
            let off =
                ["-K", end.interface(), "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off"];
            let _ = self.command(end, "ethtool").args(off).output();
        }
        Ok(())
    }

    /// Name of the namespace at `end`.
    #[must_use]
    pub fn namespace(&self, end: End) -> &str {
        &self.names[end as usize]
    }

    /// A command that will run at `end`.
    #[must_use]
    pub fn command(&self, end: End, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.namespace(end), program]);
        command
    }

    /// Runs `task` on a thread that lives at `end`: what it opens there stays there.
    ///
    /// # Errors
    /// When the thread may not move, or `task` panicked.
    pub fn within<T: Send>(&self, end: End, task: impl FnOnce() -> T + Send) -> Result<T, Unavailable> {
        let path = Path::new(NAMESPACES).join(self.namespace(end));
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let space = File::open(&path).map_err(|e| Unavailable(format!("{}: {e}", path.display())))?;
                setns(space, CloneFlags::CLONE_NEWNET).map_err(|e| Unavailable(format!("setns: {e}")))?;
                Ok(task())
            });
            thread.join().unwrap_or_else(|_| Err(Unavailable("the task panicked".into())))
        })
    }

    /// Frames that arrived at `end`, dropped ones not included.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn arrived(&self, end: End) -> Result<u64, Unavailable> {
        let path = format!("/sys/class/net/{}/statistics/rx_packets", end.interface());
        // /sys shows the namespace that mounted it, and "ip netns exec" mounts it anew
        let output = self.command(end, "cat").arg(&path).output().map_err(|e| Unavailable(e.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().map_err(|_| Unavailable(format!("{path} reads '{}'", text.trim())))
    }

    /// Pulls the cable, or plugs it back in.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn set_link(&self, end: End, up: bool) -> Result<(), Unavailable> {
        let state = if up { "up" } else { "down" };
        ip(&["-n", self.namespace(end), "link", "set", end.interface(), state])
    }

    /// Removes the interfaces at both ends for good.
    ///
    /// # Errors
    /// When they are gone already.
    pub fn unplug(&self) -> Result<(), Unavailable> {
        ip(&["-n", self.namespace(End::Left), "link", "del", "left"])
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

/// Removes what tests left behind that were killed: namespaces that bear the number of a process that is gone.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if owner(&name).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = Command::new("ip").args(["netns", "del", &name]).output();
        }
    }
}

/// Whose a namespace is, if a test made it.
fn owner(name: &str) -> Option<u32> {
    let mut parts = name.strip_prefix("vigie-")?.split('-');
    let (pid, number, end) = (parts.next()?, parts.next()?, parts.next()?);
    let is_ours = parts.next().is_none() && number.parse::<u32>().is_ok() && matches!(end, "left" | "right");
    pid.parse().ok().filter(|_| is_ours)
}

fn ip(words: &[&str]) -> Result<(), Unavailable> {
    let output = Command::new("ip").args(words).output().map_err(|e| Unavailable(format!("ip: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Unavailable(format!("ip {}: {}", words.join(" "), said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::UdpSocket;
    use std::time::Duration;
    use world::{Pace, SynFlood, Talk, Transmit};

    fn network() -> Option<Network> {
        let told = |reason: &Unavailable| {
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        };
        Network::new().inspect_err(told).ok()
    }

    #[test]
    fn hosts_reach_each_other_and_leave_nothing_behind() {
        let Some(network) = network() else { return };
        let name = network.namespace(End::Left).to_owned();
        // a socket stays in the namespace in which it was opened
        let at = |end, address| network.within(end, || UdpSocket::bind((address, 4000))).unwrap().unwrap();
        let (left, right) = (at(End::Left, "192.0.2.1"), at(End::Right, "192.0.2.2"));
        for (from, to) in [(&left, &right), (&right, &left)] {
            to.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            from.send_to(b"are you there", to.local_addr().unwrap()).unwrap();
            let mut said = [0; 64];
            let (length, who) = to.recv_from(&mut said).unwrap();
            assert_eq!((&said[..length], who), (&b"are you there"[..], from.local_addr().unwrap()));
        }
        drop((left, right));
        drop(network);
        assert!(!Path::new(NAMESPACES).join(name).exists());
    }

    #[test]
    fn what_a_killed_test_left_is_swept_away_and_nothing_else() {
        assert_eq!(owner("vigie-17-0-left"), Some(17));
        for other in
            ["vigie-17-0", "vigie-x-0-left", "vigie-17-0-left-2", "vigie-17-0-middle", "blue-17-0-left"]
        {
            assert_eq!(owner(other), None, "{other}");
        }
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let left = format!("vigie-{}-0-left", child.id());
        if ip(&["netns", "add", &left]).is_err() {
            let _ = writeln!(std::io::stderr(), "skipped: no namespaces");
            return;
        }
        let Some(network) = network() else { return };
        let other = Network::new().unwrap();
        let is_there = |name: &str| Path::new(NAMESPACES).join(name).exists();
        assert!(!is_there(&left));
        assert!(is_there(network.namespace(End::Left)) && is_there(other.namespace(End::Right)));
    }

    #[test]
    fn what_is_sent_arrives() {
        let Some(network) = network() else { return };
        let before = network.arrived(End::Right).unwrap();
        let send =
            || Transmit::open("left").unwrap().send(&mut SynFlood::new(5000, 1), Pace::Unlimited).unwrap();
        let sent = network.within(End::Left, send).unwrap();
        assert_eq!((sent.frames, sent.refused), (5000, 0));
        let after = network.arrived(End::Right).unwrap();
        // the hosts' own neighbour discovery may add a few
        assert!((5000..5050).contains(&(after - before)), "{before} {after}");
    }

    #[test]
    fn a_pace_is_kept_on_the_cable() {
        let Some(network) = network() else { return };
        let send = || {
            Transmit::open("left").unwrap().send(&mut Talk::new(50, 8, 1), Pace::PerSecond(5000.0)).unwrap()
        };
        let sent = network.within(End::Left, send).unwrap();
        let rate = sent.frames as f64 / sent.time.as_secs_f64();
        assert!((3000.0..5100.0).contains(&rate), "{rate} frames a second");
    }

    #[test]
    fn frames_that_no_cable_takes_are_counted() {
        let Some(network) = network() else { return };
        let send = || {
            let mut large = Large(3);
            Transmit::open("left").unwrap().send(&mut large, Pace::Unlimited).unwrap()
        };
        let sent = network.within(End::Left, send).unwrap();
        assert_eq!((sent.frames, sent.refused), (0, 3));
    }

    /// Frames larger than any MTU here.
    struct Large(u32);

    impl world::Source for Large {
        fn fill(&mut self, frame: &mut Vec<u8>) -> bool {
            frame.resize(5000, 0);
            self.0 = self.0.wrapping_sub(1);
            self.0 != u32::MAX
        }
    }
}
