//! The self-test: on the reference schema no defect is missed, and a database whose audit is blind to one says so.

use rls_tool::audit::{AttackMode, Audit, Fate};
use rls_tool::model::{Config, Level};

use crate::support::{Database, run};

#[tokio::test]
async fn no_defect_of_the_reference_schema_is_missed() {
    let database = Database::migrated("self_test").await;
    let mut client = database.admin().await;
    let sql = "select count(*) from pg_class";
    let before: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
    let result = Audit::new().role("app_user").self_test(&mut client).await;
    let result = result.unwrap_or_else(|error| panic!("{}", error.chain()));
    assert_eq!(result.count(Fate::Missed), 0, "{result}");
    assert_eq!(result.count(Fate::NotMade), 0, "{result}");
    assert!(result.count(Fate::Noticed) > 150, "{result}");
    // Nothing of it is left.
    let after: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(after, before);
}

/// Without attacks and with the checks switched off that would see it, the same defects are missed: the test can fail.
#[tokio::test]
async fn an_audit_that_does_not_look_misses_them() {
    let database = Database::create("self_test_blind").await;
    let mut client = database.admin().await;
    run(
        &client,
        "create role self_test_app nologin;
         create table public.t (id int primary key, tenant_id text not null);
         alter table public.t enable row level security;
         create policy p on public.t using (tenant_id = current_setting('app.current_tenant', true));
         grant select on public.t to self_test_app",
    )
    .await;
    let mut config = Config {
        roles: vec!["self_test_app".to_owned()],
        ..Config::default()
    };
    let seeing = Audit::new()
        .config(config.clone())
        .self_test(&mut client)
        .await
        .unwrap();
    assert_eq!(seeing.count(Fate::Missed), 0, "{seeing}");
    for check in ["policy-always-true", "truncate-granted"] {
        config.checks.insert(check.to_owned(), Level::Off);
    }
    let blind = Audit::new().config(config).attack(AttackMode::Off);
    let blind = blind.self_test(&mut client).await.unwrap();
    let missed: Vec<_> = blind
        .mutants
        .iter()
        .filter(|mutant| mutant.fate == Fate::Missed)
        .map(|mutant| mutant.what.as_str())
        .collect();
    assert!(missed.contains(&"TRUNCATE is granted"), "{blind}");
    assert!(
        missed.contains(&"a permissive policy for SELECT is true"),
        "{blind}"
    );
    run(&client, "drop table public.t; drop role self_test_app").await;
}

/// Where something leaks already, a defect that changes nothing to be seen is not called harmless.
#[tokio::test]
async fn a_leak_masks_defects_and_says_so() {
    let database = Database::create("self_test_masked").await;
    let mut client = database.admin().await;
    run(
        &client,
        "create role self_test_masked nologin;
         create table public.t (id int primary key, tenant_id text not null);
         alter table public.t enable row level security;
         create policy p on public.t using (true);
         grant select, insert, update, delete on public.t to self_test_masked",
    )
    .await;
    let result = Audit::new().role("self_test_masked").self_test(&mut client).await;
    let result = result.unwrap_or_else(|error| panic!("{}", error.chain()));
    run(&client, "drop table public.t; drop role self_test_masked").await;
    let weakened: Vec<_> = result
        .mutants
        .iter()
        .filter(|mutant| mutant.what == "USING of the policy p is true")
        .map(|mutant| mutant.fate)
        .collect();
    assert_eq!(weakened, [Fate::Masked], "{result}");
    assert!(result.to_string().contains(" masked, "), "{result}");
}
