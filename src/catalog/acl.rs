//! Access control lists as PostgreSQL prints them (`grantee=arwd*/grantor`), parsed and resolved to roles.
//!
//! The queries ask for the default list where an object has none, so what is here is always in effect.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Oid;

/// The grantee that stands for every role.
pub const PUBLIC: Oid = 0;

/// One privilege.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Privilege {
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE.
    Truncate,
    /// REFERENCES.
    References,
    /// TRIGGER.
    Trigger,
    /// EXECUTE.
    Execute,
    /// USAGE.
    Usage,
    /// CREATE.
    Create,
    /// TEMPORARY.
    Temporary,
    /// CONNECT.
    Connect,
    /// MAINTAIN (PostgreSQL 17).
    Maintain,
}

/// Every privilege with the letter that stands for it in an access control list.
const LETTERS: [(char, Privilege); 13] = [
    ('r', Privilege::Select),
    ('a', Privilege::Insert),
    ('w', Privilege::Update),
    ('d', Privilege::Delete),
    ('D', Privilege::Truncate),
    ('x', Privilege::References),
    ('t', Privilege::Trigger),
    ('X', Privilege::Execute),
    ('U', Privilege::Usage),
    ('C', Privilege::Create),
    ('T', Privilege::Temporary),
    ('c', Privilege::Connect),
    ('m', Privilege::Maintain),
];

/// A set of privileges; printed and saved as PostgreSQL's letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Privileges(u16);

impl Privileges {
    /// No privilege.
    pub const NONE: Self = Self(0);
    /// Every privilege.
    pub const ALL: Self = Self((1 << LETTERS.len()) - 1);

    /// Whether the set holds `privilege`.
    pub fn has(self, privilege: Privilege) -> bool {
        self.0 & 1 << privilege as u16 != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set with one privilege more.
    #[must_use]
    pub fn with(self, privilege: Privilege) -> Self {
        Self(self.0 | 1 << privilege as u16)
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set written in PostgreSQL's letters; `None` for an unknown letter.
    fn from_letters(letters: &str) -> Option<Self> {
        letters.chars().try_fold(Self::NONE, |set, letter| {
            let (_, privilege) = LETTERS.iter().find(|(known, _)| *known == letter)?;
            Some(set.with(*privilege))
        })
    }
}

impl fmt::Display for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (letter, privilege) in LETTERS {
            if self.has(privilege) {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Privileges({self})")
    }
}

impl Serialize for Privileges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Privileges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let letters = String::deserialize(deserializer)?;
        Self::from_letters(&letters).ok_or_else(|| de::Error::custom("unknown privilege letter"))
    }
}

/// What one role was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclItem {
    /// Who was granted it; [`PUBLIC`] for everybody.
    pub grantee: Oid,
    /// What was granted.
    pub privileges: Privileges,
    /// The part of it that the grantee may grant on.
    pub grantable: Privileges,
}

/// The grants on one object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Acl(pub Vec<AclItem>);

impl Acl {
    /// What `role` itself was granted; nothing that it inherits and nothing of PUBLIC's.
    pub fn of(&self, role: Oid) -> Privileges {
        self.0
            .iter()
            .filter(|item| item.grantee == role)
            .fold(Privileges::NONE, |set, item| set.union(item.privileges))
    }

    /// Reads PostgreSQL's items. One whose grantee is no role any more is left out: nobody can use it.
    pub(super) fn parse(items: &[&str], roles: &BTreeMap<String, Oid>) -> Result<Self, String> {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            let (grantee, rights) = split_grantee(item).ok_or_else(|| format!("malformed grant {item:?}"))?;
            let letters = rights.split('/').next().unwrap_or_default();
            let (mut privileges, mut grantable) = (Privileges::NONE, Privileges::NONE);
            let mut latest = Privileges::NONE;
            for letter in letters.chars() {
                if letter == '*' {
                    grantable = grantable.union(latest);
                    continue;
                }
                // A letter of a later PostgreSQL is no reason to fail; what it allows is unknown here.
                latest = Privileges::from_letters(letter.encode_utf8(&mut [0; 4])).unwrap_or_default();
                privileges = privileges.union(latest);
            }
            let grantee = if grantee.is_empty() {
                Some(PUBLIC)
            } else {
                roles.get(&grantee).copied()
            };
            list.extend(grantee.map(|grantee| AclItem {
                grantee,
                privileges,
                grantable,
            }));
        }
        Ok(Self(list))
    }
}

/// The grantee without quotes, and what stands behind the `=`.
fn split_grantee(item: &str) -> Option<(String, &str)> {
    let Some(mut rest) = item.strip_prefix('"') else {
        let (grantee, rights) = item.split_once('=')?;
        return Some((grantee.to_owned(), rights));
    };
    let mut name = String::new();
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        let Some(after) = rest.strip_prefix('"') else {
            break;
        };
        name.push('"');
        rest = after;
    }
    Some((name, rest.strip_prefix('=')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(items: &[&str]) -> Acl {
        let roles = [("app", 10), ("we\"ird=", 11)].map(|(name, oid)| (name.to_owned(), oid));
        Acl::parse(items, &BTreeMap::from(roles)).unwrap()
    }

    #[test]
    fn grants_are_read_as_postgresql_prints_them() {
        let acl = parse(&[
            "app=ar*w/postgres",
            "=X/postgres",
            "\"we\"\"ird=\"=U/\"o=/\"",
            "16999=r/app",
        ]);
        assert_eq!(acl.of(10).to_string(), "raw");
        assert_eq!(acl.0[0].grantable.to_string(), "r");
        assert!(acl.of(PUBLIC).has(Privilege::Execute));
        assert!(acl.of(11).has(Privilege::Usage));
        assert_eq!(acl.0.len(), 3, "the role that is gone has no grant");
    }

    #[test]
    fn a_malformed_item_is_refused() {
        assert!(Acl::parse(&["nonsense"], &BTreeMap::new()).is_err());
        assert!(Acl::parse(&["\"open"], &BTreeMap::new()).is_err());
    }

    #[test]
    fn privileges_survive_being_saved() {
        let set = Privileges::NONE.with(Privilege::Maintain).with(Privilege::Select);
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, "\"rm\"");
        assert_eq!(serde_json::from_str::<Privileges>(&json).unwrap(), set);
    }
}
