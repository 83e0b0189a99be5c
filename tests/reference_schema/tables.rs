//! The tenant-scoped tables, and how to make a row of each. `shape.rs` tests that none is missing.

use rls_tool::{
    AccountId, ApiKeyId, CallLogId, ProcessId, ProcessVersionId, RateLimitId, ResponseCacheId, SessionId,
    TenantId, UserId, VerificationTokenId,
};

/// One tenant-scoped table of schema `app`.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The column that says whose row it is.
    pub(crate) key: &'static str,
    /// The primary key, as the target of ON CONFLICT.
    pub(crate) primary_key: &'static str,
    /// The columns and values of a row; `{tenant}`, `{id}`, `{unique}` and tables' names stand for what is filled in.
    pub(crate) columns: &'static str,
    pub(crate) values: &'static str,
    /// Foreign keys to other tenant-scoped tables: column and table.
    pub(crate) parents: &'static [(&'static str, &'static str)],
    /// A harmless change.
    pub(crate) change: &'static str,
    pub(crate) new_id: fn() -> String,
}

/// All of them, parents first.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "tenants",
        key: "id",
        primary_key: "id",
        columns: "id, name, slug",
        values: "'{tenant}', 'same', replace(right('{id}', 26), '_', '-')",
        parents: &[],
        change: "name = 'changed'",
        new_id: || TenantId::generate().to_string(),
    },
    Table {
        name: "users",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, email",
        values: "'{tenant}', '{id}', '{unique}@example.com'",
        parents: &[],
        change: "name = 'changed'",
        new_id: || UserId::generate().to_string(),
    },
    Table {
        name: "accounts",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, user_id, type, provider, provider_account_id",
        values: "'{tenant}', '{id}', '{users}', 'oauth', 'github', '{unique}'",
        parents: &[("user_id", "users")],
        change: "scope = 'changed'",
        new_id: || AccountId::generate().to_string(),
    },
    Table {
        name: "sessions",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, user_id, token_hash, expires_at",
        values: "'{tenant}', '{id}', '{users}', sha256('{unique}'), now() + interval '1 hour'",
        parents: &[("user_id", "users")],
        change: "expires_at = now() + interval '2 hours'",
        new_id: || SessionId::generate().to_string(),
    },
    Table {
        name: "verification_tokens",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, identifier, token_hash, expires_at",
        values: "'{tenant}', '{id}', '{unique}@example.com', sha256('{unique}'), now() + interval '1 hour'",
        parents: &[],
        change: "expires_at = now() + interval '2 hours'",
        new_id: || VerificationTokenId::generate().to_string(),
    },
    Table {
        name: "processes",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, name",
        values: "'{tenant}', '{id}', '{unique}'",
        parents: &[],
        change: "description = 'changed'",
        new_id: || ProcessId::generate().to_string(),
    },
    Table {
        name: "process_versions",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, process_id, environment, version",
        values: "'{tenant}', '{id}', '{processes}', 'SANDBOX', 1 + abs(hashtext('{unique}') % 1000000)",
        parents: &[("process_id", "processes")],
        change: "config = '{\"changed\": true}'",
        new_id: || ProcessVersionId::generate().to_string(),
    },
    Table {
        name: "api_keys",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, name, key_hash, environment",
        values: "'{tenant}', '{id}', '{unique}', sha256('{unique}'), 'PRODUCTION'",
        parents: &[],
        change: "scopes = array['changed']",
        new_id: || ApiKeyId::generate().to_string(),
    },
    Table {
        name: "call_logs",
        key: "tenant_id",
        primary_key: "tenant_id, id, created_at",
        columns: "tenant_id, id, process_version_id, api_key_id, input_hash, status, latency_ms",
        values: "'{tenant}', '{id}', '{process_versions}', '{api_keys}', sha256('{unique}'), 200, 12",
        parents: &[
            ("process_version_id", "process_versions"),
            ("api_key_id", "api_keys"),
        ],
        change: "status = 500",
        new_id: || CallLogId::generate().to_string(),
    },
    Table {
        name: "response_caches",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, process_version_id, input_hash, output, expires_at",
        values: "'{tenant}', '{id}', '{process_versions}', sha256('{unique}'), '{}', now() + interval '1 hour'",
        parents: &[("process_version_id", "process_versions")],
        change: "output = '{\"changed\": true}'",
        new_id: || ResponseCacheId::generate().to_string(),
    },
    Table {
        name: "rate_limits",
        key: "tenant_id",
        primary_key: "tenant_id, id",
        columns: "tenant_id, id, name, used, window_started_at, window_ends_at",
        values: "'{tenant}', '{id}', '{unique}', 1, now(), now() + interval '1 hour'",
        parents: &[],
        change: "used = 2",
        new_id: || RateLimitId::generate().to_string(),
    },
];

/// The table of this name.
pub(crate) fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).unwrap()
}
