//! An HTTP service over the reference schema: the API key says which tenant calls, and from there on nothing can be
//! asked but for that tenant.
//!
//! ```console
//! $ rls-tool migrate --database-url postgres://migrator@localhost/shop
//! $ DATABASE_URL=postgres://app_user@localhost/shop cargo run --example axum_service
//! $ curl -H 'Authorization: Bearer …' http://127.0.0.1:3000/processes
//! ```

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use rls_tool::{Error, ErrorKind, ProcessId, TenantId, TenantPool};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;

/// The service's routes. Handlers get the pool and the caller, and no connection.
pub(crate) fn router(pool: TenantPool) -> Router {
    Router::new()
        .route("/processes", get(list).post(create))
        .route("/processes/{id}", put(rename))
        .with_state(pool)
}

/// Who calls: found by the API key, before any tenant is bound.
struct Caller {
    tenant: TenantId,
}

impl FromRequestParts<TenantPool> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, pool: &TenantPool) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION);
        let key = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(Problem::Unauthorized)?;
        let hash = Sha256::digest(key.as_bytes()).to_vec();
        // A SECURITY DEFINER function of the schema: one hash in, one pair of ids out.
        let found = pool.lookup("app", "find_api_key", &[&hash]).await?;
        let row = found.first().ok_or(Problem::Unauthorized)?;
        Ok(Self {
            tenant: row.get("tenant_id"),
        })
    }
}

#[derive(Serialize)]
struct Process {
    id: ProcessId,
    name: String,
}

#[derive(Deserialize)]
struct NewName {
    name: String,
}

async fn list(State(pool): State<TenantPool>, caller: Caller) -> Result<Json<Vec<Process>>, Problem> {
    // No WHERE tenant_id: that is the policy's business.
    let sql = "select id, name from app.processes where deleted_at is null order by name";
    let rows = pool.tenant(&caller.tenant).read_only().query(sql, &[]).await?;
    let processes = rows.iter().map(|row| Process {
        id: row.get("id"),
        name: row.get("name"),
    });
    Ok(Json(processes.collect()))
}

async fn create(
    State(pool): State<TenantPool>,
    caller: Caller,
    Json(new): Json<NewName>,
) -> Result<(StatusCode, Json<Process>), Problem> {
    let sql = "insert into app.processes (name) values ($1) returning id";
    let row = pool.tenant(&caller.tenant).query_one(sql, &[&new.name]).await?;
    let process = Process {
        id: row.get("id"),
        name: new.name,
    };
    Ok((StatusCode::CREATED, Json(process)))
}

async fn rename(
    State(pool): State<TenantPool>,
    caller: Caller,
    Path(id): Path<ProcessId>,
    Json(new): Json<NewName>,
) -> Result<StatusCode, Problem> {
    let sql = "update app.processes set name = $2 where id = $1";
    // Another tenant's process is no process: 404, as for an id that was never given out.
    let one = pool.tenant(&caller.tenant).expect_rows(1);
    one.execute(sql, &[&id, &new.name]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What goes wrong, as HTTP says it.
enum Problem {
    Unauthorized,
    Database(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self::Database(error) = self else {
            return StatusCode::UNAUTHORIZED.into_response();
        };
        let status = match error.kind() {
            ErrorKind::RowCount => StatusCode::NOT_FOUND,
            ErrorKind::RowSecurity => StatusCode::FORBIDDEN,
            ErrorKind::Timeout | ErrorKind::Connect | ErrorKind::Closed => StatusCode::SERVICE_UNAVAILABLE,
            _ if error.sql_state() == Some(&SqlState::UNIQUE_VIOLATION) => StatusCode::CONFLICT,
            _ if error.sql_state() == Some(&SqlState::CHECK_VIOLATION) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        tracing::info!(%status, error = error.chain());
        status.into_response()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let url = std::env::var("DATABASE_URL")?;
    let pool = TenantPool::builder().url(url).max_size(16).build().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, router(pool)).await?;
    Ok(())
}
