//! Assertions about a report and about the schema as a whole.

use super::postgres::Postgres;
use super::role_session::help;
use crate::audit::{DoorVerdict, Report, Severity, Verdict};
use crate::error::{Error, Result};
use crate::migrate::{MIGRATION_HISTORY, POLICY_HISTORY};
use crate::report::{Format, Style};

/// No door leaks, no finding is an error, and of every audited role at least one door was decided.
///
/// # Panics
///
/// Otherwise, with the whole report as text, runnable exploits included.
#[track_caller]
pub fn assert_isolated(report: &Report) {
    let isolated = report.verdict == Verdict::Isolated && !report.fails_on(Severity::Error);
    assert!(isolated, "the database is not isolated\n\n{}", text(report));
}

/// Every door was decided: none is left of which the audit cannot say whether it leaks.
///
/// # Panics
///
/// Where a door is undecided, with the reasons; and where there is no door at all.
#[track_caller]
pub fn assert_every_door_decided(report: &Report) {
    assert!(
        !report.doors.is_empty(),
        "no door was examined\n\n{}",
        text(report)
    );
    let open: Vec<_> = report
        .doors
        .iter()
        .filter(|door| door.verdict == DoorVerdict::Undecided)
        .map(|door| {
            format!(
                "  {} {} as {}: {}",
                door.command.as_sql(),
                door.object,
                door.role,
                door.reason
            )
        })
        .collect();
    assert!(
        open.is_empty(),
        "{} of {} doors are undecided:\n{}",
        open.len(),
        report.doors.len(),
        open.join("\n")
    );
}

/// Every table belongs to tenants, or is declared to belong to nobody: in `global`, as `schema.table`, or with
/// `[[exempt]]` in `rls.toml`. The migrator's own history is left out. A new table without the tenant column fails the test until somebody has thought about it.
///
/// # Panics
///
/// Where a table is neither; where `global` names a table that is not there or does belong to tenants.
pub async fn assert_no_table_left_uncategorised(db: &Postgres, global: &[&str]) {
    match Box::pin(complaints(db, global)).await {
        Ok(complaints) => assert!(complaints.is_empty(), "{}", complaints.join("\n")),
        Err(error) => panic!("{}{}", error.chain(), help(&error)),
    }
}

async fn complaints(db: &Postgres, global: &[&str]) -> Result<Vec<String>> {
    let (catalog, model) = db.model(&[]).await?;
    let mut complaints = Vec::new();
    let names = |oids: &mut dyn Iterator<Item = crate::catalog::Oid>| -> Vec<String> {
        oids.filter_map(|oid| catalog.relations.get(oid))
            .map(crate::catalog::Relation::plain_name)
            .collect()
    };
    let of_nobody = names(&mut model.global.iter().copied());
    let of_tenants = names(&mut model.tables.iter().map(|table| table.relation));
    if of_tenants.is_empty() {
        return Err(Error::input("no table belongs to tenants")
            .with_help("were the migrations applied? rls.toml declares the tenant column"));
    }
    // The migrator's own tables are no business of the application's.
    let bookkeeping =
        |name: &str| [MIGRATION_HISTORY, POLICY_HISTORY].contains(&name.rsplit('.').next().unwrap_or(name));
    for name in of_nobody
        .iter()
        .filter(|name| !global.contains(&name.as_str()) && !bookkeeping(name))
    {
        complaints.push(format!(
            "{name} belongs to no tenant and is not declared to: give it the tenant column, or declare it"
        ));
    }
    for name in global {
        if of_tenants.iter().any(|table| table == name) {
            complaints.push(format!(
                "{name} is declared to belong to nobody, and belongs to tenants"
            ));
        } else if !of_nobody.iter().any(|table| table == name) {
            complaints.push(format!(
                "{name} is declared to belong to nobody, and there is no such table"
            ));
        }
    }
    Ok(complaints)
}

fn text(report: &Report) -> String {
    report
        .render(Format::Text, Style::Plain)
        .unwrap_or_else(|error| error.chain())
}
