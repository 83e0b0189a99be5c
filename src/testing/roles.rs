//! Roles of the application under test: made if they are not there, and refused where row security would not hold them.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::server::Server;
use super::{names, server};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Ident;

/// What matters about a role.
struct Standing {
    superuser: bool,
    bypasses: bool,
    may_log_in: bool,
}

/// Creates a login role unless it is there; one that is there must be one that row security holds.
pub(super) async fn create(server: &Server, client: &Client, role: &str, further: &str) -> Result<()> {
    if standing(client, role).await?.is_none() {
        let password = server.password_of(role);
        let literal = server::literal(password.as_deref())?;
        let sql = names::create_role(&Ident::new(role)?, further, literal.as_ref());
        match client.batch_execute(&sql).await {
            Ok(()) => {}
            // Another test was faster.
            Err(cause)
                if [
                    Some(&SqlState::DUPLICATE_OBJECT),
                    Some(&SqlState::UNIQUE_VIOLATION),
                ]
                .contains(&cause.code()) => {}
            Err(cause) => return Err(Error::postgres(format!("create the role {role}"), cause)),
        }
    }
    check(client, role).await
}

/// Refuses a role that is not there, cannot log in, or would see everything.
pub(super) async fn check(client: &Client, role: &str) -> Result<()> {
    let Some(standing) = standing(client, role).await? else {
        return Err(
            Error::input(format!("there is no role {role:?}")).with_help(format!(
                "create it in a migration, or before the migrations with db.create_role({role:?})"
            )),
        );
    };
    let power = if standing.superuser {
        "is a superuser"
    } else if standing.bypasses {
        "has BYPASSRLS"
    } else if !standing.may_log_in {
        return Err(Error::input(format!("the role {role} may not log in"))
            .with_help("test as the role that the application logs in as"));
    } else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::UnsafeRole,
        format!("the role {role} {power}: row security does not hold it, and a test with it shows nothing"),
    )
    .with_help("test as the role that the application logs in as; db.superuser() is for setting up"))
}

async fn standing(client: &Client, role: &str) -> Result<Option<Standing>> {
    let failed = |cause| Error::postgres(format!("look at the role {role}"), cause);
    let sql = "SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = $1";
    let parameter: (&(dyn tokio_postgres::types::ToSql + Sync), _) =
        (&role, tokio_postgres::types::Type::TEXT);
    let rows = client.query_typed(sql, &[parameter]).await.map_err(failed)?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Standing {
        superuser: row.try_get(0).map_err(failed)?,
        bypasses: row.try_get(1).map_err(failed)?,
        may_log_in: row.try_get(2).map_err(failed)?,
    }))
}
