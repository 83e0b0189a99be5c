//! Asking about and stopping a process that may be somebody else's by now.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whether process `pid` exists and was started with `dir` in its arguments. A number alone proves nothing: after a
/// reboot it belongs to another program.
pub(super) fn mentions(pid: i32, dir: &Path) -> bool {
    if pid <= 1 {
        return false;
    }
    let arguments = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(bytes) => bytes,
        Err(_) if Path::new("/proc/self/cmdline").exists() => return false,
        // No /proc (macOS): ps tells.
        Err(_) => match Command::new("ps")
            .args(["-o", "command=", "-p", &pid.to_string()])
            .output()
        {
            Ok(output) => output.stdout,
            Err(_) => return false,
        },
    };
    String::from_utf8_lossy(&arguments).contains(&*dir.to_string_lossy())
}

/// Sends SIGQUIT (PostgreSQL: stop at once), then SIGKILL to what is still there after `patience`.
pub(super) fn stop(pid: i32, dir: &Path, patience: Duration) {
    let deadline = Instant::now() + patience;
    let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
    while mentions(pid, dir) {
        if Instant::now() > deadline {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
