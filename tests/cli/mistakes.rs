//! Typical mistakes: one clear message on stderr, exit 2, the way out, no backtrace, no password.

use crate::{run, run_in, shown};

#[test]
fn mistakes_look_like_this() {
    for (name, arguments) in [
        ("no_arguments", &[][..]),
        ("unknown_subcommand", &["verify"]),
        ("unknown_flag", &["verify-isolation", "--rol", "app"]),
        ("unknown_format", &["verify-isolation", "--format", "jsn"]),
        ("unknown_check", &["explain", "rls-disable"]),
        ("unknown_level_check", &["verify-isolation", "-D", "rls-disable"]),
        ("no_database", &["verify-isolation"]),
        (
            "malformed_url",
            &["verify-isolation", "--database-url", "postgres://u:s3cret@[/x"],
        ),
        (
            "malformed_time",
            &["verify-isolation", "--connect-timeout", "5 parsecs"],
        ),
        (
            "malformed_binding",
            &[
                "verify-isolation",
                "--bind",
                "x",
                "--database-url",
                "postgres://h/d",
            ],
        ),
        ("quiet_and_verbose", &["checks", "--quiet", "--verbose"]),
        (
            "missing_baseline",
            &["verify-isolation", "--baseline", "gone.json"],
        ),
        ("missing_catalog", &["verify-isolation", "--catalog", "gone.json"]),
        ("missing_report", &["diff", "a.json", "b.json"]),
    ] {
        let text = shown(&run(arguments));
        assert!(text.starts_with("exit 2\n"), "{name}: {text}");
        for word in ["panicked", "RUST_BACKTRACE", "s3cret"] {
            assert!(!text.contains(word), "{name}: {text}");
        }
        insta::assert_snapshot!(format!("mistake_{name}"), text);
    }
}

#[test]
fn a_mistake_in_rls_toml_names_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("unknown_key", "roles = [\"app\"]\ntenant_colum = \"x\"\n"),
        ("wrong_type", "\nroles = 1\n"),
        (
            "empty_reason",
            "[[allow]]\ncheck = \"c\"\nobject = \"a.b\"\nreason = \"\"\n",
        ),
        (
            "wrong_date",
            "[[exempt]]\ntable = \"a.b\"\nreason = \"r\"\nexpires = \"soon\"\n",
        ),
        ("wrong_level", "[checks]\nrls-disabled = \"warn\"\n"),
        ("no_toml", "roles = [\n"),
    ] {
        std::fs::write(folder.path().join("rls.toml"), text).unwrap();
        let text = shown(&run_in(folder.path(), &["verify-isolation"]));
        assert!(
            text.starts_with("exit 2\n") && text.contains("rls.toml, line "),
            "{name}: {text}"
        );
        insta::assert_snapshot!(format!("config_{name}"), text);
    }
}

#[test]
fn a_file_that_is_neither_report_nor_catalog_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.json"), "{}").unwrap();
    for arguments in [
        &["diff", "x.json", "x.json"][..],
        &["verify-isolation", "--baseline", "x.json", "--catalog", "x.json"],
    ] {
        let text = shown(&run_in(folder.path(), arguments));
        assert!(text.starts_with("exit 2\n") && text.contains("x.json"), "{text}");
    }
}
