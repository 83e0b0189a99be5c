//! A TypeID of any kind, as the specification has it: the parser behind [`Id`](super::Id).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::base32;
use super::error::{ParseIdError, ParseIdReason};

/// A prefix and a UUID, kind known at run time only.
///
/// Format (part of this crate's stable API): an optional prefix `[a-z]([a-z_]{0,61}[a-z])?` followed by `_`, then 26
/// characters of `0123456789abcdefghjkmnpqrstvwxyz`, the first at most `7`. Any UUID version parses; generated ids
/// are version 7.
///
/// ```
/// let id: rls_tool::id::TypeId = "prefix_01h455vb4pex5vsknk084sn02q".parse()?;
/// assert_eq!(id.prefix(), "prefix");
/// assert_eq!(id.uuid().to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
/// # Ok::<(), rls_tool::id::ParseIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId {
    prefix: String,
    uuid: Uuid,
}

impl TypeId {
    /// The id with this prefix and UUID.
    ///
    /// # Errors
    ///
    /// A prefix that the specification does not allow.
    pub fn new(prefix: &str, uuid: Uuid) -> Result<Self, ParseIdError> {
        check_prefix(prefix).map_err(|reason| ParseIdError::new(prefix, reason))?;
        Ok(Self {
            prefix: prefix.to_owned(),
            uuid,
        })
    }

    /// The prefix, without the separator; may be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The UUID behind the suffix.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, &self.prefix, self.uuid)
    }
}

impl FromStr for TypeId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (prefix, uuid) = parse(text).map_err(|reason| ParseIdError::new(text, reason))?;
        Ok(Self {
            prefix: prefix.unwrap_or_default().to_owned(),
            uuid,
        })
    }
}

/// Writes an id; nothing is allocated.
pub(super) fn write_id(f: &mut fmt::Formatter<'_>, prefix: &str, uuid: Uuid) -> fmt::Result {
    let suffix = base32::encode(uuid.as_u128());
    let suffix = std::str::from_utf8(&suffix).unwrap_or_default();
    if prefix.is_empty() {
        f.pad(suffix)
    } else {
        f.pad(&format!("{prefix}_{suffix}"))
    }
}

/// The prefix (if there is a separator) and the UUID.
pub(super) fn parse(text: &str) -> Result<(Option<&str>, Uuid), ParseIdReason> {
    if text.is_empty() {
        return Err(ParseIdReason::Empty);
    }
    let (prefix, suffix) = match text.rsplit_once('_') {
        Some(("", _)) => return Err(ParseIdReason::EmptyPrefix),
        Some((prefix, suffix)) => (Some(prefix), suffix),
        None => (None, text),
    };
    check_prefix(prefix.unwrap_or_default())?;
    Ok((prefix, Uuid::from_u128(base32::decode(suffix)?)))
}

fn check_prefix(prefix: &str) -> Result<(), ParseIdReason> {
    let length = prefix.chars().count();
    for (position, character) in prefix.chars().enumerate() {
        let edge = position == 0 || position + 1 == length;
        if !(character.is_ascii_lowercase() || (character == '_' && !edge)) {
            return Err(ParseIdReason::PrefixCharacter { character, position });
        }
    }
    if length > 63 {
        return Err(ParseIdReason::PrefixLength { found: length });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The specification's own vectors (version 0.3.0, valid.yml): text, prefix, UUID.
    const VALID: &[(&str, &str, &str)] = &[
        (
            "00000000000000000000000000",
            "",
            "00000000-0000-0000-0000-000000000000",
        ),
        (
            "00000000000000000000000001",
            "",
            "00000000-0000-0000-0000-000000000001",
        ),
        (
            "0000000000000000000000000a",
            "",
            "00000000-0000-0000-0000-00000000000a",
        ),
        (
            "0000000000000000000000000g",
            "",
            "00000000-0000-0000-0000-000000000010",
        ),
        (
            "00000000000000000000000010",
            "",
            "00000000-0000-0000-0000-000000000020",
        ),
        (
            "7zzzzzzzzzzzzzzzzzzzzzzzzz",
            "",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ),
        (
            "prefix_0123456789abcdefghjkmnpqrs",
            "prefix",
            "0110c853-1d09-52d8-d73e-1194e95b5f19",
        ),
        (
            "prefix_01h455vb4pex5vsknk084sn02q",
            "prefix",
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ),
        (
            "pre_fix_00000000000000000000000000",
            "pre_fix",
            "00000000-0000-0000-0000-000000000000",
        ),
    ];

    /// The specification's own vectors (version 0.3.0, invalid.yml).
    const INVALID: &[&str] = &[
        "PREFIX_00000000000000000000000000",
        "12345_00000000000000000000000000",
        "pre.fix_00000000000000000000000000",
        "préfix_00000000000000000000000000",
        "  prefix_00000000000000000000000000",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl_00000000000000000000000000",
        "_00000000000000000000000000",
        "_",
        "prefix_1234567890123456789012345",
        "prefix_123456789012345678901234567",
        "prefix_1234567890123456789012345 ",
        "prefix_0123456789ABCDEFGHJKMNPQRS",
        "prefix_123456789-123456789-123456",
        "prefix_ooooooiiiiiiuuuuuuulllllll",
        "prefix_i23456789ol23456789oi23456",
        "prefix_123456789-0123456789-0123456",
        "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "_prefix_00000000000000000000000000",
        "prefix__00000000000000000000000000",
        "",
        "prefix_",
    ];

    #[test]
    fn the_specifications_valid_vectors_pass_both_ways() {
        for (text, prefix, uuid) in VALID {
            let id: TypeId = text.parse().unwrap();
            assert_eq!((id.prefix(), id.uuid().to_string().as_str()), (*prefix, *uuid));
            assert_eq!(
                TypeId::new(prefix, uuid.parse().unwrap()).unwrap().to_string(),
                *text
            );
        }
    }

    #[test]
    fn the_specifications_invalid_vectors_are_refused() {
        for text in INVALID {
            assert!(text.parse::<TypeId>().is_err(), "{text:?} parsed");
        }
    }

    #[test]
    fn errors_say_what_and_where() {
        let reason = |text: &str| text.parse::<TypeId>().unwrap_err().to_string();
        assert!(reason("pRe_00000000000000000000000000").contains("'R' at position 1"));
        assert!(reason("pre_0000000000000000000000000u").contains("'u' at position 25 of the suffix"));
        assert!(reason("pre_8zzzzzzzzzzzzzzzzzzzzzzzzz").contains("more than 128 bits"));
        assert!(reason("pre_00").contains("has 2 characters, not 26"));
        assert!(
            reason(&"x".repeat(1 << 20)).len() < 200,
            "a huge text is not repeated whole"
        );
    }

    proptest! {
        #[test]
        fn every_id_reads_back(prefix in "([a-z]([a-z_]{0,61}[a-z])?)?", bits in any::<u128>()) {
            let id = TypeId::new(&prefix, Uuid::from_u128(bits)).unwrap();
            prop_assert_eq!(id.to_string().parse::<TypeId>().unwrap(), id);
        }

        #[test]
        fn whatever_parses_prints_as_it_was(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<TypeId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
