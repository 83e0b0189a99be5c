//! Why a text is not an id, and where.

use std::fmt;

use super::base32;

/// How much of the refused text an error repeats.
const SHOWN: usize = 48;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError {
    shown: String,
    reason: ParseIdReason,
}

/// What is wrong with the text. Positions count characters from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseIdReason {
    /// The text is empty.
    Empty,
    /// The id is of another kind.
    WrongPrefix {
        /// The prefix that this kind has.
        expected: &'static str,
        /// The prefix that the text has; `None` where it has none.
        found: Option<String>,
    },
    /// The prefix is longer than 63 characters.
    PrefixLength {
        /// Its length.
        found: usize,
    },
    /// A character of the prefix is not in `a-z_`, or an underscore opens or closes it.
    PrefixCharacter {
        /// The character.
        character: char,
        /// Where it stands in the text.
        position: usize,
    },
    /// A separator with no prefix in front of it.
    EmptyPrefix,
    /// The suffix is not 26 characters long.
    SuffixLength {
        /// Its length.
        found: usize,
    },
    /// A character of the suffix is not in `0123456789abcdefghjkmnpqrstvwxyz`.
    SuffixCharacter {
        /// The character.
        character: char,
        /// Where it stands in the suffix.
        position: usize,
    },
    /// The suffix is above `7zzzzzzzzzzzzzzzzzzzzzzzzz`, more than 128 bits.
    Overflow {
        /// The suffix's first character.
        character: char,
    },
}

impl ParseIdError {
    pub(super) fn new(text: &str, reason: ParseIdReason) -> Self {
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self { shown, reason }
    }

    /// What is wrong, to branch on.
    pub fn reason(&self) -> &ParseIdReason {
        &self.reason
    }
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.reason, ParseIdReason::Empty) {
            return f.write_str("an id must not be empty");
        }
        write!(f, "{:?} is not an id: {}", self.shown, self.reason)
    }
}

impl fmt::Display for ParseIdReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::WrongPrefix {
                expected,
                found: Some(found),
            } => {
                write!(
                    f,
                    "its prefix is {:?}, not {expected:?}",
                    found.chars().take(SHOWN).collect::<String>()
                )
            }
            Self::WrongPrefix {
                expected,
                found: None,
            } => write!(f, "it lacks the prefix {expected:?}"),
            Self::PrefixLength { found } => {
                write!(f, "its prefix has {found} characters, at most 63 are allowed")
            }
            Self::PrefixCharacter { character, position } => {
                write!(
                    f,
                    "{character:?} at position {position} does not belong into a prefix"
                )
            }
            Self::EmptyPrefix => f.write_str("it starts with the separator '_'"),
            Self::SuffixLength { found } => {
                write!(
                    f,
                    "what follows the prefix has {found} characters, not {}",
                    base32::LEN
                )
            }
            Self::SuffixCharacter { character, position } => {
                write!(
                    f,
                    "{character:?} at position {position} of the suffix is not in the base32 alphabet"
                )
            }
            Self::Overflow { character } => {
                write!(
                    f,
                    "its suffix starts with {character:?}, which is more than 128 bits (the first is 0 to 7)"
                )
            }
        }
    }
}

impl std::error::Error for ParseIdError {}

impl From<ParseIdError> for crate::Error {
    fn from(error: ParseIdError) -> Self {
        crate::Error::input(error.to_string())
    }
}
