//! The tenant's value: whatever the tenant column holds, as the text that the setting will hold.
//!
//! A value is bound exactly or refused; it is never cut, trimmed or escaped into another one. The empty text is refused
//! because PostgreSQL leaves it behind in the setting when a transaction ends: it means "no tenant".

use std::fmt;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::id::{Id, IdKind};

/// Longer than any key that a tenant column holds, short enough for every log line and error message.
const MAX_LENGTH: usize = 1024;

/// A tenant's value, fit to be bound.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TenantValue(String);

impl TenantValue {
    /// The tenant that the text names.
    ///
    /// # Errors
    ///
    /// The empty text, a text with a NUL character, and one of more than 1024 bytes.
    pub fn text(value: impl Into<String>) -> Result<Self> {
        let value = value.into();
        if value.is_empty() {
            return Err(Error::input("a tenant's value must not be empty")
                .with_help("'' is what PostgreSQL leaves in the setting of an unbound session"));
        }
        if value.contains('\0') {
            return Err(Error::input(
                "a tenant's value holds a NUL character, which PostgreSQL cannot store",
            ));
        }
        if value.len() > MAX_LENGTH {
            return Err(Error::input(format!(
                "a tenant's value has {} bytes; {MAX_LENGTH} are allowed",
                value.len()
            )));
        }
        Ok(Self(value))
    }

    /// The text that the setting will hold.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TenantValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for TenantValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What names a tenant: an [`Id`], a UUID, an integer, a text.
///
/// Implement it for your own id type by going through [`TenantValue`].
pub trait AsTenant {
    /// The value to bind.
    ///
    /// # Errors
    ///
    /// Where there is no tenant of that name, for example the empty text.
    fn as_tenant(&self) -> Result<TenantValue>;
}

impl AsTenant for TenantValue {
    fn as_tenant(&self) -> Result<TenantValue> {
        Ok(self.clone())
    }
}

impl<K: IdKind> AsTenant for Id<K> {
    fn as_tenant(&self) -> Result<TenantValue> {
        Ok(TenantValue(self.to_string()))
    }
}

impl AsTenant for Uuid {
    fn as_tenant(&self) -> Result<TenantValue> {
        Ok(TenantValue(self.to_string()))
    }
}

impl AsTenant for str {
    fn as_tenant(&self) -> Result<TenantValue> {
        TenantValue::text(self)
    }
}

impl AsTenant for String {
    fn as_tenant(&self) -> Result<TenantValue> {
        TenantValue::text(self.as_str())
    }
}

impl AsTenant for i64 {
    fn as_tenant(&self) -> Result<TenantValue> {
        Ok(TenantValue(self.to_string()))
    }
}

impl AsTenant for i32 {
    fn as_tenant(&self) -> Result<TenantValue> {
        Ok(TenantValue(self.to_string()))
    }
}

impl<T: AsTenant + ?Sized> AsTenant for &T {
    fn as_tenant(&self) -> Result<TenantValue> {
        T::as_tenant(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantId;

    #[test]
    fn values_are_exact_or_refused() {
        for refused in ["", "\0", "a\0b"] {
            assert!(refused.as_tenant().is_err(), "{refused:?}");
        }
        assert!("x".repeat(MAX_LENGTH + 1).as_tenant().is_err());
        for kept in [" ", "'; drop table x; --", "a\nb", "é\u{202e}", r"\'"] {
            assert_eq!(kept.as_tenant().unwrap().as_str(), kept);
        }
        let id = TenantId::generate();
        assert_eq!(id.as_tenant().unwrap().as_str(), id.to_string());
        assert_eq!((-7_i64).as_tenant().unwrap().as_str(), "-7");
    }
}
