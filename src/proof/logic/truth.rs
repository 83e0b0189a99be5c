//! When a boolean expression is true, false or NULL.

use super::build::{Alternative, Alternatives, Builder, Tri};
use super::cond::{Cond, Lit};
use super::term::{Op, TermId};
use crate::proof::builtin::{Collation, Group, Order};
use crate::proof::ir::{Comparison, Expr};
use crate::proof::value::{Sort, Type, Value};

impl<'a> Builder<'a> {
    /// The condition that an expression has this truth value.
    pub(super) fn truth(&mut self, expr: &'a Expr, want: Tri) -> Cond {
        if self.is_too_large() {
            return Cond::Unknown(0);
        }
        let cond = self.truth_of(expr, want);
        self.sized(cond)
    }

    pub(super) fn not_true(&mut self, expr: &'a Expr) -> Cond {
        Cond::or([self.truth(expr, Tri::False), self.truth(expr, Tri::Null)])
    }

    fn truth_of(&mut self, expr: &'a Expr, want: Tri) -> Cond {
        match (expr, want) {
            (Expr::Const(_, value), want) => {
                let is = match value {
                    Some(Value::Bool(true)) => Tri::True,
                    Some(Value::Bool(false)) => Tri::False,
                    _ => Tri::Null,
                };
                if is == want { Cond::True } else { Cond::False }
            }
            (Expr::And(list), Tri::True) | (Expr::Or(list), Tri::False) => {
                let all: Vec<Cond> = list.iter().map(|arm| self.truth(arm, want)).collect();
                Cond::and(all)
            }
            (Expr::And(list), Tri::False) | (Expr::Or(list), Tri::True) => {
                let any: Vec<Cond> = list.iter().map(|arm| self.truth(arm, want)).collect();
                Cond::or(any)
            }
            // One arm is NULL, and none decides.
            (Expr::And(list) | Expr::Or(list), Tri::Null) => {
                let neutral = if matches!(expr, Expr::And(_)) {
                    Tri::True
                } else {
                    Tri::False
                };
                let nulls: Vec<Cond> = list.iter().map(|arm| self.truth(arm, Tri::Null)).collect();
                let mut all = vec![Cond::or(nulls.clone())];
                for (arm, null) in list.iter().zip(nulls) {
                    all.push(Cond::or([null, self.truth(arm, neutral)]));
                }
                Cond::and(all)
            }
            (Expr::Not(arg), Tri::True) => self.truth(arg, Tri::False),
            (Expr::Not(arg), Tri::False) => self.truth(arg, Tri::True),
            (Expr::Not(arg), Tri::Null) => self.truth(arg, Tri::Null),
            (
                Expr::IsNull { .. } | Expr::IsBool { .. } | Expr::Distinct { .. } | Expr::Exists(_),
                Tri::Null,
            ) => Cond::False,
            (Expr::IsNull { arg, negated }, want) => self.nullness(arg, (want == Tri::True) != *negated),
            (
                Expr::IsBool {
                    arg,
                    want: tested,
                    negated,
                },
                want,
            ) => {
                let tested = tested.map_or(Tri::Null, |truth| if truth { Tri::True } else { Tri::False });
                if (want == Tri::True) != *negated {
                    return self.truth(arg, tested);
                }
                let others = [Tri::True, Tri::False, Tri::Null]
                    .into_iter()
                    .filter(|tri| *tri != tested);
                let others: Vec<Cond> = others.map(|tri| self.truth(arg, tri)).collect();
                Cond::or(others)
            }
            (Expr::Compare { how, left, right }, want) => self.compare(expr, *how, left, right, want),
            (Expr::Distinct { group, left, right }, want) => {
                let origin = self.origin(expr);
                let (left, right) = (self.alternatives(left), self.alternatives(right));
                let equal = Comparison {
                    order: Order::Equal,
                    group: *group,
                    collation: Collation::Bytes,
                };
                let left_null = self.null_of(&left, origin);
                let right_null = self.null_of(&right, origin);
                if want == Tri::False {
                    let same = self.compare_cases(equal, &left, &right, Tri::True, origin);
                    return Cond::or([Cond::and([left_null, right_null]), same]);
                }
                let (left_value, right_value) =
                    (self.not_null_of(&left, origin), self.not_null_of(&right, origin));
                let differ = self.compare_cases(equal, &left, &right, Tri::False, origin);
                Cond::or([
                    Cond::and([left_null, right_value]),
                    Cond::and([left_value, right_null]),
                    differ,
                ])
            }
            (
                Expr::Any {
                    all,
                    how,
                    left,
                    array,
                },
                want,
            ) => self.any(expr, *all, *how, left, array, want),
            (Expr::Exists(query), Tri::True) => {
                let origin = self.origin(expr);
                let sources = self.sources(query, origin);
                Cond::and([sources, self.truth(&query.condition, Tri::True)])
            }
            (Expr::Exists(query), _) if query.is_rowless => self.not_true(&query.condition),
            (Expr::In { query, test }, Tri::True) => {
                let origin = self.origin(expr);
                let sources = self.sources(query, origin);
                let row = self.truth(&query.condition, Tri::True);
                Cond::and([sources, row, self.truth(test, Tri::True)])
            }
            (Expr::Exists(_) | Expr::In { .. }, _) => Cond::Unknown(self.origin(expr)),
            (Expr::Case { arms, otherwise, .. }, want) => {
                let mut any = Vec::new();
                let mut guard = Cond::True;
                for (when, then) in arms {
                    any.push(Cond::and([
                        guard.clone(),
                        self.truth(when, Tri::True),
                        self.truth(then, want),
                    ]));
                    guard = Cond::and([guard, self.not_true(when)]);
                }
                any.push(Cond::and([guard, self.truth(otherwise, want)]));
                Cond::or(any)
            }
            (Expr::Coalesce(items, _), want) => {
                let mut any = Vec::new();
                let mut guard = Cond::True;
                for item in items {
                    if want != Tri::Null {
                        any.push(Cond::and([guard.clone(), self.truth(item, want)]));
                    }
                    guard = Cond::and([guard, self.truth(item, Tri::Null)]);
                }
                if want == Tri::Null { guard } else { Cond::or(any) }
            }
            (Expr::Opaque(opaque), want) => {
                let origin = self.origin(expr);
                let term = self.fresh(Type::BOOL, false, origin);
                if want == Tri::Null {
                    return Cond::Lit(Lit::Null(term), origin);
                }
                let mut all = vec![self.is(term, want, origin)];
                if opaque.strict {
                    for arg in &opaque.args {
                        let cases = self.alternatives(arg);
                        all.push(self.not_null_of(&cases, origin));
                    }
                }
                Cond::and(all)
            }
            _ => {
                let origin = self.origin(expr);
                let cases = self.alternatives(expr);
                if want == Tri::Null {
                    return self.null_of(&cases, origin);
                }
                let any = cases.into_iter().map(|(cond, value)| match value {
                    Alternative::Null => Cond::False,
                    Alternative::Term(term) => Cond::and([cond, self.is(term, want, origin)]),
                });
                Cond::or(any.collect::<Vec<_>>())
            }
        }
    }

    /// The condition that a boolean term is true or false.
    fn is(&mut self, term: TermId, want: Tri, origin: usize) -> Cond {
        let truth = Value::Bool(want == Tri::True);
        match self.terms.as_const(term) {
            Some(value) if *value == truth => Cond::True,
            Some(_) => Cond::False,
            None => {
                let truth = self.terms.constant(Type::BOOL, truth, origin);
                Cond::Lit(Lit::Equal(term, truth), origin)
            }
        }
    }

    fn nullness(&mut self, expr: &'a Expr, null: bool) -> Cond {
        if expr.ty().sort == Sort::Bool {
            return if null {
                self.truth(expr, Tri::Null)
            } else {
                Cond::or([self.truth(expr, Tri::True), self.truth(expr, Tri::False)])
            };
        }
        let origin = self.origin(expr);
        let cases = self.alternatives(expr);
        if null {
            self.null_of(&cases, origin)
        } else {
            self.not_null_of(&cases, origin)
        }
    }

    fn compare(
        &mut self,
        expr: &'a Expr,
        how: Comparison,
        left: &'a Expr,
        right: &'a Expr,
        want: Tri,
    ) -> Cond {
        let origin = self.origin(expr);
        let is_equality = matches!(how.order, Order::Equal | Order::NotEqual);
        if how.group == Group::Bool && is_equality {
            if want == Tri::Null {
                return Cond::or([self.truth(left, Tri::Null), self.truth(right, Tri::Null)]);
            }
            let equal = (how.order == Order::Equal) == (want == Tri::True);
            let mut side = |expr, tri| self.truth(expr, tri);
            let (left_true, left_false) = (side(left, Tri::True), side(left, Tri::False));
            let (right_true, right_false) = (side(right, Tri::True), side(right, Tri::False));
            let (first, second) = if equal {
                (right_true, right_false)
            } else {
                (right_false, right_true)
            };
            return Cond::or([Cond::and([left_true, first]), Cond::and([left_false, second])]);
        }
        let (left, right) = (self.alternatives(left), self.alternatives(right));
        self.compare_cases(how, &left, &right, want, origin)
    }

    pub(super) fn compare_cases(
        &mut self,
        how: Comparison,
        left: &Alternatives,
        right: &Alternatives,
        want: Tri,
        origin: usize,
    ) -> Cond {
        if want == Tri::Null {
            return Cond::or([self.null_of(left, origin), self.null_of(right, origin)]);
        }
        let mut any = Vec::new();
        for (left_cond, left) in left {
            for (right_cond, right) in right {
                if let (Alternative::Term(a), Alternative::Term(b)) = (left, right) {
                    let lit = self.compare_terms(how, *a, *b, want == Tri::True, origin);
                    any.push(Cond::and([left_cond.clone(), right_cond.clone(), lit]));
                }
            }
        }
        Cond::or(any)
    }

    fn compare_terms(&mut self, how: Comparison, a: TermId, b: TermId, truth: bool, origin: usize) -> Cond {
        let equal = match how.order {
            Order::Equal => Some(truth),
            Order::NotEqual => Some(!truth),
            _ => None,
        };
        let lit = |lit| Cond::Lit(lit, origin);
        match equal {
            Some(true) => lit(Lit::Equal(a, b)),
            Some(false) => match (
                self.terms.get(a).ty.sort,
                self.terms.as_const(a),
                self.terms.as_const(b),
            ) {
                // There are only two.
                (Sort::Bool, _, Some(Value::Bool(value))) => {
                    let want = if *value { Tri::False } else { Tri::True };
                    self.is(a, want, origin)
                }
                (Sort::Bool, Some(Value::Bool(value)), _) => {
                    let want = if *value { Tri::False } else { Tri::True };
                    self.is(b, want, origin)
                }
                _ => lit(Lit::Differ(a, b)),
            },
            None => {
                let op = Op::Order(how.order, how.group, how.collation);
                let term = self.app(op, vec![a, b], Type::BOOL, origin);
                let want = if truth { Tri::True } else { Tri::False };
                let is = self.is(term, want, origin);
                let is_strict = matches!(how.order, Order::Less | Order::Greater) == truth;
                // Strictly less or greater is different.
                if is_strict {
                    Cond::and([is, lit(Lit::Differ(a, b))])
                } else {
                    is
                }
            }
        }
    }
}
