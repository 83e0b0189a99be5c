//! The reference schema: nothing to complain about, and every table of it is understood.

use rls_tool::audit::{Audit, Severity};
use rls_tool::catalog::{Catalog, LoadOptions};
use rls_tool::model::{Config, Model, Scope};

use crate::support::Database;

async fn reference() -> Catalog {
    let database = Database::migrated("reference").await;
    let mut admin = database.admin().await;
    let transaction = admin.transaction().await.unwrap();
    Catalog::load(&transaction, &LoadOptions::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_reference_schema_has_no_finding_from_warning_upwards() {
    let report = Audit::new().run_offline(&reference().await).unwrap();
    let bad: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning)
        .map(|finding| format!("{} {}: {}", finding.check, finding.object, finding.message))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!(report.roles, ["app_user"]);
}

#[tokio::test]
async fn every_table_of_the_reference_schema_belongs_to_tenants() {
    let catalog = reference().await;
    let model = Model::build(&catalog, &Config::default()).unwrap();
    let app = catalog
        .relations
        .iter()
        .filter(|relation| &*relation.schema == "app" && relation.kind.is_table());
    for relation in app {
        assert!(
            model.table(relation.oid).is_some(),
            "{} is not understood",
            relation.plain_name()
        );
    }
    let tenants = catalog.relation_named("app", "tenants").unwrap();
    assert_eq!(model.table(tenants.oid).unwrap().scope, Scope::Root { key: 1 });
}
