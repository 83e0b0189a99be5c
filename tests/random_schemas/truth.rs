//! Brute force: what the role, bound to A or to nobody or to nonsense, does reach of B's rows at a door.

use rls_tool::audit::{Command, Door, DoorKind};
use tokio_postgres::Client;

use crate::grammar::{ROLE, Schema};

/// Statements that bind the session, in each way that is not B's.
const BINDINGS: [&str; 4] = [
    "",
    "set local app.current_tenant = 'a'",
    "set local app.current_tenant = ''",
    "set local app.current_tenant = 'no such tenant'",
];

/// The rows of B, whatever the door is, as the superuser sees them.
fn rows_of_b(table: &str) -> String {
    format!(
        "select md5(coalesce(string_agg(t::text, ',' order by id), '')) from r.{table} t where tenant_id = 'b'"
    )
}

/// Whether another tenant's rows are seen or changed at the door.
pub(crate) async fn leaks(admin: &mut Client, schema: &Schema, door: &Door) -> bool {
    let object = door.object.to_string();
    let name = object.strip_prefix("r.").unwrap();
    if door.kind != DoorKind::Table {
        let from = name.trim_end_matches("()");
        let from = if door.kind == DoorKind::Function {
            format!("r.{from}()")
        } else {
            format!("r.{from}")
        };
        let mut found = false;
        for binding in BINDINGS {
            found |= match door.command {
                Command::Select | Command::Execute => sees(admin, binding, &from).await,
                // Writing through the view reaches its table.
                _ => writes(admin, binding, &from, "t0", door.command).await,
            };
        }
        return found;
    }
    assert!(schema.tables.iter().any(|table| table == name), "{name}");
    let mut found = false;
    for binding in BINDINGS {
        found |= match door.command {
            Command::Select => sees(admin, binding, &object).await,
            command => writes(admin, binding, &object, name, command).await,
        };
    }
    found
}

async fn sees(admin: &mut Client, binding: &str, from: &str) -> bool {
    let own = if binding.ends_with("'a'") { "a" } else { "" };
    let transaction = admin.transaction().await.unwrap();
    enter(&transaction, binding).await;
    let sql = format!("select count(*) from {from} where tenant_id <> $1");
    let seen = transaction
        .query_one(&sql, &[&own])
        .await
        .is_ok_and(|row| row.get::<_, i64>(0) > 0);
    let shown = !seen && from.starts_with("r.v") && peeks(&transaction, from, own).await;
    transaction.rollback().await.unwrap();
    seen || shown
}

/// A view's condition may come behind a function that costs less and tells what it was called with.
async fn peeks(transaction: &tokio_postgres::Transaction<'_>, from: &str, own: &str) -> bool {
    let sql = "create function pg_temp.peek(tenant text, own text) returns boolean cost 0.0000001 language plpgsql \
               as $$ begin if tenant <> own then raise exception 'seen'; end if; return true; end $$";
    transaction.batch_execute(sql).await.unwrap();
    let sql = format!("select count(*) from {from} where pg_temp.peek(tenant_id, $1)");
    let Err(error) = transaction.query_one(&sql, &[&own]).await else {
        return false;
    };
    error.as_db_error().is_some_and(|error| error.message() == "seen")
}

/// Every way to write that touches B: each in a transaction of its own, judged by the superuser.
async fn writes(admin: &mut Client, binding: &str, target: &str, table: &str, command: Command) -> bool {
    let statements: &[&str] = match command {
        Command::Insert => &[
            "insert into {t} values (5000, 'b', true, 'note')",
            "insert into {t} values (5000, 'b', false, 'x')",
            "insert into {t} values (1011, 'a', true, 'y') on conflict (id) do update set note = 'taken'",
            "insert into {t} values (1010, 'a', false, 'y') on conflict (id) do update set note = 'taken'",
        ],
        Command::Update => &[
            "update {t} set note = note || '!'",
            "update {t} set note = note || '!' where tenant_id = 'b'",
            "update {t} set note = 'x'",
            "update {t} set flag = not flag",
            "update {t} set tenant_id = 'a'",
            "update {t} set tenant_id = 'a' where tenant_id = 'b'",
            "update {t} set tenant_id = 'b'",
            "update {t} set tenant_id = 'b' where flag",
            "update {t} set tenant_id = 'b', flag = true",
            "update {t} set tenant_id = 'b', flag = false",
        ],
        Command::Delete => &["delete from {t}", "delete from {t} where tenant_id = 'b'"],
        _ => &[],
    };
    let query = rows_of_b(table);
    let before: String = admin.query_one(&query, &[]).await.unwrap().get(0);
    for statement in statements {
        let transaction = admin.transaction().await.unwrap();
        enter(&transaction, binding).await;
        let done = transaction
            .batch_execute(&statement.replace("{t}", target))
            .await
            .is_ok();
        let mut changed = false;
        if done {
            transaction
                .batch_execute("set local session authorization default")
                .await
                .unwrap();
            let after: String = transaction.query_one(&query, &[]).await.unwrap().get(0);
            changed = after != before;
        }
        transaction.rollback().await.unwrap();
        if changed {
            return true;
        }
    }
    false
}

async fn enter(transaction: &tokio_postgres::Transaction<'_>, binding: &str) {
    transaction
        .batch_execute(&format!("set local session authorization {ROLE}; {binding}"))
        .await
        .unwrap();
}
