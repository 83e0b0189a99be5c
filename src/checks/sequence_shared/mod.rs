//! Sequences that all tenants draw from tell how many rows the others make.

use crate::audit::{About, Check, Context, Findings, Group, Object, Severity};
use crate::catalog::Privilege;
use crate::checks::words::list;

pub(crate) static CHECK: Check = Check {
    summary: "the audited role may read sequences that all tenants draw from",
    severity: Severity::Warning,
    group: Group::Structure,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for role in context.roles() {
        let (mut read, mut set) = (Vec::new(), false);
        for sequence in &context.catalog.sequences {
            let of_tenants = sequence
                .owned_by
                .is_some_and(|(oid, _)| context.model.table(oid).is_some());
            let granted = role.actor.privileges(&sequence.acl);
            let reads = [Privilege::Select, Privilege::Usage, Privilege::Update];
            if of_tenants && reads.into_iter().any(|privilege| granted.has(privilege)) {
                read.push(format!("{}.{}", sequence.schema, sequence.name));
                set |= granted.has(Privilege::Update);
            }
        }
        if read.is_empty() {
            continue;
        }
        let more = if set {
            ", and may set them so that other tenants' inserts fail"
        } else {
            ""
        };
        // One finding on the role: it is one decision, whichever the tables.
        findings.add(
            About::new(Object::Role(role.name.clone())).by(&role.name),
            format!(
                "{} may read {}, which all tenants draw from: the numbers tell how many rows the others make{more}",
                role.name,
                list(read)
            ),
            "number rows per tenant, or use uuid or another random id; an identity column needs no grant on its sequence",
        );
    }
}
