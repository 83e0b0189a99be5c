//! Markdown for a comment on a pull request: the verdict, a table of findings, their scripts folded away, the undecided
//! doors counted. Short enough for GitHub's and GitLab's limits, whatever the report.

use std::fmt::{Result, Write};

use super::again;
use super::words::{self, count};
use super::wrap::tame;
use crate::audit::{DoorVerdict, Finding, Report, Verdict};

/// Findings in the table, and scripts below it: the most that are shown.
const ROWS: usize = 60;
const SCRIPTS: usize = 5;
/// The longest script that is shown; longer ones are in the other formats.
const SCRIPT_LENGTH: usize = 6000;
/// The longest text of a cell.
const CELL: usize = 300;

pub(super) fn render(report: &Report) -> std::result::Result<String, std::fmt::Error> {
    let mut out = String::new();
    let mark = match report.verdict {
        Verdict::Isolated => "✅",
        Verdict::Leaking => "❌",
        Verdict::Undecided => "⚠️",
    };
    let roles: Vec<_> = report.roles.iter().map(|role| code(role)).collect();
    writeln!(
        out,
        "## {mark} Tenant isolation: {}\n\n{} {}; {}. {}.",
        words::verdict(report.verdict).to_lowercase(),
        if roles.len() == 1 { "Role" } else { "Roles" },
        roles.join(", "),
        count(report.summary.tables, "table"),
        capital(&words::doors(report)),
    )?;
    table(report, &mut out)?;
    scripts(report, &mut out)?;
    undecided(report, &mut out)?;
    if !report.allowed.is_empty() || !report.known.is_empty() {
        writeln!(
            out,
            "\n{} by `rls.toml` with a reason, {} known to the baseline.",
            count(report.allowed.len(), "finding allowed").replace("alloweds", "allowed"),
            report.known.len()
        )?;
    }
    for note in &report.notes {
        writeln!(out, "\nNote: {}.", prose(note))?;
    }
    writeln!(out, "\nTo repeat it: {}", code(&again::command(report)))?;
    Ok(out)
}

fn table(report: &Report, out: &mut String) -> Result {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| | object | finding | what to do |\n|---|---|---|---|")?;
    for finding in report.findings.iter().take(ROWS) {
        writeln!(
            out,
            "| {} | {}{} | {}: {} | {} |",
            words::severity(finding.severity),
            code(&cut(&finding.object.to_string())),
            place(finding),
            code(&finding.check),
            prose(&cut(&finding.message)),
            prose(&cut(&finding.help)),
        )?;
    }
    if report.findings.len() > ROWS {
        writeln!(
            out,
            "\n… and {}.",
            count(report.findings.len() - ROWS, "more finding")
        )?;
    }
    Ok(())
}

fn place(finding: &Finding) -> String {
    let place = finding.location.as_ref();
    place.map_or_else(String::new, |location| {
        format!("<br>{}", code(&format!("{}:{}", location.file, location.line)))
    })
}

fn scripts(report: &Report, out: &mut String) -> Result {
    let scripts = report.findings.iter().filter_map(|finding| {
        let sql = finding.evidence.exploit_sql.as_ref()?;
        (sql.len() <= SCRIPT_LENGTH).then_some((finding, sql))
    });
    for (finding, sql) in scripts.take(SCRIPTS) {
        let sql = tame(sql, true);
        let fence = "`".repeat(longest_run(&sql).max(2) + 1);
        writeln!(
            out,
            "\n<details><summary>See it: {} on {}</summary>\n\n{fence}sql\n{sql}\n{fence}\n\n</details>",
            html(&finding.check),
            html(&tame(&finding.object.to_string(), false)),
        )?;
    }
    Ok(())
}

fn undecided(report: &Report, out: &mut String) -> Result {
    let mut doors = report
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Undecided);
    let number = report.summary.undecided;
    if number == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\n<details><summary>{} undecided</summary>\n",
        count(number, "door")
    )?;
    for door in doors.by_ref().take(ROWS) {
        writeln!(
            out,
            "- {} {}: {}",
            code(&door.role),
            code(&format!(
                "{} {}",
                door.command.as_sql(),
                cut(&door.object.to_string())
            )),
            prose(&cut(&door.reason))
        )?;
    }
    let rest = doors.count();
    if rest > 0 {
        writeln!(out, "- … and {rest} more")?;
    }
    writeln!(out, "\n</details>")
}

/// At most [`CELL`] characters.
fn cut(text: &str) -> String {
    match text.char_indices().nth(CELL) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// How many backticks stand in a row at most.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A name in a code span: nothing in it is Markdown, HTML or a mention. A pipe would end the table's cell.
fn code(text: &str) -> String {
    let text = tame(text, false).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// A sentence that may hold names: every character that Markdown knows is written as itself.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for c in tame(text, false).chars() {
        match c {
            '@' => out.push_str("@<!-- -->"),
            // As `gh#1` or `#1` it would become a link to an issue.
            '#' => out.push_str("#<!-- -->"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn names_stay_names() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(code("a|b\n"), "`a\\|b\\u{a}`");
        assert_eq!(
            prose("<b> *x* @me #1 a_b"),
            "&lt;b&gt; \\*x\\* @<!-- -->me #<!-- -->1 a\\_b"
        );
    }

    #[test]
    fn a_script_cannot_leave_its_fence() {
        let mut report = sample();
        report.findings[0].evidence.exploit_sql = Some("select '```';\n````\n# heading".to_owned());
        assert!(render(&report).unwrap().contains("\n`````sql\n"));
    }

    #[test]
    fn a_large_report_fits_into_a_comment() {
        let mut report = sample();
        let (finding, door) = (report.findings[0].clone(), report.doors.last().unwrap().clone());
        report.findings = vec![finding; 3000];
        for finding in &mut report.findings {
            finding.message = "long ".repeat(500);
            finding.evidence.exploit_sql = Some("x".repeat(SCRIPT_LENGTH));
        }
        report.doors = vec![door; 3000];
        report.summary.undecided = 3000;
        let text = render(&report).unwrap();
        // GitHub's limit for a comment.
        assert!(text.chars().count() < 65_536, "{}", text.chars().count());
        assert!(text.contains("and 2940 more findings") && text.contains("and 2940 more\n"));
    }
}
