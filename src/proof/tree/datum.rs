//! The bytes of a constant, as the server's memory held them.

/// A constant's bytes: PostgreSQL writes them in the server's byte order and with the header of the type's storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datum {
    /// The length as written, which for a type passed by value is the type's, not that of the bytes.
    pub length: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How a type is stored: `typlen` and `typbyval`, as the constant's node repeats them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of a fixed-length type, -1 for a variable-length one, -2 for a C string.
    pub length: i64,
    /// Whether the value itself was in the word, not behind a pointer.
    pub by_value: bool,
}

impl Datum {
    /// A number passed by value, sign-extended; only on a little-endian server, which the caller has to know.
    pub fn integer(&self, layout: Layout) -> Option<i64> {
        if !layout.by_value || self.bytes.len() < 8 {
            return None;
        }
        let word: [u8; 8] = self.bytes[..8].try_into().ok()?;
        let word = i64::from_le_bytes(word);
        match layout.length {
            // The word's upper bytes are not the value's.
            1 => Some(i64::from(word.to_le_bytes()[0].cast_signed())),
            2 => Some(i64::from(i16::from_le_bytes([self.bytes[0], self.bytes[1]]))),
            4 => Some(i64::from(i32::from_le_bytes(self.bytes[..4].try_into().ok()?))),
            8 => Some(word),
            _ => None,
        }
    }

    /// The payload of a type that is passed by reference: behind its length header, or all of a fixed length.
    pub fn payload(&self, layout: Layout) -> Option<&[u8]> {
        if layout.by_value {
            return None;
        }
        match layout.length {
            -1 => self.behind_header(),
            -2 => self.bytes.strip_suffix(&[0]),
            length => (usize::try_from(length) == Ok(self.bytes.len())).then_some(&self.bytes[..]),
        }
    }

    /// `varlena`: a 4-byte header holds the length times four; a 1-byte header the length times two plus one.
    /// Compressed or external values do not occur in an expression and are not decoded.
    fn behind_header(&self) -> Option<&[u8]> {
        let first = *self.bytes.first()?;
        if first & 1 == 1 {
            return (usize::from(first >> 1) == self.bytes.len()).then(|| &self.bytes[1..]);
        }
        let header = u32::from_le_bytes(self.bytes.get(..4)?.try_into().ok()?);
        let whole = usize::try_from(header >> 2).ok()?;
        (header.trailing_zeros() >= 2 && whole == self.bytes.len()).then(|| &self.bytes[4..])
    }

    /// A text-like payload.
    pub fn text(&self, layout: Layout) -> Option<&str> {
        std::str::from_utf8(self.payload(layout)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARLENA: Layout = Layout {
        length: -1,
        by_value: false,
    };

    fn datum(bytes: &[u8]) -> Datum {
        Datum {
            length: bytes.len(),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn text_has_one_of_two_headers() {
        assert_eq!(datum(&[24, 0, 0, 0, b'h', b'i']).text(VARLENA), Some("hi"));
        assert_eq!(datum(&[7, b'h', b'i']).text(VARLENA), Some("hi"));
        assert_eq!(datum(&[16, 0, 0, 0]).text(VARLENA), Some(""));
        // A big-endian server's, a wrong length, a compressed value, no bytes.
        for bytes in [
            &[0, 0, 0, 6, b'h', b'i'][..],
            &[28, 0, 0, 0, b'h', b'i'],
            &[26, 0, 0, 0, b'h', b'i'],
            &[],
        ] {
            assert_eq!(datum(bytes).text(VARLENA), None);
        }
    }

    #[test]
    fn numbers_are_sign_extended_from_their_own_width() {
        let word = datum(&[0xfb, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        let by_value = |length| Layout {
            length,
            by_value: true,
        };
        assert_eq!(word.integer(by_value(4)), Some(-5));
        assert_eq!(word.integer(by_value(2)), Some(-5));
        assert_eq!(word.integer(by_value(8)), Some(0xffff_fffb));
        assert_eq!(word.integer(by_value(3)), None);
        assert_eq!(datum(&[1, 0]).integer(by_value(2)), None);
    }
}
