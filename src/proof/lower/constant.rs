//! Constants: from the bytes of the server's memory to values.

use super::{Lowerer, types};
use crate::proof::ir::Expr;
use crate::proof::symbols::Symbols;
use crate::proof::tree::{Datum, Layout, Node, Object};
use crate::proof::value::{Sort, Type, Value, oid};

impl Lowerer<'_> {
    pub(super) fn constant(&self, node: &Object<'_>) -> Expr {
        let ty = self.ty(node, "consttype", "consttypmod");
        match read(self.context.symbols, ty, node) {
            Ok(value) => Expr::Const(ty, value),
            Err(reason) => Self::opaque_text("constant", reason, ty),
        }
    }
}

/// The value of a constant of one of PostgreSQL's own types, on a little-endian server; or why it is not known.
pub(crate) fn literal(node: &Object<'_>) -> Result<Option<Value>, &'static str> {
    let symbols = Symbols {
        little_endian: true,
        ..Symbols::default()
    };
    let ty = types::resolve(&symbols, node.oid("consttype").unwrap_or(0), -1);
    read(&symbols, ty, node)
}

fn read(symbols: &Symbols, ty: Type, node: &Object<'_>) -> Result<Option<Value>, &'static str> {
    if node.flag("constisnull") == Some(true) {
        return Ok(None);
    }
    let layout = Layout {
        length: node.int("constlen").unwrap_or(0),
        by_value: node.flag("constbyval").unwrap_or(false),
    };
    let Node::Datum(datum) = node.get("constvalue") else {
        return Err("the constant's bytes are missing");
    };
    if !symbols.little_endian {
        return Err("constants of a big-endian server cannot be read");
    }
    match decode(symbols, ty, layout, datum) {
        Some(value) => Ok(Some(value)),
        None => Err("constants of this type are not understood"),
    }
}

fn decode(symbols: &Symbols, ty: Type, layout: Layout, datum: &Datum) -> Option<Value> {
    match ty.sort {
        Sort::Bool => match datum.integer(layout)? {
            0 => Some(Value::Bool(false)),
            1 => Some(Value::Bool(true)),
            _ => None,
        },
        Sort::Int => datum.integer(layout).map(Value::Int),
        Sort::Date => datum.integer(layout).map(Value::Date),
        Sort::Timestamp | Sort::Timestamptz => datum.integer(layout).map(Value::Time),
        Sort::Enum(_) => u32::try_from(datum.integer(layout)? & 0xffff_ffff)
            .ok()
            .map(Value::Enum),
        Sort::Uuid => datum.payload(layout)?.try_into().ok().map(Value::Uuid),
        Sort::Text => text(symbols, ty, datum.payload(layout)?).map(Value::Text),
        Sort::Array(element) => array(symbols, element, datum.payload(layout)?).map(Value::Array),
        Sort::Json if ty.oid == oid::JSON => serde_json::from_str(datum.text(layout)?).ok().map(Value::Json),
        Sort::Json | Sort::Numeric | Sort::Other(_) => None,
    }
}

fn text(symbols: &Symbols, ty: Type, payload: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(payload).ok()?;
    Some(match types::base(symbols, ty.oid) {
        // A name fills its 64 bytes with NULs.
        oid::NAME => text.trim_end_matches('\0').to_owned(),
        oid::BPCHAR => text.trim_end_matches(' ').to_owned(),
        _ => text.to_owned(),
    })
}

/// A one-dimensional array without NULLs (`ArrayType` behind its length header).
fn array(symbols: &Symbols, element: u32, payload: &[u8]) -> Option<Vec<Option<Value>>> {
    let word =
        |at: usize| -> Option<i32> { Some(i32::from_le_bytes(payload.get(at..at + 4)?.try_into().ok()?)) };
    let (dimensions, null_bitmap, stored_element) = (word(0)?, word(4)?, word(8)?);
    if u32::try_from(stored_element).ok()? != element {
        return None;
    }
    if dimensions == 0 {
        return Some(Vec::new());
    }
    if dimensions != 1 || null_bitmap != 0 {
        return None;
    }
    let count = usize::try_from(word(12)?).ok()?;
    let ty = types::resolve(symbols, element, -1);
    // The elements' alignment counts from the start of the array, which is 4 bytes before the payload.
    let mut at = 20;
    let mut values = Vec::new();
    for _ in 0..count {
        let value = match (ty.sort, types::base(symbols, element)) {
            (Sort::Bool, _) => {
                at += 1;
                Value::Bool(*payload.get(at - 1)? != 0)
            }
            (Sort::Int, width @ (oid::INT2 | oid::INT4 | oid::INT8)) => {
                let width = match width {
                    oid::INT2 => 2,
                    oid::INT4 => 4,
                    _ => 8,
                };
                at = (at + 4).next_multiple_of(width) - 4;
                let mut word = [0; 8];
                word[..width].copy_from_slice(payload.get(at..at + width)?);
                at += width;
                let shift = 64 - 8 * u32::try_from(width).ok()?;
                Value::Int(i64::from_le_bytes(word) << shift >> shift)
            }
            (Sort::Enum(_), _) => {
                at = at.next_multiple_of(4) + 4;
                Value::Enum(u32::try_from(word(at - 4)?).ok()?)
            }
            (Sort::Uuid, _) => {
                at += 16;
                Value::Uuid(payload.get(at - 16..at)?.try_into().ok()?)
            }
            (Sort::Text, oid::TEXT | oid::VARCHAR | oid::BPCHAR) => {
                // A short header is not aligned; padding before an aligned one is zero.
                let first = *payload.get(at)?;
                let (start, length) = if first & 1 == 1 {
                    (at + 1, usize::from(first >> 1).checked_sub(1)?)
                } else {
                    let aligned = at.next_multiple_of(4);
                    let header = word(aligned)?;
                    if header & 3 != 0 {
                        return None;
                    }
                    (aligned + 4, usize::try_from(header >> 2).ok()?.checked_sub(4)?)
                };
                at = start + length;
                Value::Text(text(symbols, ty, payload.get(start..at)?)?)
            }
            _ => return None,
        };
        values.push(Some(value));
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `'{…}'::int4[]` and the like as PostgreSQL 15 stores them, without the length header.
    #[test]
    fn arrays_are_read_element_by_element() {
        let symbols = Symbols::default();
        let head = |element: u8, count: u8| {
            vec![
                1, 0, 0, 0, 0, 0, 0, 0, element, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0,
            ]
        };
        let ints = [head(23, 2), vec![1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]].concat();
        let one_and_minus_one = vec![Some(Value::Int(1)), Some(Value::Int(-1))];
        assert_eq!(array(&symbols, oid::INT4, &ints), Some(one_and_minus_one));
        // 'a', three bytes of padding, 'bc'
        let texts = [
            head(25, 2),
            vec![20, 0, 0, 0, b'a', 0, 0, 0, 24, 0, 0, 0, b'b', b'c'],
        ]
        .concat();
        let a_and_bc = vec![Some(Value::Text("a".into())), Some(Value::Text("bc".into()))];
        assert_eq!(array(&symbols, oid::TEXT, &texts), Some(a_and_bc));
        assert_eq!(
            array(&symbols, oid::TEXT, &[0, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0]),
            Some(Vec::new())
        );
        assert_eq!(array(&symbols, oid::TEXT, &texts[..30]), None);
        assert_eq!(array(&symbols, oid::INT4, &texts), None);
    }
}
