//! Reading, inserting, changing, moving and deleting across tenants: every command on every table.
//!
//! Three stages a table. As shipped, everything holds. With every privilege granted, so that the policy stands alone,
//! everything holds still. With the policy opened, the very same statements get through: the twin. Then the policy
//! file is applied again, and everything holds again.

use crate::attempt::{Binding, Outcome, attempt};
use crate::support::run;
use crate::tables::{TABLES, Table};
use crate::world::{Tenant, World};

/// What a malicious tenant tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    Read,
    Lock,
    Insert,
    Upsert,
    Update,
    UpdateEverything,
    /// Gives an own row to the other tenant.
    Move,
    /// Takes the other tenant's row.
    Take,
    Delete,
    DeleteReturning,
}

const ATTACKS: &[Attack] = &[
    Attack::Read,
    Attack::Lock,
    Attack::Insert,
    Attack::Upsert,
    Attack::Update,
    Attack::UpdateEverything,
    Attack::Move,
    Attack::Take,
    Attack::Delete,
    Attack::DeleteReturning,
];

impl Attack {
    /// The statements; the last one is the attack.
    fn statements(self, table: &Table, mine: &Tenant, theirs: &Tenant) -> Vec<String> {
        let Table {
            name,
            key,
            change,
            primary_key,
            ..
        } = table;
        let target = format!("where {key} = '{}'", theirs.id());
        let fresh = (table.new_id)();
        let owner_becomes = |tenant: &Tenant| {
            let mut list = vec![format!("{key} = '{}'", tenant.id())];
            list.extend(
                table
                    .parents
                    .iter()
                    .map(|(column, parent)| format!("{column} = '{}'", tenant.row(parent))),
            );
            list.join(", ")
        };
        let as_them = |id: &str| theirs.insert(table, id, "other", theirs);
        let last = match self {
            Self::Read => format!("select from app.{name} {target}"),
            Self::Lock => format!("select from app.{name} {target} for update"),
            Self::Insert => as_them(&fresh),
            Self::Upsert => {
                let insert = as_them(theirs.row(name));
                format!("{insert} on conflict ({primary_key}) do update set {change}")
            }
            Self::Update => format!("update app.{name} set {change} {target}"),
            Self::UpdateEverything => format!("update app.{name} set {change}"),
            // A tenant's own row cannot be doubled: its id is the tenant.
            Self::Move if *name == "tenants" => format!("update app.tenants set id = '{fresh}'"),
            Self::Move => {
                let own = mine.insert(table, &fresh, "other", mine);
                let give = format!(
                    "update app.{name} set {} where id = '{fresh}'",
                    owner_becomes(theirs)
                );
                return vec![own, give];
            }
            Self::Take if *name == "tenants" => format!("update app.tenants set id = '{fresh}' {target}"),
            Self::Take => format!("update app.{name} set {} {target}", owner_becomes(mine)),
            Self::Delete => format!("delete from app.{name} {target}"),
            Self::DeleteReturning => format!("delete from app.{name} {target} returning *"),
        };
        vec![last]
    }

    /// Whether nothing of the other tenant was reached. Without WHERE, the tenant's own one row is.
    fn held(self, outcome: &Outcome) -> bool {
        outcome.held() || (self == Self::UpdateEverything && *outcome == Outcome::Rows(1))
    }
}

/// The attacks of tenant `a` on `table` that did not end as expected, one line each.
async fn unexpected(world: &World, table: &Table, expect_held: bool) -> Vec<String> {
    let mut list = Vec::new();
    for attack in ATTACKS {
        let statements = attack.statements(table, &world.a, &world.b);
        let outcome = attempt(&world.app, Binding::To(world.a.id()), &statements).await;
        if attack.held(&outcome) != expect_held {
            list.push(format!(
                "app.{}: {attack:?}: {outcome:?} from {statements:?}",
                table.name
            ));
        }
    }
    list
}

#[tokio::test]
async fn no_command_reaches_another_tenants_rows() {
    let world = World::new("isolation").await;
    let mut failures = Vec::new();
    for table in TABLES {
        failures.extend(unexpected(&world, table, true).await);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test]
async fn the_policy_holds_even_with_every_privilege_and_the_twin_without_it_leaks() {
    let world = World::new("policy_alone").await;
    let mut failures = Vec::new();
    for table in TABLES {
        let name = table.name;
        run(&world.admin, &format!("grant all on app.{name} to app_user")).await;
        failures.extend(unexpected(&world, table, true).await);

        let open = format!("alter policy tenant_isolation on app.{name} using (true) with check (true)");
        run(&world.admin, &open).await;
        failures.extend(unexpected(&world, table, false).await);

        world.restore(name).await;
        failures.extend(unexpected(&world, table, true).await);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test]
async fn without_row_security_the_policy_is_dormant() {
    let world = World::new("dormant").await;
    for table in TABLES {
        let read = Attack::Read.statements(table, &world.a, &world.b);
        let sql = format!("alter table app.{} disable row level security", table.name);
        run(&world.admin, &sql).await;
        let outcome = attempt(&world.app, Binding::To(world.a.id()), &read).await;
        assert_eq!(outcome, Outcome::Rows(1), "app.{}", table.name);
        world.restore(table.name).await;
        let outcome = attempt(&world.app, Binding::To(world.a.id()), &read).await;
        assert_eq!(
            outcome,
            Outcome::Rows(0),
            "app.{} after its policy file was applied again",
            table.name
        );
    }
}

#[tokio::test]
async fn a_tenant_sees_and_changes_its_own_rows() {
    let world = World::new("own_rows").await;
    for tenant in [&world.a, &world.b] {
        for table in TABLES {
            let own = Binding::To(tenant.id());
            let read = vec![format!("select from app.{}", table.name)];
            assert_eq!(
                attempt(&world.app, own, &read).await,
                Outcome::Rows(1),
                "app.{}",
                table.name
            );
            let change = vec![format!("update app.{} set {}", table.name, table.change)];
            // Call logs are append-only.
            let expected = if table.name == "call_logs" {
                Outcome::Permission
            } else {
                Outcome::Rows(1)
            };
            assert_eq!(
                attempt(&world.app, own, &change).await,
                expected,
                "app.{}",
                table.name
            );
        }
    }
}

/// FORCE is what makes the owner subject to row security: a session that became the owner by mistake reads nothing.
#[tokio::test]
async fn the_owner_is_subject_to_row_security_too() {
    let world = World::new("owner").await;
    for table in TABLES {
        let read = vec![
            "set local role app_owner".to_owned(),
            format!("select from app.{}", table.name),
        ];
        let bound = Binding::To(world.a.id());
        assert_eq!(
            attempt(&world.admin, bound, &read).await,
            Outcome::Rows(0),
            "app.{}",
            table.name
        );
        run(
            &world.admin,
            &format!("alter table app.{} no force row level security", table.name),
        )
        .await;
        assert_eq!(
            attempt(&world.admin, bound, &read).await,
            Outcome::Rows(2),
            "app.{} without FORCE",
            table.name
        );
    }
}
