//! From expressions to conditions: the builder, what it is told, and the terms for rows and settings.

use std::collections::BTreeSet;

use super::cond::{Cond, Lit};
use super::facts::Knowledge;
use super::term::{Op, RowKey, TermId, TermKind, Terms};
use crate::proof::ir::{Expr, Query, Setting};
use crate::proof::lower::resolve;
use crate::proof::question::{Session, Tenancy};
use crate::proof::symbols::Symbols;
use crate::proof::value::{Sort, Type, Value};

/// Conditions beyond this size are not looked at.
const MAX_SIZE: usize = 20_000;

/// Values beyond this many alternatives are taken for unknown.
const MAX_ALTERNATIVES: usize = 48;

/// Which tenant the session is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    /// One of them, whichever.
    Bound,
    /// None, because the setting was never set.
    NeverSet,
    /// None, because the setting is `''`.
    EmptyString,
    /// None, because the setting's text is no tenant's.
    Garbage,
}

/// An expression that is true of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Premise<'a> {
    pub(crate) expr: &'a Expr,
    pub(crate) row: RowKey,
}

/// One of three truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tri {
    True,
    False,
    Null,
}

/// What an expression's value is, in one of its cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alternative {
    Null,
    Term(TermId),
}

/// All cases of an expression's value, with the condition of each. A case that raises an error is none.
pub(super) type Alternatives = Vec<(Cond, Alternative)>;

/// Turns expressions into conditions.
pub(crate) struct Builder<'a> {
    pub(super) symbols: &'a Symbols,
    pub(super) state: State,
    pub(crate) terms: Terms,
    /// The expressions that conditions and terms came from.
    pub(crate) origins: Vec<&'a Expr>,
    pub(crate) knowledge: Knowledge<'a>,
    /// The table that the policies are about.
    relation: u32,
    /// The tenant's value as the text that the setting holds.
    tenant_text: Option<TermId>,
    pub(super) tenant_sort: Sort,
    /// The premise being built.
    pub(super) premise: u8,
    /// What [`Expr::Element`] stands for.
    pub(super) elements: Vec<Alternatives>,
    /// Rows that stand for an element of ARRAY(sub-select), with the comparison that chose it.
    pub(super) chosen: Vec<(RowKey, usize)>,
    fresh: usize,
    size: usize,
}

impl<'a> Builder<'a> {
    /// A builder for one question about one table; `tenant` is the type of the tenant's value.
    pub(crate) fn new(
        symbols: &'a Symbols,
        session: &'a Session,
        state: State,
        relation: u32,
        tenant: Type,
        fixed_columns: &'a BTreeSet<i16>,
    ) -> Self {
        let mut builder = Self {
            symbols,
            state,
            terms: Terms::default(),
            origins: vec![&Expr::TRUE],
            knowledge: Knowledge {
                session,
                rows: Vec::new(),
                tenant: None,
                garbage: None,
                fixed_columns,
            },
            relation,
            tenant_text: None,
            tenant_sort: tenant.sort,
            premise: 0,
            elements: Vec::new(),
            chosen: Vec::new(),
            fresh: 0,
            size: 0,
        };
        match state {
            State::Bound => {
                let term = builder.terms.intern(TermKind::Tenant, tenant, true, 0);
                builder.knowledge.tenant = Some(term);
                let text = match tenant.sort {
                    Sort::Text => term,
                    sort => builder.app(Op::Print(sort), vec![term], Type::TEXT, 0),
                };
                builder.tenant_text = Some(text);
            }
            State::Garbage => {
                let kind = TermKind::Placeholder(" garbage".into());
                let text = builder.terms.intern(kind, Type::TEXT, true, 0);
                builder.tenant_text = Some(text);
                builder.knowledge.garbage = Some((text, tenant.sort));
            }
            State::NeverSet | State::EmptyString => {}
        }
        builder
    }

    /// What is known of the tenant's text: it is not empty.
    pub(crate) fn binding(&mut self) -> Cond {
        match self.tenant_text {
            Some(text) => {
                let empty = self.terms.constant(Type::TEXT, Value::Text(String::new()), 0);
                Cond::Lit(Lit::Differ(text, empty), 0)
            }
            None => Cond::True,
        }
    }

    /// The condition that a premise is true. `None` where it grows too large.
    pub(crate) fn premise(&mut self, premise: Premise<'a>) -> Option<Cond> {
        self.enter(premise.row);
        let cond = self.truth(premise.expr, Tri::True);
        (self.size <= MAX_SIZE).then_some(cond)
    }

    /// The condition that a CHECK constraint admits the row: it is true or NULL.
    pub(crate) fn check(&mut self, premise: Premise<'a>) -> Option<Cond> {
        self.enter(premise.row);
        let cond = Cond::or([
            self.truth(premise.expr, Tri::True),
            self.truth(premise.expr, Tri::Null),
        ]);
        (self.size <= MAX_SIZE).then_some(cond)
    }

    fn enter(&mut self, row: RowKey) {
        self.premise = row.premise;
        self.add_row(row, self.relation);
    }

    fn add_row(&mut self, row: RowKey, relation: u32) {
        if !self.knowledge.rows.iter().any(|(known, _)| *known == row) {
            self.knowledge.rows.push((row, relation));
        }
    }

    /// Whether conditions have grown so large that no more is worth building.
    pub(super) fn is_too_large(&self) -> bool {
        self.size > MAX_SIZE
    }

    pub(super) fn origin(&mut self, expr: &'a Expr) -> usize {
        self.size += 1;
        self.origins.push(expr);
        self.origins.len() - 1
    }

    /// Counts what was built.
    pub(super) fn sized(&mut self, cond: Cond) -> Cond {
        self.size += cond.size();
        cond
    }

    pub(super) fn bounded(&mut self, list: Alternatives, ty: Type, origin: usize) -> Alternatives {
        self.size += list.iter().map(|(cond, _)| cond.size()).sum::<usize>();
        if list.len() <= MAX_ALTERNATIVES && !self.is_too_large() {
            return list;
        }
        let fresh = self.fresh(ty, false, origin);
        vec![(Cond::Unknown(origin), Alternative::Term(fresh))]
    }

    pub(super) fn fresh(&mut self, ty: Type, not_null: bool, origin: usize) -> TermId {
        self.fresh += 1;
        self.terms
            .intern(TermKind::Fresh(self.fresh), ty, not_null, origin)
    }

    pub(super) fn app(&mut self, op: Op, args: Vec<TermId>, ty: Type, origin: usize) -> TermId {
        // Equal numbers can be printed differently, so nothing is a function of one up to equality.
        let is_own = args
            .iter()
            .any(|arg| self.terms.get(*arg).ty.sort == Sort::Numeric);
        if is_own {
            self.fresh += 1;
        }
        let not_null = op.is_null_free() && args.iter().all(|arg| self.terms.get(*arg).not_null);
        let own = if is_own { self.fresh } else { 0 };
        self.terms
            .intern(TermKind::App(op, args, own), ty, not_null, origin)
    }

    /// A column of a row that exists: NOT NULL counts there.
    pub(crate) fn column(&mut self, mut row: RowKey, attnum: i16, ty: Type, origin: usize) -> TermId {
        row = self.knowledge.origin_of(row, attnum);
        let relation = self.knowledge.rows.iter().find(|(known, _)| *known == row);
        let column = relation.and_then(|(_, relation)| self.symbols.relations.get(relation)?.column(attnum));
        let not_null = column.is_some_and(|column| column.not_null);
        self.terms
            .intern(TermKind::Column(row, attnum), ty, not_null, origin)
    }

    pub(super) fn row(&self, row: u32) -> RowKey {
        RowKey {
            premise: self.premise,
            row,
        }
    }

    /// What is known of the rows that a sub-select joins: they exist, and the tables' own policies let them through.
    pub(super) fn sources(&mut self, query: &Query, origin: usize) -> Cond {
        let mut known = Vec::new();
        for source in &query.sources {
            let row = self.row(source.row);
            self.add_row(row, source.relation);
            let session = self.knowledge.session;
            if !source.as_session || !session.proven.contains(&source.relation) {
                continue;
            }
            let Some(tenancy) = session.tenancies.get(&source.relation) else {
                continue;
            };
            known.push(match (self.knowledge.tenant, tenancy) {
                (None, _) => Cond::False,
                (Some(tenant), Tenancy::Columns(columns)) => {
                    let relation = self.symbols.relations.get(&source.relation);
                    let columns = columns.iter().map(|attnum| {
                        let column = relation.and_then(|relation| relation.column(*attnum));
                        let ty = column.map(|column| resolve(self.symbols, column.type_id, column.typmod));
                        match ty.filter(|ty| ty.sort == self.tenant_sort) {
                            Some(ty) => {
                                let column = self.column(row, *attnum, ty, origin);
                                Cond::Lit(Lit::Equal(column, tenant), origin)
                            }
                            // Values of different types do not compare, so nothing is known.
                            None => Cond::True,
                        }
                    });
                    Cond::or(columns.collect::<Vec<_>>())
                }
                (Some(_), Tenancy::Parent { .. }) => Cond::Lit(Lit::Owned(row), origin),
            });
        }
        Cond::and(known)
    }

    pub(super) fn setting(&mut self, setting: &Setting, origin: usize) -> Alternatives {
        let session = self.knowledge.session;
        let found = session
            .binding
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&setting.name));
        let template = match found {
            Some((_, template)) => Some(template.as_str()),
            None => setting
                .name
                .eq_ignore_ascii_case(&session.setting)
                .then_some("{tenant}"),
        };
        let null = || {
            if setting.missing_ok {
                vec![(Cond::True, Alternative::Null)]
            } else {
                Vec::new()
            }
        };
        if let Some(template) = template {
            return match self.state {
                State::NeverSet => null(),
                State::EmptyString => {
                    let empty = self
                        .terms
                        .constant(Type::TEXT, Value::Text(String::new()), origin);
                    vec![(Cond::True, Alternative::Term(empty))]
                }
                State::Bound | State::Garbage => {
                    let text = self.template(template, origin);
                    vec![(Cond::True, Alternative::Term(text))]
                }
            };
        }
        let is_defined = self.symbols.parameters.contains(&setting.name);
        if !is_defined && !self.symbols.parameters.is_empty() && !setting.name.contains('.') {
            // Such a setting cannot be made.
            return null();
        }
        // Every place that reads it is told apart: an index scan reads it once, when it starts, and the session can
        // change it before the rows that it finds are judged.
        let kind = TermKind::Setting(setting.name.clone(), std::ptr::from_ref(setting).addr());
        let term = self.terms.intern(kind, Type::TEXT, is_defined, origin);
        let cond = if setting.missing_ok {
            Cond::True
        } else {
            Cond::Lit(Lit::NotNull(term), origin)
        };
        vec![(cond, Alternative::Term(term))]
    }

    /// The text that the binding's template gives.
    pub(super) fn template(&mut self, template: &str, origin: usize) -> TermId {
        let Some((before, rest)) = template.split_once('{') else {
            return self
                .terms
                .constant(Type::TEXT, Value::Text(template.to_owned()), origin);
        };
        let word = rest.split_once('}').filter(|(word, behind)| {
            word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !word.is_empty()
                && !behind.contains('{')
        });
        let Some((word, behind)) = word else {
            return self
                .terms
                .intern(TermKind::Template(template.to_owned()), Type::TEXT, true, origin);
        };
        let inner = if let ("tenant", Some(text)) = (word, self.tenant_text) {
            text
        } else {
            let kind = TermKind::Placeholder(word.to_owned());
            self.terms.intern(kind, Type::TEXT, true, origin)
        };
        if before.is_empty() && behind.is_empty() {
            return inner;
        }
        self.app(
            Op::Affix(before.to_owned(), behind.to_owned()),
            vec![inner],
            Type::TEXT,
            origin,
        )
    }

    pub(super) fn current_user(&mut self, origin: usize) -> TermId {
        let session = self.knowledge.session;
        match (&session.role_template, self.state) {
            (Some(template), State::Bound) => self.template(template, origin),
            _ => self
                .terms
                .constant(Type::NAME, Value::Text(session.role.clone()), origin),
        }
    }

    /// Whether this is the text that is no tenant's.
    pub(super) fn is_garbage(&self, term: TermId) -> bool {
        self.state == State::Garbage && self.tenant_text == Some(term)
    }
}
