//! A row, and the SQL that makes it, names it and looks at it.

use super::shape::{Literal, Shape};
use crate::error::Result;
use crate::sql;

/// Values by column position; `None` is the column's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) values: Vec<Option<Literal>>,
}

/// A value as SQL. Without a cast: where these stand (INSERT, SET, a comparison with the column), PostgreSQL takes the
/// column's type, and people read scripts more easily.
pub(crate) fn constant(value: &Literal) -> Result<String> {
    Ok(match value {
        Some(text) => sql::Literal::new(text)?.to_string(),
        None => "NULL".to_owned(),
    })
}

impl Row {
    /// The value of a column, if it is known and not NULL.
    pub(crate) fn get(&self, column: usize) -> Option<&str> {
        self.values.get(column)?.as_ref()?.as_deref()
    }

    /// `INSERT INTO … VALUES (…)` of the columns that `may` allows, without what may follow.
    pub(crate) fn insert(&self, shape: &Shape, may: impl Fn(usize) -> bool) -> Result<String> {
        let given: Vec<(usize, &Literal)> = self
            .values
            .iter()
            .enumerate()
            .filter_map(|(column, value)| Some((column, value.as_ref()?)))
            .filter(|&(column, _)| may(column))
            .collect();
        if given.is_empty() {
            return Ok(format!("INSERT INTO {} DEFAULT VALUES", shape.name));
        }
        let names: Vec<_> = given
            .iter()
            .map(|&(column, _)| shape.columns[column].name.to_string())
            .collect();
        let values = given
            .iter()
            .map(|&(_, value)| constant(value))
            .collect::<Result<Vec<_>>>()?;
        let overriding = if given
            .iter()
            .any(|&(column, _)| shape.columns[column].identity_always)
        {
            " OVERRIDING SYSTEM VALUE"
        } else {
            ""
        };
        Ok(format!(
            "INSERT INTO {} ({}){overriding} VALUES ({})",
            shape.name,
            names.join(", "),
            values.join(", ")
        ))
    }

    /// A condition that only this row satisfies, in columns that `may` allows: by a key, else by all values that were
    /// made to differ. `None` where nothing known tells it apart.
    pub(crate) fn condition(&self, shape: &Shape, may: impl Fn(usize) -> bool) -> Result<Option<String>> {
        let usable = |&column: &usize| may(column) && self.get(column).is_some();
        if let Some(key) = shape.keys.iter().find(|key| key.iter().all(usable)) {
            return self.equals(shape, key).map(Some);
        }
        let signature: Vec<usize> = (0..shape.columns.len())
            .filter(|&c| shape.is_telling(c) && usable(&c))
            .collect();
        if signature.is_empty() {
            Ok(None)
        } else {
            self.equals(shape, &signature).map(Some)
        }
    }

    /// `a = … AND b = …`.
    pub(crate) fn equals(&self, shape: &Shape, columns: &[usize]) -> Result<String> {
        let parts = columns
            .iter()
            .map(|&column| {
                let value = self.values.get(column).cloned().flatten().unwrap_or(None);
                Ok(format!("{} = {}", shape.columns[column].name, constant(&value)?))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(parts.join(" AND "))
    }

    /// `RETURNING` every column, in order.
    pub(crate) fn returning(shape: &Shape) -> String {
        format!(
            " RETURNING {}",
            super::solve::names(shape.columns.iter().map(|column| &column.name))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::Column;
    use super::super::types::TypeShape;
    use super::*;
    use crate::sql::{Ident, QualifiedName};

    fn shape() -> Shape {
        let column = |name: &str, identity_always| Column {
            name: Ident::new(name).unwrap(),
            ty: TypeShape::base("text", "text"),
            not_null: true,
            default: None,
            generated: false,
            identity: identity_always,
            identity_always,
        };
        Shape {
            name: QualifiedName::new("s", "t").unwrap(),
            columns: vec![column("id", false), column("tenantId", false), column("n", true)],
            keys: vec![vec![2], vec![1, 0]],
            arbiters: Vec::new(),
            also_distinct: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            routing: Vec::new(),
        }
    }

    fn row(values: &[Option<&str>]) -> Row {
        Row {
            values: values
                .iter()
                .map(|value| value.map(|text| Some(text.to_owned())))
                .collect(),
        }
    }

    #[test]
    fn a_row_is_named_by_a_key_that_is_known() {
        let row = row(&[Some("x"), Some("it's"), None]);
        assert_eq!(
            row.condition(&shape(), |_| true).unwrap().unwrap(),
            "\"tenantId\" = 'it''s' AND \"id\" = 'x'"
        );
    }

    #[test]
    fn an_identity_is_overridden_only_when_given() {
        let sql = row(&[Some("x"), Some("a"), None])
            .insert(&shape(), |_| true)
            .unwrap();
        assert_eq!(
            sql,
            "INSERT INTO \"s\".\"t\" (\"id\", \"tenantId\") VALUES ('x', 'a')"
        );
        let sql = row(&[None, None, Some("7")]).insert(&shape(), |_| true).unwrap();
        assert_eq!(
            sql,
            "INSERT INTO \"s\".\"t\" (\"n\") OVERRIDING SYSTEM VALUE VALUES ('7')"
        );
        let sql = row(&[None, None, Some("7")]).insert(&shape(), |_| false).unwrap();
        assert_eq!(sql, "INSERT INTO \"s\".\"t\" DEFAULT VALUES");
    }
}
