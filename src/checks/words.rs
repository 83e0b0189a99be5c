//! Questions and wordings that several checks share.

use crate::audit::Context;
use crate::catalog::{Relation, Text};
use crate::model::accesses;
use crate::proof::tree::Node;

/// `a`, `a and b`, `a, b and c`; of many, the first ones and how many more.
pub(crate) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 4;
    let items: Vec<T> = items.into_iter().collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] if items.len() <= SHOWN => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
        _ => {
            let first: Vec<&str> = items.iter().take(SHOWN - 1).map(AsRef::as_ref).collect();
            format!("{} and {} more", first.join(", "), items.len() - first.len())
        }
    }
}

/// Whether a stored expression is the constant true.
pub(crate) fn is_true(tree: &Text) -> bool {
    /// `bool`
    const BOOLEAN: u32 = 16;
    let Ok(node) = Node::parse(tree) else {
        return false;
    };
    let Some(constant) = node.object().filter(|object| object.name == "CONST") else {
        return false;
    };
    let value = || match constant.get("constvalue") {
        Node::Datum(datum) => datum.bytes.first().copied(),
        _ => None,
    };
    constant.oid("consttype") == Some(BOOLEAN)
        && constant.flag("constisnull") == Some(false)
        && value() == Some(1)
}

/// The tenant-scoped tables that a view reads as a role whom row security does not hold there.
pub(crate) fn tables_read_unheld<'a>(context: &Context<'a>, view: &Relation) -> Vec<&'a Relation> {
    let mut tables: Vec<_> = accesses(context.catalog, view)
        .into_iter()
        .filter(|(oid, _)| context.model.table(*oid).is_some())
        .filter_map(|(oid, reader)| {
            let table = context.catalog.relations.get(oid)?;
            let reader = context.catalog.roles.get(reader?)?;
            // A table without row security has a finding of its own.
            (table.row_security && context.bypasses(reader, table)).then_some(table)
        })
        .collect();
    tables.sort_by_key(|table| (&table.schema, &table.name));
    tables.dedup_by_key(|table| table.oid);
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_well() {
        assert_eq!(list(["a"]), "a");
        assert_eq!(list(["a", "b", "c"]), "a, b and c");
        assert_eq!(list(["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
