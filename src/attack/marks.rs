//! What tells two tenants' rows wherever they come out: the canaries in their text, their keys, their distinct values.
//!
//! A view or a function may rename, join and format; what was put into a row is found again in the text that comes back.

use std::collections::HashMap;
use std::sync::Arc;

use super::attempt::Judgement;
use super::rows::{Scene, Shape, Side};
use super::sandbox::{Answer, Failure};

/// Shorter values may come back by chance.
const SHORTEST: usize = 5;

/// The same for values of several words.
const SHORTEST_PHRASE: usize = 8;

/// Whose a value is, and whether it does no more than name a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// `None` where both have it.
    side: Option<Side>,
    id: bool,
}

/// The marks of two tenants' rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    values: HashMap<String, Mark>,
    /// Values of more than one word: addresses, times.
    phrases: Vec<(String, Mark)>,
    /// By side, as text and as hexadecimal digits.
    canaries: [[String; 2]; 2],
}

/// Something of a tenant that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// It names a row, and says nothing else about it.
    pub(crate) id: bool,
    pub(crate) value: String,
}

/// The words of a text: what keys are made of, and nothing else.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .filter(|word| word.len() >= SHORTEST)
}

impl Marks {
    /// The marks of all rows that were made.
    pub(crate) fn of(scene: &Scene) -> Self {
        let hex = |text: &String| -> String {
            let digits: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            digits.concat()
        };
        let (mut values, mut phrases) = (HashMap::new(), HashMap::new());
        for &place in &scene.made {
            let (table, side, _) = place;
            if side == Side::Nobody {
                continue;
            }
            let shape = &scene.shapes[table];
            for column in 0..shape.columns.len() {
                let id = names_a_row(scene, table, column);
                let Some(value) = scene.rows.get(&place).and_then(|row| row.get(column)) else {
                    continue;
                };
                if !(id || shape.is_distinct(column)) {
                    continue;
                }
                let mut parts = words(value);
                let (list, key) = match (parts.next(), parts.next()) {
                    (Some(word), None) if word.len() == value.len() => (&mut values, word),
                    // The digits of bytea.
                    (Some(word), None) if value.starts_with('\\') => (&mut values, word),
                    _ if value.len() >= SHORTEST_PHRASE => (&mut phrases, value),
                    _ => continue,
                };
                list.entry(key.to_owned())
                    .and_modify(|mark: &mut Mark| {
                        mark.id |= id;
                        mark.side = mark.side.filter(|&known| known == side);
                    })
                    .or_insert(Mark { side: Some(side), id });
            }
        }
        let mut phrases: Vec<(String, Mark)> = phrases.into_iter().collect();
        phrases.sort_by(|a, b| a.0.cmp(&b.0));
        Self {
            values,
            phrases,
            canaries: [0, 1].map(|side| [scene.canaries[side].clone(), hex(&scene.canaries[side])]),
        }
    }

    /// The first thing in `text` that marks a row of one of `sides` and was not in `given`; content before names.
    pub(crate) fn find(&self, text: &str, sides: &[Side], given: &[String]) -> Option<Seen> {
        let mut named = None;
        for word in words(text) {
            if given.iter().any(|given| given.contains(word)) {
                continue;
            }
            let seen = |id| Seen {
                id,
                value: word.to_owned(),
            };
            let mark = self
                .values
                .get(word)
                .filter(|mark| mark.side.is_some_and(|side| sides.contains(&side)));
            let canary = sides.iter().any(|&side| {
                let canaries = &self.canaries[usize::from(side == Side::B)];
                canaries.iter().any(|canary| word.contains(canary.as_str()))
            });
            match mark {
                Some(mark) if mark.id => named = named.or(Some(seen(true))),
                Some(_) => return Some(seen(false)),
                None if canary => return Some(seen(false)),
                None => {}
            }
        }
        let here = |mark: &Mark| mark.side.is_some_and(|side| sides.contains(&side));
        let phrase = self.phrases.iter().find(|(phrase, mark)| {
            here(mark) && text.contains(phrase.as_str()) && !given.iter().any(|given| given.contains(phrase))
        });
        match phrase {
            Some((phrase, mark)) if !mark.id || named.is_none() => Some(Seen {
                id: mark.id,
                value: phrase.clone(),
            }),
            _ => named,
        }
    }
}

/// Whether a column does no more than name a row: the tenant, the primary key, what foreign keys hold and refer to.
pub(crate) fn names_a_row(scene: &Scene, table: usize, column: usize) -> bool {
    let shape: &Shape = &scene.shapes[table];
    scene.belongs[table].column() == Some(column)
        || shape.keys.first().is_some_and(|key| key.contains(&column))
        || shape.foreign_keys.iter().any(|key| key.columns.contains(&column))
}

/// What must not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) marks: Arc<Marks>,
    /// Whose rows must not show; for a control, whose should.
    pub(crate) sides: &'static [Side],
    /// What the session gave itself: it may come back.
    pub(crate) given: Vec<String>,
    /// What of the rows the session had to know already; a function that then names the row is a lookup.
    pub(crate) known: Option<Known>,
}

/// Content of another tenant's row that was given to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// In words: `app.users.email`.
    pub(crate) what: String,
    /// It cannot be guessed, and whoever has it may have the row: a token, the hash of a key.
    pub(crate) secret: bool,
}

/// Sides of a session that is bound to A.
pub(crate) const OTHER: &[Side] = &[Side::B];
/// Sides of a session that is bound to nobody.
pub(crate) const BOTH: &[Side] = &[Side::A, Side::B];
/// The session's own.
pub(crate) const OWN: &[Side] = &[Side::A];

impl Wanted {
    fn seen(&self, text: &str) -> Option<Judgement> {
        let seen = self.marks.find(text, self.sides, &self.given)?;
        Some(match &self.known {
            Some(known) if known.secret || seen.id => {
                Judgement::LookedUp(format!("it answers whoever knows {}", known.what))
            }
            _ => Judgement::Through(format!("{} came back", seen.value)),
        })
    }

    /// Content first: it is worse than a name.
    fn worst(&self, answer: &Answer) -> Option<Judgement> {
        let cells = answer.rows.iter().flatten().flatten();
        let mut all = cells.filter_map(|cell| self.seen(cell));
        let first = all.next()?;
        if matches!(first, Judgement::Through(_)) {
            return Some(first);
        }
        all.find(|next| matches!(next, Judgement::Through(_)))
            .or(Some(first))
    }

    pub(super) fn judge(&self, answer: &Answer) -> Judgement {
        self.worst(answer)
            .unwrap_or_else(|| Judgement::Refused("nothing of the other tenant came back".to_owned()))
    }

    pub(super) fn judge_failure(&self, failure: &Failure) -> Judgement {
        let text = format!(
            "{} {}",
            failure.message,
            failure.detail.as_deref().unwrap_or_default()
        );
        if let Some(Judgement::Through(what)) = self.seen(&text) {
            return Judgement::Through(format!("{what} in the error"));
        }
        if failure.is_timeout() || failure.is_dead_end() {
            return Judgement::Open(failure.to_string());
        }
        Judgement::Refused(format!("fails: {failure}"))
    }

    /// A control: something of the session's own came back, or at least a value that is not nothing.
    pub(super) fn judge_control(&self, answer: &Answer) -> Judgement {
        let mut cells = answer.rows.iter().flatten().flatten();
        let something = |cell: &String| !["", "0", "f", "{}", "[]", "()"].contains(&cell.as_str());
        if cells.any(|cell| self.marks.find(cell, self.sides, &[]).is_some() || something(cell)) {
            Judgement::Through("it answers".to_owned())
        } else {
            Judgement::Refused("it answers with nothing".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        let mark = |side, id| Mark { side: Some(side), id };
        Marks {
            values: HashMap::from([
                ("ten_a1".to_owned(), mark(Side::A, true)),
                ("ten_b1".to_owned(), mark(Side::B, true)),
                ("20000".to_owned(), mark(Side::B, false)),
            ]),
            phrases: vec![("mail@b.example".to_owned(), mark(Side::B, false))],
            canaries: [
                ["rlstoola".to_owned(), "61".to_owned()],
                ["rlstoolb".to_owned(), "726c73746f6f6c62".to_owned()],
            ],
        }
    }

    #[test]
    fn marks_are_found_in_rows_arrays_and_json() {
        let marks = marks();
        let id = |text: &str| marks.find(text, OTHER, &[]).map(|seen| seen.id);
        assert_eq!(id("(ten_b1,x)"), Some(true));
        assert_eq!(id("{\"t\": \"ten_b1\", \"note\": \"rlstoolbxyz\"}"), Some(false));
        assert_eq!(id("\\x726c73746f6f6c6261"), Some(false));
        assert_eq!(id("{1,20000}"), Some(false));
        assert_eq!(id("(ten_a1,rlstoolax)"), None);
        assert_eq!(id("ten_b12"), None);
        assert_eq!(id("the user mail@b.example is locked"), Some(false));
    }

    #[test]
    fn what_was_given_may_come_back() {
        let given = vec!["' or id = 'ten_b1".to_owned()];
        assert_eq!(marks().find("not found: ten_b1", OTHER, &given), None);
    }

    #[test]
    fn a_lookup_by_content_may_name_the_row_and_nothing_else() {
        let wanted = |secret| Wanted {
            marks: Arc::new(marks()),
            sides: OTHER,
            given: vec!["mail@b.example".to_owned()],
            known: Some(Known {
                what: "t.email".to_owned(),
                secret,
            }),
        };
        let answer = |cell: &str| Answer {
            rows: vec![vec![Some(cell.to_owned())]],
            affected: 1,
        };
        let judge = |secret, cell| wanted(secret).judge(&answer(cell));
        assert!(matches!(judge(false, "ten_b1"), Judgement::LookedUp(_)));
        assert!(matches!(judge(false, "rlstoolbname"), Judgement::Through(_)));
        assert!(matches!(judge(true, "rlstoolbname"), Judgement::LookedUp(_)));
        assert!(matches!(judge(false, "ten_a1"), Judgement::Refused(_)));
    }
}
