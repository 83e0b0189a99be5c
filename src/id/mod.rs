//! Prefixed ids: `ten_01h455vb4pex5vsknk084sn02q`.
//!
//! An id is a [TypeID], specification 0.3: a prefix that names the kind, `_`, and 26 characters of base32 over a
//! UUIDv7, so that ids sort by creation time and a reader sees what an id belongs to. [`Id<K>`] ties the prefix to a
//! Rust type: a [`UserId`] cannot be passed where a [`TenantId`] is wanted. An `Id` is only made by generating or
//! parsing; reading one from PostgreSQL or JSON goes through the same parser, and the reference schema enforces the
//! same format, so that `''` and garbage are never a tenant.
//!
//! ```compile_fail
//! fn delete_tenant(id: rls_tool::TenantId) {}
//! delete_tenant(rls_tool::UserId::generate());
//! ```
//!
//! [TypeID]: https://github.com/jetify-com/typeid/tree/main/spec

mod base32;
mod error;
mod kinds;
mod postgres;
mod type_id;
mod typed;

pub use error::{ParseIdError, ParseIdReason};
pub use kinds::{
    AccountId, ApiKeyId, CallLogId, ProcessId, ProcessVersionId, RateLimitId, ResponseCacheId, SessionId,
    TenantId, UserId, VerificationTokenId, kind,
};
pub use type_id::TypeId;
pub use typed::{Id, IdKind};
