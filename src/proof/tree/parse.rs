//! The parser of the node-tree notation.

use std::fmt;

use super::Datum;
use super::node::{Node, Object};

/// Nesting beyond this is refused, so that no walk over a tree can exhaust the stack.
const MAX_DEPTH: usize = 400;

/// Why a text is no node tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeError {
    /// What was wrong.
    pub message: &'static str,
    /// The byte at which it was noticed.
    pub offset: usize,
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at byte {} of the stored expression tree",
            self.message, self.offset
        )
    }
}

impl std::error::Error for TreeError {}

impl<'a> Node<'a> {
    /// Parses what PostgreSQL's `nodeToString` wrote.
    ///
    /// # Errors
    ///
    /// Text that does not follow the notation, goes on after its end, or nests more than 400 levels deep.
    pub fn parse(text: &'a str) -> Result<Self, TreeError> {
        let mut parser = Parser { text, at: 0 };
        let node = parser.value(0)?;
        match parser.peek() {
            None => Ok(node),
            Some(_) => parser.fail("text after the end"),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn fail<T>(&self, message: &'static str) -> Result<T, TreeError> {
        Err(TreeError {
            message,
            offset: self.at,
        })
    }

    /// The first byte of the next token.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\n' | b'\t')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// A token that is no bracket. Backslash takes away the meaning of the character behind it.
    fn token(&mut self) -> Result<&'a str, TreeError> {
        self.peek();
        let bytes = self.text.as_bytes();
        let start = self.at;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\t' | b'(' | b')' | b'{' | b'}' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        // A backslash in front of a character of several bytes stops within that character: go on to its end.
        self.at = self.at.min(bytes.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        if self.at == start {
            return self.fail("a token was expected");
        }
        Ok(&self.text[start..self.at])
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, TreeError> {
        if depth > MAX_DEPTH {
            return self.fail("nested too deeply");
        }
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                self.object(depth)
            }
            Some(b'(') => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    match self.peek() {
                        Some(b')') => break,
                        Some(_) => items.push(self.value(depth + 1)?),
                        None => return self.fail("a list does not end"),
                    }
                }
                self.at += 1;
                Ok(Node::List(items))
            }
            _ => match self.token()? {
                "<>" => Ok(Node::Null),
                token => Ok(Node::Atom(token)),
            },
        }
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, TreeError> {
        let name = match self.peek() {
            Some(b'}') => "",
            _ => modern_name(self.token()?),
        };
        let mut fields = Vec::new();
        loop {
            match self.peek() {
                Some(b'}') => break,
                Some(b':') => {
                    let field = &self.token()?[1..];
                    // Exactly one value follows, so an alias that starts with a colon is no field.
                    let mut value = self.value(depth + 1)?;
                    if self.peek() == Some(b'[') {
                        value = Node::Datum(self.datum(&value)?);
                    }
                    fields.push((field, value));
                }
                Some(_) => return self.fail("a field was expected"),
                None => return self.fail("a node does not end"),
            }
        }
        self.at += 1;
        Ok(Node::Object(Object { name, fields }))
    }

    /// `length [ byte … ]`, the bytes as signed or unsigned decimal numbers.
    fn datum(&mut self, length: &Node<'a>) -> Result<Datum, TreeError> {
        let Node::Atom(length) = length else {
            return self.fail("a constant has no length");
        };
        let Ok(length) = length.parse() else {
            return self.fail("a constant has no length");
        };
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.token()? {
                "]" => return Ok(Datum { length, bytes }),
                number => match number.parse::<i16>().map(|n| (u8::try_from(n), i8::try_from(n))) {
                    Ok((Ok(byte), _)) => bytes.push(byte),
                    Ok((_, Ok(signed))) => bytes.push(signed.cast_unsigned()),
                    _ => return self.fail("a constant has something that is no byte"),
                },
            }
        }
    }
}

/// PostgreSQL 14 shortened some names.
fn modern_name(name: &str) -> &str {
    match name {
        "RTE" => "RANGETBLENTRY",
        "CASE" => "CASEEXPR",
        "WHEN" => "CASEWHEN",
        "ARRAY" => "ARRAYEXPR",
        "ROW" => "ROWEXPR",
        "ROWCOMPARE" => "ROWCOMPAREEXPR",
        "COALESCE" => "COALESCEEXPR",
        "MINMAX" => "MINMAXEXPR",
        "COLLATE" => "COLLATEEXPR",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TREE: &str = "{OPEXPR :opno 98 :opretset false :args ({VAR :varno 1 :varattno 3 :location -1} \
        {CONST :consttype 25 :constbyval false :constisnull false :constvalue 6 [ 24 0 0 0 -61 -87 ]}) \
        :names (\"a\\ b\" \"\") :alias :odd :rels (b 1 2) :empty <>}";

    #[test]
    fn fields_lists_strings_and_constants_are_read() {
        let node = Node::parse(TREE).unwrap();
        let object = node.object().unwrap();
        assert_eq!(object.name, "OPEXPR");
        assert_eq!(object.oid("opno"), Some(98));
        assert_eq!(object.flag("opretset"), Some(false));
        let names: Vec<_> = object.items("names").iter().filter_map(Node::text).collect();
        assert_eq!(names, ["a b", ""]);
        assert_eq!(object.text("alias").unwrap(), ":odd");
        assert!(object.get("empty").is_null() && object.get("missing").is_null());
        let constant = object.items("args")[1].object().unwrap();
        let Node::Datum(datum) = constant.get("constvalue") else {
            panic!("no datum")
        };
        assert_eq!(datum.bytes, [24, 0, 0, 0, 0xc3, 0xa9]);
    }

    #[test]
    fn postgresql_14s_names_are_those_of_later_versions() {
        let node = Node::parse("{CASE :arg <> :args ({WHEN :expr <>})}").unwrap();
        let object = node.object().unwrap();
        assert_eq!(object.name, "CASEEXPR");
        assert_eq!(object.items("args")[0].object().unwrap().name, "CASEWHEN");
    }

    #[test]
    fn what_is_no_tree_is_an_error_with_its_place() {
        for text in [
            "",
            "{A",
            "{A :b}",
            "(",
            "{A b}",
            "{A :b 1 [ x ]}",
            "{A :b 1 [ 300 ]}",
            "{A} }",
            "\\",
        ] {
            let result = Node::parse(text);
            assert!(result.is_err() || text == "\\", "{text}: {result:?}");
        }
        let deep = "(".repeat(5_000) + &")".repeat(5_000);
        assert_eq!(Node::parse(&deep).unwrap_err().message, "nested too deeply");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ -~\\\\\\n]{0,60}|[{}()\\[\\]:<>\"\\\\ab1 é]{0,60}") {
            let _ = Node::parse(&text);
        }

        #[test]
        fn no_damage_to_a_tree_makes_it_panic(at in 0_usize..TREE.len(), cut in 0_usize..40, with in "[{}()\\[\\]: \\\\é]{0,3}") {
            let end = (at + cut).min(TREE.len());
            let _ = Node::parse(&format!("{}{with}{}", &TREE[..at], &TREE[end..]));
        }
    }
}
