//! Queries whose whole meaning is one expression.

use crate::proof::tree::{Node, Object};

/// Whether the query is SELECT of expressions alone: no FROM, no WHERE.
pub(super) fn plain_select(query: &Object<'_>) -> bool {
    let empty = |field: &str| query.get(field).is_null() || query.items(field).is_empty();
    let no_condition = query
        .object("jointree")
        .is_none_or(|tree| tree.get("quals").is_null());
    query.name == "QUERY"
        && query.int("commandType") == Some(1)
        && query.get("rtable").is_null()
        && query.get("cteList").is_null()
        && query.get("limitCount").is_null()
        && query.get("limitOffset").is_null()
        && query.get("havingQual").is_null()
        && query.get("setOperations").is_null()
        && empty("groupClause")
        && no_condition
}

/// The one query of a SQL-standard body: `RETURN …`, or BEGIN ATOMIC with one statement.
pub(super) fn only_query<'a, 'n>(node: &'n Node<'a>) -> Option<&'n Object<'a>> {
    match node {
        Node::Object(query) => Some(query),
        Node::List(items) => match items.as_slice() {
            [one] => only_query(one),
            _ => None,
        },
        _ => None,
    }
}
