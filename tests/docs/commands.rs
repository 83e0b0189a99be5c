//! Command lines in the pages are ones that rls-tool takes: each is run with `--help` behind it, which looks at every
//! flag and does nothing.

use std::process::Command;

use rls_tool::model::Config;

use crate::blocks::blocks;
use crate::pages;

/// The rls-tool commands of a line of shell or of a CI file.
fn command(line: &str) -> Option<&str> {
    let at = line.find("rls-tool ")?;
    let before = line[..at].trim();
    // In a sentence, in `cargo install rls-tool`, or in a name, it is no command.
    let begins = ["", "-", "- run:", "entry:", "$", "run:"].contains(&before);
    begins.then(|| line[at..].trim())
}

#[test]
fn every_command_line_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut complaints = Vec::new();
    let mut seen = 0;
    for (path, text) in pages() {
        for block in blocks(&text) {
            if !["sh", "yaml"].contains(&block.language.as_str()) || block.is_skipped() {
                continue;
            }
            for line in block.text.lines().filter_map(command) {
                // A shell of its own reads quotes, comments and redirections.
                let script = format!(
                    "rls-tool() {{ '{}' \"$@\" --help >/dev/null; }}\n{line}",
                    env!("CARGO_BIN_EXE_rls-tool")
                );
                let output = Command::new("bash")
                    .args(["-c", &script])
                    .current_dir(folder.path())
                    .output()
                    .unwrap();
                if !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    complaints.push(format!("{}:{}: {line}: {said}", path.display(), block.line));
                }
                seen += 1;
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    assert!(seen > 20, "only {seen} commands were found");
}

#[test]
fn a_command_line_that_is_not_taken_would_be_noticed() {
    let script = format!(
        "'{}' verify-isolation --no-such-flag --help",
        env!("CARGO_BIN_EXE_rls-tool")
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(command("      - run: rls-tool checks"), Some("rls-tool checks"));
    assert_eq!(command("      - run: cargo install rls-tool --locked"), None);
}

#[test]
fn every_example_of_rls_toml_is_read() {
    let mut seen = 0;
    for (path, text) in pages() {
        for block in blocks(&text)
            .iter()
            .filter(|block| block.language == "toml" && !block.is_skipped())
        {
            if let Err(error) = Config::parse(&block.text, "rls.toml") {
                panic!("{}:{}: {}", path.display(), block.line, error.chain());
            }
            seen += 1;
        }
    }
    assert!(seen >= 2);
}
