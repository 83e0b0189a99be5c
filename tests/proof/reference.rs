//! The reference schema: every policy of it is proven.

use rls_tool::audit::{Audit, Command, DoorKind, DoorVerdict};
use rls_tool::catalog::{Catalog, LoadOptions};

use super::support::Database;

#[tokio::test]
async fn every_policy_of_the_reference_schema_is_proven() {
    let database = Database::migrated("proof_reference").await;
    let mut admin = database.admin().await;
    let transaction = admin.transaction().await.unwrap();
    let catalog = Catalog::load(&transaction, &LoadOptions::default())
        .await
        .unwrap();
    let report = Audit::new().run_offline(&catalog).unwrap();
    let guarded = report.doors.iter().filter(|door| {
        matches!(door.kind, DoorKind::Table | DoorKind::Partition) && door.command != Command::Truncate
    });
    let mut open = Vec::new();
    let mut proven = 0;
    for door in guarded {
        if door.verdict == DoorVerdict::Proven {
            proven += 1;
        } else {
            open.push(format!(
                "{} {:?}: {:?} {}",
                door.object, door.command, door.verdict, door.reason
            ));
        }
    }
    assert!(open.is_empty(), "{}", open.join("\n"));
    let tables = catalog
        .relations
        .iter()
        .filter(|relation| !relation.policies.is_empty())
        .count();
    assert!(proven >= tables, "{proven} doors of {tables} tables");
    assert_eq!(report.summary.leaks, 0);
}
