//! A declaration in `rls.toml` that fits nothing in the database.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};

pub(crate) static CHECK: Check = Check {
    summary: "a declaration in rls.toml fits nothing",
    severity: Severity::Warning,
    group: Group::Declarations,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for exemption in &context.config.exempt {
        let mut relations = context.catalog.relations.iter();
        if !relations.any(|relation| exemption.table.matches(&relation.plain_name())) {
            let object = Object::Database(context.catalog.server.database.clone());
            findings.add(
                About::new(object).part(exemption.table.as_str()),
                format!(
                    "rls.toml exempts the table {}, which does not exist",
                    exemption.table.as_str()
                ),
                "take the entry out, or correct the name: a later table of that name would go unseen",
            );
        }
    }
}
