//! The partitions of call_logs: closed under their own names, made ahead of time, dropped when old.

use crate::attempt::{Binding, Outcome, attempt};
use crate::support::run;
use crate::world::World;

async fn partitions(world: &World) -> Vec<String> {
    let sql = "select relid::regclass::text from pg_partition_tree('app.call_logs') where isleaf order by 1";
    let rows = world.admin.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect()
}

/// The parent's policy does not apply to a partition under its own name.
#[tokio::test]
async fn a_partition_is_closed_and_the_twin_with_a_grant_and_no_row_security_leaks() {
    let world = World::new("partition").await;
    let bound = Binding::To(world.a.id());
    let list = partitions(&world).await;
    assert!(
        list.len() >= 5,
        "this month, three ahead and the default: {list:?}"
    );
    let mut leaked = 0;
    for partition in &list {
        for sql in [
            "select from {}",
            "delete from {}",
            "truncate {}",
            "update {} set status = 500",
        ] {
            let statements = vec![sql.replace("{}", partition)];
            assert_eq!(
                attempt(&world.app, bound, &statements).await,
                Outcome::Permission,
                "{statements:?}"
            );
        }
        // A grant by mistake: no policy, so no row.
        let read = vec![format!(
            "select from {partition} where tenant_id = '{}'",
            world.b.id()
        )];
        run(&world.admin, &format!("grant select on {partition} to app_user")).await;
        assert_eq!(
            attempt(&world.app, bound, &read).await,
            Outcome::Rows(0),
            "{partition} with a grant"
        );
        run(
            &world.admin,
            &format!("alter table {partition} disable row level security"),
        )
        .await;
        if attempt(&world.app, bound, &read).await == Outcome::Rows(1) {
            leaked += 1;
        }
    }
    assert_eq!(leaked, 1, "b's one call is in one of them");
    // The policy file closes them again.
    world.restore("call_logs").await;
    for partition in &list {
        let read = vec![format!("select from {partition}")];
        assert_eq!(
            attempt(&world.app, bound, &read).await,
            Outcome::Permission,
            "{partition}"
        );
    }
}

#[tokio::test]
async fn new_partitions_are_closed_and_take_over_what_came_too_early() {
    let world = World::new("partition_new").await;
    let before = partitions(&world).await;
    // A call of a month that has no partition yet.
    let early =
        "update app.call_logs set created_at = date_trunc('month', now(), 'UTC') + interval '5 months 3 days'
                 where tenant_id = ";
    run(&world.admin, &format!("{early} '{}'", world.b.id())).await;
    let in_default = "select count(*) from app.call_logs_default";
    assert_eq!(world.count(in_default).await, 1);

    run(&world.admin, "set role app_maintenance").await;
    assert_eq!(
        world
            .count("select app.make_call_log_partitions(6)::bigint")
            .await,
        3
    );
    assert_eq!(
        world
            .count("select app.make_call_log_partitions(6)::bigint")
            .await,
        0,
        "they are there already"
    );
    run(&world.admin, "reset role").await;
    assert_eq!(world.count(in_default).await, 0);
    assert_eq!(
        world.count("select count(*) from app.call_logs").await,
        2,
        "the early call moved"
    );
    let closed =
        "select count(*) from pg_partition_tree('app.call_logs') t join pg_class c on c.oid = t.relid
                  where c.relrowsecurity and c.relforcerowsecurity and c.relowner = 'app_owner'::regrole";
    let all = i64::try_from(before.len() + 3).unwrap() + 1;
    assert_eq!(
        world.count(closed).await,
        all,
        "with row security on and forced, the parent included"
    );

    // Both tenants still see their own one call and no other.
    for tenant in [&world.a, &world.b] {
        let read = vec!["select from app.call_logs".to_owned()];
        assert_eq!(
            attempt(&world.app, Binding::To(tenant.id()), &read).await,
            Outcome::Rows(1)
        );
    }
    // And the new partition keeps the border of its foreign keys.
    let stray = format!(
        "insert into app.call_logs (tenant_id, process_version_id, input_hash, status, latency_ms, created_at)
         values ('{}', '{}', sha256('x'), 200, 1, now() + interval '5 months')",
        world.a.id(),
        world.b.row("process_versions")
    );
    let error = world.admin.execute(&stray, &[]).await.unwrap_err();
    assert_eq!(
        error.as_db_error().unwrap().constraint(),
        Some("call_logs_version_fkey")
    );
}

#[tokio::test]
async fn old_partitions_are_dropped_and_no_younger_ones() {
    let world = World::new("partition_old").await;
    let old = "create table app.call_logs_2001_01 partition of app.call_logs
                   for values from ('2001-01-01Z') to ('2001-02-01Z');
               alter table app.call_logs_2001_01 owner to app_owner";
    run(&world.admin, old).await;
    let before = partitions(&world).await;
    run(&world.admin, "set role app_maintenance").await;
    assert_eq!(
        world
            .count("select app.drop_call_log_partitions(12)::bigint")
            .await,
        1
    );
    assert_eq!(
        world
            .count("select app.drop_call_log_partitions(1)::bigint")
            .await,
        0
    );
    for nonsense in ["0", "-1", "null"] {
        let sql = format!("select app.drop_call_log_partitions({nonsense})");
        let error = world.admin.query(&sql, &[]).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "22023", "{nonsense}");
    }
    run(&world.admin, "reset role").await;
    let mut after = partitions(&world).await;
    after.push("app.call_logs_2001_01".to_owned());
    after.sort();
    assert_eq!(after, before);
    let call = vec!["select app.drop_call_log_partitions(1)".to_owned()];
    assert_eq!(
        attempt(&world.app, Binding::To(world.a.id()), &call).await,
        Outcome::Permission
    );
}
