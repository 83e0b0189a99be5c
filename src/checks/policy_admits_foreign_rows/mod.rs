//! The policies, put together, let a foreign row through: shown by a row and a session, evaluated exactly.

use serde_json::json;

use crate::audit::{About, Check, Context, Decision, Evidence, EvidenceKind, Findings, Group, Severity};

pub(crate) static CHECK: Check = Check {
    summary: "the policies let another tenant's row through",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    for (index, decision) in context.proofs.decisions() {
        let (Decision::Refuted(found), Some(door)) = (decision, context.model.doors.get(index)) else {
            continue;
        };
        let row: serde_json::Map<_, _> = found
            .row
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let settings: serde_json::Map<_, _> = found
            .settings
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let evidence = Evidence {
            kind: EvidenceKind::Proof,
            counterexample: Some(json!({ "row": row, "settings": settings, "row_tenant": found.row_tenant })),
            exploit_sql: Some(found.sql.clone()),
        };
        findings.add(
            About::new(door.object.clone())
                .by(&door.role_name)
                .doing(door.command)
                .shown_by(evidence),
            format!("the policies let {} {}: {}", door.role_name, door.command.as_sql(), found.explanation),
            "compare the tenant column with the tenant setting in every permissive policy, or in one that is RESTRICTIVE",
        );
    }
}
