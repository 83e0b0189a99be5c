//! The one report that every renderer is tested on: each severity, each verdict, hostile names, an exploit.

use serde_json::json;

use crate::audit::{
    Allowed, Command, Door, DoorKind, DoorVerdict, Evidence, EvidenceKind, Finding, Object, Report, Severity,
    Summary,
};

pub(super) fn sample() -> Report {
    let invoices = || Object::in_schema("app", "invoices");
    let hostile = || Object::in_schema("app", "<script>\u{1b}[31m & \"x\"");
    let mut read = Finding::new(
        "cross-tenant-read",
        Severity::Error,
        invoices(),
        Some("app"),
        Some(Command::Select),
        "",
    )
    .saying(
        "a session bound to one tenant reads rows of another: the policy \"support\" lets every row through whatever \
         the setting says",
        "drop the policy, or make it AS RESTRICTIVE",
    );
    read.evidence = Evidence {
        kind: EvidenceKind::Attack,
        counterexample: Some(json!({ "tenant": "ten_a", "row": { "tenant_id": "ten_b" } })),
        exploit_sql: Some(
            "begin;\nset local role \"app\";\nselect set_config('app.current_tenant', 'ten_a', true);\n\
             select * from \"app\".\"invoices\" where \"tenant_id\" = 'ten_b'; -- 1 row of ten_b\nrollback;"
                .to_owned(),
        ),
    };
    let mut written = Finding::new(
        "cross-tenant-read",
        Severity::Error,
        invoices(),
        Some("app"),
        Some(Command::Delete),
        "",
    )
    .saying(
        "a session bound to one tenant deletes rows of another",
        "drop the policy, or make it AS RESTRICTIVE",
    );
    written.evidence = Evidence {
        kind: EvidenceKind::Proof,
        counterexample: Some(json!({ "app.current_tenant": "ten_a", "tenant_id": "ten_b" })),
        exploit_sql: None,
    };
    let findings = vec![
        written,
        Finding::new("rls-not-forced", Severity::Warning, hostile(), None, None, "").saying(
            "row security does not apply to its owner boss",
            "ALTER TABLE … FORCE ROW LEVEL SECURITY;",
        ),
        read,
        Finding::new(
            "role-can-escape",
            Severity::Error,
            Object::Role("app".into()),
            Some("app"),
            None,
            "boss",
        )
        .saying(
            "app may SET ROLE boss, which has BYPASSRLS",
            "REVOKE \"boss\" FROM \"app\";",
        ),
        Finding::new("missing-index", Severity::Info, invoices(), None, None, "").saying(
            "no index leads with tenant_id",
            "CREATE INDEX ON \"app\".\"invoices\" (\"tenant_id\");",
        ),
    ];
    let door = |object, kind, command, verdict, reason: &str| Door {
        object,
        kind,
        role: "app".to_owned(),
        command,
        verdict,
        reason: reason.to_owned(),
    };
    let doors = vec![
        door(
            invoices(),
            DoorKind::Table,
            Command::Select,
            DoorVerdict::Leak,
            "an attack read a row of ten_b",
        ),
        door(
            invoices(),
            DoorKind::Table,
            Command::Insert,
            DoorVerdict::Held,
            "6 attacks failed",
        ),
        door(
            hostile(),
            DoorKind::Table,
            Command::Select,
            DoorVerdict::Proven,
            "tenant_id = the setting",
        ),
        door(
            Object::in_schema("app", "lookup(text)"),
            DoorKind::Function,
            Command::Execute,
            DoorVerdict::Undecided,
            "dead context: the bound session does not see its own rows, so that nothing can be said about others",
        ),
    ];
    let counted = Summary {
        tables: 2,
        attacks_run: 31,
        elapsed_ms: 1234,
        ..Summary::default()
    };
    let mut report = Report::new(
        vec!["app".to_owned()],
        "app.current_tenant".to_owned(),
        findings,
        doors,
        counted,
    );
    report.notes = vec!["role auditor is no superuser: pg_hba.conf was not read".to_owned()];
    report.allowed = vec![Allowed {
        check: "view-runs-as-owner".to_owned(),
        object: Object::in_schema("app", "totals"),
        role: Some("app".to_owned()),
        reason: "shows sums over all tenants on purpose".to_owned(),
    }];
    report
}
