//! The expression type: coarser than PostgreSQL's, with what is not understood kept as [`Expr::Other`].

use crate::catalog::Oid;

/// A part of a policy's expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Null,
    Bool(bool),
    /// A constant of a type that is written as this text.
    Text(String),
    /// A column of the policy's own table; 0 is the whole row.
    Column {
        number: i16,
        type_oid: Oid,
    },
    /// `current_setting('name' [, missing_ok])`, its name in lower case.
    Setting {
        name: String,
        missing_ok: bool,
    },
    /// `current_user` or `session_user`.
    User,
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull {
        arg: Box<Expr>,
        negated: bool,
    },
    /// `IS [NOT] TRUE` and `IS [NOT] FALSE`.
    IsBool {
        arg: Box<Expr>,
        want: bool,
        negated: bool,
    },
    /// `=` or `<>` of one of PostgreSQL's own types.
    Equal {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
        collation: Oid,
    },
    /// `left = ANY (ARRAY[…])`
    In {
        left: Box<Expr>,
        list: Vec<Expr>,
        collation: Oid,
    },
    NullIf(Box<Expr>, Box<Expr>),
    Coalesce(Vec<Expr>),
    Case {
        arms: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    /// A conversion to another type.
    Cast {
        arg: Box<Expr>,
        target: Oid,
    },
    /// A function or operator; `body` is what it computes, where that is known.
    Call {
        function: Oid,
        args: Vec<Expr>,
        body: Option<Box<Expr>>,
    },
    /// A scalar sub-select without FROM: computed once a statement.
    Once(Box<Expr>),
    /// A relation that a sub-select reads.
    Reads(Oid),
    /// A column of such a relation.
    Foreign {
        relation: Oid,
        number: i16,
    },
    /// A sub-select with FROM: what its rows are compared with (of IN and ANY), what it selects, and the rest of it.
    Sub {
        test: Vec<Expr>,
        target: Vec<Expr>,
        rest: Vec<Expr>,
    },
    /// Anything else.
    Other(Vec<Expr>),
}

impl Expr {
    /// Visits this expression and every part of it, bodies of functions included.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        self.each_child(&mut |child| child.walk(visit));
    }

    /// Whether any part satisfies `wanted`.
    pub(crate) fn any(&self, mut wanted: impl FnMut(&Self) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |part| found = found || wanted(part));
        found
    }

    /// Visits the parts one level down.
    pub(crate) fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Null
            | Self::Bool(_)
            | Self::Text(_)
            | Self::Column { .. }
            | Self::Setting { .. }
            | Self::User
            | Self::Reads(_)
            | Self::Foreign { .. } => {}
            Self::Sub { test, target, rest } => {
                for part in test.iter().chain(target).chain(rest) {
                    visit(part);
                }
            }
            Self::And(list) | Self::Or(list) | Self::Coalesce(list) | Self::Other(list) => {
                list.iter().for_each(visit);
            }
            Self::Not(arg)
            | Self::IsNull { arg, .. }
            | Self::IsBool { arg, .. }
            | Self::Cast { arg, .. }
            | Self::Once(arg) => visit(arg),
            Self::Equal { left, right, .. } | Self::NullIf(left, right) => {
                visit(left);
                visit(right);
            }
            Self::In { left, list, .. } => {
                visit(left);
                list.iter().for_each(visit);
            }
            Self::Case { arms, otherwise } => {
                for (when, then) in arms {
                    visit(when);
                    visit(then);
                }
                visit(otherwise);
            }
            Self::Call { args, body, .. } => {
                for arg in args {
                    visit(arg);
                }
                if let Some(body) = body {
                    visit(body);
                }
            }
        }
    }

    /// The settings that it reads, each with whether one that was never set is NULL and no error.
    pub(crate) fn settings(&self) -> Vec<(&str, bool)> {
        let mut list = Vec::new();
        self.walk(&mut |part| {
            if let Self::Setting { name, missing_ok } = part {
                list.push((name.as_str(), *missing_ok));
            }
        });
        list
    }

    /// Whether it looks at this column of the policy's table, or at the whole row.
    pub(crate) fn has_column(&self, wanted: i16) -> bool {
        self.any(|part| matches!(part, Self::Column { number, .. } if *number == wanted || *number == 0))
    }

    /// Whether it depends on who is asking: on a custom setting, the role, other tables, or functions that may.
    pub(crate) fn asks(&self) -> bool {
        self.looks_elsewhere()
            || self.any(|part| match part {
                Self::Setting { name, .. } => name.contains('.'),
                part => matches!(part, Self::User),
            })
    }

    /// Whether it reads other tables or calls functions whose body is not known.
    pub(crate) fn looks_elsewhere(&self) -> bool {
        self.any(|part| {
            matches!(part, Self::Reads(_))
                || matches!(part, Self::Call { function, body: None, .. } if *function >= 16384)
        })
    }
}
