//! A veth pair that leads nowhere.

use std::io;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

/// The end that frames are sent into, and the end at which they arrive.
const ENDS: [&str; 2] = ["vigie-send", "vigie-take"];
/// Frames of every length that Ethernet knows fit.
const MTU: &str = "9000";

/// The cable. It exists for the threads that live in its namespace: the one that made it and those it starts.
#[derive(Debug)]
pub struct Cable(());

impl Cable {
    /// Moves this thread into a network namespace of its own, and lays a cable there.
    ///
    /// # Errors
    /// Without root (`CAP_SYS_ADMIN` and `CAP_NET_ADMIN`), or where the kernel has no namespaces or veth.
    pub fn lay() -> io::Result<Self> {
        let named = |e: nix::errno::Errno| {
            io::Error::new(
                io::Error::from(e).kind(),
                format!("a network namespace of its own: {e}; this needs root"),
            )
        };
        unshare(CloneFlags::CLONE_NEWNET).map_err(named)?;
        let cable = Self(());
        cable.lay_again()?;
        Ok(cable)
    }

    /// Takes it away: interfaces that are listened to go.
    ///
    /// # Errors
    /// When it is not there.
    pub fn pull(&self) -> io::Result<()> {
        ip(&["link", "del", self.near()])
    }

    /// Lays it once more in the same place.
    ///
    /// # Errors
    /// When it is there, or is refused.
    pub fn lay_again(&self) -> io::Result<()> {
        let [from, to] = ENDS;
        ip(&["link", "add", from, "mtu", MTU, "type", "veth", "peer", "name", to, "mtu", MTU])?;
        for end in ENDS {
            // A host that greets its neighbours would add frames that nobody sent.
            let silent = format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6");
            let _ = std::fs::write(silent, "1");
            ip(&["link", "set", end, "arp", "off", "up"])?;
        }
        Ok(())
    }

    /// Where to send.
    #[must_use]
    pub fn near(&self) -> &'static str {
        ENDS[0]
    }

    /// Where to listen.
    #[must_use]
    pub fn far(&self) -> &'static str {
        ENDS[1]
    }
}

fn ip(words: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(words).output();
    let output = output.map_err(|e| io::Error::new(e.kind(), format!("the command `ip` (iproute2): {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip {}: {}", words.join(" "), said.trim())))
}
