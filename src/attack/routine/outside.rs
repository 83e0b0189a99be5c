//! What a function's body gives away about where it reaches: names of tables, and ways out of the transaction.

use crate::catalog::{Catalog, Function, Oid, RelationKind};

/// Words in a body that stand for something a rollback does not undo, or that another session would notice.
const OUTSIDE: [&str; 14] = [
    "dblink",
    "dblink_exec",
    "dblink_connect",
    "pg_background_launch",
    "pg_read_file",
    "pg_write_file",
    "pg_file_write",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "lo_export",
    "http_post",
    "http_get",
    "net",
];

/// How deep functions are followed into the functions that they call.
const DEEPEST: usize = 4;

pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Whether the body names the relation.
pub(crate) fn mentions(function: &Function, relation: Oid, name: &str) -> bool {
    function.reads.iter().any(|read| read.relation == relation)
        || function
            .body
            .as_deref()
            .is_some_and(|body| words(body).any(|word| word == name.to_lowercase()))
}

/// Whether the body names the relation without its schema, so that the search path decides which is meant.
pub(crate) fn mentions_bare(body: &str, name: &str) -> bool {
    let (body, name) = (body.to_lowercase(), name.to_lowercase());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    body.match_indices(&name).any(|(at, _)| {
        let before = body[..at].trim_end_matches('"').chars().next_back();
        let after = body[at + name.len()..].chars().next();
        !before.is_some_and(|c| is_word(c) || c == '.') && !after.is_some_and(is_word)
    })
}

/// Why calling the function may reach beyond the transaction, in words.
pub(crate) fn goes_outside(catalog: &Catalog, function: &Function) -> Option<String> {
    follow(catalog, function, 0)
}

fn follow(catalog: &Catalog, function: &Function, depth: usize) -> Option<String> {
    // C functions of extensions are the extension's business, and internal ones PostgreSQL's.
    if !function.trusted_language && function.language.as_ref() != "internal" && function.extension.is_none()
    {
        return Some(format!(
            "{} is written in {}, which reaches outside the database",
            function.name, function.language
        ));
    }
    let body = function.body.as_deref()?;
    let said: std::collections::BTreeSet<String> = words(body).collect();
    let net = said.contains("net") && !body.contains("net.http");
    if let Some(word) = OUTSIDE
        .iter()
        .find(|word| said.contains(**word) && !(**word == "net" && net))
    {
        return Some(format!(
            "{} uses {word}, which a rollback does not undo",
            function.name
        ));
    }
    if said.contains("program") && said.contains("copy") {
        return Some(format!("{} runs a program of the server", function.name));
    }
    let foreign = catalog
        .relations
        .iter()
        .filter(|relation| relation.kind == RelationKind::ForeignTable);
    for relation in foreign {
        if mentions(function, relation.oid, &relation.name) {
            return Some(format!(
                "{} uses the foreign table {}",
                function.name,
                relation.plain_name()
            ));
        }
    }
    if depth == DEEPEST {
        return None;
    }
    catalog
        .functions
        .iter()
        .filter(|other| {
            other.oid != function.oid
                && other.extension.is_none()
                && (function.calls.contains(&other.oid) || said.contains(&other.name.to_lowercase()))
        })
        .find_map(|other| follow(catalog, other, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_behind_its_schema_is_not_looked_up() {
        assert!(mentions_bare("SELECT * FROM Notes WHERE true", "notes"));
        assert!(mentions_bare("SELECT * FROM \"notes\"", "notes"));
        assert!(!mentions_bare("SELECT * FROM app.notes", "notes"));
        assert!(!mentions_bare("SELECT * FROM \"app\".\"notes\"", "notes"));
        assert!(!mentions_bare("SELECT * FROM old_notes, notes2", "notes"));
    }
}
