//! The expression type.
//!
//! Everything in it is understood exactly but [`Expr::Opaque`], which stands for whatever is not.

use crate::proof::builtin::{Collation, Function, Group, Order};
use crate::proof::value::{Type, Value};

/// An expression over a row, settings, and other tables' rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expr {
    Const(Type, Option<Value>),
    /// A column of a row: 0 is the row the policy is about, others belong to a [`Source`] of a sub-select.
    Column {
        row: u32,
        attnum: i16,
        ty: Type,
    },
    Setting(Setting),
    CurrentUser,
    SessionUser,
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull {
        arg: Box<Expr>,
        negated: bool,
    },
    /// IS TRUE, IS FALSE, IS UNKNOWN (`want` is `None`), and their negations.
    IsBool {
        arg: Box<Expr>,
        want: Option<bool>,
        negated: bool,
    },
    Compare {
        how: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// IS DISTINCT FROM, by this group's equality.
    Distinct {
        group: Group,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    NullIf {
        group: Group,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Case {
        arms: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
        ty: Type,
    },
    Coalesce(Vec<Expr>, Type),
    Cast {
        how: Cast,
        arg: Box<Expr>,
        ty: Type,
    },
    Call {
        function: Function,
        args: Vec<Expr>,
        ty: Type,
    },
    Array(Vec<Expr>, Type),
    /// Every element of an array turned into `element`, in which [`Expr::Element`] stands for it.
    Map {
        array: Box<Expr>,
        element: Box<Expr>,
        ty: Type,
    },
    Element(Type),
    /// `left operator ANY (array)`, or ALL.
    Any {
        all: bool,
        how: Comparison,
        left: Box<Expr>,
        array: Box<Expr>,
    },
    Exists(Box<Query>),
    /// Whether `test` is true for a row of the query (IN, = ANY of a sub-select); `test` speaks of that row's columns.
    In {
        query: Box<Query>,
        test: Box<Expr>,
    },
    /// The only column of the query's only row, NULL without a row. `first`: of its first row, as in a function body.
    Scalar {
        query: Box<Query>,
        first: bool,
        ty: Type,
    },
    /// ARRAY(sub-select).
    ArrayOf(Box<Query>, Type),
    Opaque(Box<Opaque>),
}

/// Which comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) order: Order,
    pub(crate) group: Group,
    /// By whose rules text is ordered. Equality does not need it.
    pub(crate) collation: Collation,
}

/// `current_setting(name)` or `current_setting(name, true)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// In lower case: names of settings are compared without case.
    pub(crate) name: String,
    pub(crate) missing_ok: bool,
}

/// A cast that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cast {
    /// The same value, or an error where the target type does not have it.
    Same,
    /// The target's input function on a text.
    Parse,
    /// The source's output function.
    Print,
    /// To `char(n)` without a limit: drops trailing blanks.
    DropBlanks,
    /// Cut to this many characters.
    Cut(u32),
    /// Cut to this many characters, then without trailing blanks.
    CutBlanks(u32),
    /// Cut to 63 bytes.
    CutName,
}

/// Something that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opaque {
    /// What it is, for people; its arguments are written where `form` says.
    pub(crate) name: String,
    pub(crate) form: Form,
    /// Why it is not understood.
    pub(crate) reason: String,
    /// Its arguments, as far as there are any.
    pub(crate) args: Vec<Expr>,
    /// Whether a NULL argument makes it NULL.
    pub(crate) strict: bool,
    pub(crate) ty: Type,
}

/// How something opaque is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `name(args)`
    Call,
    /// `left name right`
    Operator,
    /// `name` alone.
    Text,
}

/// A sub-select, as far as it says something about single rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// The tables whose rows it joins.
    pub(crate) sources: Vec<Source>,
    /// What holds for every row it returns. Not everything: what is not understood is left out where it only restricts.
    pub(crate) condition: Expr,
    /// What it returns.
    pub(crate) columns: Vec<Expr>,
    /// Whether it has no FROM at all, so that it returns one row where `condition` is true and none otherwise.
    pub(crate) is_rowless: bool,
}

/// A table in a sub-select's FROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) row: u32,
    pub(crate) relation: u32,
    /// Whether it is read with the session's role, so that the table's policies for that role apply.
    pub(crate) as_session: bool,
}

impl Expr {
    pub(crate) const TRUE: Self = Self::Const(Type::BOOL, Some(Value::Bool(true)));
    pub(crate) const FALSE: Self = Self::Const(Type::BOOL, Some(Value::Bool(false)));

    /// The type of its value.
    pub(crate) fn ty(&self) -> Type {
        match self {
            Self::Const(ty, _)
            | Self::Column { ty, .. }
            | Self::Case { ty, .. }
            | Self::Coalesce(_, ty)
            | Self::Cast { ty, .. }
            | Self::Call { ty, .. }
            | Self::Array(_, ty)
            | Self::Map { ty, .. }
            | Self::Element(ty)
            | Self::Scalar { ty, .. }
            | Self::ArrayOf(_, ty) => *ty,
            Self::Opaque(opaque) => opaque.ty,
            Self::NullIf { left, .. } => left.ty(),
            Self::Setting(_) => Type::TEXT,
            Self::CurrentUser | Self::SessionUser => Type::NAME,
            Self::And(_)
            | Self::Or(_)
            | Self::Not(_)
            | Self::IsNull { .. }
            | Self::IsBool { .. }
            | Self::Compare { .. }
            | Self::Distinct { .. }
            | Self::Any { .. }
            | Self::Exists(_)
            | Self::In { .. } => Type::BOOL,
        }
    }

    /// Calls `visit` on this expression and on every one within, sub-selects included, until it returns `false` for
    /// one: what is within that one is left out.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self) -> bool) {
        if !visit(self) {
            return;
        }
        match self {
            Self::Const(..)
            | Self::Column { .. }
            | Self::Setting(_)
            | Self::CurrentUser
            | Self::SessionUser
            | Self::Element(_) => {}
            Self::And(list) | Self::Or(list) | Self::Coalesce(list, _) | Self::Array(list, _) => {
                for expr in list {
                    expr.walk(visit);
                }
            }
            Self::Call { args, .. } => args.iter().for_each(|expr| expr.walk(visit)),
            Self::Opaque(opaque) => opaque.args.iter().for_each(|expr| expr.walk(visit)),
            Self::Not(arg) | Self::IsNull { arg, .. } | Self::IsBool { arg, .. } | Self::Cast { arg, .. } => {
                arg.walk(visit);
            }
            Self::Compare { left, right, .. }
            | Self::Distinct { left, right, .. }
            | Self::NullIf { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
            Self::Any { left, array, .. } => {
                left.walk(visit);
                array.walk(visit);
            }
            Self::Map { array, element, .. } => {
                array.walk(visit);
                element.walk(visit);
            }
            Self::Case { arms, otherwise, .. } => {
                for (when, then) in arms {
                    when.walk(visit);
                    then.walk(visit);
                }
                otherwise.walk(visit);
            }
            Self::Exists(query) | Self::ArrayOf(query, _) | Self::Scalar { query, .. } => query.walk(visit),
            Self::In { query, test } => {
                query.walk(visit);
                test.walk(visit);
            }
        }
    }
}

impl Expr {
    /// Whether there is a sub-select in it.
    pub(crate) fn has_query(&self) -> bool {
        let mut found = false;
        self.walk(&mut |expr| {
            found |= matches!(
                expr,
                Self::Exists(_) | Self::In { .. } | Self::Scalar { .. } | Self::ArrayOf(..)
            );
            !found
        });
        found
    }
}

impl Expr {
    /// Whether it looks at the session, the time or other rows, so that its value can change while the row stays.
    pub(crate) fn looks_around(&self) -> bool {
        let mut found = self.has_query();
        self.walk(&mut |expr| {
            found |= matches!(
                expr,
                Self::Setting(_)
                    | Self::CurrentUser
                    | Self::SessionUser
                    | Self::Call {
                        function: Function::Now,
                        ..
                    }
            );
            !found
        });
        found
    }
}

impl Query {
    fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr) -> bool) {
        self.condition.walk(visit);
        self.columns.iter().for_each(|column| column.walk(visit));
    }
}
