//! docs/checks.md lists every check and attack. `UPDATE_DOCS=1 cargo test --test docs` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rls_tool::audit::{Severity, checks};

use crate::root;

fn page() -> String {
    let mut text = String::from(
        "# Checks and attacks\n\n\
         Every finding of `rls-tool verify-isolation` carries one of these names; `rls-tool explain NAME` shows the same page with SQL at\n\
         fault and in order. Severity is what a finding has unless the check says otherwise; `-A`, `-W`, `-D` and `[checks]` in `rls.toml`\n\
         change it.\n\n\
         <!-- Written by `UPDATE_DOCS=1 cargo test --test docs`. -->\n",
    );
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for entry in checks() {
        groups.entry(entry.item.group).or_default().push(entry);
    }
    for (group, mut entries) in groups {
        entries.sort_by_key(|entry| (std::cmp::Reverse(entry.item.severity), entry.name));
        writeln!(text, "\n## {group}\n\n| check | | what is wrong |\n|---|---|---|").unwrap();
        for entry in entries {
            let severity = match entry.item.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            let folder = entry.name.replace('-', "_");
            let summary = entry.item.summary.replace('|', "\\|");
            writeln!(
                text,
                "| [{}](../src/checks/{folder}/README.md) | {severity} | {summary} |",
                entry.name
            )
            .unwrap();
        }
    }
    text.push_str("\n## attacks\n\n| attack | a role |\n|---|---|\n");
    for probe in rls_tool::attack::probes() {
        let folder = probe.name.replace('-', "_");
        writeln!(
            text,
            "| [{}](../src/attack/probes/{folder}/README.md) | {} |",
            probe.name,
            probe.summary().replace('|', "\\|")
        )
        .unwrap();
    }
    text
}

#[test]
fn the_index_of_checks_is_up_to_date() {
    let path = root().join("docs/checks.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/checks.md is out of date: UPDATE_DOCS=1 cargo test --test docs"
    );
}
