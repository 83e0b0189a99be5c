//! Calls with guesses: text that does harm where it becomes part of a statement, names of tables, plain values.

use super::arguments::{Argument, Call, Caller, Knowledge, MOST_TABLES};
use crate::attack::rows::{Form, Literal};

/// What such a call is called.
pub(crate) const HOSTILE_TEXT: &str = "called with hostile text";

/// Text that does harm where it becomes part of a statement.
const HOSTILE: [&str; 8] = [
    "' OR true --",
    "' OR '1'='1",
    "x') OR true --",
    "x') OR ('1'='1",
    "%",
    "",
    "\" OR true --",
    "1 OR true",
];

impl Caller<'_> {
    /// One argument is replaced, the others are the session's own or plain.
    fn replacing(
        &mut self,
        calls: &mut Vec<Call>,
        what: &'static str,
        replace: impl Fn(&Argument) -> Vec<String>,
    ) {
        let own = calls
            .iter()
            .find(|call| matches!(call.knowledge, Knowledge::Own(_)));
        let base = match own {
            Some(call) => call.values.clone(),
            None => self
                .arguments
                .to_vec()
                .iter()
                .map(|argument| self.filler(argument))
                .collect(),
        };
        for (place, argument) in self
            .arguments
            .iter()
            .enumerate()
            .filter(|(_, argument)| !argument.out)
        {
            for text in replace(argument) {
                let mut values = base.clone();
                values[place] = Some(text);
                calls.push(Call {
                    what,
                    values,
                    knowledge: Knowledge::Guess,
                });
            }
        }
    }

    pub(super) fn hostile(&mut self, calls: &mut Vec<Call>) {
        self.replacing(calls, HOSTILE_TEXT, |argument| {
            if argument.ty.is_text() {
                HOSTILE.map(str::to_owned).to_vec()
            } else {
                Vec::new()
            }
        });
    }

    pub(super) fn names_of_tables(&mut self, calls: &mut Vec<Call>) {
        let names: Vec<String> = self.table_names.iter().take(MOST_TABLES).cloned().collect();
        self.replacing(calls, "called with a table's name", |argument| {
            match &argument.ty.bottom().form {
                Form::Base(name) if ["text", "varchar", "name", "regclass"].contains(&name.as_str()) => {
                    // With the schema and without it: as an identifier the dot is part of the name.
                    let plain = names
                        .iter()
                        .map(|name| name.rsplit('.').next().unwrap_or(name).to_owned());
                    names
                        .iter()
                        .cloned()
                        .chain(plain.filter(|_| name != "regclass"))
                        .collect()
                }
                _ => Vec::new(),
            }
        });
    }

    pub(super) fn plain(&mut self, calls: &mut Vec<Call>) {
        let what = "called with plain values";
        let fillers: Vec<Literal> = self
            .arguments
            .to_vec()
            .iter()
            .map(|argument| self.filler(argument))
            .collect();
        let guess = |values| Call {
            what,
            values,
            knowledge: Knowledge::Guess,
        };
        calls.push(guess(fillers));
        calls.push(guess(vec![None; self.arguments.len()]));
        self.replacing(calls, what, |argument| {
            let list: &[&str] = match &argument.ty.bottom().form {
                Form::Base(name) if name == "bool" => &["true", "false"],
                _ if argument.ty.is_number() => &["0", "1000", "-1"],
                _ if argument.ty.is_time() => &["1900-01-01", "2999-01-01"],
                _ => &[],
            };
            list.iter().map(|text| (*text).to_owned()).collect()
        });
    }
}
