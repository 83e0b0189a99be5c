//! PostgreSQL's regression script and its expected output, cut into viewpoints: what one role is shown in one go.

use std::collections::BTreeSet;
use std::process::Command;

/// The script and its expected output, without the cleaning up.
pub(crate) struct Script {
    pub(crate) viewpoints: Vec<Viewpoint>,
}

/// From one change of the session's user to the next, outside a transaction.
pub(crate) struct Viewpoint {
    /// The ordinary role that looks; `None` for those that row security does not hold.
    pub(crate) role: Option<String>,
    pub(crate) sql: String,
    /// What the script's own expected output shows here.
    pub(crate) expected: String,
}

/// The rows that the expected output shows of a table.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Shown {
    /// The different values in a column, which says whose row it is; `None` where there is no such column.
    pub(crate) fn owners(&self, column: &str) -> Option<BTreeSet<&str>> {
        let at = self.columns.iter().position(|found| found == column)?;
        Some(self.rows.iter().map(|row| row[at].as_str()).collect())
    }
}

impl Script {
    /// Fetches it; the version is the server's where Debian has its source.
    pub(crate) fn fetch(version: u32) -> Self {
        let output = Command::new("tests/hostile/rowsecurity-script")
            .arg(version.to_string())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the script cannot be had: {errors}");
        let path = String::from_utf8(output.stdout).unwrap();
        let expected = path
            .trim()
            .replace("/sql/rowsecurity.sql", "/expected/rowsecurity.out");
        let body = |path: &str| {
            let text = std::fs::read_to_string(path).unwrap();
            text.split("-- Clean up objects").next().unwrap().to_owned()
        };
        let (script, expected) = (body(path.trim()), body(&expected));
        let (pieces, shown) = (pieces(&script), pieces(&expected));
        assert_eq!(pieces.len(), shown.len(), "the output echoes the script");
        let viewpoints = pieces
            .into_iter()
            .zip(shown)
            .map(|((role, sql), (same, expected))| {
                assert_eq!(role, same);
                Viewpoint { role, sql, expected }
            })
            .collect();
        Self { viewpoints }
    }
}

/// With the role that looks: bob, carol and dave own nothing to begin with and bypass nothing.
fn pieces(text: &str) -> Vec<(Option<String>, String)> {
    let (mut pieces, mut piece, mut open, mut role) = (Vec::new(), String::new(), false, None);
    for line in text.lines() {
        match line.trim_end() {
            "BEGIN;" => open = true,
            "COMMIT;" | "ROLLBACK;" => open = false,
            "RESET SESSION AUTHORIZATION;" if !open => {
                pieces.push((role.take(), std::mem::take(&mut piece)));
            }
            line if !open && line.starts_with("SET SESSION AUTHORIZATION ") => {
                pieces.push((role.take(), std::mem::take(&mut piece)));
                let name = line["SET SESSION AUTHORIZATION ".len()..].trim_end_matches(';');
                let ordinary = ["regress_rls_bob", "regress_rls_carol", "regress_rls_dave"];
                role = ordinary.contains(&name).then(|| name.to_owned());
            }
            _ => {}
        }
        piece.push_str(line);
        piece.push('\n');
    }
    pieces.push((role, piece));
    pieces
}

/// The results of `SELECT * FROM table …` in an output, as the session's user itself.
pub(crate) fn shown(output: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    let mut lines = output.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("SET ROLE") || line.contains("row_security TO OFF") {
            break;
        }
        let Some(table) = whole_table(line) else {
            continue;
        };
        while lines.next_if(|line| line.starts_with("NOTICE:")).is_some() {}
        let Some(header) = lines.next_if(|line| !line.starts_with("ERROR:")) else {
            continue;
        };
        if lines
            .next_if(|line| line.starts_with("--") && !line.starts_with("-- "))
            .is_none()
        {
            continue;
        }
        let cells = |line: &str| {
            line.split('|')
                .map(|cell| cell.trim().to_owned())
                .collect::<Vec<_>>()
        };
        let columns = cells(header);
        let mut rows = Vec::new();
        while let Some(row) = lines.next_if(|line| !line.starts_with('(')) {
            rows.push(cells(row));
        }
        if rows.iter().all(|row| row.len() == columns.len()) {
            found.push(Shown { table, columns, rows });
        }
    }
    found
}

/// The table of a `SELECT * FROM table`, with no condition but the script's own function that lets everything through.
fn whole_table(line: &str) -> Option<String> {
    let rest = line.strip_prefix("SELECT * FROM ")?.strip_suffix(';')?;
    let (table, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let plain = table.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let whole = rest.is_empty()
        || rest.starts_with("ORDER BY ")
        || rest
            .strip_prefix("WHERE f_leak(")
            .is_some_and(|rest| !rest.contains(" AND "));
    (plain && whole).then(|| table.to_owned())
}

#[test]
fn results_are_read_from_an_output() {
    let output = "SELECT * FROM t WHERE f_leak(b) ORDER BY a;\nNOTICE:  f_leak => x\n a |  b  \n---+-----\n 1 | x\n 2 | y\n(2 rows)\n\n\
                  SELECT * FROM t;\nERROR:  no\nSELECT * FROM t, u;\n a \n---\n(0 rows)\n";
    let found = shown(output);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].owners("a").unwrap().len(), 2);
    assert!(found[0].owners("c").is_none());
}
