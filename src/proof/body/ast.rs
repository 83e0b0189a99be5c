//! What a body says: expressions as written.

/// A name, qualified or not: each part, in lower case where it had no quotes.
pub(crate) type Name = Vec<String>;

/// A type as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeName {
    pub(crate) name: Name,
    pub(crate) limit: Option<u32>,
    pub(crate) array: bool,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Concat,
    JsonField,
    JsonFieldText,
    JsonPath,
    JsonPathText,
}

/// An expression as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ast {
    Null,
    Bool(bool),
    String(String),
    Number(String),
    Parameter(usize),
    Name(Name),
    Call(Name, Vec<Ast>),
    /// `current_user`, `session_user`.
    CurrentUser,
    SessionUser,
    Cast(Box<Ast>, TypeName),
    Binary(Operator, Box<Ast>, Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Not(Box<Ast>),
    IsNull(Box<Ast>, bool),
    /// IS [NOT] TRUE / FALSE / UNKNOWN
    IsBool(Box<Ast>, Option<bool>, bool),
    Distinct(Box<Ast>, Box<Ast>, bool),
    NullIf(Box<Ast>, Box<Ast>),
    Coalesce(Vec<Ast>),
    Case(Vec<(Ast, Ast)>, Option<Box<Ast>>),
}
