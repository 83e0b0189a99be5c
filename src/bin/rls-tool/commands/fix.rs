//! `rls-tool fix`: the SQL for findings with a mechanical cure; with `--apply`, run and verified in one transaction.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use rls_tool::audit::{Finding, Report, Severity, known};

use crate::exit::Outcome;
use crate::output;
use crate::scope::AuditArgs;

/// How long a cure waits for a lock: everybody else waits behind it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Prints the SQL that cures findings, where a machine can tell; --apply runs it.
///
/// What needs judgement, such as a policy's text, is listed as a comment. With --apply everything runs in one transaction
/// that is committed only if a second audit inside it finds every cured finding gone and no error that was not there
/// before.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rls-tool fix --role my_app                      print
  rls-tool fix --role my_app rls-not-forced       only this check's findings
  rls-tool fix --role my_app --apply              run, verify, commit

Exit status: 0 printed, or applied and isolated; 1 applied, and errors are left that no SQL here cures;
2 not applied, and why.")]
pub(crate) struct Fix {
    /// Only these checks' findings.
    #[arg(value_name = "CHECK")]
    checks: Vec<String>,

    #[command(flatten)]
    audit: AuditArgs,

    /// Run the SQL, as the URL's role, and audit again before it is committed.
    #[arg(long, conflicts_with = "catalog")]
    apply: bool,
}

impl Fix {
    pub(crate) async fn run(self) -> anyhow::Result<Outcome> {
        for name in &self.checks {
            known(name)?;
        }
        if !self.apply {
            let report = self.audit.report().await?;
            output::print(&script(&self.chosen(&report))?)?;
            return Ok(Outcome::Done);
        }
        self.apply().await
    }

    fn chosen<'a>(&self, report: &'a Report) -> Vec<&'a Finding> {
        let wanted = |finding: &&Finding| self.checks.is_empty() || self.checks.contains(&finding.check);
        report.findings.iter().filter(wanted).collect()
    }

    async fn apply(&self) -> anyhow::Result<Outcome> {
        let audit = self.audit.audit(self.audit.scope.config()?);
        let mut client = self.audit.database.connect().await?;
        let before = self.audit.report_on(&audit, &mut client).await?;
        let chosen = self.chosen(&before);
        let cures = statements(&chosen);
        if cures.is_empty() {
            output::print(&script(&chosen)?)?;
            output::note("nothing to apply");
            return Ok(if before.fails_on(Severity::Error) {
                Outcome::FallsShort
            } else {
                Outcome::Done
            });
        }
        let mut transaction = client
            .transaction()
            .await
            .context("failed to open a transaction")?;
        let limit = format!("set local lock_timeout = {}", LOCK_TIMEOUT.as_millis());
        transaction
            .batch_execute(&limit)
            .await
            .context("failed to set lock_timeout")?;
        for cure in &cures {
            transaction
                .batch_execute(cure)
                .await
                .with_context(|| format!("nothing was changed: failed to run {cure}"))?;
        }
        let progress = output::progress("verifying");
        let after = audit.run_within(&mut transaction).await?;
        drop(progress);
        if let Some(reason) = objection(&chosen, &before, &after) {
            transaction.rollback().await.context("failed to roll back")?;
            bail!("nothing was changed: {reason}");
        }
        transaction.commit().await.context("failed to commit")?;
        let after = self.audit.finish(after)?;
        let mut text = String::new();
        for cure in &cures {
            writeln!(text, "{cure}")?;
        }
        writeln!(
            text,
            "-- applied and verified: {}",
            count(cures.len(), "statement")
        )?;
        output::print(&text)?;
        let left = after
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .count();
        if left > 0 {
            output::note(format_args!(
                "left: {}; rls-tool verify-isolation shows them",
                count(left, "error")
            ));
            return Ok(Outcome::FallsShort);
        }
        Ok(Outcome::Done)
    }
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Why the cure is not to be committed.
fn objection(cured: &[&Finding], before: &Report, after: &Report) -> Option<String> {
    let found: BTreeSet<&str> = after
        .findings
        .iter()
        .map(|finding| finding.fingerprint.as_str())
        .collect();
    let cured = cured.iter().filter(|finding| finding.fix_sql.is_some());
    if let Some(left) = cured
        .into_iter()
        .find(|finding| found.contains(finding.fingerprint.as_str()))
    {
        return Some(format!(
            "{} on {} is still found afterwards",
            left.check, left.object
        ));
    }
    let known: BTreeSet<&str> = before
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.fingerprint.as_str())
        .collect();
    let worse = after.findings.iter().find(|finding| {
        finding.severity == Severity::Error && !known.contains(finding.fingerprint.as_str())
    })?;
    Some(format!(
        "afterwards {} is found on {}: {}",
        worse.check, worse.object, worse.message
    ))
}

/// Each cure once, in the findings' order.
fn statements(findings: &[&Finding]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    findings
        .iter()
        .filter_map(|finding| finding.fix_sql.clone())
        .filter(|sql| seen.insert(sql.clone()))
        .collect()
}

/// A script for psql: cures, and what needs a person as comments.
fn script(findings: &[&Finding]) -> Result<String, std::fmt::Error> {
    // A name with a line break must not end the comment.
    let comment = |text: &str| text.replace(|c: char| c.is_control(), " ");
    let mut text = String::from("BEGIN;\nSET LOCAL lock_timeout = '5s';\n");
    let mut seen = BTreeSet::new();
    let mut cures = 0;
    for finding in findings {
        let Some(sql) = &finding.fix_sql else {
            continue;
        };
        writeln!(
            text,
            "\n-- {} {}: {}",
            finding.check,
            comment(&finding.object.to_string()),
            comment(&finding.message)
        )?;
        if seen.insert(sql) {
            writeln!(text, "{sql}")?;
            cures += 1;
        } else {
            writeln!(text, "-- cured by a statement above")?;
        }
    }
    text.push_str("\nCOMMIT;\n");
    let others: Vec<_> = findings
        .iter()
        .filter(|finding| finding.fix_sql.is_none() && finding.severity > Severity::Info)
        .collect();
    if cures == 0 {
        text = String::from("-- no finding has a mechanical cure\n");
    }
    if !others.is_empty() {
        text.push_str("\n-- These need a person:\n");
    }
    for finding in others {
        writeln!(
            text,
            "--   {} {}: {}",
            finding.check,
            comment(&finding.object.to_string()),
            comment(&finding.message)
        )?;
        writeln!(text, "--     {}", comment(&finding.help))?;
    }
    Ok(text)
}
