//! One process, from start to end, with what the kernel says it cost.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// What one run cost.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// From before its start to after its end.
    pub(crate) wall: Duration,
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// Most memory it ever had resident, in bytes.
    pub(crate) peak: u64,
    /// What it wrote to standard output.
    pub(crate) output: String,
}

/// Runs `command` in `folder`, pinned to `cores` where given.
pub(crate) fn run(command: &[String], folder: &Path, cores: Option<&str>) -> Result<Cost, String> {
    let mut words = Vec::new();
    if let Some(cores) = cores {
        words.extend(["taskset".to_owned(), "-c".to_owned(), cores.to_owned()]);
    }
    words.extend_from_slice(command);
    let error = std::fs::File::create(folder.join("stderr")).map_err(|e| e.to_string())?;

    let begin = Instant::now();
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(error)
        .spawn()
        .map_err(|e| format!("{}: {e}", words[0]))?;
    let mut output = Vec::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut output).map_err(|e| e.to_string())?;
    }
    let used = child.wait4().map_err(|e| e.to_string())?;
    let wall = begin.elapsed();

    if !used.status.success() {
        let said = std::fs::read_to_string(folder.join("stderr")).unwrap_or_default();
        return Err(format!("{} ended with {}:\n{said}", command.join(" "), used.status));
    }
    Ok(Cost {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Cost, String> {
        let folder = std::env::temp_dir().join(format!("vigie-bench-process-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        run(&["sh".into(), "-c".into(), script.into()], &folder, None)
    }

    #[test]
    fn a_run_costs_time_and_memory() {
        let cost = shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done").unwrap();
        assert_eq!(cost.output, "done\n");
        assert!(cost.wall > Duration::ZERO && cost.cpu > Duration::ZERO);
        assert!((100_000..1_000_000_000).contains(&cost.peak), "{} bytes", cost.peak);
    }

    #[test]
    fn a_bad_end_tells_what_was_said() {
        let error = shell("echo too bad >&2; exit 3").unwrap_err();
        assert!(error.contains("too bad") && error.contains('3'), "{error}");
    }
}
