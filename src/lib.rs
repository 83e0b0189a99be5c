#![doc = include_str!("../README.md")]

pub mod attack;
pub mod audit;
pub mod catalog;
mod checks;
pub mod connect;
#[cfg(doctest)]
mod doctests;
#[cfg(feature = "ephemeral")]
pub mod ephemeral;
pub mod error;
pub mod id;

pub mod migrate;
pub mod model;
pub mod policy;
pub mod proof;
pub mod report;
pub mod session;
pub mod sql;
#[cfg(feature = "testing")]
pub mod sqltest;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Error, ErrorKind, Result};
pub use id::{
    AccountId, ApiKeyId, CallLogId, Id, ProcessId, ProcessVersionId, RateLimitId, ResponseCacheId, SessionId,
    TenantId, TypeId, UserId, VerificationTokenId,
};
pub use migrate::{MigrationReport, Migrator};
pub use session::{TenantPool, TenantSession, TenantTransaction};
