//! Whether a role can do one thing to other tenants' rows of one table: the attacks of the audit on that door alone.

use std::fmt::Write as _;

use super::owned;
use super::postgres::Postgres;
use crate::attack::{self, Options};
use crate::audit::{Command, Door, DoorKind, DoorVerdict, Finding};
use crate::error::{Error, Result};

/// The inner error says what can be done, or why that could not be found out.
pub(super) async fn tried(
    db: &Postgres,
    role: &str,
    table: &str,
    command: Command,
) -> Result<std::result::Result<(), String>> {
    let (catalog, mut model) = db.model(&[role]).await?;
    let relation = owned::find(&catalog, table)?;
    if model.table(relation.oid).is_none() {
        return Err(Error::input(format!("{table} does not belong to tenants")));
    }
    // The table itself and its partitions, which can be named directly.
    let parts: Vec<_> = model
        .tables
        .iter()
        .filter(|part| part.part_of == Some(relation.oid))
        .map(|part| part.relation)
        .collect();
    model.doors.retain(|door| {
        matches!(door.kind, DoorKind::Table | DoorKind::Partition)
            && door.command == command
            && (door.oid == relation.oid || parts.contains(&door.oid))
    });
    if model.doors.is_empty() {
        // Without the privilege there is nothing to try.
        return Ok(Ok(()));
    }
    let mut client = db.superuser_options().connect().await?;
    let outcome = attack::run(&mut client, &catalog, &model, &Options::default()).await?;
    for door in &outcome.doors {
        match door.verdict {
            DoorVerdict::Held | DoorVerdict::Proven => {}
            DoorVerdict::Leak => return Ok(Err(leak(door, &outcome.findings))),
            DoorVerdict::Undecided => {
                return Ok(Err(format!(
                    "whether {role} can {} other tenants' rows of {} could not be found out: {}",
                    door.command.as_sql(),
                    door.object,
                    door.reason
                )));
            }
        }
    }
    Ok(Ok(()))
}

fn leak(door: &Door, findings: &[Finding]) -> String {
    let mut text = format!(
        "{} can {} other tenants' rows of {}: {}",
        door.role,
        door.command.as_sql(),
        door.object,
        door.reason
    );
    for finding in findings {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\n{}: {}", finding.check, finding.message);
        if let Some(script) = &finding.evidence.exploit_sql {
            text.push_str("\nTo see it, paste into psql:\n");
            for line in script.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    text
}
