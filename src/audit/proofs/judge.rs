//! From what the prover says of a command to what is known of a door.
//!
//! A refutation counts as a leak only where nothing stands in the way of its row and its session: it must not rest on
//! a session that is not bound as the policies expect, nor on a row that keys or triggers may forbid.

use super::Decision;
use super::ask::Asker;
use crate::audit::{Command as DoorCommand, DoorKind};
use crate::catalog::Relation;
use crate::model::ModelDoor;
use crate::proof::{Aspect, Command, CommandVerdict, Counterexample, Shared, Verdict};

/// What the policies say about the door; `None` where they have no say.
pub(super) fn judge(asker: &Asker<'_>, door: &ModelDoor) -> Option<Decision> {
    if !matches!(door.kind, DoorKind::Table | DoorKind::Partition) {
        return None;
    }
    let command = match door.command {
        DoorCommand::Select => Command::Select,
        DoorCommand::Insert => Command::Insert,
        DoorCommand::Update => Command::Update,
        DoorCommand::Delete => Command::Delete,
        _ => return None,
    };
    let table = asker.table(door.oid)?;
    let relation = asker.catalog.relations.get(door.oid)?;
    let plain = asker.ask(table, command, Vec::new())?;
    if plain.is_proven() || command != Command::Select {
        return Some(decide(asker, relation, &plain, ""));
    }
    // Rows that belong to nobody, then also rows that a flag opens to everybody.
    let shared = asker.shared(table);
    let nobodys = asker.ask(table, command, vec![Shared::NoTenant])?;
    if nobodys.is_proven() {
        return Some(decide(
            asker,
            relation,
            &nobodys,
            ", apart from rows that belong to no tenant",
        ));
    }
    let flagged = asker.ask(table, command, shared)?;
    if flagged.is_proven() {
        let reason = "not proven: rows that a flag marks are visible to every tenant".to_owned();
        return Some(Decision::Undecided(reason));
    }
    Some(decide(asker, relation, &flagged, ""))
}

fn decide(asker: &Asker<'_>, relation: &Relation, verdict: &CommandVerdict, apart: &str) -> Decision {
    let mut doubt = None;
    for (_, verdict) in &verdict.aspects {
        match verdict {
            Verdict::Refuted(found) if is_bound_by_role(asker, found) => {}
            Verdict::Refuted(found) => match obstacle(asker, relation, found) {
                None => return Decision::Refuted(found.clone()),
                Some(obstacle) => {
                    doubt = Some(format!("not proven: {}, unless {obstacle}", found.explanation));
                }
            },
            Verdict::Undecided(open) if doubt.is_none() => {
                doubt = Some(format!("not proven: {}: {}", open.reason, open.expression));
            }
            Verdict::Undecided(_) | Verdict::Proven(_) => {}
        }
    }
    if let Some(doubt) = doubt {
        return Decision::Undecided(doubt);
    }
    let proofs = |wanted: fn(Aspect) -> bool| {
        verdict
            .aspects
            .iter()
            .find_map(move |(aspect, verdict)| match verdict {
                Verdict::Proven(proof) if wanted(*aspect) => Some(proof),
                _ => None,
            })
    };
    let Some(proof) = proofs(Aspect::is_bound) else {
        return Decision::Undecided("nothing was asked".to_owned());
    };
    let assumed = match proof.assumptions.as_slice() {
        [] => String::new(),
        list => format!("; taken for granted: {}", list.join(", ")),
    };
    Decision::Proven(format!("{}{apart}{assumed}", proof.explanation))
}

/// Whether the counterexample's session is bound to nobody although a role's name binds it, whatever the settings say:
/// there is no such session. What lets every role through is shown by sessions that are bound as well.
fn is_bound_by_role(asker: &Asker<'_>, found: &Counterexample) -> bool {
    let session = asker.session();
    session.role_template.is_some()
        && found.tenant.is_none()
        && found.reads_role
        && !found.settings_read.iter().any(|name| session.is_binding(name))
}

/// What may stand in the way of a counterexample.
fn obstacle(asker: &Asker<'_>, relation: &Relation, found: &Counterexample) -> Option<String> {
    if let Some(constraint) = found.unchecked.first() {
        return Some(format!("{constraint} forbids the row"));
    }
    if found.is_special {
        return Some("there are no such tenants".to_owned());
    }
    let tenant = found.tenant.as_deref();
    let mut others = found
        .row
        .iter()
        .filter(|(_, value)| tenant.is_some() && value.as_deref() == tenant);
    if let Some((name, _)) = others.next() {
        return Some(format!("{name} says whose row it is"));
    }
    let session = asker.session();
    // A row that names who is asking: then the session is bound to that row's tenant, as far as that table goes.
    if asker.has_identity() {
        let names = |value: &str| {
            let in_json = format!("\"{value}\"");
            let mut settings = found
                .settings
                .iter()
                .filter_map(|(_, setting)| setting.as_deref());
            !value.is_empty() && settings.any(|setting| setting == value || setting.contains(&in_json))
        };
        let mut row = found.row.iter();
        if let Some((name, _)) = row.find(|(_, value)| value.as_deref().is_some_and(names)) {
            return Some(format!("{name} says that the session is of the row's tenant"));
        }
    }
    // A session whose other settings hold the row's tenant is bound to that tenant, only by another setting.
    let tenant = found.row_tenant.as_deref().unwrap_or_default();
    let reads_binding = found.settings_read.iter().any(|name| session.is_binding(name));
    let other = found.settings.iter().find(|(name, value)| {
        !session.is_binding(name)
            && !tenant.is_empty()
            && value.as_deref().is_some_and(|value| value.contains(tenant))
    });
    if let (false, Some((name, _))) = (reads_binding, other) {
        return Some(format!("{name} is what binds a session"));
    }
    // A role's name that binds the session binds it always: there is no such session that is bound to nobody.
    let is_bound_by_name = session.role_template.is_some() && found.tenant.is_some();
    if found.reads_role && !reads_binding && !is_bound_by_name {
        return Some("each tenant has a role of its own".to_owned());
    }
    // A row of several columns that must fit together: keys and triggers that say so are not looked at.
    let is_single = found.row.len() < 2;
    let key = relation.foreign_keys().find(|(own, _)| own.columns.len() > 1);
    if let (false, Some((constraint, _))) = (is_single, key) {
        return Some(format!("the foreign key {} forbids the row", constraint.name));
    }
    let mut triggers = relation.triggers.iter();
    let trigger = triggers.find(|trigger| trigger.fires() && trigger.before() && trigger.on_insert());
    if let (false, Some(trigger)) = (is_single, trigger) {
        return Some(format!("the trigger {} forbids the row", trigger.name));
    }
    None
}
