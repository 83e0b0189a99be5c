//! Values that route a row into a partition that exists, read off the partitions' bounds.

use super::expression::{Token, tokens};
use super::shape::Literal;
use crate::catalog::{Catalog, Oid, Relation};

/// The values to give, by column position. None where the table has a default partition, is partitioned by hash or by
/// an expression, or is not partitioned at all.
pub(crate) fn into_partition(catalog: &Catalog, root: &Relation) -> Vec<(usize, Literal)> {
    let has_default = children(catalog, root.oid).any(|child| bound(child) == "DEFAULT");
    if has_default {
        return Vec::new();
    }
    let values = children(catalog, root.oid).find_map(|child| into(catalog, root, child));
    values.unwrap_or_default()
}

/// The values that route a row of `root` into one of its partitions, and on into one of that.
pub(crate) fn into(catalog: &Catalog, parent: &Relation, child: &Relation) -> Option<Vec<(usize, Literal)>> {
    let mut values = Vec::new();
    for (number, value) in parent.partition_columns.iter().zip(member(bound(child))?) {
        // 0 is an expression: whatever the bound says, it says nothing about a column.
        let column = parent
            .columns
            .iter()
            .position(|column| column.number == *number)?;
        values.push((column, value));
    }
    if !child.partition_columns.is_empty() {
        let deeper = into_partition(catalog, child);
        // Column positions of a partition may differ from those of its parent.
        for (position, value) in deeper {
            let name = &child.columns[position].name;
            values.push((
                parent.columns.iter().position(|column| column.name == *name)?,
                value,
            ));
        }
    }
    Some(values)
}

/// The values that a row of a partition must have to be inside its bound and those of the tables above it, by the
/// partition's own column positions.
pub(crate) fn within(catalog: &Catalog, partition: &Relation) -> Vec<(usize, Literal)> {
    let mut values = into_partition(catalog, partition);
    let mut child = partition;
    while let Some(parent) = child.parents.first().and_then(|&oid| catalog.relations.get(oid)) {
        if !child.is_partition {
            break;
        }
        for (number, value) in parent
            .partition_columns
            .iter()
            .zip(member(bound(child)).unwrap_or_default())
        {
            let name = parent.column(*number).map(|column| &column.name);
            let own = partition
                .columns
                .iter()
                .position(|column| Some(&column.name) == name);
            values.extend(own.map(|position| (position, value)));
        }
        child = parent;
    }
    values
}

fn children(catalog: &Catalog, parent: Oid) -> impl Iterator<Item = &Relation> {
    catalog
        .relations
        .iter()
        .filter(move |relation| relation.is_partition && relation.parents.contains(&parent))
}

fn bound(partition: &Relation) -> &str {
    partition.partition_bound.as_deref().unwrap_or_default()
}

/// A value inside the bound, one a key column; `None` where the bound does not show one. Empty: any value may be.
fn member(bound: &str) -> Option<Vec<Literal>> {
    let inside = |keyword: &str| {
        let (_, rest) = bound.split_once(keyword)?;
        Some(constants(rest))
    };
    if bound.starts_with("FOR VALUES WITH") {
        return Some(Vec::new());
    }
    if let Some(list) = inside("FOR VALUES IN (") {
        // A list partition has one key column.
        return list
            .into_iter()
            .find(|value| value.as_deref() != Some("MINVALUE"))
            .map(|value| vec![value]);
    }
    let lower = inside("FOR VALUES FROM (")?;
    lower
        .iter()
        .all(|value| value.as_deref() != Some("MINVALUE"))
        .then_some(lower)
}

/// The constants up to the closing parenthesis.
fn constants(list: &str) -> Vec<Literal> {
    let mut values = Vec::new();
    let mut sign = "";
    for token in tokens(list) {
        match token {
            Token::Text(text) => values.push(Some(text)),
            Token::Number(text) => values.push(Some(format!("{sign}{text}"))),
            Token::Word(word) if word == "NULL" => values.push(None),
            // MINVALUE, MAXVALUE, true, false.
            Token::Word(word) => values.push(Some(word)),
            Token::Operator(operator) => sign = if operator == "-" { "-" } else { "" },
            Token::Close => break,
            Token::Name(_) | Token::Other => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> Vec<Literal> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn the_lower_bound_is_inside_and_the_upper_is_not() {
        assert_eq!(
            member("FOR VALUES FROM ('2024-01-01 00:00:00+00', '(x)') TO ('2024-02-01', 'y')").unwrap(),
            text(&["2024-01-01 00:00:00+00", "(x)"])
        );
        assert_eq!(member("FOR VALUES FROM (-10) TO (10)").unwrap(), text(&["-10"]));
        assert_eq!(member("FOR VALUES FROM (MINVALUE) TO (10)"), None);
    }

    #[test]
    fn lists_and_hashes() {
        assert_eq!(member("FOR VALUES IN ('a', 'b')").unwrap(), text(&["a"]));
        assert_eq!(member("FOR VALUES IN (NULL)").unwrap(), [None]);
        assert_eq!(member("FOR VALUES WITH (modulus 4, remainder 1)").unwrap(), []);
        assert_eq!(member("DEFAULT"), None);
    }
}
