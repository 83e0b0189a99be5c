//! Publications send tenants' rows to subscribers: no policy applies there.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::catalog::Relation;
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "a publication sends rows of every tenant to its subscribers",
    severity: Severity::Info,
    group: Group::Routing,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for publication in &context.catalog.publications {
        let sent = publication.tables.iter();
        let tables: Vec<_> = sent
            .filter(|oid| !publication.filtered.contains(oid) && context.model.table(**oid).is_some())
            .filter_map(|&oid| context.catalog.relations.get(oid))
            .map(Relation::plain_name)
            .collect();
        if tables.is_empty() {
            continue;
        }
        findings.add(
            About::new(Object::Database(context.catalog.server.database.clone())).part(&publication.name),
            format!(
                "the publication {} sends {} to its subscribers, without row security and without a row filter",
                publication.name,
                list(tables)
            ),
            "nothing to do if every subscriber may have all tenants' rows",
        );
    }
}
