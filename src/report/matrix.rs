//! The matrix by itself: a row a role and object, a column a command, in each cell what is known about that door.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::Serialize;

use super::format::Style;
use super::words;
use super::wrap::tame;
use crate::audit::{Command, DoorVerdict, Report};
use crate::error::{Error, ErrorKind, Result};

/// How the matrix is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatrixFormat {
    /// Columns for people.
    Text,
    /// A table.
    Markdown,
    /// For spreadsheets.
    Csv,
    /// For programs: a list of rows.
    Json,
}

/// Who can reach what.
#[derive(Debug, Clone)]
pub struct Matrix {
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    role: String,
    object: String,
    kind: &'static str,
    /// By command; what is not there cannot be done.
    doors: BTreeMap<&'static str, &'static str>,
}

const COMMANDS: [Command; 6] = [
    Command::Select,
    Command::Insert,
    Command::Update,
    Command::Delete,
    Command::Truncate,
    Command::Execute,
];

impl Matrix {
    /// The doors of objects that `wanted` takes by name.
    pub fn new(report: &Report, wanted: impl Fn(&str) -> bool) -> Self {
        let mut rows = BTreeMap::new();
        for door in &report.doors {
            let object = door.object.to_string();
            if !wanted(&object) {
                continue;
            }
            let place = report.roles.iter().position(|role| *role == door.role);
            let row = rows
                .entry((place, door.object.clone(), door.kind))
                .or_insert_with(|| Row {
                    role: tame(&door.role, false),
                    object: tame(&object, false),
                    kind: words::door_kind(door.kind),
                    doors: BTreeMap::new(),
                });
            row.doors
                .insert(door.command.as_sql(), words::door_verdict(door.verdict));
        }
        Self {
            rows: rows.into_values().collect(),
        }
    }

    /// Whether no door fits.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The matrix as text, ending in a line break.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] where it cannot be rendered, which none is.
    pub fn render(&self, format: MatrixFormat, style: Style) -> Result<String> {
        let written = match format {
            MatrixFormat::Text => self.text(style),
            MatrixFormat::Markdown => self.markdown(),
            MatrixFormat::Csv => self.csv(),
            MatrixFormat::Json => serde_json::to_string_pretty(&self.rows)
                .map(|text| text + "\n")
                .map_err(|_| fmt::Error),
        };
        written
            .map_err(|cause| Error::new(ErrorKind::Internal, "failed to render the matrix").caused_by(cause))
    }

    /// The commands that appear at all.
    fn commands(&self) -> Vec<&'static str> {
        let used = |command: &&'static str| self.rows.iter().any(|row| row.doors.contains_key(command));
        COMMANDS
            .iter()
            .map(|command| command.as_sql())
            .filter(used)
            .collect()
    }

    fn text(&self, style: Style) -> Result<String, fmt::Error> {
        let mut out = String::new();
        let commands = self.commands();
        let width = |text: &dyn Fn(&Row) -> usize| self.rows.iter().map(text).max().unwrap_or_default();
        let object = width(&|row| row.object.chars().count());
        let kind = width(&|row| row.kind.len());
        let mut head = format!("{:<object$}  {:<kind$}", "", "");
        for command in &commands {
            write!(head, "  {command:<9}")?;
        }
        let mut role: Option<&str> = None;
        for row in &self.rows {
            if role != Some(row.role.as_str()) {
                let gap = if role.is_some() { "\n" } else { "" };
                writeln!(out, "{gap}{}\n  {}", style.bold(&row.role), head.trim_end())?;
                role = Some(row.role.as_str());
            }
            let mut line = format!("  {:<object$}  {:<kind$}", row.object, row.kind);
            for command in &commands {
                let verdict = row.doors.get(command).copied().unwrap_or("-");
                line.push_str("  ");
                line.push_str(&style.verdict(verdict, &format!("{verdict:<9}")));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(out)
    }

    fn markdown(&self) -> Result<String, fmt::Error> {
        let cell = |text: &str| text.replace('|', "\\|").replace('`', "'");
        let commands = self.commands();
        let mut out = String::new();
        writeln!(out, "| role | object | kind | {} |", commands.join(" | "))?;
        writeln!(out, "|---|---|---|{}", "---|".repeat(commands.len()))?;
        for row in &self.rows {
            let cells: Vec<_> = commands
                .iter()
                .map(|command| row.doors.get(command).copied().unwrap_or(""))
                .collect();
            let (role, object) = (cell(&row.role), cell(&row.object));
            writeln!(
                out,
                "| `{role}` | `{object}` | {} | {} |",
                row.kind,
                cells.join(" | ")
            )?;
        }
        Ok(out)
    }

    fn csv(&self) -> Result<String, fmt::Error> {
        // A spreadsheet takes a leading =, +, - or @ for a formula.
        let field = |text: &str| {
            let guard = if text.starts_with(['=', '+', '-', '@']) {
                "'"
            } else {
                ""
            };
            format!("\"{guard}{}\"", text.replace('"', "\"\""))
        };
        let mut out = String::from("role,object,kind");
        for command in COMMANDS {
            write!(out, ",{}", command.as_sql())?;
        }
        out.push('\n');
        for row in &self.rows {
            write!(
                out,
                "{},{},{}",
                field(&row.role),
                field(&row.object),
                field(row.kind)
            )?;
            for command in COMMANDS {
                write!(
                    out,
                    ",{}",
                    row.doors.get(command.as_sql()).copied().unwrap_or_default()
                )?;
            }
            out.push('\n');
        }
        Ok(out)
    }
}

impl Style {
    fn bold(self, text: &str) -> String {
        self.dressed("1", text)
    }

    fn verdict(self, verdict: &str, text: &str) -> String {
        let is = |one| words::door_verdict(one) == verdict;
        if is(DoorVerdict::Leak) {
            self.dressed("1;31", text)
        } else if is(DoorVerdict::Undecided) {
            self.dressed("33", text)
        } else if is(DoorVerdict::Held) || is(DoorVerdict::Proven) {
            self.dressed("32", text)
        } else {
            text.to_owned()
        }
    }

    fn dressed(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    fn matrix() -> Matrix {
        Matrix::new(&sample(), |_| true)
    }

    #[test]
    fn text_has_a_block_a_role_and_only_the_commands_that_appear() {
        let text = matrix().render(MatrixFormat::Text, Style::Plain).unwrap();
        let expected = "\
app
                                                     SELECT     INSERT     DELETE     EXECUTE
  app.<script>alert(1)</script>\\u{1b}[31m  table     proven     -          -          -
  app.invoices                             table     leak       held       leak       -
  app.lookup(text)                         function  -          -          -          undecided

reporting
                                                     SELECT     INSERT     DELETE     EXECUTE
  app.<script>alert(1)</script>\\u{1b}[31m  table     held       -          -          -
  app.invoices                             table     proven     -          -          -
";
        assert_eq!(text, expected);
        assert!(
            matrix()
                .render(MatrixFormat::Text, Style::Coloured)
                .unwrap()
                .contains("\u{1b}[1;31mleak")
        );
    }

    #[test]
    fn other_formats_hold_the_same() {
        let csv = matrix().render(MatrixFormat::Csv, Style::Plain).unwrap();
        assert!(
            csv.starts_with("role,object,kind,SELECT,INSERT,UPDATE,DELETE,TRUNCATE,EXECUTE\n"),
            "{csv}"
        );
        assert!(
            csv.contains("\"app\",\"app.invoices\",\"table\",leak,held,,leak,,\n"),
            "{csv}"
        );
        let markdown = matrix().render(MatrixFormat::Markdown, Style::Plain).unwrap();
        assert!(
            markdown.contains("| `app` | `app.invoices` | table | leak | held | leak |  |"),
            "{markdown}"
        );
        let json = matrix().render(MatrixFormat::Json, Style::Plain).unwrap();
        let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        assert_eq!(rows[1]["doors"]["SELECT"], "leak");
        let some = Matrix::new(&sample(), |name| name == "app.lookup(text)");
        assert_eq!(
            some.render(MatrixFormat::Csv, Style::Plain)
                .unwrap()
                .lines()
                .count(),
            2
        );
    }

    #[test]
    fn a_name_is_no_formula_and_ends_no_cell() {
        let mut report = sample();
        report.doors[0].role = "=cmd|' \"x\"".to_owned();
        let matrix = Matrix::new(&report, |_| true);
        assert!(
            matrix
                .render(MatrixFormat::Csv, Style::Plain)
                .unwrap()
                .contains("\"'=cmd|' \"\"x\"\"\"")
        );
        assert!(
            matrix
                .render(MatrixFormat::Markdown, Style::Plain)
                .unwrap()
                .contains("`=cmd\\|' \"x\"`")
        );
    }
}
