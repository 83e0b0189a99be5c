//! A psql that is fed the script piece by piece.

use std::io::{BufRead as _, BufReader, PipeReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

pub(crate) struct Psql {
    child: Child,
    input: ChildStdin,
    output: BufReader<PipeReader>,
}

impl Psql {
    /// As PostgreSQL's own test driver runs it: what is read is echoed, errors stand among the results.
    pub(crate) fn start(url: &str) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut child = Command::new(program())
            .args([
                "-X",
                "-a",
                "-q",
                "-v",
                "HIDE_TABLEAM=on",
                "-v",
                "HIDE_TOAST_COMPRESSION=on",
                "-d",
                url,
            ])
            .stdin(Stdio::piped())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(reader),
            child,
        }
    }

    /// Runs a piece to its end and returns what was written; errors are part of the script.
    pub(crate) fn run(&mut self, piece: &str) -> String {
        let mark = "the piece has been run";
        let echo = format!("\\echo {mark}");
        writeln!(self.input, "{piece}{echo}").unwrap();
        let mut written = String::new();
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "psql ended in: {piece}"
            );
            match line.trim_end() {
                line if line == mark => return written,
                line if line == echo => {}
                _ => written.push_str(&line),
            }
        }
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn program() -> PathBuf {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    folders.extend(debian.map(|entry| entry.path().join("bin")));
    let found = folders
        .iter()
        .map(|folder| folder.join("psql"))
        .find(|path| Path::is_file(path));
    found.expect("this test needs psql: install postgresql-client")
}
