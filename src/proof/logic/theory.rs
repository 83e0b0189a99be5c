//! What one case says: which terms are equal, different, NULL or not, closed under what follows from it.
//!
//! Terms in one class have the same value, or are all NULL. A *live* term is one that the case evaluates, so that it
//! did not raise an error.

use std::collections::BTreeSet;

use super::cond::Lit;
use super::facts::Knowledge;
use super::term::{Op, RowKey, TermId, TermKind, Terms};
use super::values::{self, Inverse};
use crate::proof::eval::Outcome;
use crate::proof::value::{Type, Value};

/// What one case says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Theory {
    parent: Vec<TermId>,
    /// By class: whether it is NULL.
    null: Vec<Option<bool>>,
    /// By class: the constant in it.
    constant: Vec<Option<TermId>>,
    live: Vec<bool>,
    differ: Vec<(TermId, TermId)>,
    owned: BTreeSet<RowKey>,
    contradiction: bool,
    /// The memberships that something followed from.
    pub(crate) used_memberships: BTreeSet<usize>,
}

impl Theory {
    pub(crate) fn is_contradiction(&self) -> bool {
        self.contradiction
    }

    pub(crate) fn find(&self, mut id: TermId) -> TermId {
        while let Some(parent) = self.parent.get(id) {
            if *parent == id {
                break;
            }
            id = *parent;
        }
        id
    }

    pub(crate) fn same(&self, a: TermId, b: TermId) -> bool {
        self.find(a) == self.find(b)
    }

    pub(crate) fn is_null(&self, id: TermId) -> bool {
        self.null.get(self.find(id)).copied().flatten() == Some(true)
    }

    pub(crate) fn is_not_null(&self, id: TermId) -> bool {
        self.null.get(self.find(id)).copied().flatten() == Some(false)
    }

    pub(crate) fn is_owned(&self, row: RowKey) -> bool {
        self.owned.contains(&row)
    }

    pub(crate) fn value<'t>(&self, id: TermId, terms: &'t Terms) -> Option<&'t Value> {
        self.constant
            .get(self.find(id))
            .copied()
            .flatten()
            .and_then(|id| terms.as_const(id))
    }

    pub(crate) fn is_true(&self, id: TermId, terms: &Terms) -> bool {
        self.value(id, terms) == Some(&Value::Bool(true))
    }

    /// Takes in a literal, without what follows from it.
    pub(crate) fn add(&mut self, lit: Lit, terms: &Terms) {
        self.grow(terms);
        match lit {
            Lit::Equal(a, b) => {
                for id in [a, b] {
                    self.set_live(id, terms);
                    self.set_null(id, false);
                }
                self.union(a, b, terms);
            }
            Lit::Differ(a, b) => {
                for id in [a, b] {
                    self.set_live(id, terms);
                    self.set_null(id, false);
                }
                self.differ.push((a, b));
            }
            Lit::Null(id) | Lit::NotNull(id) => {
                self.set_live(id, terms);
                self.set_null(id, matches!(lit, Lit::Null(_)));
            }
            Lit::Owned(row) => {
                self.owned.insert(row);
            }
        }
    }

    fn grow(&mut self, terms: &Terms) {
        for id in self.parent.len()..terms.len() {
            let term = terms.get(id);
            let is_const = matches!(term.kind, TermKind::Const(_));
            self.parent.push(id);
            self.null.push(term.not_null.then_some(false));
            self.constant.push(is_const.then_some(id));
            self.live.push(false);
        }
    }

    fn set_live(&mut self, id: TermId, terms: &Terms) {
        if std::mem::replace(&mut self.live[id], true) {
            return;
        }
        if let TermKind::App(_, args, _) = &terms.get(id).kind {
            for arg in args {
                self.set_live(*arg, terms);
            }
        }
    }

    /// Returns whether that was news.
    fn set_null(&mut self, id: TermId, null: bool) -> bool {
        let class = self.find(id);
        if let Some(known) = self.null[class] {
            self.contradiction |= known != null;
            false
        } else {
            self.null[class] = Some(null);
            true
        }
    }

    fn union(&mut self, a: TermId, b: TermId, terms: &Terms) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return false;
        }
        self.parent[b] = a;
        match (self.null[a], self.null[b]) {
            (Some(x), Some(y)) => self.contradiction |= x != y,
            (None, known) => self.null[a] = known,
            _ => {}
        }
        match (self.constant[a], self.constant[b]) {
            (Some(x), Some(y)) => self.contradiction |= terms.as_const(x) != terms.as_const(y),
            (None, known) => self.constant[a] = known,
            _ => {}
        }
        true
    }

    /// Adds what follows, until nothing new does.
    pub(crate) fn close(&mut self, terms: &mut Terms, knowledge: &Knowledge<'_>) {
        loop {
            self.grow(terms);
            let mut changed = false;
            let mut id = 0;
            while id < terms.len() && !self.contradiction {
                if let TermKind::App(op, args, own) = &terms.get(id).kind {
                    let (op, args, own) = (op.clone(), args.clone(), *own);
                    changed |= self.close_app(id, (&op, &args, own), terms, knowledge);
                }
                id += 1;
            }
            changed |= self.close_memberships(terms, knowledge);
            self.contradiction |= self.differ.iter().any(|(a, b)| self.same(*a, *b));
            if self.contradiction || !changed {
                return;
            }
        }
    }

    fn close_app(
        &mut self,
        id: TermId,
        (op, args, own): (&Op, &[TermId], usize),
        terms: &mut Terms,
        knowledge: &Knowledge<'_>,
    ) -> bool {
        let mut changed = false;
        let ty = terms.get(id).ty;
        // A text that is no tenant's is the text of no such value.
        if let (Op::Print(sort), Some((garbage, tenant))) = (op, knowledge.garbage) {
            self.contradiction |= *sort == tenant && self.same(id, garbage) && self.is_not_null(id);
        }
        if args.iter().any(|arg| self.is_null(*arg)) {
            changed |= !self.is_null(id) && self.set_null(id, true);
        }
        if self.live[id] && self.is_not_null(id) {
            for arg in args {
                changed |= !self.is_not_null(*arg) && self.set_null(*arg, false);
            }
        }
        if let (true, true, [arg]) = (self.is_null(id), op.is_null_free(), args) {
            changed |= self.live[id] && !self.is_null(*arg) && self.set_null(*arg, true);
        }
        // The function of constants is a constant.
        let values: Option<Vec<&Value>> = args.iter().map(|arg| self.value(*arg, terms)).collect();
        if let (Some(values), None) = (values, self.value(id, terms)) {
            match values::apply(op, ty, &values) {
                Outcome::Value(Some(value)) => changed |= self.equate(id, ty, value, terms),
                Outcome::Value(None) => changed |= !self.is_null(id) && self.set_null(id, true),
                Outcome::Error => self.contradiction |= self.live[id],
                Outcome::Unknown => {}
            }
        }
        // A constant result tells the argument, where the function has an inverse.
        if let ([arg], true, Some(value)) = (args, self.live[id], self.value(id, terms)) {
            match values::invert(op, value) {
                Inverse::Argument(value) => {
                    let arg_ty = terms.get(*arg).ty;
                    changed |= self.equate(*arg, arg_ty, value, terms);
                }
                Inverse::Impossible => self.contradiction = true,
                Inverse::Unknown => {}
            }
        }
        if let (Op::Order(order, ..), [a, b]) = (op, args)
            && self.same(*a, *b)
            && self.is_not_null(*a)
            && self.value(id, terms).is_none()
        {
            changed |= self.equate(id, Type::BOOL, Value::Bool(values::with_itself(*order)), terms);
        }
        for other in 0..terms.len() {
            let TermKind::App(other_op, other_args, other_own) = &terms.get(other).kind else {
                continue;
            };
            match (op, other_op) {
                // Reading what was printed gives it back.
                (Op::Parse(read), Op::Print(printed)) if read == printed && self.same(args[0], other) => {
                    let printed = other_args[0];
                    changed |= self.union(id, printed, terms);
                }
                (op, other_op) if other > id && op == other_op && args.len() == other_args.len() => {
                    let same_args = args.iter().zip(other_args).all(|(a, b)| self.same(*a, *b));
                    if same_args && own == 0 && *other_own == 0 {
                        changed |= self.union(id, other, terms);
                    } else if !same_args
                        && args.len() == 1
                        && op.is_injective()
                        && self.live[id]
                        && self.live[other]
                        && self.is_not_null(id)
                        && self.same(id, other)
                    {
                        let (a, b) = (args[0], other_args[0]);
                        changed |= self.union(a, b, terms);
                    }
                }
                _ => {}
            }
        }
        changed
    }

    /// Makes a term equal to a value. Returns whether that was news.
    fn equate(&mut self, id: TermId, ty: Type, value: Value, terms: &mut Terms) -> bool {
        let constant = terms.constant(ty, value, terms.get(id).origin);
        self.grow(terms);
        self.union(id, constant, terms)
    }

    /// A row of a membership table that has the bound session's identity has the bound tenant.
    fn close_memberships(&mut self, terms: &mut Terms, knowledge: &Knowledge<'_>) -> bool {
        let Some(tenant) = knowledge.tenant else {
            return false;
        };
        let mut changed = false;
        for (index, membership) in knowledge.session.memberships.iter().enumerate() {
            if knowledge.session.writable.contains(&membership.relation) {
                continue;
            }
            let identity = TermKind::Placeholder(membership.placeholder.clone());
            let Some(identity) = terms
                .iter()
                .find(|(_, term)| term.kind == identity)
                .map(|(id, _)| id)
            else {
                continue;
            };
            for (row, relation) in &knowledge.rows {
                let column = |attnum| {
                    let kind = TermKind::Column(*row, attnum);
                    terms.iter().find(|(_, term)| term.kind == kind).map(|(id, _)| id)
                };
                if *relation != membership.relation {
                    continue;
                }
                let (Some(key), Some(column)) = (column(membership.key), column(membership.tenant)) else {
                    continue;
                };
                let applies = self.is_identity(key, identity, terms) && self.is_not_null(key);
                if applies
                    && terms.get(column).ty.sort == terms.get(tenant).ty.sort
                    && !self.same(column, tenant)
                {
                    self.used_memberships.insert(index);
                    changed |= self.union(column, tenant, terms);
                }
            }
        }
        changed
    }

    /// Whether a column holds the identity: as it is, or read from its text, or its text being it.
    fn is_identity(&self, key: TermId, identity: TermId, terms: &Terms) -> bool {
        self.same(key, identity)
            || terms.iter().any(|(id, term)| match &term.kind {
                TermKind::App(Op::Parse(_), args, _) => self.same(args[0], identity) && self.same(id, key),
                TermKind::App(Op::Print(_), args, _) => self.same(args[0], key) && self.same(id, identity),
                _ => false,
            })
    }
}
