//! What PostgreSQL's own functions mean.
//!
//! An expression holds functions by object id, and the ids of PostgreSQL's own never change between versions: a table
//! of ids is exact where a name is not. Each entry names the C function behind it, so that the loader can ask the
//! server whether its functions are these ([`expected`]).

mod comparisons;
mod functions;

use comparisons::COMPARISONS;
use functions::FUNCTIONS;

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    Less,
    LessEqual,
    Equal,
    GreaterEqual,
    Greater,
    NotEqual,
}

impl Order {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Equal => "=",
            Self::GreaterEqual => ">=",
            Self::Greater => ">",
            Self::NotEqual => "<>",
        }
    }
}

/// What a comparison compares, which decides what its equality says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    Bool,
    /// `char(n)`: trailing blanks do not count.
    Blank,
    /// Integers of any width.
    Int,
    /// `text`, `varchar` and `name`: identity under a deterministic collation.
    Text,
    Uuid,
    Enum,
    Date,
    Timestamp,
    Timestamptz,
    Numeric,
    /// Total and never NULL on non-NULL values, but not understood further.
    Other,
}

/// Whose rules for text apply: what comes before what, and which letters belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Collation {
    /// "C" and "POSIX": the bytes' own. Also where no text is compared.
    Bytes,
    /// Another one, by its object id.
    Locale(u32),
}

impl Collation {
    /// The database's default.
    pub(crate) const DEFAULT: Self = Self::Locale(100);

    /// The collation with this object id.
    pub(crate) fn of(oid: u32) -> Self {
        if matches!(oid, 950 | 951) {
            Self::Bytes
        } else {
            Self::Locale(oid)
        }
    }
}

/// A function that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    Compare(Order, Group),
    CurrentSetting,
    CurrentSettingMissingOk,
    SetConfig,
    CurrentUser,
    SessionUser,
    Now,
    Lower(Collation),
    Upper(Collation),
    Left,
    Right,
    Substring,
    Length,
    Trim,
    TrimLeft,
    TrimRight,
    Replace,
    SplitPart,
    StartsWith,
    Position,
    Concat,
    Like,
    NotLike,
    Matches(Collation),
    NotMatches(Collation),
    StringToArray,
    JsonField,
    JsonFieldText,
    JsonPath,
    JsonPathText,
    IntCast,
    IntToNumeric,
    BlankToText,
    NameToText,
    TextToName,
    BlankLength,
    VarcharLength,
    BoolToText,
    IntToBool,
}

/// The function with this object id, if it is one of PostgreSQL's own that is understood.
pub(crate) fn function(oid: u32) -> Option<Function> {
    if let Some((_, _, order, group)) = COMPARISONS.iter().find(|entry| entry.0 == oid) {
        return Some(Function::Compare(*order, *group));
    }
    FUNCTIONS.iter().find(|entry| entry.0 == oid).map(|entry| entry.2)
}

/// Object id and C function of every function that is understood, to compare with the server's.
pub(crate) fn expected() -> impl Iterator<Item = (u32, &'static str)> {
    let comparisons = COMPARISONS.iter().map(|entry| (entry.0, entry.1));
    let functions = FUNCTIONS.iter().map(|entry| (entry.0, entry.1));
    comparisons.chain(functions)
}

impl Function {
    /// The same function under this collation, where that makes a difference.
    pub(crate) fn under(self, collation: Collation) -> Self {
        match self {
            Self::Lower(_) => Self::Lower(collation),
            Self::Upper(_) => Self::Upper(collation),
            Self::Matches(_) => Self::Matches(collation),
            Self::NotMatches(_) => Self::NotMatches(collation),
            same => same,
        }
    }

    /// Whether it gives no NULL for arguments that are not NULL. All are strict.
    pub(crate) fn is_null_free(self) -> bool {
        !matches!(
            self,
            Self::JsonField | Self::JsonFieldText | Self::JsonPath | Self::JsonPathText
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_object_id_is_listed_once() {
        let oids: Vec<u32> = expected().map(|(oid, _)| oid).collect();
        assert_eq!(oids.iter().collect::<BTreeSet<_>>().len(), oids.len());
        assert_eq!(function(67), Some(Function::Compare(Order::Equal, Group::Text)));
        assert_eq!(function(16), None);
    }
}
