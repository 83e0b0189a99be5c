//! A managed service: nobody is a superuser (docs/managed.md). And Citus, whose shards have policies of their own.

use rls_tool::audit::{Audit, Report, Verdict};
use rls_tool::catalog::Catalog;
use tokio_postgres::Client;

use crate::support::{Database, run};

async fn audit(client: &mut Client, role: &str) -> Report {
    match Audit::new().role(role).run(client).await {
        Ok(report) => report,
        Err(error) => panic!("{}", error.chain()),
    }
}

#[tokio::test]
async fn an_auditor_with_bypassrls_attacks_and_one_without_says_why_not() {
    let database = Database::migrated("managed").await;
    run(
        &database.admin().await,
        "create role managed_auditor login bypassrls; grant app_user, app_owner to managed_auditor",
    )
    .await;
    let report = audit(&mut database.client_as("managed_auditor").await, "app_user").await;
    assert_eq!(report.verdict, Verdict::Isolated, "{report:#?}");
    assert!(report.summary.attacks_run > 100, "{:?}", report.summary);
    assert_eq!(report.summary.undecided, 0);
    assert!(!report.notes.iter().any(|note| note.starts_with("no attack")));

    run(&database.admin().await, "alter role managed_auditor nobypassrls").await;
    let report = audit(&mut database.client_as("managed_auditor").await, "app_user").await;
    assert_eq!(report.summary.attacks_run, 0);
    assert!(report.summary.undecided > 0, "functions can only be attacked");
    let told = report
        .notes
        .iter()
        .find(|note| note.starts_with("no attack was run: "));
    let told = told.unwrap_or_else(|| panic!("{:?}", report.notes));
    assert!(
        told.contains("row-level security") && told.contains("BYPASSRLS"),
        "{told}"
    );
    run(
        &database.admin().await,
        "reassign owned by managed_auditor to postgres; drop owned by managed_auditor; drop role managed_auditor",
    )
    .await;
}

#[tokio::test]
async fn on_citus_nothing_is_proven_by_the_coordinator() {
    let database = Database::migrated("citus").await;
    let audit = Audit::new().role("app_user");
    let catalog = audit.read_catalog(&mut database.admin().await).await.unwrap();
    let plain = audit.run_offline(&catalog).unwrap();
    assert!(plain.summary.proven > 40, "{:?}", plain.summary);
    // No Citus can be had here: the catalog says that it is installed.
    let mut json: serde_json::Value = serde_json::from_str(&catalog.to_json().unwrap()).unwrap();
    assert_eq!(json["extensions"][0]["name"], "plpgsql");
    json["extensions"][0]["name"] = "citus".into();
    let catalog = Catalog::from_json(&json.to_string(), "catalog.json").unwrap();
    let report = audit.run_offline(&catalog).unwrap();
    assert_eq!((report.summary.proven, report.verdict), (0, Verdict::Undecided));
    let shards = report
        .doors
        .iter()
        .filter(|door| door.reason.contains("on Citus"));
    assert_eq!(shards.count(), plain.summary.proven);
}
