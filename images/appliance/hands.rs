//! The one door through which foreign commands are run.

use std::io::{self, Read as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time that a command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of its output that are kept.
const MOST: u64 = 8 << 20;

/// Runs commands.
pub trait Hands {
    /// Runs a command and gives its standard output; its standard error is the text of the failure.
    ///
    /// # Errors
    /// When it cannot be run, fails, or does not end in time.
    fn run(&self, command: &[&str]) -> io::Result<String>;
}

/// This machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Hands for Machine {
    fn run(&self, command: &[&str]) -> io::Result<String> {
        let (name, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(name)
            .args(arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| io::Error::new(e.kind(), format!("{name}: {e}")))?;
        let out = reader(child.stdout.take());
        let err = reader(child.stderr.take());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if began.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("{name} did not end in {} s", PATIENCE.as_secs()),
                ));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        if status.success() {
            return Ok(out);
        }
        let why = err.lines().last().unwrap_or_default().trim().to_owned();
        let why = if why.is_empty() { status.to_string() } else { why };
        Err(io::Error::other(format!("{}: {why}", command.join(" "))))
    }
}

fn reader(from: Option<impl io::Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(from) = from {
            let _ = from.take(MOST).read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Answers commands from a list, by their beginning, and notes them.
    #[derive(Default)]
    pub(crate) struct Fake {
        pub(crate) answers: Vec<(&'static str, Result<&'static str, &'static str>)>,
        pub(crate) seen: RefCell<Vec<String>>,
    }

    impl Hands for Fake {
        fn run(&self, command: &[&str]) -> io::Result<String> {
            let line = command.join(" ");
            self.seen.borrow_mut().push(line.clone());
            let found = self.answers.iter().find(|(start, _)| line.starts_with(start));
            match found {
                Some((_, Ok(text))) => Ok((*text).to_owned()),
                Some((_, Err(why))) => Err(io::Error::other(*why)),
                None => Ok(String::new()),
            }
        }
    }

    #[test]
    fn a_command_gives_its_output_or_its_reason() {
        assert_eq!(Machine.run(&["echo", "a b"]).expect("echo"), "a b\n");
        let why = Machine.run(&["sh", "-c", "echo gone wrong >&2; exit 3"]).expect_err("it fails");
        assert!(why.to_string().ends_with("gone wrong"), "{why}");
        assert!(Machine.run(&["no-such-command-here"]).is_err());
    }
}
