//! The audited role has REPLICATION.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::sql::Ident;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role has REPLICATION",
    severity: Severity::Error,
    group: Group::Roles,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for role in context.roles() {
        let attributes = role.actor.may_become.iter();
        let mut holders = attributes.filter_map(|&oid| context.catalog.roles.get(oid));
        let Some(holder) = holders.find(|other| other.replication) else {
            continue;
        };
        let Ok(name) = Ident::new(holder.name.as_str()) else {
            continue;
        };
        let logical = context.catalog.server.wal_level == "logical";
        let (severity, effect) = if logical {
            (
                Severity::Error,
                "by a logical replication slot it reads every tenant's changes with plain SQL",
            )
        } else {
            (
                Severity::Warning,
                "where pg_hba.conf lets it, it copies the whole cluster",
            )
        };
        let how = if holder.oid == role.oid {
            format!("{} has REPLICATION", role.name)
        } else {
            format!(
                "{} may SET ROLE {}, which has REPLICATION",
                role.name, holder.name
            )
        };
        findings.add(
            About::new(Object::Role(role.name.clone()))
                .by(&role.name)
                .part(&holder.name)
                .severity(severity),
            format!("{how}: {effect}"),
            format!("ALTER ROLE {name} NOREPLICATION;"),
        );
    }
}
