//! Look-ups in functions' bodies that are stored as text: which column they compare with who is asking.
//!
//! Nothing is proven from this: it says what to make rows of, and what a session is bound to.

use std::collections::BTreeMap;

use super::Place;
use crate::catalog::{Catalog, Relation};
use crate::model::expression::{Token, computes_tokens, names_read, tokens};
use crate::model::source::{Source, source_of};

/// Things by name, with or without their schema.
#[derive(Debug)]
pub(super) struct Named<T>(BTreeMap<(Option<String>, String), T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> Named<T> {
    pub(super) fn add(&mut self, schema: &str, name: &str, item: T) {
        self.0
            .insert((Some(schema.to_owned()), name.to_owned()), item.clone());
        self.0.insert((None, name.to_owned()), item);
    }

    fn get(&self, schema: Option<&str>, name: &str) -> Option<&T> {
        self.0.get(&(schema.map(str::to_owned), name.to_owned()))
    }
}

/// The column that the body compares with who is asking, who that is, and all columns that it names of the tables that
/// it reads.
pub(super) fn look_up(
    catalog: &Catalog,
    body: &str,
    sources: &Named<Source>,
) -> Option<(Place, Source, Vec<Place>)> {
    let list = tokens(body);
    let tables: Vec<&Relation> = names_read(&list)
        .iter()
        .filter_map(|(schema, name)| match schema {
            Some(schema) => catalog.relation_named(schema, name),
            None => catalog.relations.iter().find(|relation| *relation.name == **name),
        })
        .collect();
    let column = |name: &str| {
        tables
            .iter()
            .find_map(|table| Some((table.oid, table.column_named(name)?.number)))
    };
    let mut member = None;
    for (at, _) in list
        .iter()
        .enumerate()
        .filter(|(_, token)| **token == Token::Symbol('='))
    {
        let before = list[..at].last().and_then(word).and_then(column);
        let after = column_behind(&list[at + 1..]).and_then(column);
        let right = before.zip(source_at(&list[at + 1..], sources));
        let left = after.zip(source_before(&list[..at], sources));
        member = member.or(right).or(left);
    }
    let (member, source) = member?;
    let seen = list.iter().filter_map(word).filter_map(column).collect();
    Some((member, source, seen))
}

fn word(token: &Token) -> Option<&str> {
    match token {
        Token::Word(word) => Some(word),
        _ => None,
    }
}

/// The name of a column, with or without its table's before it.
fn column_behind(list: &[Token]) -> Option<&str> {
    match list {
        [Token::Word(_), Token::Symbol('.'), Token::Word(name), ..] | [Token::Word(name), ..] => Some(name),
        _ => None,
    }
}

/// Who is asking, where the tokens begin with it: a call, `current_setting(…)` in its usual wrappings, or a sub-select
/// of either.
fn source_at(list: &[Token], sources: &Named<Source>) -> Option<Source> {
    (1..=LONGEST.min(list.len()))
        .rev()
        .find_map(|length| source(&list[..length], sources))
}

/// Who is asking, where the tokens end with it.
fn source_before(list: &[Token], sources: &Named<Source>) -> Option<Source> {
    (1..=LONGEST.min(list.len())).find_map(|length| source(&list[list.len() - length..], sources))
}

/// Longer than any usual way to say it.
const LONGEST: usize = 24;

fn source(list: &[Token], sources: &Named<Source>) -> Option<Source> {
    match list {
        [inner @ .., Token::Symbol(':'), Token::Symbol(':'), Token::Word(_)] if is_call(inner) => {
            source(inner, sources)
        }
        [Token::Symbol('('), select, inner @ .., Token::Symbol(')')] if select.is("select") => {
            source(inner, sources)
        }
        [
            Token::Word(schema),
            Token::Symbol('.'),
            Token::Word(name),
            Token::Symbol('('),
            Token::Symbol(')'),
        ] => sources.get(Some(schema), name).cloned(),
        [Token::Word(name), Token::Symbol('('), Token::Symbol(')')] => sources.get(None, name).cloned(),
        list => source_of(&computes_tokens(list)?),
    }
}

fn is_call(list: &[Token]) -> bool {
    matches!(list, [.., Token::Symbol('('), Token::Symbol(')')])
}
