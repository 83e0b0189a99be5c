//! The suffix of a TypeID: 128 bits as 26 characters of strict lower-case Crockford base32, most significant first.

use super::error::ParseIdReason;

/// Characters in a suffix.
pub(super) const LEN: usize = 26;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The 26 characters of `value`.
pub(super) fn encode(value: u128) -> [u8; LEN] {
    let mut out = [b'0'; LEN];
    let mut rest = value;
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[usize::try_from(rest & 31).unwrap_or(0)];
        rest >>= 5;
    }
    out
}

/// The value of a suffix; errors give the character's position within it, from 0.
pub(super) fn decode(suffix: &str) -> Result<u128, ParseIdReason> {
    let length = suffix.chars().count();
    if length != LEN {
        return Err(ParseIdReason::SuffixLength { found: length });
    }
    let mut value: u128 = 0;
    for (position, character) in suffix.chars().enumerate() {
        let digit = ALPHABET
            .iter()
            .position(|&symbol| char::from(symbol) == character);
        let Some(digit) = digit else {
            return Err(ParseIdReason::SuffixCharacter { character, position });
        };
        // 26 characters hold 130 bits; the first may only use three of its five.
        if position == 0 && digit > 7 {
            return Err(ParseIdReason::Overflow { character });
        }
        value = (value << 5) | digit as u128;
    }
    Ok(value)
}
