//! Whether what came of a test is what it expects, and the difference in words.

use super::case::Expected;
use crate::attack::Reply;

/// The difference, if there is one. Values are a test's own rows, and are shown.
pub(super) fn difference(expected: &Expected, replies: &[Reply]) -> Option<String> {
    let Some((last, earlier)) = replies.split_last() else {
        return Some("nothing was run".to_owned());
    };
    if let Some((index, failure)) = earlier
        .iter()
        .enumerate()
        .find_map(|(index, reply)| Some((index, reply.as_ref().err()?)))
    {
        return Some(format!("statement {} already failed: {failure}", index + 1));
    }
    match (expected, last) {
        (Expected::Error { state, text }, Err(failure)) => {
            let fits = failure.state.code() == state && failure.message.contains(text.as_str());
            (!fits).then(|| {
                let wanted = if text.is_empty() {
                    state.clone()
                } else {
                    format!("{state} {text}")
                };
                format!("expected error {wanted}, got {failure}")
            })
        }
        (Expected::Error { state, .. }, Ok(answers)) => {
            let count = answers.last().map_or(0, |answer| answer.affected);
            Some(format!(
                "expected error {state}, and the statement succeeded with {count} rows"
            ))
        }
        (_, Err(failure)) => Some(format!("the statement failed: {failure}")),
        (Expected::Count(count), Ok(answers)) => {
            let got = answers.last().map_or(0, |answer| answer.affected);
            (got != *count).then(|| format!("expected {count} rows, got {got}{}", shown(answers)))
        }
        (Expected::AtLeast(count), Ok(answers)) => {
            let got = answers.last().map_or(0, |answer| answer.affected);
            (got < *count).then(|| format!("expected at least {count} rows, got {got}"))
        }
        (Expected::Rows { rows, ordered }, Ok(answers)) => {
            let got = lines(answers);
            let (mut left, mut right) = (rows.clone(), got.clone());
            if !ordered {
                left.sort();
                right.sort();
            }
            (left != right).then(|| {
                format!(
                    "expected:\n{}\ngot:\n{}",
                    indented(rows),
                    if got.is_empty() {
                        "  no rows".to_owned()
                    } else {
                        indented(&got)
                    }
                )
            })
        }
    }
}

/// The rows of the last statement, as a test file writes them.
fn lines(answers: &[crate::attack::Answer]) -> Vec<String> {
    let rows = answers
        .last()
        .map(|answer| answer.rows.as_slice())
        .unwrap_or_default();
    rows.iter()
        .map(|row| {
            let values: Vec<_> = row
                .iter()
                .map(|value| value.as_deref().unwrap_or("NULL").replace('\n', "\\n"))
                .collect();
            values.join(" | ").trim().to_owned()
        })
        .collect()
}

fn shown(answers: &[crate::attack::Answer]) -> String {
    const SHOWN: usize = 5;
    let mut rows = lines(answers);
    if rows.is_empty() {
        return String::new();
    }
    if rows.len() > SHOWN {
        let more = rows.len() - SHOWN;
        rows.truncate(SHOWN);
        rows.push(format!("… and {more} more"));
    }
    format!(":\n{}", indented(&rows))
}

fn indented(rows: &[String]) -> String {
    let lines: Vec<_> = rows.iter().map(|row| format!("  {row}")).collect();
    lines.join("\n")
}
