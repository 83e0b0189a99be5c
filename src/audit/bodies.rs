//! What functions' bodies name: put together once, because many policies call the same few functions.

use std::collections::{BTreeSet, HashMap};

use crate::catalog::{Catalog, Function, Oid, Relation};
use crate::model::expression::{Token, names_read, settings_read, tokens};

/// What one function's body names.
#[derive(Debug, Default)]
pub(crate) struct Body<'a> {
    /// The relations, as far as the text tells.
    pub(crate) tables: Vec<&'a Relation>,
    /// Those that it names without a schema.
    pub(crate) unqualified: Vec<String>,
    /// The types that it casts to by a name without a schema which is no word of the grammar.
    pub(crate) types: Vec<String>,
    /// Whether it looks at who is asking, or calls a function of the project's that might.
    pub(crate) asks_who: bool,
}

/// The bodies of the project's own functions.
#[derive(Debug)]
pub(crate) struct Bodies<'a>(HashMap<Oid, Body<'a>>);

impl<'a> Bodies<'a> {
    /// Reads them all.
    pub(crate) fn read(catalog: &'a Catalog) -> Self {
        let mut relations = HashMap::<&str, Vec<&Relation>>::new();
        for relation in &catalog.relations {
            relations.entry(&relation.name).or_default().push(relation);
        }
        let functions: BTreeSet<&str> = catalog.functions.iter().map(|function| &*function.name).collect();
        let own = catalog
            .functions
            .iter()
            .filter(|function| function.extension.is_none());
        let bodies = own.map(|function| {
            let body = match &function.body_tree {
                Some(tree) => of_tree(catalog, function, tree),
                None => of_text(function, &relations, &functions),
            };
            (function.oid, body)
        });
        Self(bodies.collect())
    }

    /// What this function's body names.
    pub(crate) fn of(&self, function: &Function) -> Option<&Body<'a>> {
        self.0.get(&function.oid)
    }
}

fn of_tree<'a>(catalog: &'a Catalog, function: &Function, tree: &str) -> Body<'a> {
    // current_setting in both forms, and current_user and its kin as node and as functions.
    const ASKING: [&str; 5] = [
        ":funcid 2077 ",
        ":funcid 3294 ",
        "SQLVALUEFUNCTION",
        ":funcid 745 ",
        ":funcid 746 ",
    ];
    let reads = function.reads.iter();
    Body {
        tables: reads
            .filter_map(|read| catalog.relations.get(read.relation))
            .collect(),
        unqualified: Vec::new(),
        types: Vec::new(),
        asks_who: !function.calls.is_empty() || ASKING.iter().any(|mark| tree.contains(mark)),
    }
}

fn of_text<'a>(
    function: &Function,
    relations: &HashMap<&str, Vec<&'a Relation>>,
    functions: &BTreeSet<&str>,
) -> Body<'a> {
    const ASKING: [&str; 4] = ["current_user", "session_user", "current_role", "current_setting"];
    let list = tokens(function.body.as_deref().unwrap_or_default());
    let mut names = names_read(&list);
    // Names that the body itself gives to queries: WITH name AS (
    for window in list.windows(3) {
        if let [Token::Word(name), Token::Word(word), Token::Symbol('(')] = window
            && word == "as"
        {
            names.remove(&(None, name.clone()));
        }
    }
    let (mut tables, mut unqualified) = (Vec::new(), Vec::new());
    for (schema, name) in names {
        let candidates = relations.get(name.as_str()).into_iter().flatten();
        let before = tables.len();
        tables.extend(
            candidates.filter(|relation| schema.as_deref().is_none_or(|schema| *schema == *relation.schema)),
        );
        if schema.is_none() && tables.len() > before {
            unqualified.push(name);
        }
    }
    let asks = |(place, token): (usize, &Token)| {
        let Token::Word(word) = token else {
            return false;
        };
        let called = list.get(place + 1) == Some(&Token::Symbol('('));
        ASKING.contains(&word.as_str())
            || called && *word != *function.name && functions.contains(word.as_str())
    };
    Body {
        tables,
        unqualified,
        types: types_named(&list),
        asks_who: !settings_read(&list).is_empty() || list.iter().enumerate().any(asks),
    }
}

/// Types behind `::`, and behind `AS` where there is a CAST.
fn types_named(list: &[Token]) -> Vec<String> {
    /// Types whose name the grammar itself gives a meaning.
    const GRAMMAR: [&str; 16] = [
        "integer",
        "int",
        "bigint",
        "smallint",
        "boolean",
        "varchar",
        "character",
        "char",
        "numeric",
        "decimal",
        "real",
        "float",
        "double",
        "time",
        "timestamp",
        "interval",
    ];
    let has_cast = list.contains(&Token::Word("cast".to_owned()));
    let mut names = BTreeSet::new();
    for (place, token) in list.iter().enumerate() {
        let name = match (token, list.get(place + 1), list.get(place + 2)) {
            (Token::Symbol(':'), Some(Token::Symbol(':')), Some(Token::Word(name))) => name,
            (Token::Word(word), Some(Token::Word(name)), Some(Token::Symbol(')')))
                if has_cast && word == "as" =>
            {
                name
            }
            _ => continue,
        };
        let is_qualified = list.get(place + 3) == Some(&Token::Symbol('.'));
        if !is_qualified && !GRAMMAR.contains(&name.as_str()) {
            names.insert(name.clone());
        }
    }
    names.into_iter().collect()
}
