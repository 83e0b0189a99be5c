//! `rls-tool checks`: the list of checks.

use std::fmt::Write as _;

use clap::Args;
use rls_tool::audit::{Severity, checks};

use crate::exit::Outcome;
use crate::output;

/// Lists the checks and attacks of verify-isolation, with what each looks for.
#[derive(Debug, Args)]
pub(crate) struct Checks {}

impl Checks {
    #[expect(clippy::unused_async, reason = "as every command")]
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        let mut entries: Vec<_> = checks().iter().collect();
        entries.sort_by_key(|entry| {
            (
                entry.item.group,
                std::cmp::Reverse(entry.item.severity),
                entry.name,
            )
        });
        let width = entries
            .iter()
            .map(|entry| entry.name.len())
            .max()
            .unwrap_or_default();
        let mut text = String::new();
        let mut group = None;
        for entry in entries {
            if group != Some(entry.item.group) {
                let gap = if group.is_some() { "\n" } else { "" };
                writeln!(text, "{gap}{}", entry.item.group)?;
                group = Some(entry.item.group);
            }
            let severity = match entry.item.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            writeln!(
                text,
                "  {:width$}  {severity:7}  {}",
                entry.name, entry.item.summary
            )?;
        }
        writeln!(text, "\nattacks")?;
        for probe in rls_tool::attack::probes() {
            writeln!(
                text,
                "  {:width$}  {:7}  a role {}",
                probe.name,
                "",
                probe.summary()
            )?;
        }
        writeln!(text, "\nrls-tool explain CHECK shows one with examples.")?;
        output::print(&text)?;
        Ok(Outcome::Done)
    }
}
