//! `Id<K>`: an id whose kind the compiler knows.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::error::{ParseIdError, ParseIdReason};
use super::type_id::{parse, write_id};
use crate::error::{Error, ErrorKind, Result};

/// A kind of id: its prefix. Users add their own kinds by implementing this for an empty enum.
///
/// ```
/// use rls_tool::id::{Id, IdKind};
///
/// enum Invoice {}
/// impl IdKind for Invoice {
///     const PREFIX: &'static str = "inv";
/// }
/// assert!(Id::<Invoice>::generate().to_string().starts_with("inv_"));
/// ```
pub trait IdKind {
    /// The prefix, without the separator; must be one that the TypeID specification allows.
    const PREFIX: &'static str;
}

/// An id of kind `K`, for example [`TenantId`](super::TenantId).
///
/// Made by [`generate`](Self::generate) or by parsing; there is no other way, so a value of this type is always
/// well-formed. Copies are cheap (16 bytes). Ids order by creation time, to the millisecond.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

impl<K: IdKind> Id<K> {
    /// A new id: a UUIDv7 (RFC 9562, section 5.7) of the present time and 74 random bits of the operating system.
    ///
    /// # Panics
    ///
    /// Where the operating system gives no random bits; [`try_generate`](Self::try_generate) returns that instead.
    pub fn generate() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "documented; the fallible form stands beside it"
        )]
        Self::try_generate().expect("the operating system gives random bits")
    }

    /// Like [`generate`](Self::generate), without the panic.
    ///
    /// # Errors
    ///
    /// The operating system's random generator fails, or the clock stands before 1970.
    pub fn try_generate() -> Result<Self> {
        let mut random = [0; 10];
        SysRng.try_fill_bytes(&mut random).map_err(|cause| {
            Error::new(ErrorKind::Internal, "the operating system gave no random bits").caused_by(cause)
        })?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|cause| {
            Error::new(ErrorKind::Internal, "the clock stands before 1970").caused_by(cause)
        })?;
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        Ok(Self::from_uuid(
            uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
        ))
    }

    pub(super) fn from_uuid(uuid: Uuid) -> Self {
        Self {
            uuid,
            kind: PhantomData,
        }
    }

    /// The UUID behind the suffix.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let failed = |reason| ParseIdError::new(text, reason);
        let (prefix, uuid) = parse(text).map_err(failed)?;
        if prefix.unwrap_or_default() == K::PREFIX {
            return Ok(Self::from_uuid(uuid));
        }
        Err(failed(ParseIdReason::WrongPrefix {
            expected: K::PREFIX,
            found: prefix.map(str::to_owned),
        }))
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, K::PREFIX, self.uuid)
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

// By hand: deriving would ask K for these traits, and K is never a value.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TenantId, UserId};

    #[test]
    fn generated_ids_are_version_7_sorted_and_distinct() {
        let before = TenantId::generate();
        std::thread::sleep(std::time::Duration::from_millis(2));
        let after = TenantId::generate();
        assert!(before < after && before.to_string() < after.to_string());
        assert_eq!(after.uuid().get_version_num(), 7);
        assert_eq!(after.uuid().get_variant(), uuid::Variant::RFC4122);
        assert_eq!(after.to_string().parse::<TenantId>().unwrap(), after);
    }

    #[test]
    fn another_kind_is_refused_by_name() {
        let error = UserId::generate().to_string().parse::<TenantId>().unwrap_err();
        assert!(
            error.to_string().contains("its prefix is \"usr\", not \"ten\""),
            "{error}"
        );
        let error = "01h455vb4pex5vsknk084sn02q".parse::<TenantId>().unwrap_err();
        assert!(error.to_string().contains("lacks the prefix \"ten\""), "{error}");
    }

    #[test]
    fn json_goes_through_the_parser() {
        let id = TenantId::generate();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<TenantId>("\"\"").is_err());
        assert!(serde_json::from_str::<UserId>(&json).is_err());
    }
}
