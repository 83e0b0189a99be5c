//! What is said while something takes long: on a terminal only, and gone at the end. Ctrl-C and a reader that has seen
//! enough are quiet.

use std::fs::File;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{command, stderr};

/// Somebody who takes connections and never says a word, and a URL for him.
fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("postgres://u@127.0.0.1:{port}/x?sslmode=disable");
    (listener, url)
}

/// Runs a command with a terminal as stderr; what appeared there.
fn on_a_terminal(mut command: Command) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(Some(&size), None).unwrap();
    let mut child = command
        .env("TERM", "xterm")
        .stdout(Stdio::null())
        .stderr(Stdio::from(terminal.slave))
        .spawn()
        .unwrap();
    // The command holds the other end too, and a terminal ends when nobody does.
    drop(command);
    let (mut shown, mut chunk) = (Vec::new(), [0; 1024]);
    let mut screen = File::from(terminal.master);
    // On Linux the end is an error.
    while let Ok(count @ 1..) = screen.read(&mut chunk) {
        shown.extend_from_slice(&chunk[..count]);
    }
    assert_eq!(child.wait().unwrap().code(), Some(2));
    String::from_utf8(shown).unwrap()
}

#[test]
fn long_work_is_told_on_a_terminal_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, url) = silent_server();
    let connecting = |flags: &[&str]| {
        let base = [
            "verify-isolation",
            "--database-url",
            &url,
            "--connect-timeout",
            "1s",
        ];
        command(folder.path(), &[&base[..], flags].concat())
    };
    let shown = on_a_terminal(connecting(&[]));
    assert!(shown.contains("connecting to 127.0.0.1"), "{shown:?}");
    // It is taken away before anything else is said.
    let (progress, error) = shown.split_once("error: ").unwrap();
    assert!(
        progress.ends_with("\u{1b}[2K") || progress.ends_with("\u{1b}[K"),
        "{progress:?}"
    );
    assert!(!error.contains("connecting to"), "{error:?}");

    let quiet = on_a_terminal(connecting(&["--quiet"]));
    assert!(
        quiet.starts_with("error: ") && !quiet.contains("connecting to"),
        "{quiet:?}"
    );
    let piped = stderr(&connecting(&[]).output().unwrap());
    assert!(
        piped.starts_with("error: ") && !piped.contains('\u{1b}'),
        "{piped:?}"
    );
    assert!(!piped.contains("connecting to"), "{piped:?}");
}

#[test]
fn ctrl_c_says_nothing_and_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, url) = silent_server();
    for (signal, told) in [
        (Signal::SIGINT, ""),
        (Signal::SIGTERM, "error: interrupted by SIGTERM\n"),
    ] {
        let child = command(folder.path(), &["matrix", "--database-url", &url])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It is at work once it has connected.
        let _connection = listener.accept().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            (stderr(&output).as_str(), output.stdout.as_slice()),
            (told, &b""[..])
        );
    }
    let help = crate::stdout(&crate::run(&["--help"]));
    assert!(help.contains("interrupted (Ctrl-C says nothing"), "{help}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "checks",
        "man",
        "completions bash",
        "explain rls-disabled",
        "schema report",
    ] {
        let script = format!(
            "'{}' {line} | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}",
            env!("CARGO_BIN_EXE_rls-tool")
        );
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(
            (crate::stdout(&output).as_str(), stderr(&output).as_str()),
            ("0\n", ""),
            "{line}"
        );
    }
}
