//! Text for people at a terminal: by object, worst first, at most 80 columns; the last line counts the undecided doors
//! and says what to do next.

use std::collections::BTreeMap;
use std::fmt::{Error, Result, Write};

use super::format::Style;
use super::words::{self, count};
use super::wrap::{tame, wrap};
use crate::audit::{Door, DoorVerdict, Finding, Report, Severity, Verdict};

/// Findings for information, and undecided doors, of which no more than this are shown.
const SHOWN: usize = 12;

pub(super) fn render(report: &Report, style: Style) -> std::result::Result<String, Error> {
    let mut out = String::new();
    heading(report, style, &mut out);
    findings(report, style, &mut out)?;
    undecided(report, style, &mut out)?;
    if !report.allowed.is_empty() {
        out.push_str("\nallowed in rls.toml\n");
        for allowed in &report.allowed {
            let until = allowed.expires.iter().map(|day| format!(" (until {day})"));
            let text = format!(
                "{} {}: {}{}",
                allowed.check,
                allowed.object,
                allowed.reason,
                until.collect::<String>()
            );
            out.push_str(&wrap("  ", 4, &tame(&text, false)));
        }
    }
    if !report.known.is_empty() {
        let text = format!(
            "\nknown to the baseline: {}\n",
            count(report.known.len(), "finding")
        );
        out.push_str(&text);
    }
    for note in &report.notes {
        out.push('\n');
        out.push_str(&wrap("note: ", 6, &tame(note, false)));
    }
    ending(report, style, &mut out);
    Ok(out)
}

fn heading(report: &Report, style: Style, out: &mut String) {
    let (word, colour) = verdict(report);
    let summary = &report.summary;
    let text = format!(
        "role {}; setting {}; {}, {}, {}, {}.{:01} s",
        report.roles.join(", "),
        report.tenant_setting,
        count(summary.tables, "table"),
        count(summary.doors, "door"),
        count(summary.attacks_run, "attack"),
        summary.elapsed_ms / 1000,
        summary.elapsed_ms % 1000 / 100,
    );
    let first = format!("{word}  ");
    let text = wrap(&first, first.len(), &tame(&text, false));
    out.push_str(&text.replacen(word, &style.paint(colour, word), 1));
}

fn findings(report: &Report, style: Style, out: &mut String) -> Result {
    let mut objects = BTreeMap::<String, Vec<&Finding>>::new();
    for finding in &report.findings {
        objects
            .entry(tame(&finding.object.to_string(), false))
            .or_default()
            .push(finding);
    }
    // The report's findings are sorted worst first, so each object's first one is its worst.
    let mut objects: Vec<_> = objects.into_iter().collect();
    objects.sort_by_key(|(_, findings)| {
        findings
            .first()
            .map(|finding| std::cmp::Reverse(finding.severity))
    });
    let (mut shown, mut hidden) = (0, 0);
    for (object, findings) in objects {
        let mut named = false;
        let mut before: Option<&Finding> = None;
        for finding in findings {
            if finding.severity == Severity::Info {
                if shown == SHOWN {
                    hidden += 1;
                    continue;
                }
                shown += 1;
            }
            if !named {
                writeln!(out, "\n{}", style.paint(Colour::Bold, &object))?;
                named = true;
            }
            one(finding, before, style, out)?;
            before = Some(finding);
        }
    }
    if hidden > 0 {
        writeln!(
            out,
            "\nand {} for information: see --format json",
            count(hidden, "more finding")
        )?;
    }
    Ok(())
}

/// One finding; what it shares with the one before on the same object is not said again.
fn one(finding: &Finding, before: Option<&Finding>, style: Style, out: &mut String) -> Result {
    const INDENT: usize = 11;
    let (word, colour) = match finding.severity {
        Severity::Error => ("error", Colour::Red),
        Severity::Warning => ("warning", Colour::Yellow),
        Severity::Info => ("info", Colour::Blue),
    };
    let padding = " ".repeat(9 - word.len());
    let before = before.filter(|before| before.check == finding.check);
    if before.is_none_or(|before| before.severity != finding.severity) {
        writeln!(out, "  {}{padding}{}", style.paint(colour, word), finding.check)?;
    }
    let pad = " ".repeat(INDENT);
    out.push_str(&wrap(&pad, INDENT, &tame(&finding.message, false)));
    if !finding.help.is_empty() && before.is_none_or(|before| before.help != finding.help) {
        let first = format!("{pad}help: ");
        out.push_str(&wrap(&first, first.len(), &tame(&finding.help, false)));
    }
    let evidence = &finding.evidence;
    match (
        &evidence.exploit_sql,
        before.and_then(|before| before.evidence.exploit_sql.as_ref()),
    ) {
        // A script is never wrapped: it is to be pasted.
        (Some(sql), None) => {
            writeln!(out, "{pad}to see it, paste into psql:")?;
            for line in tame(sql, true).lines() {
                writeln!(out, "{pad}  {line}")?;
            }
        }
        (Some(_), Some(_)) => writeln!(out, "{pad}(its script: --format json)")?,
        (None, _) => {
            if let Some(counterexample) = &evidence.counterexample {
                let first = format!("{pad}seen: ");
                out.push_str(&wrap(
                    &first,
                    first.len(),
                    &tame(&counterexample.to_string(), false),
                ));
            }
        }
    }
    Ok(())
}

fn undecided(report: &Report, style: Style, out: &mut String) -> Result {
    let doors: Vec<&Door> = report
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Undecided)
        .collect();
    if doors.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.paint(Colour::Bold, "undecided doors"))?;
    for door in doors.iter().take(SHOWN) {
        let text = format!(
            "{} {} {}: {}",
            door.role,
            door.command.as_sql(),
            door.object,
            door.reason
        );
        out.push_str(&wrap("  ", 4, &tame(&text, false)));
    }
    if doors.len() > SHOWN {
        writeln!(out, "  and {} more: see --format json", doors.len() - SHOWN)?;
    }
    Ok(())
}

/// What to do next; and in the very last line the verdict, with how the doors stand.
fn ending(report: &Report, style: Style, out: &mut String) {
    let next = words::next_step(report);
    if !next.is_empty() {
        out.push('\n');
        out.push_str(&wrap("Next: ", 6, &next));
    }
    let (word, colour) = verdict(report);
    let line = wrap("", 2, &format!("{word}. {}.", words::doors(report)));
    out.push('\n');
    out.push_str(&line.replacen(word, &style.paint(colour, word), 1));
}

fn verdict(report: &Report) -> (&'static str, Colour) {
    let colour = match report.verdict {
        Verdict::Isolated => Colour::Green,
        Verdict::Leaking => Colour::Red,
        Verdict::Undecided => Colour::Yellow,
    };
    (words::verdict(report.verdict), colour)
}

#[derive(Debug, Clone, Copy)]
enum Colour {
    Bold,
    Red,
    Yellow,
    Green,
    Blue,
}

impl Style {
    fn paint(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Bold => "1",
            Colour::Red => "1;31",
            Colour::Yellow => "1;33",
            Colour::Green => "1;32",
            Colour::Blue => "34",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::super::wrap::WIDTH;
    use super::*;

    fn plain() -> String {
        render(&sample(), Style::Plain).unwrap()
    }

    #[test]
    fn sentences_fit_into_80_columns() {
        let text = plain();
        let prose = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("select "));
        for line in prose {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn plain_text_has_no_escape_whatever_the_names() {
        assert!(!plain().contains('\u{1b}'));
        let coloured = render(&sample(), Style::Coloured).unwrap();
        assert!(coloured.contains("\u{1b}[1;31mLEAKING") && !coloured.contains("\u{1b}[31m &"));
    }

    #[test]
    fn the_last_line_counts_undecided_doors_and_says_what_next() {
        let text = plain();
        let last = text.lines().last().unwrap();
        assert!(last.contains("1 undecided"), "{last}");
        assert!(text.contains("Next: rls-tool explain cross-tenant-read"));
    }
}
