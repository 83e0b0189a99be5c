//! What is said about a table's rows: by its policies, by the conditions of views over it and of functions that name it.

use std::collections::BTreeSet;

use super::outside::words;
use crate::catalog::{Catalog, Oid, Relation};

/// Conditions of views and functions, ready to be asked about one table after the other.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    views: Vec<(BTreeSet<Oid>, &'a str)>,
    functions: Vec<(BTreeSet<Oid>, BTreeSet<String>, &'a str)>,
}

impl<'a> Said<'a> {
    /// Everything in the catalog that could say something.
    pub(crate) fn new(catalog: &'a Catalog) -> Self {
        let views = catalog.relations.iter().filter_map(|view| {
            let read = view.reads.iter().map(|read| read.relation).collect();
            Some((read, condition(view.definition.as_deref()?)?))
        });
        let functions = catalog
            .functions
            .iter()
            .filter(|function| function.extension.is_none() && &*function.language != "internal")
            .filter_map(|function| {
                let body = function.body.as_deref()?;
                let read = function.reads.iter().map(|read| read.relation).collect();
                Some((read, words(body).collect(), condition(body)?))
            });
        Self {
            views: views.collect(),
            functions: functions.collect(),
        }
    }

    /// What is said about the table, its policies first.
    pub(crate) fn about(&self, table: &'a Relation) -> Vec<&'a str> {
        let policies = table
            .policies
            .iter()
            .flat_map(|policy| policy.using.iter().chain(&policy.check))
            .map(|text| &**text);
        let views = self.views.iter().filter(|(read, _)| read.contains(&table.oid));
        let name = table.name.to_lowercase();
        let functions = self
            .functions
            .iter()
            .filter(|(read, words, _)| read.contains(&table.oid) || words.contains(&name));
        policies
            .chain(views.map(|(_, text)| *text))
            .chain(functions.map(|(_, _, text)| *text))
            .collect()
    }
}

/// The text from its first WHERE on.
fn condition(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    text.get(lower.find("where")?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_begins_at_where() {
        assert_eq!(condition("SELECT a FROM t WHERE b"), Some("WHERE b"));
        assert_eq!(condition("select a from t"), None);
    }
}
