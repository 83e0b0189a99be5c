//! The kinds of ids in the reference schema: one line a kind.

use super::typed::{Id, IdKind};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal;)*) => {
        /// The kinds themselves: empty types that only name a prefix.
        pub mod kind {
            $(
                $(#[$doc])*
                #[derive(Debug)]
                pub enum $kind {}
            )*
        }
        $(
            impl IdKind for kind::$kind {
                const PREFIX: &'static str = $prefix;
            }
            $(#[$doc])*
            pub type $alias = Id<kind::$kind>;
        )*

        #[cfg(test)]
        const ALL: &[&str] = &[$($prefix),*];
    };
}

kinds! {
    /// A tenant: `ten_…`.
    Tenant, TenantId, "ten";
    /// A user of one tenant: `usr_…`.
    User, UserId, "usr";
    /// A user's login at an identity provider: `acc_…`.
    Account, AccountId, "acc";
    /// A user's session: `ses_…`.
    Session, SessionId, "ses";
    /// A token sent to verify an e-mail address: `vtk_…`.
    VerificationToken, VerificationTokenId, "vtk";
    /// A process: `proc_…`.
    Process, ProcessId, "proc";
    /// A version of a process: `pver_…`.
    ProcessVersion, ProcessVersionId, "pver";
    /// An API key (its record, not the secret): `key_…`.
    ApiKey, ApiKeyId, "key";
    /// A logged call: `call_…`.
    CallLog, CallLogId, "call";
    /// A cached response: `cache_…`.
    ResponseCache, ResponseCacheId, "cache";
    /// A rate limit: `rate_…`.
    RateLimit, RateLimitId, "rate";
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::id::TypeId;

    #[test]
    fn every_prefix_is_allowed_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for prefix in ALL {
            TypeId::new(prefix, uuid::Uuid::nil()).unwrap();
            assert!(seen.insert(prefix), "{prefix} twice");
        }
    }
}
