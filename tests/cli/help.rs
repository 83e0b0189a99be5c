//! Every subcommand's help, as a snapshot; completions and manual pages know every subcommand.
//! `INSTA_UPDATE=always cargo test --test cli` writes the snapshots anew.

use crate::{run, stdout};

const COMMANDS: [&str; 13] = [
    "checks",
    "completions",
    "demo",
    "diff",
    "explain",
    "fix",
    "init",
    "man",
    "matrix",
    "migrate",
    "schema",
    "test",
    "verify-isolation",
];

#[test]
fn help_of_every_subcommand() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!("help", stdout(&output));
    // A new subcommand must be in the list, and so get its snapshot.
    let help = stdout(&output);
    let listed = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let listed: Vec<_> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    for name in &listed {
        let output = run(&[name, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        insta::assert_snapshot!(format!("help_{name}"), stdout(&output));
    }
    assert!(COMMANDS.iter().all(|name| listed.contains(name)), "{listed:?}");
}

#[test]
fn help_shows_examples() {
    for name in [
        "verify-isolation",
        "fix",
        "diff",
        "matrix",
        "init",
        "completions",
        "man",
    ] {
        assert!(stdout(&run(&[name, "--help"])).contains("Examples:\n"), "{name}");
    }
}

#[test]
fn completions_know_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = stdout(&output);
        for name in COMMANDS {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
}

#[test]
fn bash_reads_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("rls-tool");
    std::fs::write(&script, run(&["completions", "bash"]).stdout).unwrap();
    let typed = format!(
        "source {}; COMP_WORDS=(rls-tool verify); COMP_CWORD=1; _rls__tool rls-tool verify rls-tool; echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &typed])
        .output()
        .unwrap();
    assert_eq!(
        stdout(&output).trim(),
        "verify-isolation",
        "{}",
        crate::stderr(&output)
    );
}

#[test]
fn a_manual_page_for_every_subcommand() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("man1");
    let output = run(&["man", "--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", crate::stderr(&output));
    let page = |name: &str| std::fs::read_to_string(dir.join(format!("{name}.1"))).unwrap();
    assert!(page("rls-tool").contains(".TH rls-tool 1"));
    for name in COMMANDS {
        assert!(
            page(&format!("rls-tool-{name}")).contains(".SH SYNOPSIS"),
            "{name}"
        );
    }
    assert!(page("rls-tool-migrate-status").contains("status"));
    assert_eq!(stdout(&run(&["man"])), page("rls-tool"));
}

#[test]
fn the_version_is_cargos() {
    let version = format!("rls-tool {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout(&run(&["--version"])), version);
}
