//! The parsed form of a node tree, borrowing from its text, and the questions that lowering asks of it.

use std::borrow::Cow;

use super::Datum;

/// A value in a node tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node<'a> {
    /// `<>`: no value.
    Null,
    /// One token, as written: a number, a boolean, a name, a quoted string.
    Atom(&'a str),
    /// `( … )`. Lists of numbers start with an atom that says so (`i`, `o`, `x`, `b`).
    List(Vec<Node<'a>>),
    /// The bytes of a constant.
    Datum(Datum),
    /// `{NAME :field value …}`
    Object(Object<'a>),
}

/// A node: its type and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    /// The node type as PostgreSQL 15 and later write it.
    pub name: &'a str,
    /// The fields in the order in which they were written.
    pub fields: Vec<(&'a str, Node<'a>)>,
}

impl<'a> Node<'a> {
    /// The node, if this is one.
    pub fn object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The items of a list; none for `<>`, which is how an empty list is written.
    pub fn items(&self) -> &[Node<'a>] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of an atom: without its quotes, its escapes undone.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let Self::Atom(raw) = self else { return None };
        let inner = match raw.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"').unwrap_or(rest),
            None => raw,
        };
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        let mut text = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            text.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
        }
        Some(Cow::Owned(text))
    }

    fn number<T: std::str::FromStr>(&self) -> Option<T> {
        match self {
            Self::Atom(raw) => raw.parse().ok(),
            _ => None,
        }
    }
}

impl<'a> Object<'a> {
    /// The value of a field; `<>` where there is no such field, because versions differ in which they have.
    pub fn get(&self, field: &str) -> &Node<'a> {
        self.fields
            .iter()
            .find(|(name, _)| *name == field)
            .map_or(&Node::Null, |(_, value)| value)
    }

    /// A field that holds a node.
    pub fn object(&self, field: &str) -> Option<&Object<'a>> {
        self.get(field).object()
    }

    /// A field that holds a list.
    pub fn items(&self, field: &str) -> &[Node<'a>] {
        self.get(field).items()
    }

    /// A field that holds an object id.
    pub fn oid(&self, field: &str) -> Option<u32> {
        self.get(field).number()
    }

    /// A field that holds a number.
    pub fn int(&self, field: &str) -> Option<i64> {
        self.get(field).number()
    }

    /// A field that holds a boolean: `None` where it is missing or neither `true` nor `false`.
    pub fn flag(&self, field: &str) -> Option<bool> {
        match self.get(field) {
            Node::Atom("true") => Some(true),
            Node::Atom("false") => Some(false),
            _ => None,
        }
    }

    /// A field that holds a word or a string.
    pub fn text(&self, field: &str) -> Option<Cow<'a, str>> {
        self.get(field).text()
    }
}
