//! Which rows a session sees, compared with whose they are: read once by the session and once by the superuser.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::postgres::Postgres;
use crate::catalog::{Catalog, Oid, Relation};
use crate::error::{Error, Result};
use crate::model::{Model, Scope};
use crate::sql::{Ident, Literal};

/// Rows in text form, of the columns that the role may read.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Seen, and not the tenant's own.
    pub(super) foreign: Vec<String>,
    /// The tenant's own (anybody's where there is no tenant), and not seen.
    pub(super) missing: Vec<String>,
    /// How many of its own the session sees.
    pub(super) own: usize,
}

/// Compares what the session sees of `table` with what belongs to `tenant`.
pub(super) async fn look(
    db: &Postgres,
    session: &Client,
    role: &str,
    table: &str,
    tenant: Option<&str>,
) -> Result<Seen> {
    let (catalog, model) = db.model(&[role]).await?;
    let relation = find(&catalog, table)?;
    let admin = db.superuser().await?;
    let columns = readable(&admin, relation, role).await?;
    if columns.is_empty() {
        return match tenant {
            // Not even a column: nothing is to be seen, and whether there are rows does not matter.
            None => Ok(Seen {
                missing: vec!["(no column may be read)".to_owned()],
                ..Seen::default()
            }),
            Some(_) => Err(Error::input(format!("{role} may read no column of {table}"))),
        };
    }
    let query = |condition: &str| {
        format!(
            "SELECT pg_catalog.row_to_json(r)::text FROM (SELECT {} FROM {} AS t WHERE {condition}) AS r ORDER BY 1",
            columns.join(", "),
            relation.qualified_name()
        )
    };
    let seen = texts(session, &query("true"), &format!("read {table} as {role}")).await?;
    let step = format!("read {table} as superuser");
    let Some(tenant) = tenant else {
        let all = if relation.kind.is_table() {
            texts(&admin, &query("true"), &step).await?
        } else {
            behind(&catalog, &model, relation, &admin).await?
        };
        let (foreign, missing) = (seen.clone(), without(all, &seen));
        return Ok(Seen {
            foreign,
            missing,
            own: 0,
        });
    };
    let condition = condition(&catalog, &model, relation, "t", tenant, 0)?;
    if relation.kind.is_table() {
        let own = texts(&admin, &query(&condition), &step).await?;
        let foreign = without(seen.clone(), &own);
        return Ok(Seen {
            own: seen.len() - foreign.len(),
            missing: without(own, &seen),
            foreign,
        });
    }
    // What a view would show the superuser is another matter: only what the session itself sees can be told apart.
    let own = texts(session, &query(&condition), &format!("read {table} as {role}")).await?;
    Ok(Seen {
        foreign: without(seen, &own),
        missing: Vec::new(),
        own: own.len(),
    })
}

/// The tables behind a view that hold rows, a line each: the view itself may show the superuser none, since row security
/// holds its owner.
async fn behind(catalog: &Catalog, model: &Model, view: &Relation, admin: &Client) -> Result<Vec<String>> {
    let doors = model.doors.iter().filter(|door| door.oid == view.oid);
    let tables: std::collections::BTreeSet<Oid> =
        doors.flat_map(|door| door.tables.iter().copied()).collect();
    let mut filled = Vec::new();
    for table in tables.iter().filter_map(|oid| catalog.relations.get(*oid)) {
        let name = table.qualified_name();
        let label = table.plain_name();
        let sql = format!("SELECT {} FROM {name} LIMIT 1", Literal::new(&label)?);
        filled.extend(texts(admin, &sql, &format!("read {name} as superuser")).await?);
    }
    Ok(filled)
}

/// The table or view of this name, with its schema or, where there is just one, without.
pub(super) fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Relation> {
    let found: Vec<_> = catalog
        .relations
        .iter()
        .filter(|relation| relation.plain_name() == name || *relation.name == *name)
        .collect();
    match found.as_slice() {
        [relation] => Ok(relation),
        [] => {
            Err(Error::input(format!("there is no table or view {name}"))
                .with_help("name it as schema.table"))
        }
        _ => Err(Error::input(format!("{name} is in several schemas")).with_help("name it as schema.table")),
    }
}

/// The condition that rows of the tenant satisfy.
fn condition(
    catalog: &Catalog,
    model: &Model,
    relation: &Relation,
    alias: &str,
    tenant: &str,
    depth: usize,
) -> Result<String> {
    let of_column = |name: &str| {
        Ok(format!(
            "{alias}.{}::text = {}",
            Ident::new(name)?,
            Literal::new(tenant)?
        ))
    };
    let number = |number: i16| relation.column(number).map(|column| column.name.to_string());
    let nobody = || {
        Error::input(format!("{} does not belong to tenants", relation.plain_name())).with_help(
            "sees_nothing is for tables without tenants; rls.toml declares a table's tenant column",
        )
    };
    match model.table(relation.oid).map(|table| table.scope) {
        Some(Scope::Column { column } | Scope::Root { key: column }) => {
            of_column(&number(column).ok_or_else(nobody)?)
        }
        Some(Scope::Child { constraint, parent }) => child(
            catalog,
            model,
            relation,
            (constraint, parent),
            alias,
            tenant,
            depth,
        ),
        None if relation.column_named(&model.tenant_column).is_some() => of_column(&model.tenant_column),
        Some(Scope::Identity { .. }) | None => Err(nobody()),
    }
}

/// By way of the row that it belongs to.
fn child(
    catalog: &Catalog,
    model: &Model,
    relation: &Relation,
    (constraint, parent): (Oid, Oid),
    alias: &str,
    tenant: &str,
    depth: usize,
) -> Result<String> {
    let lost = || Error::input(format!("{} has lost its foreign key", relation.plain_name()));
    let (constraint, key) = relation
        .foreign_keys()
        .find(|(found, _)| found.oid == constraint)
        .ok_or_else(lost)?;
    let parent = catalog.relations.get(parent).ok_or_else(lost)?;
    let upper = format!("p{depth}");
    let mut parts = Vec::new();
    for (own, theirs) in relation
        .column_names(&constraint.columns)
        .iter()
        .zip(parent.column_names(&key.columns))
    {
        parts.push(format!(
            "{upper}.{} = {alias}.{}",
            Ident::new(theirs.to_string())?,
            Ident::new(own.to_string())?
        ));
    }
    parts.push(condition(catalog, model, parent, &upper, tenant, depth + 1)?);
    Ok(format!(
        "EXISTS (SELECT FROM {} AS {upper} WHERE {})",
        parent.qualified_name(),
        parts.join(" AND ")
    ))
}

/// The columns that the role may read.
async fn readable(admin: &Client, relation: &Relation, role: &str) -> Result<Vec<String>> {
    let failed = |cause| Error::postgres(format!("look at the privileges of {role}"), cause);
    let sql = "SELECT attname::text FROM pg_catalog.pg_attribute \
               WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped \
                 AND pg_catalog.has_schema_privilege($2, $3, 'USAGE') \
                 AND pg_catalog.has_column_privilege($2, attrelid, attnum, 'SELECT') ORDER BY attnum";
    let schema = relation.schema.to_string();
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&relation.oid, Type::OID),
        (&role, Type::TEXT),
        (&schema, Type::TEXT),
    ];
    let rows = admin.query_typed(sql, &parameters).await.map_err(failed)?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0).map_err(failed)?;
            Ok(format!("t.{}", Ident::new(name)?))
        })
        .collect()
}

async fn texts(client: &Client, sql: &str, step: &str) -> Result<Vec<String>> {
    let failed = |cause| Error::postgres(step, cause);
    let messages = client.simple_query(sql).await.map_err(failed)?;
    Ok(messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect())
}

/// What is in `all` and not in `taken`; a row that is twice in `all` has to be taken twice.
fn without(all: Vec<String>, taken: &[String]) -> Vec<String> {
    let mut counts = std::collections::HashMap::new();
    for row in taken {
        *counts.entry(row.as_str()).or_insert(0_usize) += 1;
    }
    all.into_iter()
        .filter(|row| match counts.get_mut(row.as_str()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_counted() {
        let rows = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        assert_eq!(without(rows("aabc"), &rows("ac")), rows("ab"));
        assert_eq!(without(rows(""), &rows("ac")), rows(""));
    }
}
