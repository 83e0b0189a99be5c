//! Findings that `rls.toml` allows: taken out of the list, kept with their reasons; an allowance that fits nothing is
//! itself a finding.

use super::report::Allowed;
use super::verdicts::Verdicts;
use super::{Finding, Object, check};
use crate::model::{Allowance, Config, Model};

/// The check that reports declarations which fit nothing.
const UNUSED: &str = "unused-declaration";

/// Takes out what is allowed.
pub(super) fn apply(
    config: &Config,
    database: &str,
    model: &Model,
    findings: &mut Vec<Finding>,
    verdicts: &mut Verdicts,
) -> Vec<Allowed> {
    let mut allowed = Vec::new();
    let mut used = vec![false; config.allow.len()];
    findings.retain(|finding| {
        let mut by = None;
        for (allowance, used) in config.allow.iter().zip(&mut used) {
            if !allowance.is_expired() && covers(allowance, finding) {
                *used = true;
                by.get_or_insert(allowance);
            }
        }
        if let Some(allowance) = by {
            verdicts.note_allowed(model, finding);
            allowed.push(Allowed {
                check: finding.check.clone(),
                object: finding.object.clone(),
                role: finding.role.clone(),
                reason: allowance.reason.as_str().to_owned(),
                expires: allowance.expires.map(|day| day.to_string()),
            });
        }
        by.is_none()
    });
    let unused = config.allow.iter().zip(used).filter(|(_, used)| !used);
    for (allowance, _) in unused {
        let Some(entry) = check(UNUSED) else {
            continue;
        };
        let part = format!("{} {}", allowance.check, allowance.object.as_str());
        let object = Object::Database(database.to_owned());
        findings.push(
            Finding::new(UNUSED, entry.item.severity, object, None, None, &part).saying(
                complaint(allowance),
                "take the entry out, or correct it: it may hide a finding to come",
            ),
        );
    }
    allowed
}

fn complaint(allowance: &Allowance) -> String {
    let (check, object) = (&allowance.check, allowance.object.as_str());
    match allowance.expires.filter(|_| allowance.is_expired()) {
        Some(day) => format!("rls.toml allows {check} on {object} until {day}, which is past"),
        None => format!("rls.toml allows {check} on {object}, and there is no such finding"),
    }
}

fn covers(allowance: &Allowance, finding: &Finding) -> bool {
    allowance.check == finding.check
        && allowance.object.matches(&finding.object.to_string())
        && (allowance.role.is_none() || allowance.role == finding.role)
}
