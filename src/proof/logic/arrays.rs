//! `= ANY (array)` and `ALL`: the elements of an array, each with its cases.

use super::build::{Alternative, Alternatives, Builder, Tri};
use super::cond::Cond;
use super::term::{Op, RowKey, TermId, TermKind};
use crate::proof::builtin::Function;
use crate::proof::ir::{Cast, Comparison, Expr};
use crate::proof::value::{Sort, Type, Value};

/// The elements of an array, each with its cases.
enum Elements {
    /// The array is NULL.
    Null,
    Known(Vec<Alternatives>),
    Unknown,
}

impl<'a> Builder<'a> {
    pub(super) fn any(
        &mut self,
        expr: &'a Expr,
        all: bool,
        how: Comparison,
        left: &'a Expr,
        array: &'a Expr,
        want: Tri,
    ) -> Cond {
        let origin = self.origin(expr);
        // = ANY (ARRAY(sub-select)): one of its rows.
        if let (Expr::ArrayOf(query, _), false) = (array, all) {
            if want != Tri::True {
                return Cond::Unknown(origin);
            }
            // An array that is compared in two places can have its elements chosen in both.
            let chooser = std::ptr::from_ref(expr).addr();
            let rows: Vec<RowKey> = query.sources.iter().map(|source| self.row(source.row)).collect();
            if self
                .chosen
                .iter()
                .any(|(row, by)| rows.contains(row) && *by != chooser)
            {
                return Cond::Unknown(origin);
            }
            self.chosen.extend(rows.into_iter().map(|row| (row, chooser)));
            let sources = self.sources(query, origin);
            let row = self.truth(&query.condition, Tri::True);
            let left = self.alternatives(left);
            let Some(column) = query.columns.first() else {
                return Cond::Unknown(origin);
            };
            let column = self.alternatives(column);
            let test = self.compare_cases(how, &left, &column, Tri::True, origin);
            return Cond::and([sources, row, test]);
        }
        let left = self.alternatives(left);
        let cases = self.elements(array);
        let mut any = Vec::new();
        for (cond, elements) in cases {
            let holds = match elements {
                Elements::Null => {
                    if want == Tri::Null {
                        Cond::True
                    } else {
                        Cond::False
                    }
                }
                Elements::Unknown => Cond::Unknown(origin),
                Elements::Known(elements) => {
                    let mut each = |tri| -> Vec<Cond> {
                        elements
                            .iter()
                            .map(|e| self.compare_cases(how, &left, e, tri, origin))
                            .collect()
                    };
                    let decisive = if all { Tri::False } else { Tri::True };
                    let neutral = if all { Tri::True } else { Tri::False };
                    if want == decisive {
                        Cond::or(each(decisive))
                    } else if want == neutral {
                        Cond::and(each(neutral))
                    } else {
                        let nulls = each(Tri::Null);
                        let undecided = each(neutral).into_iter().zip(nulls.clone());
                        let undecided = undecided.map(|(neutral, null)| Cond::or([neutral, null]));
                        Cond::and(undecided.chain([Cond::or(nulls)]).collect::<Vec<_>>())
                    }
                }
            };
            any.push(Cond::and([cond, holds]));
        }
        Cond::or(any)
    }

    /// The cases of an array's elements.
    fn elements(&mut self, array: &'a Expr) -> Vec<(Cond, Elements)> {
        let origin = self.origin(array);
        let constants = |builder: &mut Self, ty: Type, values: &[Option<Value>]| {
            let sort = crate::proof::value::array_element(ty.oid).unwrap_or(0);
            let element = crate::proof::lower::resolve(builder.symbols, sort, -1);
            let cases = values.iter().map(|value| {
                let value = match value {
                    Some(value) => Alternative::Term(builder.terms.constant(element, value.clone(), origin)),
                    None => Alternative::Null,
                };
                vec![(Cond::True, value)]
            });
            Elements::Known(cases.collect())
        };
        match array {
            Expr::Const(_, None) => vec![(Cond::True, Elements::Null)],
            Expr::Const(ty, Some(Value::Array(values))) => {
                let elements = match crate::proof::value::array_element(ty.oid) {
                    Some(_) => constants(self, *ty, values),
                    None => Elements::Unknown,
                };
                vec![(Cond::True, elements)]
            }
            Expr::Array(list, _) => {
                let list = list.iter().map(|item| self.alternatives(item)).collect();
                vec![(Cond::True, Elements::Known(list))]
            }
            Expr::Cast {
                how: Cast::Same, arg, ..
            } => self.elements(arg),
            Expr::Map { array, element, .. } => {
                let cases = self.elements(array);
                let mut mapped = Vec::new();
                for (cond, elements) in cases {
                    let elements = match elements {
                        Elements::Known(list) => {
                            let list = list.into_iter().map(|cases| {
                                self.elements.push(cases);
                                let mapped = self.alternatives(element);
                                self.elements.pop();
                                mapped
                            });
                            Elements::Known(list.collect())
                        }
                        other => other,
                    };
                    mapped.push((cond, elements));
                }
                mapped
            }
            Expr::Call {
                function: Function::StringToArray,
                args,
                ..
            } => {
                let separator = match args.get(1) {
                    Some(Expr::Const(_, Some(Value::Text(separator)))) => separator.clone(),
                    _ => return vec![(Cond::True, Elements::Unknown)],
                };
                let cases = self.alternatives(&args[0]);
                let split = cases.into_iter().map(|(cond, value)| {
                    let elements = match value {
                        Alternative::Null => Elements::Null,
                        Alternative::Term(term) => self.split(term, &separator, origin),
                    };
                    (cond, elements)
                });
                split.collect()
            }
            _ => vec![(Cond::True, Elements::Unknown)],
        }
    }

    /// `string_to_array(term, separator)`
    fn split(&mut self, term: TermId, separator: &str, origin: usize) -> Elements {
        let has_none = |chars: &str| !separator.is_empty() && !separator.chars().all(|c| chars.contains(c));
        match &self.terms.get(term).kind {
            TermKind::Const(Value::Text(text)) => {
                let args = [Value::Text(text.clone()), Value::Text(separator.to_owned())];
                match crate::proof::eval::call(Function::StringToArray, &args) {
                    crate::proof::eval::Outcome::Value(Some(Value::Array(items))) => {
                        let cases = items.into_iter().flatten().map(|item| {
                            let term = self.terms.constant(Type::TEXT, item, origin);
                            vec![(Cond::True, Alternative::Term(term))]
                        });
                        Elements::Known(cases.collect())
                    }
                    _ => Elements::Unknown,
                }
            }
            // The text of a uuid or a number holds no comma: it is the only element.
            TermKind::App(Op::Print(Sort::Uuid), ..) if has_none("0123456789abcdef-") => {
                Elements::Known(vec![vec![(Cond::True, Alternative::Term(term))]])
            }
            TermKind::App(Op::Print(Sort::Int), ..) if has_none("0123456789-") => {
                Elements::Known(vec![vec![(Cond::True, Alternative::Term(term))]])
            }
            _ => Elements::Unknown,
        }
    }
}
