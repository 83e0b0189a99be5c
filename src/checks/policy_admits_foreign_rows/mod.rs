//! The policies, put together, let a foreign row through: shown by a row and a session, evaluated exactly.

use std::collections::BTreeMap;

use serde_json::json;

use crate::audit::{About, Check, Context, Decision, Evidence, EvidenceKind, Findings, Group, Severity};
use crate::catalog::Oid;
use crate::checks::words;
use crate::model::ModelDoor;
use crate::proof::Counterexample;

pub(crate) static CHECK: Check = Check {
    summary: "the policies let another tenant's row through",
    severity: Severity::Error,
    group: Group::Policies,
    since: "0.1.0",
    run,
};

fn run(context: &Context<'_>, findings: &mut Findings<'_>) {
    let doors = &context.model.doors;
    let mut refuted = BTreeMap::<(Oid, Oid), Vec<(&ModelDoor, &Counterexample)>>::new();
    for (index, decision) in context.proofs.decisions() {
        if let (Decision::Refuted(found), Some(door)) = (decision, doors.get(index)) {
            refuted
                .entry((door.oid, door.role))
                .or_default()
                .push((door, found.as_ref()));
        }
    }
    for ((relation, role), list) in refuted {
        let all = doors
            .iter()
            .filter(|door| (door.oid, door.role) == (relation, role));
        // Where nothing holds, one policy is at fault for all: that is one finding.
        if list.len() > 1 && list.len() == all.count() {
            let commands: Vec<&str> = list.iter().map(|(door, _)| door.command.as_sql()).collect();
            let (door, found) = list[0];
            tell(
                findings,
                About::new(door.object.clone()),
                door,
                &words::list(commands),
                found,
            );
        } else {
            for (door, found) in list {
                let about = About::new(door.object.clone()).doing(door.command);
                tell(findings, about, door, door.command.as_sql(), found);
            }
        }
    }
}

fn tell(
    findings: &mut Findings<'_>,
    about: About<'_>,
    door: &ModelDoor,
    commands: &str,
    found: &Counterexample,
) {
    let of = |list: &[(String, Option<String>)]| -> serde_json::Map<_, _> {
        list.iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect()
    };
    let evidence = Evidence {
        kind: EvidenceKind::Proof,
        counterexample: Some(json!({
            "row": of(&found.row),
            "settings": of(&found.settings),
            "row_tenant": found.row_tenant,
        })),
        exploit_sql: Some(found.sql.clone()),
    };
    findings.add(
        about.by(&door.role_name).shown_by(evidence),
        format!("the policies let {} {commands}: {}", door.role_name, found.explanation),
        "compare the tenant column with the tenant setting in every permissive policy, or in one that is RESTRICTIVE",
    );
}
