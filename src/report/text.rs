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
/// Scripts of which no more than this are shown, one an object: the others are in the formats that are not read from
/// top to bottom.
const SCRIPTS: usize = 5;
/// Errors and warnings from which on they are summed up at the end, where a terminal is read first.
const MANY: usize = 10;

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
    in_short(report, style, &mut out)?;
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
    let mut objects: Vec<_> = objects.into_iter().collect();
    // Of what is equally bad the cause comes first: attacks show what it leads to.
    for (_, findings) in &mut objects {
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), words::is_attack(finding)));
    }
    objects.sort_by_key(|(_, findings)| {
        findings
            .first()
            .map(|finding| std::cmp::Reverse(finding.severity))
    });
    let (mut shown, mut hidden, mut scripts) = (0, 0, 0);
    for (object, findings) in objects {
        let script = shortest_script(&findings).filter(|_| scripts < SCRIPTS);
        scripts += usize::from(script.is_some());
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
            let is_shown = script.is_some_and(|script| std::ptr::eq(script, finding));
            one(finding, before, is_shown, style, out)?;
            before = Some(finding);
        }
    }
    if hidden > 0 {
        writeln!(
            out,
            "\nand {} for information: see --format html",
            count(hidden, "more finding")
        )?;
    }
    Ok(())
}

/// The finding whose script is read most easily.
fn shortest_script<'a>(findings: &[&'a Finding]) -> Option<&'a Finding> {
    let lines = |finding: &Finding| Some(finding.evidence.exploit_sql.as_ref()?.lines().count());
    let scripts = findings
        .iter()
        .filter_map(|finding| Some((lines(finding)?, *finding)));
    scripts
        .min_by_key(|(lines, _)| *lines)
        .map(|(_, finding)| finding)
}

/// One finding; what it shares with the one before on the same object is not said again.
fn one(
    finding: &Finding,
    before: Option<&Finding>,
    with_script: bool,
    style: Style,
    out: &mut String,
) -> Result {
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
    match &evidence.exploit_sql {
        // A script is never wrapped: it is to be pasted.
        Some(sql) if with_script => {
            writeln!(out, "{pad}to see it, paste into psql:")?;
            for line in tame(sql, true).lines() {
                writeln!(out, "{pad}  {line}")?;
            }
        }
        Some(_) => writeln!(out, "{pad}(its script: --format html or json)")?,
        None => {
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
    let mut reasons = Vec::<(&str, Vec<&Door>)>::new();
    for door in &report.doors {
        if door.verdict == DoorVerdict::Undecided {
            match reasons.iter_mut().find(|(reason, _)| *reason == door.reason) {
                Some((_, doors)) => doors.push(door),
                None => reasons.push((&door.reason, vec![door])),
            }
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.paint(Colour::Bold, "undecided doors"))?;
    let mut left = SHOWN;
    for (reason, doors) in &reasons {
        if left == 0 {
            break;
        }
        out.push_str(&wrap("  ", 2, &format!("{}:", tame(reason, false))));
        for door in doors.iter().take(left) {
            let text = format!("{} {} {}", door.role, door.command.as_sql(), door.object);
            out.push_str(&wrap("    ", 6, &tame(&text, false)));
        }
        left = left.saturating_sub(doors.len());
    }
    let all: usize = reasons.iter().map(|(_, doors)| doors.len()).sum();
    if all > SHOWN {
        writeln!(out, "  and {} more: see --format html", all - SHOWN)?;
    }
    Ok(())
}

/// Where there is much to read: how many findings each object has, worst first.
fn in_short(report: &Report, style: Style, out: &mut String) -> Result {
    let mut objects = BTreeMap::<String, [usize; 2]>::new();
    for finding in &report.findings {
        let place = match finding.severity {
            Severity::Error => 0,
            Severity::Warning => 1,
            Severity::Info => continue,
        };
        objects
            .entry(tame(&finding.object.to_string(), false))
            .or_default()[place] += 1;
    }
    if objects.values().flatten().sum::<usize>() <= MANY {
        return Ok(());
    }
    let mut objects: Vec<_> = objects.into_iter().collect();
    objects.sort_by_key(|(_, counts)| std::cmp::Reverse(*counts));
    writeln!(out, "\n{}", style.paint(Colour::Bold, "in short"))?;
    for (object, counts) in objects.iter().take(SHOWN) {
        let words: Vec<_> = ["error", "warning"]
            .iter()
            .zip(counts)
            .filter(|(_, number)| **number > 0)
            .map(|(word, number)| count(*number, word))
            .collect();
        out.push_str(&wrap("  ", 4, &format!("{object}: {}", words.join(", "))));
    }
    if objects.len() > SHOWN {
        writeln!(out, "  and {}", count(objects.len() - SHOWN, "more object"))?;
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
    fn much_to_read_is_summed_up_and_one_script_an_object_is_enough() {
        let mut report = sample();
        assert!(!render(&report, Style::Plain).unwrap().contains("in short"));
        let first = report.findings[0].clone();
        let mut long = first.clone();
        long.evidence.exploit_sql = Some("select 1;\n".repeat(40));
        report.findings.splice(0..0, vec![long; 11]);
        let text = render(&report, Style::Plain).unwrap();
        assert!(text.contains("\nin short\n  app.invoices: 13 errors"), "{text}");
        assert!(!text.contains("select 1;"), "the shortest is shown: {text}");
        assert_eq!(text.matches("paste into psql").count(), 1, "{text}");
        assert_eq!(text.matches("(its script: ").count(), 11, "{text}");
    }

    #[test]
    fn undecided_doors_are_listed_under_their_reason() {
        let mut report = sample();
        let door = report
            .doors
            .iter()
            .find(|door| door.verdict == DoorVerdict::Undecided);
        let door = door.unwrap().clone();
        report.doors.extend(vec![door.clone(); 20]);
        let text = render(&report, Style::Plain).unwrap();
        let reason = door
            .reason
            .split_whitespace()
            .take(4)
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(text.matches(&reason).count(), 1, "{text}");
        assert!(text.contains("and 9 more: see --format html"), "{text}");
    }

    #[test]
    fn the_last_line_counts_undecided_doors_and_says_what_next() {
        let text = plain();
        let last = text.lines().last().unwrap();
        assert!(last.contains("1 undecided"), "{last}");
        assert!(text.contains("Next: rls-tool explain cross-tenant-read"));
    }
}
