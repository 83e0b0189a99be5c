//! Roles, memberships and their settings, read in one cluster and made in another.

use tokio_postgres::{Client, Transaction};

use crate::error::{Error, Result};
use crate::sql::{Ident, Literal};

/// What was read.
#[derive(Debug)]
pub(super) struct Roles {
    roles: Vec<Role>,
    members: Vec<Member>,
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Role {
    name: String,
    /// `SUPERUSER NOINHERIT …`.
    attributes: String,
}

#[derive(Debug)]
struct Member {
    of: String,
    role: String,
    options: String,
}

#[derive(Debug)]
struct Setting {
    /// `None`: of the database itself.
    role: Option<String>,
    in_database: bool,
    name: String,
    value: String,
}

/// Attributes in the order of `roles.sql`.
const ATTRIBUTES: [&str; 7] = [
    "SUPERUSER",
    "INHERIT",
    "CREATEROLE",
    "CREATEDB",
    "LOGIN",
    "REPLICATION",
    "BYPASSRLS",
];

/// Reads them from the cluster.
pub(super) async fn read(transaction: &Transaction<'_>) -> Result<Roles> {
    let failed = |cause| Error::postgres("read the roles for the twin", cause);
    let role = |row: &tokio_postgres::Row| {
        let words = ATTRIBUTES.iter().enumerate().map(|(place, word)| {
            let no = if row.get(place + 1) { "" } else { "NO" };
            format!("{no}{word}")
        });
        Role {
            name: row.get(0),
            attributes: words.collect::<Vec<_>>().join(" "),
        }
    };
    let rows = transaction
        .query(include_str!("roles.sql"), &[])
        .await
        .map_err(failed)?;
    let roles = rows.iter().map(role).collect();
    let rows = transaction
        .query(include_str!("members.sql"), &[])
        .await
        .map_err(failed)?;
    let member = |row: &tokio_postgres::Row| {
        let word = |on: bool| if on { "TRUE" } else { "FALSE" };
        let admin: bool = row.get(2);
        let options = match (row.get::<_, Option<bool>>(3), row.get::<_, Option<bool>>(4)) {
            (Some(inherit), Some(set)) => format!(
                " WITH ADMIN {}, INHERIT {}, SET {}",
                word(admin),
                word(inherit),
                word(set)
            ),
            _ if admin => " WITH ADMIN OPTION".to_owned(),
            _ => String::new(),
        };
        Member {
            of: row.get(0),
            role: row.get(1),
            options,
        }
    };
    let members = rows.iter().map(member).collect();
    let rows = transaction
        .query(include_str!("settings.sql"), &[])
        .await
        .map_err(failed)?;
    let setting = |row: &tokio_postgres::Row| Setting {
        role: row.get(0),
        in_database: row.get(1),
        name: row.get(2),
        value: row.get(3),
    };
    let settings = rows.iter().map(setting).collect();
    Ok(Roles {
        roles,
        members,
        settings,
    })
}

impl Roles {
    /// Makes the roles and memberships; returns what did not work, in words.
    pub(super) async fn make(&self, admin: &Client) -> Result<Vec<String>> {
        let failed = |cause| Error::postgres("make the twin's roles", cause);
        let there = admin
            .query("SELECT rolname::text FROM pg_catalog.pg_roles", &[])
            .await
            .map_err(failed)?;
        let there: Vec<String> = there.iter().map(|row| row.get(0)).collect();
        // The superuser that does all this stays one.
        for role in self.roles.iter().filter(|role| !there.contains(&role.name)) {
            let sql = format!("CREATE ROLE {} {}", Ident::new(&*role.name)?, role.attributes);
            admin.batch_execute(&sql).await.map_err(failed)?;
        }
        let mut notes = Vec::new();
        for member in &self.members {
            let (of, role) = (Ident::new(&*member.of)?, Ident::new(&*member.role)?);
            let sql = format!("GRANT {of} TO {role}{}", member.options);
            if let Err(cause) = admin.batch_execute(&sql).await {
                let error = Error::postgres(
                    format_args!("make {} a member of {}", member.role, member.of),
                    cause,
                );
                notes.push(format!("the twin differs: {}", error.chain()));
            }
        }
        Ok(notes)
    }

    /// Sets what roles and the database have set; `client` is connected to the twin's database.
    pub(super) async fn set(&self, client: &Client) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let row = client
            .query_one("SELECT pg_catalog.current_database()::text", &[])
            .await
            .map_err(|cause| Error::postgres("ask for the twin's database", cause))?;
        let database = Ident::new(row.get::<_, String>(0))?;
        for setting in &self.settings {
            let whose = match (&setting.role, setting.in_database) {
                (Some(role), true) => format!("ROLE {} IN DATABASE {database}", Ident::new(&**role)?),
                (Some(role), false) => format!("ROLE {}", Ident::new(&**role)?),
                (None, true) => format!("DATABASE {database}"),
                (None, false) => "ROLE ALL".to_owned(),
            };
            // From a session that has it, so that a list stays a list.
            let sql = format!(
                "BEGIN; SELECT pg_catalog.set_config({}, {}, true); ALTER {whose} SET {} FROM CURRENT; COMMIT",
                Literal::new(&setting.name)?,
                Literal::new(&setting.value)?,
                name(&setting.name)?,
            );
            if let Err(cause) = client.batch_execute(&sql).await {
                client.batch_execute("ROLLBACK").await.ok();
                let error = Error::postgres(format_args!("set {} in the twin", setting.name), cause);
                notes.push(format!("the twin differs: {}", error.chain()));
            }
        }
        Ok(notes)
    }
}

/// A setting's name as SQL: the dot of a custom one is no part of an identifier.
fn name(text: &str) -> Result<String> {
    let parts = text
        .split('.')
        .map(|part| Ident::new(part).map(|ident| ident.to_string()));
    Ok(parts.collect::<Result<Vec<_>>>()?.join("."))
}
