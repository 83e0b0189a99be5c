//! One SQL file as read: its text (UTF-8, no byte order mark, LF line endings), its label for messages, and the marks
//! in its leading comment lines. What the file is for, a migration or a table's policies, is decided elsewhere.

use std::path::Path;

use crate::error::{Error, Result};

/// How a mark starts, in a comment line at the top of the file.
const MARK: &str = "rls-tool:";

/// A file's text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqlFile {
    /// How messages name it: the path as given, or the name within the embedded reference schema.
    pub(crate) label: String,
    /// The file name without folder and `.sql`.
    pub(crate) stem: String,
    /// The text, with LF line endings.
    pub(crate) sql: String,
}

impl SqlFile {
    /// Reads `path` strictly.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|cause| Error::io(path, "read", cause))?;
        let label = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|cause| {
            let at = cause.utf8_error().valid_up_to();
            let line = 1 + cause.as_bytes()[..at]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            Error::input(format!("{label}, line {line}: the file is not UTF-8")).with_help("save it as UTF-8")
        })?;
        Self::new(label, &text)
    }

    /// A file with this text; `label` ends in the file's name.
    pub(crate) fn new(label: String, text: &str) -> Result<Self> {
        if text.starts_with('\u{feff}') {
            return Err(
                Error::input(format!("{label}: the file starts with a byte order mark"))
                    .with_help("save it as UTF-8 without a byte order mark (BOM)"),
            );
        }
        if text.contains('\0') {
            return Err(Error::input(format!(
                "{label}: the file holds a NUL character, which SQL cannot"
            ))
            .with_help("save it as UTF-8; UTF-16 looks like this"));
        }
        let stem = Path::new(&label)
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            label,
            stem,
            // The same file must have the same checksum, and functions the same body, on Windows and elsewhere.
            sql: text.replace("\r\n", "\n"),
        })
    }

    /// The marks in the leading comment lines, as (keyword, what follows it).
    ///
    /// # Errors
    ///
    /// A mark that is not among `known`, and one further down in the file: it would be ignored without a word.
    pub(crate) fn marks(&self, known: &[&str]) -> Result<Vec<(&str, &str)>> {
        let mut marks = Vec::new();
        let mut leading = true;
        for (number, line) in self.sql.lines().enumerate() {
            let line = line.trim();
            leading &= line.is_empty() || line.starts_with("--");
            let Some(text) = line
                .strip_prefix("--")
                .and_then(|line| line.trim().strip_prefix(MARK))
            else {
                continue;
            };
            let place = format!("{}, line {}", self.label, number + 1);
            if !leading {
                return Err(Error::input(format!(
                    "{place}: a mark (-- {MARK} …) counts only above the first statement"
                ))
                .with_help("move it to the file's first line"));
            }
            let text = text.trim();
            let end = text
                .find(|c: char| !(c.is_alphanumeric() || c == '-'))
                .unwrap_or(text.len());
            let (word, rest) = text.split_at(end);
            if !known.contains(&word) {
                return Err(
                    Error::input(format!("{place}: the mark {word:?} is unknown here"))
                        .with_help(format!("marks are: {}", known.join(", "))),
                );
            }
            marks.push((word, rest.trim()));
        }
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<SqlFile> {
        SqlFile::new("migrations/V1__a.sql".to_owned(), text)
    }

    #[test]
    fn line_endings_do_not_make_another_file() {
        assert_eq!(
            file("select 1;\r\nselect 2;\r\n").unwrap(),
            file("select 1;\nselect 2;\n").unwrap()
        );
    }

    #[test]
    fn a_byte_order_mark_and_utf_16_are_refused_by_name() {
        assert!(
            file("\u{feff}select 1")
                .unwrap_err()
                .chain()
                .contains("byte order mark")
        );
        assert!(file("s\0e\0").unwrap_err().chain().contains("NUL"));
    }

    #[test]
    fn marks_stand_above_the_first_statement() {
        let known = ["no-transaction", "rls-aware"];
        let marked =
            file("-- A title.\n\n--rls-tool: no-transaction\n-- rls-tool: rls-aware: binds each tenant\n")
                .unwrap();
        assert_eq!(
            marked.marks(&known).unwrap(),
            [("no-transaction", ""), ("rls-aware", ": binds each tenant")]
        );
        let late = file("select 1;\n-- rls-tool: rls-aware").unwrap();
        assert!(late.marks(&known).unwrap_err().chain().contains("line 2"));
        let typo = file("-- rls-tool: no-transactions").unwrap();
        assert!(
            typo.marks(&known)
                .unwrap_err()
                .chain()
                .contains("\"no-transactions\"")
        );
        assert!(
            file("select 1; -- no mark here")
                .unwrap()
                .marks(&known)
                .unwrap()
                .is_empty()
        );
    }
}
