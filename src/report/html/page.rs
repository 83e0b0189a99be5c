//! What the template shows, made of a report: plain text throughout, grouped and counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::wrap::tame;
use super::super::{again, words};
use crate::audit::{Command, Door, DoorKind, DoorVerdict, Finding, Object, Report, Verdict};

/// The matrix's columns.
const COMMANDS: [Command; 6] = [
    Command::Select,
    Command::Insert,
    Command::Update,
    Command::Delete,
    Command::Truncate,
    Command::Execute,
];

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    title: String,
    verdict: &'static str,
    sentence: String,
    facts: Vec<(&'static str, String)>,
    bars: Vec<Bar>,
    commands: Vec<&'static str>,
    roles: Vec<String>,
    rows: Vec<Row>,
    findings: Vec<Card>,
    groups: Vec<Group>,
    allowed: Vec<[String; 4]>,
    known: Vec<[String; 3]>,
    notes: Vec<String>,
    assumptions: Vec<Assumption>,
    command: String,
    scripts: usize,
}

/// How many doors have a verdict.
#[derive(Debug, Serialize)]
struct Bar {
    verdict: &'static str,
    number: usize,
    meaning: &'static str,
}

/// A row of the matrix: one role at one object.
#[derive(Debug, Serialize)]
struct Row {
    object: String,
    kind: &'static str,
    role: String,
    cells: Vec<Option<Cell>>,
    /// The worst verdict, for sorting and filtering.
    worst: &'static str,
}

/// One door; `group` is where its reason stands.
#[derive(Debug, Clone, Serialize)]
struct Cell {
    verdict: &'static str,
    group: usize,
}

/// A finding.
#[derive(Debug, Serialize)]
struct Card {
    id: String,
    severity: &'static str,
    check: String,
    object: String,
    door: Option<String>,
    role: Option<String>,
    command: Option<&'static str>,
    message: String,
    why: Option<String>,
    help: String,
    fix: Option<String>,
    exploit: Option<String>,
    counterexample: Option<String>,
    place: Option<String>,
    evidence: &'static str,
}

/// Doors with the same verdict for the same reason.
#[derive(Debug, Serialize)]
struct Group {
    id: usize,
    verdict: &'static str,
    reason: String,
    doors: Vec<String>,
}

/// Something that was taken for granted, with what it is about.
#[derive(Debug, Serialize)]
struct Assumption {
    title: &'static str,
    entries: Vec<(String, String)>,
}

impl Page {
    pub(super) fn new(report: &Report) -> Self {
        let (groups, places) = groups(report);
        let origin = &report.origin;
        let database = match origin.database.as_str() {
            "" => String::new(),
            name => format!(" of database {name}"),
        };
        Self {
            title: line(&format!("Tenant isolation{database}")),
            verdict: words::verdict(report.verdict),
            sentence: sentence(report),
            facts: facts(report),
            bars: bars(report),
            commands: COMMANDS.iter().map(|command| command.as_sql()).collect(),
            roles: report.roles.iter().map(|role| line(role)).collect(),
            rows: rows(report, &places),
            findings: report.findings.iter().map(card).collect(),
            groups,
            allowed: report
                .allowed
                .iter()
                .map(|allowed| {
                    [
                        line(&allowed.check),
                        line(&allowed.object.to_string()),
                        line(&allowed.reason),
                        allowed.expires.clone().unwrap_or_default(),
                    ]
                })
                .collect(),
            known: report
                .known
                .iter()
                .map(|known| {
                    [
                        words::severity(known.severity).to_owned(),
                        line(&known.check),
                        line(&known.object.to_string()),
                    ]
                })
                .collect(),
            notes: report.notes.iter().map(|note| line(note)).collect(),
            assumptions: assumptions(report),
            command: again::command(report),
            scripts: report
                .findings
                .iter()
                .filter(|finding| finding.evidence.exploit_sql.is_some())
                .count(),
        }
    }
}

fn line(text: &str) -> String {
    tame(text, false)
}

fn sentence(report: &Report) -> String {
    let roles = report
        .roles
        .iter()
        .map(|role| line(role))
        .collect::<Vec<_>>()
        .join(" or ");
    match report.verdict {
        Verdict::Leaking => format!("A session of {roles} can reach rows of another tenant."),
        Verdict::Isolated => format!("No way was found by which {roles} reaches rows of another tenant."),
        Verdict::Undecided => {
            format!("Nothing is known about at least one of {roles}: no door could be decided.")
        }
    }
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let (summary, origin) = (&report.summary, &report.origin);
    let seconds = format!(
        "{}.{} s",
        summary.elapsed_ms / 1000,
        summary.elapsed_ms % 1000 / 100
    );
    let facts = vec![
        ("Roles", report.roles.join(", ")),
        ("Tenant setting", report.tenant_setting.clone()),
        ("Tenant-scoped tables", summary.tables.to_string()),
        ("Attacks run", format!("{} in {seconds}", summary.attacks_run)),
        ("PostgreSQL", origin.server_version.clone()),
        ("Audited", origin.audited_at.clone().unwrap_or_default()),
        ("Read as", origin.reader.clone()),
        ("rls-tool", origin.tool_version.clone()),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    facts.map(|(name, value)| (name, line(&value))).collect()
}

fn bars(report: &Report) -> Vec<Bar> {
    let summary = &report.summary;
    [
        (
            DoorVerdict::Leak,
            summary.leaks,
            "an attack worked, or a counterexample exists",
        ),
        (
            DoorVerdict::Undecided,
            summary.undecided,
            "neither proven nor attacked: nothing is known",
        ),
        (DoorVerdict::Held, summary.held, "attacks were run and all failed"),
        (
            DoorVerdict::Proven,
            summary.proven,
            "the policy’s expression implies the border",
        ),
    ]
    .into_iter()
    .map(|(verdict, number, meaning)| Bar {
        verdict: words::door_verdict(verdict),
        number,
        meaning,
    })
    .collect()
}

/// The doors by verdict and reason, worst first, and where each door went.
fn groups(report: &Report) -> (Vec<Group>, Vec<usize>) {
    let mut ids = BTreeMap::new();
    let mut groups = Vec::<Group>::new();
    let places = report.doors.iter().map(|door| {
        let id = *ids
            .entry((door.verdict, door.reason.as_str()))
            .or_insert_with(|| {
                groups.push(Group {
                    id: groups.len(),
                    verdict: words::door_verdict(door.verdict),
                    reason: line(&door.reason),
                    doors: Vec::new(),
                });
                groups.len() - 1
            });
        groups[id].doors.push(line(&format!(
            "{}: {} {}",
            door.role,
            door.command.as_sql(),
            door.object
        )));
        id
    });
    let places: Vec<_> = places.collect();
    groups.sort_by_key(|group| {
        (
            rank(group.verdict),
            std::cmp::Reverse(group.doors.len()),
            group.id,
        )
    });
    (groups, places)
}

/// Worst first.
fn rank(verdict: &str) -> usize {
    let order = ["leak", "undecided", "held", "proven"];
    order
        .iter()
        .position(|known| *known == verdict)
        .unwrap_or_default()
}

fn rows(report: &Report, places: &[usize]) -> Vec<Row> {
    let mut rows = BTreeMap::<(&Object, DoorKind, &str), Vec<Option<Cell>>>::new();
    for (door, &group) in report.doors.iter().zip(places) {
        let cells = rows
            .entry((&door.object, door.kind, &door.role))
            .or_insert_with(|| vec![None; COMMANDS.len()]);
        if let Some(place) = column(door) {
            cells[place] = Some(Cell {
                verdict: words::door_verdict(door.verdict),
                group,
            });
        }
    }
    rows.into_iter()
        .map(|((object, kind, role), cells)| Row {
            object: line(&object.to_string()),
            kind: words::door_kind(kind),
            role: line(role),
            worst: cells
                .iter()
                .flatten()
                .map(|cell| cell.verdict)
                .min_by_key(|verdict| rank(verdict))
                .unwrap_or_default(),
            cells,
        })
        .collect()
}

fn column(door: &Door) -> Option<usize> {
    COMMANDS.iter().position(|command| *command == door.command)
}

fn card(finding: &Finding) -> Card {
    let evidence = &finding.evidence;
    let why = crate::audit::page(&finding.check).and_then(|page| {
        let (_, rest) = page.text.split_once("## Why it matters")?;
        Some(unwrapped(rest.split("\n## ").next()?).replace('`', ""))
    });
    Card {
        id: finding.fingerprint.clone(),
        severity: words::severity(finding.severity),
        check: line(&finding.check),
        object: line(&finding.object.to_string()),
        door: finding.door.as_ref().map(|door| line(&door.to_string())),
        role: finding.role.as_deref().map(line),
        command: finding.command.map(Command::as_sql),
        message: line(&finding.message),
        why,
        help: line(&finding.help),
        fix: finding.fix_sql.as_deref().map(|sql| tame(sql, true)),
        exploit: evidence.exploit_sql.as_deref().map(|sql| tame(sql, true)),
        counterexample: evidence
            .counterexample
            .as_ref()
            .and_then(|value| seen(value, evidence.exploit_sql.is_some()))
            .map(|text| tame(&text, true)),
        place: finding
            .location
            .as_ref()
            .map(|place| line(&format!("{}:{}", place.file, place.line))),
        evidence: match evidence.kind {
            crate::audit::EvidenceKind::Proof => "a counterexample to the policy’s expression",
            crate::audit::EvidenceKind::Attack => "an attack that was run",
            crate::audit::EvidenceKind::Catalog => "the catalog",
        },
    }
}

/// What an attack saw, a line each; its statement only where no script has it. What is not so simple is shown as it is.
fn seen(value: &serde_json::Value, has_script: bool) -> Option<String> {
    let simple = value.as_object().and_then(|fields| {
        let fields = fields
            .iter()
            .filter(|(name, _)| !(has_script && *name == "statement"));
        let lines = fields.map(|(name, value)| match value {
            serde_json::Value::String(text) => Some(format!("{name}: {text}")),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Some(format!("{name}: {value}")),
            _ => None,
        });
        lines.collect::<Option<Vec<_>>>()
    });
    simple
        .map(|lines| lines.join("\n"))
        .or_else(|| serde_json::to_string_pretty(value).ok())
}

/// Paragraphs on a line each: the page's own line breaks are for editors.
fn unwrapped(text: &str) -> String {
    let paragraphs = text.trim().split("\n\n");
    let lines: Vec<_> = paragraphs
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    lines.join("\n\n")
}

fn assumptions(report: &Report) -> Vec<Assumption> {
    let assumed = &report.assumptions;
    let named = |title, list: &[crate::audit::Assumed]| Assumption {
        title,
        entries: list
            .iter()
            .map(|one| (line(&one.name), line(&one.ground)))
            .collect(),
    };
    let plain = |title, list: Vec<String>| Assumption {
        title,
        entries: list.iter().map(|one| (line(one), String::new())).collect(),
    };
    let global = assumed.global.iter().map(ToString::to_string).collect();
    let list = [
        named("Audited roles, and why these", &assumed.roles),
        named("Tenant-scoped tables, and why", &assumed.tables),
        plain("Tables that belong to no tenant", global),
        named(
            "Tables that rls.toml exempts, with the reason given",
            &assumed.exempt,
        ),
        plain("Tables that rls.toml describes", assumed.declared.clone()),
        plain(
            "How a session is bound besides the tenant setting",
            assumed.binding.clone(),
        ),
    ];
    list.into_iter().filter(|list| !list.entries.is_empty()).collect()
}
