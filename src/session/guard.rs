//! The start-up guard: is the login role, and every role that it can become, held by row security at all?
//!
//! Binding a tenant protects nothing where the role bypasses the policies, owns the tables, or starts with a tenant
//! already bound. One query finds that out; the error says what is wrong, and its help is the SQL that mends it. What
//! the policies themselves let through is the audit's business, not the guard's.

use std::fmt::Write as _;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Ident, QualifiedName};

const QUERY: &str = include_str!("guard.sql");

/// How many objects of one kind a message and its mending list by name.
const LISTED: usize = 50;

/// What [`check`] looks at.
#[derive(Debug, Clone)]
pub struct GuardOptions {
    settings: Vec<String>,
}

impl Default for GuardOptions {
    /// The tenant setting is `app.current_tenant`.
    fn default() -> Self {
        Self::new(["app.current_tenant"])
    }
}

impl GuardOptions {
    /// The settings that a session binds, such as the tenant's: none of them may have a value beforehand.
    pub fn new<S: Into<String>>(settings: impl IntoIterator<Item = S>) -> Self {
        Self {
            settings: settings.into_iter().map(Into::into).collect(),
        }
    }
}

/// Refuses a connection whose login role row security would not hold. One round trip, an unnamed statement; call it
/// outside any bound transaction.
///
/// # Errors
///
/// [`ErrorKind::UnsafeRole`] where the login role, or a role that it can become (SET ROLE, memberships it may grant
/// itself) or whose privileges it inherits,
///
/// - is a superuser, or has BYPASSRLS or REPLICATION, or up to PostgreSQL 15 CREATEROLE;
/// - is one of PostgreSQL's own that reach the server's files and programs, or every table's data;
/// - owns tables with row security (without FORCE it bypasses it, with FORCE it can switch it off), or a function that
///   a policy calls;
///
/// and where a setting that binds sessions has a value before anybody bound it (ALTER ROLE, ALTER DATABASE … SET, or
/// otherwise). Any other kind where PostgreSQL could not answer: what was not examined is not safe.
pub async fn check(client: &Client, options: &GuardOptions) -> Result<()> {
    let rows = client
        .query_typed(QUERY, &[(&options.settings, Type::TEXT_ARRAY)])
        .await
        .map_err(|cause| Error::postgres("examine the login role", cause))?;
    let mut dangers = rows.iter().map(Danger::read).collect::<Result<Vec<_>>>()?;
    // A superuser is all the rest as well.
    if let Some(index) = dangers
        .iter()
        .position(|danger| danger.is_login && danger.what == "superuser")
    {
        dangers = vec![dangers.swap_remove(index)];
    }
    let Some(first) = dangers.first() else {
        return Ok(());
    };
    let login = &first.login;
    let reasons: Vec<String> = dangers.iter().map(Danger::reason).collect();
    let mut mending: Vec<String> = Vec::new();
    for danger in &dangers {
        for statement in danger.mending()? {
            if !mending.contains(&statement) {
                mending.push(statement);
            }
        }
    }
    Err(Error::new(
        ErrorKind::UnsafeRole,
        format!(
            "row security would not hold role {login:?}: {}",
            reasons.join("; ")
        ),
    )
    .with_help(mending.join("\n")))
}

/// One row of the query.
struct Danger {
    what: String,
    login: String,
    role: Option<String>,
    is_login: bool,
    becomes: bool,
    hops: Vec<(String, Option<String>)>,
    schemas: Vec<String>,
    names: Vec<String>,
    database: String,
}

impl Danger {
    fn read(row: &Row) -> Result<Self> {
        let failed = |cause| Error::postgres("read what is known of the login role", cause);
        let list = |index| -> Result<Vec<String>> {
            row.try_get::<_, Option<Vec<String>>>(index)
                .map(Option::unwrap_or_default)
                .map_err(failed)
        };
        let grantors: Option<Vec<Option<String>>> = row.try_get(6).map_err(failed)?;
        Ok(Self {
            what: row.try_get(0).map_err(failed)?,
            login: row.try_get(1).map_err(failed)?,
            role: row.try_get(2).map_err(failed)?,
            is_login: row.try_get(3).map_err(failed)?,
            becomes: row.try_get(4).map_err(failed)?,
            hops: list(5)?.into_iter().zip(grantors.unwrap_or_default()).collect(),
            schemas: list(7)?,
            names: list(8)?,
            database: row.try_get(9).map_err(failed)?,
        })
    }

    fn reason(&self) -> String {
        let first = self.schemas.first().map_or("", String::as_str);
        let whole = match self.what.as_str() {
            "pinned_role" | "pinned_both" => format!("it starts with {first} set, by ALTER ROLE"),
            "pinned_database" => format!("it starts with {first} set, by ALTER DATABASE"),
            "pinned_all" => format!("it starts with {first} set, by ALTER ROLE ALL"),
            "already_set" => format!(
                "{first} has a value although nothing was bound: the server's configuration or the connection's \
                 options set it, or another program behind the same pooler sets it for whole sessions"
            ),
            _ => String::new(),
        };
        if !whole.is_empty() {
            return whole;
        }
        let what = match self.what.as_str() {
            "superuser" => "is a superuser".to_owned(),
            "bypassrls" => "has BYPASSRLS".to_owned(),
            "replication" => "has REPLICATION, which reads every change of every table".to_owned(),
            "createrole" => "has CREATEROLE, with which it may grant itself other roles".to_owned(),
            "files" => "reaches the server's files or programs".to_owned(),
            "all_data" => "reaches every table, also those without policies".to_owned(),
            "tables" => {
                let name = format!("{first}.{}", self.names.first().map_or("", String::as_str));
                format!(
                    "owns {}, and an owner switches row security off",
                    self.some(&name, "table")
                )
            }
            _ => format!("owns {}, which policies call", self.some(first, "function")),
        };
        match &self.role {
            _ if self.is_login => format!("it {what}"),
            Some(role) if self.becomes => format!("it can become {role:?}, which {what}"),
            Some(role) => format!("it has the privileges of {role:?}, which {what}"),
            None => what,
        }
    }

    fn some(&self, first: &str, noun: &str) -> String {
        match self.schemas.len() {
            0 | 1 => first.to_owned(),
            2 => format!("{first} and 1 more {noun}"),
            count => format!("{first} and {} more {noun}s", count - 1),
        }
    }

    /// The statements that mend it, run as a superuser.
    fn mending(&self) -> Result<Vec<String>> {
        let login = Ident::new(self.login.as_str())?;
        let database = Ident::new(self.database.as_str())?;
        let first = || setting(self.schemas.first().map_or("", String::as_str));
        Ok(match self.what.as_str() {
            "pinned_role" => vec![format!("ALTER ROLE {login} RESET {};", first()?)],
            "pinned_both" => vec![format!("ALTER ROLE {login} IN DATABASE {database} RESET {};", first()?)],
            "pinned_database" => vec![format!("ALTER DATABASE {database} RESET {};", first()?)],
            "pinned_all" => vec![format!("ALTER ROLE ALL RESET {};", first()?)],
            "already_set" => vec![
                "-- take it out of postgresql.conf and of the connection's options; behind a pooler, let every program"
                    .to_owned(),
                "-- set it with SET LOCAL only".to_owned(),
            ],
            _ if !self.is_login => self.revocations(&login, &database)?,
            "superuser" | "bypassrls" | "replication" | "createrole" => {
                vec![format!("ALTER ROLE {login} NO{};", self.what.to_uppercase())]
            }
            "tables" => self.handing_over(&login, "TABLE")?,
            _ => self.handing_over(&login, "FUNCTION")?,
        })
    }

    fn revocations(&self, login: &Ident, database: &Ident) -> Result<Vec<String>> {
        if self.hops.is_empty() {
            // The owner of a database is a member of pg_database_owner by that alone.
            return Ok(vec![format!("ALTER DATABASE {database} OWNER TO CURRENT_USER;")]);
        }
        self.hops
            .iter()
            .map(|(role, grantor)| {
                let mut statement = format!("REVOKE {} FROM {login}", Ident::new(role.as_str())?);
                // Since PostgreSQL 16 REVOKE takes away one grantor's grant alone.
                if let Some(grantor) = grantor {
                    let _ = write!(statement, " GRANTED BY {}", Ident::new(grantor.as_str())?);
                }
                Ok(statement + ";")
            })
            .collect()
    }

    /// Gives what the login role owns to a role that nobody logs in as, and grants back what it needs.
    fn handing_over(&self, login: &Ident, noun: &str) -> Result<Vec<String>> {
        let owner = Ident::new(format!("{}_owner", self.login))?;
        let mut statements = vec![format!("CREATE ROLE {owner} NOLOGIN;")];
        for (index, schema) in self.schemas.iter().enumerate().take(LISTED) {
            if let Some(name) = self.names.get(index) {
                let table = QualifiedName::new(schema.as_str(), name.as_str())?;
                statements.push(format!("ALTER TABLE {table} OWNER TO {owner};"));
                statements.push(format!(
                    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                ));
                statements.push(format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {login};"
                ));
            } else {
                // PostgreSQL quoted the signature itself.
                statements.push(format!("ALTER {noun} {schema} OWNER TO {owner};"));
                statements.push(format!("GRANT EXECUTE ON {noun} {schema} TO {login};"));
            }
        }
        if self.schemas.len() > LISTED {
            statements.push(format!("-- and {} more", self.schemas.len() - LISTED));
        }
        Ok(statements)
    }
}

/// A setting's name, each part quoted.
fn setting(name: &str) -> Result<String> {
    let parts: Result<Vec<_>> = name
        .split('.')
        .map(|part| Ident::new(part).map(|ident| ident.to_string()))
        .collect();
    parts.map(|parts| parts.join("."))
}
