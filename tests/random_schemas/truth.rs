//! Brute force: what the role, bound to A or to nobody or to nonsense, does reach of B's rows at a door.

use rls_tool::audit::{Command, Door, DoorKind};
use rls_tool::connect::ConnectOptions;
use tokio_postgres::{Client, Transaction};

use crate::grammar::ROLE;
use crate::support::connect;

/// Whom a session is bound to, in each way that is not B's: never to anybody, to A, to the empty text, to nonsense.
const BINDINGS: [Option<&str>; 4] = [None, Some("a"), Some(""), Some("no such tenant")];

/// B's rows of the tables with the tenant column, and of the child.
const OF_B: &str = "tenant_id = 'b'";
const CHILDREN_OF_B: &str = "parent in (1010, 1011)";

/// Superusers' connections that become the role.
pub(crate) struct Truth {
    pub(crate) admin: Client,
    /// Never sets the tenant: once it was set in a session it is '' and no longer NULL.
    pub(crate) unbound: Client,
}

/// What is reached through a door.
struct Target {
    /// In a FROM clause, or as the target of a statement.
    name: String,
    /// The table whose rows are at stake.
    table: String,
    is_child: bool,
    is_view: bool,
}

impl Target {
    fn of(door: &Door) -> Self {
        let name = match door.kind {
            DoorKind::Function => format!("{}()", door.object.to_string().trim_end_matches("()")),
            _ => door.object.to_string(),
        };
        let table = match door.kind {
            DoorKind::Table => name.clone(),
            // Views and functions are over the first one.
            _ => "r.t0".to_owned(),
        };
        Self {
            is_child: name == "r.c0",
            is_view: door.kind == DoorKind::View,
            name,
            table,
        }
    }

    /// Which rows are foreign to whom; everybody's to those who are nobody.
    fn foreign(&self, binding: Option<&str>) -> String {
        match (self.is_child, binding) {
            (false, own) => format!("tenant_id <> '{}'", own.unwrap_or_default()),
            (true, Some("a")) => CHILDREN_OF_B.to_owned(),
            (true, _) => "true".to_owned(),
        }
    }

    /// B's rows as the superuser sees them, in one value.
    fn rows_of_b(&self) -> String {
        let of_b = if self.is_child { CHILDREN_OF_B } else { OF_B };
        format!(
            "select md5(coalesce(string_agg(t::text, ',' order by id), '')) from {} t where {of_b}",
            self.table
        )
    }

    /// Every way to write that touches B.
    fn statements(&self, command: Command, binding: Option<&str>) -> Vec<String> {
        let target = &self.name;
        let own = binding.unwrap_or_default();
        let mut list = Vec::new();
        let mut add = |sql: &str| list.push(sql.replace("{t}", target).replace("{own}", own));
        match (command, self.is_child) {
            (Command::Insert, false) => {
                for (flag, note) in FLAGS_AND_NOTES {
                    add(&format!("insert into {{t}} values (5000, 'b', {flag}, '{note}')"));
                    for id in [1010, 1011] {
                        for tenant in ["{own}", "b"] {
                            add(&format!(
                                "insert into {{t}} values ({id}, '{tenant}', {flag}, '{note}') \
                                 on conflict (id) do update set note = 'taken'"
                            ));
                        }
                    }
                }
            }
            (Command::Update, false) => {
                for (flag, note) in FLAGS_AND_NOTES {
                    for tenant in ["tenant_id", "'{own}'", "'b'"] {
                        add(&format!(
                            "update {{t}} set tenant_id = {tenant}, flag = {flag}, note = '{note}'"
                        ));
                    }
                }
                for set in [
                    "note = note || '!'",
                    "note = 'x'",
                    "note = 'y'",
                    "flag = not flag",
                    "flag = true",
                    "flag = false",
                    "tenant_id = '{own}'",
                    "tenant_id = 'b'",
                ] {
                    for condition in ["", " where tenant_id = 'b'", " where flag", " where not flag"] {
                        add(&format!("update {{t}} set {set}{condition}"));
                    }
                }
            }
            (Command::Insert, true) => {
                for parent in [1010, 1011] {
                    for note in ["note", "x"] {
                        add(&format!("insert into {{t}} values (5000, {parent}, '{note}')"));
                        add(&format!(
                            "insert into {{t}} values (2010, {parent}, '{note}') on conflict (id) do update set note = 'taken'"
                        ));
                    }
                }
            }
            (Command::Update, true) => {
                for set in [
                    "note = note || '!'",
                    "note = 'x'",
                    "note = 'y'",
                    "parent = 1000",
                    "parent = 1001",
                ] {
                    add(&format!("update {{t}} set {set}"));
                    add(&format!("update {{t}} set {set} where parent in (1010, 1011)"));
                }
                for parent in [1010, 1011] {
                    for note in ["note", "'x'", "'y'"] {
                        add(&format!("update {{t}} set parent = {parent}, note = {note}"));
                    }
                    add(&format!("update {{t}} set parent = {parent}"));
                }
            }
            (Command::Delete, _) => {
                add("delete from {t}");
                let of_b = if self.is_child { CHILDREN_OF_B } else { OF_B };
                add(&format!("delete from {{t}} where {of_b}"));
            }
            _ => {}
        }
        list
    }
}

const FLAGS_AND_NOTES: [(bool, &str); 4] = [(true, "note"), (true, "x"), (false, "note"), (false, "x")];

impl Truth {
    /// Whether another tenant's rows are seen or changed at the door.
    pub(crate) async fn leaks(&mut self, door: &Door) -> bool {
        let target = Target::of(door);
        let query = target.rows_of_b();
        let before: String = self.admin.query_one(&query, &[]).await.unwrap().get(0);
        for binding in BINDINGS {
            let client = match binding {
                Some(_) => &mut self.admin,
                None => &mut self.unbound,
            };
            let transaction = client.transaction().await.unwrap();
            let found = match door.command {
                Command::Select | Command::Execute => sees(&transaction, &target, binding).await,
                command => writes(&transaction, &target, binding, command, &query, &before).await,
            };
            transaction.rollback().await.unwrap();
            if found {
                return true;
            }
        }
        false
    }
}

impl Truth {
    /// Whether a session of A, or of nobody, reaches B's rows of the child after something was done to the table that its policies
    /// look up, by that session or by another.
    pub(crate) async fn leaks_through_the_parent(&mut self, options: &ConnectOptions) -> bool {
        let target = |name: &str, is_child| Target {
            name: name.to_owned(),
            table: name.to_owned(),
            is_child,
            is_view: false,
        };
        let child = target("r.c0", true);
        let query = child.rows_of_b();
        let before: String = self.admin.query_one(&query, &[]).await.unwrap().get(0);
        let forged = [Some("a"), Some("")].into_iter().flat_map(|own| {
            let commands = [Command::Insert, Command::Update, Command::Delete];
            let statements = commands
                .into_iter()
                .flat_map(move |command| target("r.t0", false).statements(command, own));
            statements.flat_map(move |sql| BINDINGS.map(|binding| (own, sql.clone(), binding)))
        });
        for (own, statement, binding) in forged {
            // A session that was bound once is never again one that never was.
            let mut fresh = connect(options).await;
            let transaction = fresh.transaction().await.unwrap();
            enter(&transaction, binding).await;
            if transaction.batch_execute(&statement).await.is_err() {
                continue;
            }
            if sees(&transaction, &child, own).await {
                return true;
            }
            for command in [Command::Delete, Command::Update] {
                if writes(&transaction, &child, own, command, &query, &before).await {
                    return true;
                }
            }
        }
        false
    }
}

async fn sees(transaction: &Transaction<'_>, target: &Target, binding: Option<&str>) -> bool {
    enter(transaction, binding).await;
    let (name, foreign) = (&target.name, target.foreign(binding));
    let sql = format!("select count(*) from {name} where {foreign}");
    match transaction.query_one(&sql, &[]).await {
        Ok(row) if row.get::<_, i64>(0) > 0 => true,
        Ok(_) => target.is_view && peeks(transaction, name, &foreign).await,
        Err(_) => false,
    }
}

/// A view's condition may come behind a function that costs less and tells what it was called with.
async fn peeks(transaction: &Transaction<'_>, from: &str, foreign: &str) -> bool {
    let sql = format!(
        "create function pg_temp.peek(tenant_id text) returns boolean cost 0.0000001 language plpgsql \
         as $$ begin if {foreign} then raise exception 'seen'; end if; return true; end $$"
    );
    transaction.batch_execute(&sql).await.unwrap();
    let sql = format!("select count(*) from {from} where pg_temp.peek(tenant_id)");
    let Err(error) = transaction.query_one(&sql, &[]).await else {
        return false;
    };
    error.as_db_error().is_some_and(|error| error.message() == "seen")
}

/// Each statement on its own, judged by the superuser.
async fn writes(
    transaction: &Transaction<'_>,
    target: &Target,
    binding: Option<&str>,
    command: Command,
    query: &str,
    before: &str,
) -> bool {
    if command == Command::Delete && !target.is_child {
        // Rows to which none refers: else it is the reference that keeps them.
        let sql = "do $$ begin if to_regclass('r.c0') is not null then delete from r.c0; end if; end $$";
        transaction.batch_execute(sql).await.unwrap();
    }
    transaction.batch_execute("savepoint clean").await.unwrap();
    for statement in target.statements(command, binding) {
        enter(transaction, binding).await;
        let done = transaction.batch_execute(&statement).await.is_ok();
        let mut changed = false;
        if done {
            let leave = "set local session authorization default";
            transaction.batch_execute(leave).await.unwrap();
            let after: String = transaction.query_one(query, &[]).await.unwrap().get(0);
            changed = after != before;
        }
        if changed {
            return true;
        }
        transaction.batch_execute("rollback to clean").await.unwrap();
    }
    false
}

async fn enter(transaction: &Transaction<'_>, binding: Option<&str>) {
    let bound = binding.map(|tenant| format!("; set local app.current_tenant = '{tenant}'"));
    let sql = format!(
        "set local session authorization {ROLE}{}",
        bound.unwrap_or_default()
    );
    transaction.batch_execute(&sql).await.unwrap();
}
