//! The cases of a value.

use super::build::{Alternative, Alternatives, Builder, State, Tri};
use super::cond::{Cond, Lit};
use super::term::{Op, TermId, TermKind};
use crate::proof::builtin::Function;
use crate::proof::eval::{self, Outcome};
use crate::proof::ir::{Cast, Expr};
use crate::proof::value::{Sort, Type, Value, oid};

impl<'a> Builder<'a> {
    /// The cases of an expression's value.
    pub(super) fn alternatives(&mut self, expr: &'a Expr) -> Alternatives {
        let origin = self.origin(expr);
        let always = |term| vec![(Cond::True, Alternative::Term(term))];
        let list = match expr {
            Expr::Const(_, None) => vec![(Cond::True, Alternative::Null)],
            Expr::Const(ty, Some(value)) => always(self.terms.constant(*ty, value.clone(), origin)),
            Expr::Column { row, attnum, ty } => {
                let row = self.row(*row);
                always(self.column(row, *attnum, *ty, origin))
            }
            Expr::Setting(setting) => self.setting(setting, origin),
            Expr::CurrentUser => always(self.current_user(origin)),
            Expr::SessionUser => {
                let kind = TermKind::Placeholder(" session_user".into());
                always(self.terms.intern(kind, Type::NAME, true, origin))
            }
            Expr::NullIf { left, right, .. } => self.null_if(left, right, origin),
            Expr::Case { arms, otherwise, .. } => {
                let mut list = Vec::new();
                let mut guard = Cond::True;
                for (when, then) in arms {
                    let reached = Cond::and([guard.clone(), self.truth(when, Tri::True)]);
                    list.extend(under(&reached, self.alternatives(then)));
                    guard = Cond::and([guard, self.not_true(when)]);
                }
                list.extend(under(&guard, self.alternatives(otherwise)));
                list
            }
            Expr::Coalesce(items, _) => {
                let mut list = Vec::new();
                let mut guard = Cond::True;
                for item in items {
                    let cases = self.alternatives(item);
                    for (cond, value) in &cases {
                        if let Alternative::Term(term) = value {
                            let not_null = self.not_null_term(*term, origin);
                            list.push((Cond::and([guard.clone(), cond.clone(), not_null]), value.clone()));
                        }
                    }
                    guard = Cond::and([guard, self.null_of(&cases, origin)]);
                }
                list.push((guard, Alternative::Null));
                list
            }
            Expr::Cast { how, arg, ty } => {
                let cases = self.alternatives(arg);
                let cases = cases.into_iter().filter_map(|(cond, value)| {
                    let value = match value {
                        Alternative::Null => Some(Alternative::Null),
                        Alternative::Term(term) => self.cast(*how, *ty, term, origin),
                    };
                    value.map(|value| (cond, value))
                });
                cases.collect()
            }
            Expr::Call { function, args, ty } => self.call(*function, args, *ty, origin),
            Expr::Element(ty) => match self.elements.last() {
                Some(cases) => cases.clone(),
                None => always(self.fresh(*ty, false, origin)),
            },
            Expr::Scalar { query, .. } => {
                let sources = self.sources(query, origin);
                let found = Cond::and([sources, self.truth(&query.condition, Tri::True)]);
                let mut list = match query.columns.first() {
                    Some(column) => under(&found, self.alternatives(column)),
                    None => Vec::new(),
                };
                // Whether there is no row is known only where there is no FROM.
                let none = if query.is_rowless {
                    self.not_true(&query.condition)
                } else {
                    Cond::Unknown(origin)
                };
                list.push((none, Alternative::Null));
                list
            }
            Expr::Array(_, ty) | Expr::ArrayOf(_, ty) => always(self.fresh(*ty, true, origin)),
            Expr::Map { ty, .. } => always(self.fresh(*ty, false, origin)),
            Expr::Opaque(opaque) => always(self.fresh(opaque.ty, false, origin)),
            Expr::And(_)
            | Expr::Or(_)
            | Expr::Not(_)
            | Expr::IsNull { .. }
            | Expr::IsBool { .. }
            | Expr::Compare { .. }
            | Expr::Distinct { .. }
            | Expr::Any { .. }
            | Expr::Exists(_)
            | Expr::In { .. } => {
                let mut truth = |value| self.terms.constant(Type::BOOL, Value::Bool(value), origin);
                let (yes, no) = (truth(true), truth(false));
                vec![
                    (self.truth(expr, Tri::True), Alternative::Term(yes)),
                    (self.truth(expr, Tri::False), Alternative::Term(no)),
                    (self.truth(expr, Tri::Null), Alternative::Null),
                ]
            }
        };
        let list = list
            .into_iter()
            .filter(|(cond, _)| *cond != Cond::False)
            .collect();
        self.bounded(list, expr.ty(), origin)
    }

    fn null_if(&mut self, left: &'a Expr, right: &'a Expr, origin: usize) -> Alternatives {
        let (left, right) = (self.alternatives(left), self.alternatives(right));
        let mut list = Vec::new();
        for (left_cond, left) in &left {
            for (right_cond, right) in &right {
                let both = Cond::and([left_cond.clone(), right_cond.clone()]);
                let mut case = |lit, value| {
                    list.push((Cond::and([both.clone(), lit]), value));
                };
                match (left, right) {
                    (Alternative::Null, _) => case(Cond::True, Alternative::Null),
                    (Alternative::Term(_), Alternative::Null) => case(Cond::True, left.clone()),
                    (Alternative::Term(a), Alternative::Term(b)) => {
                        case(Cond::Lit(Lit::Equal(*a, *b), origin), Alternative::Null);
                        case(Cond::Lit(Lit::Differ(*a, *b), origin), left.clone());
                        if !self.terms.get(*a).not_null {
                            case(Cond::Lit(Lit::Null(*a), origin), Alternative::Null);
                        }
                        if !self.terms.get(*b).not_null {
                            case(Cond::Lit(Lit::Null(*b), origin), left.clone());
                        }
                    }
                }
            }
        }
        list
    }

    /// A cast of a term; `None` where it raises an error.
    fn cast(&mut self, how: Cast, ty: Type, term: TermId, origin: usize) -> Option<Alternative> {
        let found = |term| Some(Alternative::Term(term));
        if how == Cast::Same {
            return found(term);
        }
        if let Some(value) = self.terms.as_const(term) {
            return match eval::cast(self.symbols, how, ty, &value.clone()) {
                Outcome::Value(Some(value)) => found(self.terms.constant(ty, value, origin)),
                Outcome::Value(None) => Some(Alternative::Null),
                Outcome::Error => None,
                Outcome::Unknown => found(self.fresh(ty, true, origin)),
            };
        }
        let kind = self.terms.get(term).kind.clone();
        let max_length = self.terms.max_length(term);
        let fits =
            |limit: u32| max_length.is_some_and(|length| u32::try_from(length).is_ok_and(|n| n <= limit));
        // Texts of numbers and uuids have no blanks at their ends, char(n) values are kept without.
        let has_no_blanks = matches!(kind, TermKind::App(Op::Print(Sort::Int | Sort::Uuid), ..))
            || (matches!(kind, TermKind::Column(..) | TermKind::Tenant)
                && self.terms.get(term).ty.oid == oid::BPCHAR);
        let is_ascii = matches!(kind, TermKind::App(Op::Print(Sort::Int | Sort::Uuid), ..))
            || self.terms.get(term).ty.oid == oid::NAME;
        match (how, kind) {
            (Cast::Parse, TermKind::App(Op::Print(sort), args, _)) if sort == ty.sort => found(args[0]),
            (Cast::Parse, TermKind::Template(text)) if ty.sort == Sort::Json => {
                let json = serde_json::from_str(&text).ok()?;
                found(self.terms.intern(TermKind::Json(json), ty, true, origin))
            }
            // A text that is no tenant's cannot be read as a tenant's value.
            (Cast::Parse, _) if self.is_garbage(term) && self.garbage_sort() == Some(ty.sort) => None,
            (Cast::Parse, _) => found(self.app(Op::Parse(ty.sort), vec![term], ty, origin)),
            (Cast::Print, _) => {
                let sort = self.terms.get(term).ty.sort;
                found(self.app(Op::Print(sort), vec![term], ty, origin))
            }
            (Cast::Cut(limit), _) if fits(limit) => found(term),
            (Cast::CutBlanks(limit), _) if fits(limit) && has_no_blanks => found(term),
            (Cast::DropBlanks, _) if has_no_blanks => found(term),
            (Cast::CutName, _) if is_ascii => found(term),
            (how, _) => found(self.app(Op::Cast(how), vec![term], ty, origin)),
        }
    }

    fn call(&mut self, function: Function, args: &'a [Expr], ty: Type, origin: usize) -> Alternatives {
        if function == Function::Now {
            // There are several, of several precisions and in the session's time zone: no two are taken for the same.
            let term = self.fresh(ty, true, origin);
            return vec![(Cond::True, Alternative::Term(term))];
        }
        let args: Vec<Alternatives> = args.iter().map(|arg| self.alternatives(arg)).collect();
        // Every combination of the arguments' cases; one NULL makes the result NULL.
        let mut combinations: Vec<(Cond, Option<Vec<TermId>>)> = vec![(Cond::True, Some(Vec::new()))];
        for cases in &args {
            let mut longer = Vec::new();
            for (cond, terms) in &combinations {
                for (next, value) in cases {
                    let terms = match (terms, value) {
                        (Some(terms), Alternative::Term(term)) => Some([terms.as_slice(), &[*term]].concat()),
                        _ => None,
                    };
                    longer.push((Cond::and([cond.clone(), next.clone()]), terms));
                }
            }
            if longer.len() > 48 {
                let fresh = self.fresh(ty, false, origin);
                return vec![(Cond::Unknown(origin), Alternative::Term(fresh))];
            }
            combinations = longer;
        }
        let mut list = Vec::new();
        for (cond, terms) in combinations {
            match terms {
                // Without a separator it is not NULL but splits into characters.
                None if function == Function::StringToArray => {
                    let fresh = self.fresh(ty, false, origin);
                    list.push((cond, Alternative::Term(fresh)));
                }
                None => list.push((cond, Alternative::Null)),
                Some(terms) => list.extend(
                    self.apply(function, &terms, ty, origin)
                        .map(|value| (cond, value)),
                ),
            }
        }
        list
    }

    /// A function of terms that are not NULL; `None` where it raises an error.
    fn apply(&mut self, function: Function, args: &[TermId], ty: Type, origin: usize) -> Option<Alternative> {
        let found = |term| Some(Alternative::Term(term));
        let values: Option<Vec<Value>> = args
            .iter()
            .map(|arg| self.terms.as_const(*arg).cloned())
            .collect();
        if let Some(values) = values {
            return match eval::call(function, &values) {
                Outcome::Value(Some(value)) => found(self.terms.constant(ty, value, origin)),
                Outcome::Value(None) => Some(Alternative::Null),
                Outcome::Error => None,
                Outcome::Unknown => found(self.fresh(ty, function.is_null_free(), origin)),
            };
        }
        let text = |builder: &Self, term: TermId| match builder.terms.as_const(term) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        match function {
            Function::Concat => {
                let op = match (text(self, args[0]), text(self, args[1])) {
                    (Some(before), None) => Op::Affix(before, String::new()),
                    (None, Some(behind)) => Op::Affix(String::new(), behind),
                    _ => return found(self.app(Op::Call(function), args.to_vec(), ty, origin)),
                };
                let inner = if matches!(&op, Op::Affix(before, _) if before.is_empty()) {
                    args[0]
                } else {
                    args[1]
                };
                found(self.app(op, vec![inner], ty, origin))
            }
            Function::JsonField | Function::JsonFieldText => match &self.terms.get(args[0]).kind {
                TermKind::Json(json) => {
                    let json = json.clone();
                    let Some(key) = text(self, args[1]) else {
                        return found(self.fresh(ty, false, origin));
                    };
                    Some(self.json(&json, &[key], ty, origin))
                }
                _ => found(self.app(Op::Call(function), args.to_vec(), ty, origin)),
            },
            Function::JsonPath | Function::JsonPathText => {
                let keys = match self.terms.as_const(args[1]) {
                    Some(Value::Array(keys)) => keys
                        .iter()
                        .map(|key| match key {
                            Some(Value::Text(key)) => Some(key.clone()),
                            _ => None,
                        })
                        .collect::<Option<Vec<_>>>(),
                    _ => None,
                };
                match (&self.terms.get(args[0]).kind, keys) {
                    (TermKind::Json(json), Some(keys)) => {
                        let json = json.clone();
                        Some(self.json(&json, &keys, ty, origin))
                    }
                    (TermKind::Json(_), None) => found(self.fresh(ty, false, origin)),
                    _ => found(self.app(Op::Call(function), args.to_vec(), ty, origin)),
                }
            }
            Function::StringToArray => found(self.fresh(ty, true, origin)),
            function => found(self.app(Op::Call(function), args.to_vec(), ty, origin)),
        }
    }

    /// What lies at a path in a JSON value of the binding: as JSON or, where that is the type, as text.
    fn json(&mut self, json: &serde_json::Value, keys: &[String], ty: Type, origin: usize) -> Alternative {
        use serde_json::Value as Json;
        let mut at = json;
        for key in keys {
            at = match at {
                Json::Object(members) => match members.get(key) {
                    Some(member) => member,
                    None => return Alternative::Null,
                },
                Json::Array(_) => return Alternative::Term(self.fresh(ty, false, origin)),
                _ => return Alternative::Null,
            };
        }
        match at {
            json if ty.sort == Sort::Json => {
                Alternative::Term(self.terms.intern(TermKind::Json(json.clone()), ty, true, origin))
            }
            Json::Null => Alternative::Null,
            Json::String(template) => Alternative::Term(self.template(template, origin)),
            Json::Bool(truth) => {
                let text = Value::Text(truth.to_string());
                Alternative::Term(self.terms.constant(Type::TEXT, text, origin))
            }
            Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                Alternative::Term(self.fresh(ty, true, origin))
            }
        }
    }

    /// The sort of the tenants' values, of which a garbage text is none.
    fn garbage_sort(&self) -> Option<Sort> {
        (self.state == State::Garbage).then_some(self.tenant_sort)
    }

    /// The condition that a term is NULL.
    pub(super) fn null_term(&mut self, term: TermId, origin: usize) -> Cond {
        if self.terms.get(term).not_null {
            return Cond::False;
        }
        match self.terms.get(term).kind.clone() {
            TermKind::App(op, args, _) if op.is_null_free() => Cond::or(
                args.iter()
                    .map(|arg| self.null_term(*arg, origin))
                    .collect::<Vec<_>>(),
            ),
            _ => Cond::Lit(Lit::Null(term), origin),
        }
    }

    pub(super) fn not_null_term(&mut self, term: TermId, origin: usize) -> Cond {
        if self.terms.get(term).not_null {
            Cond::True
        } else {
            Cond::Lit(Lit::NotNull(term), origin)
        }
    }

    /// The condition that a value is NULL.
    pub(super) fn null_of(&mut self, cases: &Alternatives, origin: usize) -> Cond {
        let cases = cases.iter().map(|(cond, value)| match value {
            Alternative::Null => cond.clone(),
            Alternative::Term(term) => Cond::and([cond.clone(), self.null_term(*term, origin)]),
        });
        Cond::or(cases.collect::<Vec<_>>())
    }

    /// The condition that a value is not NULL.
    pub(super) fn not_null_of(&mut self, cases: &Alternatives, origin: usize) -> Cond {
        let cases = cases.iter().map(|(cond, value)| match value {
            Alternative::Null => Cond::False,
            Alternative::Term(term) => Cond::and([cond.clone(), self.not_null_term(*term, origin)]),
        });
        Cond::or(cases.collect::<Vec<_>>())
    }
}

/// The cases, each under one more condition.
fn under(cond: &Cond, cases: Alternatives) -> Alternatives {
    cases
        .into_iter()
        .map(|(own, value)| (Cond::and([cond.clone(), own]), value))
        .collect()
}
