//! Reads a folder of test files: strictly, because a test that is misread may pass.

use std::path::{Path, PathBuf};

use super::case::{Case, Expected, Who};
use crate::error::{Error, Result};
use crate::migrate::{SqlFile, refuse_what_cannot_run, statements};

/// Runs before all tests, as the connection's own role.
const SETUP: &str = "setup";
const FORMS: &str = "expect: no rows · expect: 3 rows · expect: at least 1 row · expect: 0 affected · expect: rows (or \
                     rows in order) with a line `--   value | value` for each · expect: error 42501";

/// The folder's tests, and the text of its `setup.sql`.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    pub(super) setup: Option<SqlFile>,
    pub(super) cases: Vec<Case>,
}

impl Folder {
    /// Reads every `.sql` file of the folder (or the one file), by name.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let mut folder = Self::default();
        for path in paths(path)? {
            let file = SqlFile::read(&path)?;
            if file.stem == SETUP {
                refuse_what_cannot_run(&file, &statements(&file.sql))?;
                folder.setup = Some(file);
            } else {
                folder.cases.extend(cases(&file)?);
            }
        }
        if folder.cases.is_empty() {
            return Err(Error::input(format!("{}: there is no test", path.display()))
                .with_help("a test starts with the line `-- test: what it shows`"));
        }
        Ok(folder)
    }
}

fn paths(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |cause| Error::io(path, "read the folder", cause);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The tests of one file.
fn cases(file: &SqlFile) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let lines: Vec<&str> = file.sql.lines().collect();
    let starts: Vec<usize> = (0..lines.len())
        .filter(|&at| directive(lines[at], "test").is_some())
        .collect();
    let first = starts.first().copied().unwrap_or(lines.len());
    let before = lines[..first].join("\n");
    if let Some(statement) = statements(&before).first() {
        return Err(Error::input(format!(
            "{}, line {}: a statement stands before the first test",
            file.label, statement.line
        ))
        .with_help(
            "what all tests need goes into setup.sql; a test starts with the line `-- test: what it shows`",
        ));
    }
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(lines.len());
        cases.push(case(file, start, &lines[start..end])?);
    }
    Ok(cases)
}

/// One test, from its line `-- test:` on.
fn case(file: &SqlFile, start: usize, lines: &[&str]) -> Result<Case> {
    let place = |offset: usize| format!("{}, line {}", file.label, start + offset + 1);
    let name = directive(lines[0], "test").unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(Error::input(format!("{}: the test has no name", place(0))));
    }
    let (mut who, mut expected) = (Who::A, None);
    let mut at = 1;
    while let Some(line) = lines.get(at).filter(|line| line.trim_start().starts_with("--")) {
        if let Some(text) = directive(line, "as") {
            who = reads_as(text).ok_or_else(|| {
                Error::input(format!("{}: {text:?} is nobody", place(at)))
                    .with_help("as: A · as: B · as: nobody · as: 'any value'")
            })?;
        } else if let Some(text) = directive(line, "expect") {
            if expected.is_some() {
                return Err(Error::input(format!("{}: the test expects twice", place(at))));
            }
            let here = place(at);
            let malformed = || Error::input(format!("{here}: {text:?} is no expectation")).with_help(FORMS);
            let mut wanted = expectation(text).ok_or_else(malformed)?;
            if let Expected::Rows { rows, .. } = &mut wanted {
                while let Some(row) = lines
                    .get(at + 1)
                    .and_then(|line| line.trim_start().strip_prefix("--  "))
                {
                    rows.push(row.trim().to_owned());
                    at += 1;
                }
                if rows.is_empty() {
                    return Err(malformed());
                }
            }
            expected = Some(wanted);
        } else if let Some((word, _)) = line
            .trim_start()
            .trim_start_matches('-')
            .trim_start()
            .split_once(':')
            && word.chars().all(|c| c.is_ascii_lowercase())
        {
            // A misspelt directive would be a comment, and the test would show something else.
            return Err(Error::input(format!("{}: {word:?} is unknown here", place(at)))
                .with_help("test: · as: · expect: are known; another comment goes below the statement"));
        }
        at += 1;
    }
    let Some(expected) = expected else {
        return Err(Error::input(format!(
            "{}: the test {name:?} expects nothing, and cannot fail",
            place(0)
        ))
        .with_help(FORMS));
    };
    // Empty lines, so that statements keep their line numbers.
    let text = "\n".repeat(start + at) + &lines[at..].join("\n");
    let found = statements(&text);
    if let Some((late, _)) = lines.iter().enumerate().skip(at).find(|(_, line)| {
        ["as", "expect"]
            .iter()
            .any(|word| directive(line, word).is_some())
    }) {
        return Err(
            Error::input(format!("{}: this line stands behind the statement", place(late)))
                .with_help("as: and expect: stand right below test:, without empty lines between them"),
        );
    }
    if found.is_empty() {
        return Err(Error::input(format!(
            "{}: the test {name:?} has no statement",
            place(0)
        )));
    }
    refuse_what_cannot_run(file, &found)?;
    if let Some(statement) = found.iter().find(|statement| {
        let words: Vec<_> = statement.tokens.iter().take(4).collect();
        words
            .windows(2)
            .any(|pair| pair[0].is("session") && pair[1].is("authorization"))
    }) {
        return Err(Error::input(format!(
            "{}, line {}: SET SESSION AUTHORIZATION would leave the role that is tested",
            file.label, statement.line
        )));
    }
    Ok(Case {
        file: file.label.clone(),
        line: start + 1,
        name,
        who,
        expected,
        statements: found.iter().map(|statement| statement.text.to_owned()).collect(),
    })
}

/// What stands behind `-- word:`.
fn directive<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let text = line.trim_start().strip_prefix("--")?.trim_start();
    Some(text.strip_prefix(word)?.strip_prefix(':')?.trim())
}

fn reads_as(text: &str) -> Option<Who> {
    Some(match text {
        "A" => Who::A,
        "B" => Who::B,
        "nobody" => Who::Nobody,
        _ => Who::Value(text.strip_prefix('\'')?.strip_suffix('\'')?.to_owned()),
    })
}

fn expectation(text: &str) -> Option<Expected> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(match words.as_slice() {
        ["no", "rows"] => Expected::Count(0),
        ["rows"] => Expected::Rows {
            rows: Vec::new(),
            ordered: false,
        },
        ["rows", "in", "order"] => Expected::Rows {
            rows: Vec::new(),
            ordered: true,
        },
        [count, "row" | "rows" | "affected"] => Expected::Count(count.parse().ok()?),
        ["at", "least", count, "row" | "rows" | "affected"] => {
            // "At least none" is always so.
            Expected::AtLeast(count.parse().ok().filter(|&count| count > 0)?)
        }
        ["error", state, rest @ ..] => {
            let sqlstate = state.len() == 5
                && state
                    .chars()
                    .all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
            if !sqlstate {
                return None;
            }
            Expected::Error {
                state: (*state).to_owned(),
                text: rest.join(" "),
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Case>> {
        cases(&SqlFile::new("t.sql".to_owned(), text)?)
    }

    #[test]
    fn a_file_of_tests_is_read() {
        let text = "-- About orders.\n\n-- test: own rows\n-- expect: rows\n--   1 | x\n--   2 | NULL\nselect 1;\n\n\
                    -- test: not for B\n-- as: nobody\n-- expect: error 42501 row-level security\n\
                    set local a.b = 'c';\ninsert into t values (:'B'); -- expected to fail\n";
        let cases = read(text).unwrap();
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].line, cases[1].line), (3, 9));
        assert_eq!(cases[0].who, Who::A);
        let rows = ["1 | x", "2 | NULL"].map(str::to_owned).to_vec();
        assert_eq!(cases[0].expected, Expected::Rows { rows, ordered: false });
        assert_eq!(cases[1].who, Who::Nobody);
        assert_eq!(
            cases[1].statements,
            ["set local a.b = 'c'", "insert into t values (:'B')"]
        );
        let (state, text) = ("42501".to_owned(), "row-level security".to_owned());
        assert_eq!(cases[1].expected, Expected::Error { state, text });
    }

    #[test]
    fn what_may_be_misread_is_refused_with_its_line() {
        for (text, line, words) in [
            ("-- test: a\nselect 1", 1, "cannot fail"),
            ("-- test: a\n-- expect: no rows\n", 1, "no statement"),
            ("-- test: a\n-- expect: some rows\nselect 1", 2, "no expectation"),
            ("-- test: a\n-- expect: error\nselect 1", 2, "no expectation"),
            (
                "-- test: a\n-- expect: at least 0 rows\nselect 1",
                2,
                "no expectation",
            ),
            ("-- test: a\n-- expect: rows\nselect 1", 2, "no expectation"),
            (
                "-- test: a\n-- as: C\n-- expect: no rows\nselect 1",
                2,
                "is nobody",
            ),
            ("-- test: a\n-- expects: no rows\nselect 1", 2, "unknown here"),
            (
                "-- test: a\n-- expect: no rows\n-- expect: 1 row\nselect 1",
                3,
                "twice",
            ),
            (
                "-- test: a\n-- expect: no rows\nselect 1;\n-- as: B\n",
                4,
                "behind the statement",
            ),
            (
                "select 1;\n-- test: a\n-- expect: no rows\nselect 1",
                1,
                "before the first test",
            ),
            ("-- test: a\n-- expect: no rows\nselect 1;\ncommit", 4, "COMMIT"),
            (
                "-- test: a\n-- expect: no rows\nreset session authorization",
                3,
                "SESSION AUTHORIZATION",
            ),
            ("-- test:\n-- expect: no rows\nselect 1", 1, "no name"),
        ] {
            let error = read(text).unwrap_err();
            let place = format!("t.sql, line {line}:");
            assert!(
                error.chain().starts_with(&place) && error.chain().contains(words),
                "{}",
                error.chain()
            );
        }
    }
}
