//! The model that an open case of the proof suggests.

use std::collections::{BTreeMap, BTreeSet};

use super::candidates;
use super::find::Finder;
use super::model::{Model, Row, role_name};
use crate::proof::eval::Outcome;
use crate::proof::logic::values::{self, Inverse};
use crate::proof::logic::{Op, RowKey, State, TermId, TermKind};
use crate::proof::value::{Sort, Value, print};

impl Finder<'_> {
    /// The settings of the binding, with the tenant's text in place.
    pub(super) fn binding(&self, tenant: Option<&str>) -> BTreeMap<String, Option<String>> {
        let session = self.problem.session;
        let own = (session.setting.as_str(), "{tenant}");
        let others = session
            .binding
            .iter()
            .map(|(name, template)| (name.as_str(), template.as_str()));
        let text = |template: &str| match self.problem.state {
            State::NeverSet => None,
            State::EmptyString => Some(String::new()),
            State::Bound | State::Garbage => {
                let mut text = template.replace("{tenant}", tenant.unwrap_or("no tenant"));
                for (_, term) in self.problem.terms.iter() {
                    if let TermKind::Placeholder(word) = &term.kind {
                        text = text.replace(&format!("{{{word}}}"), &self.placeholder(word));
                    }
                }
                Some(text)
            }
        };
        let all = std::iter::once(own).chain(others);
        all.map(|(name, template)| (name.to_ascii_lowercase(), text(template)))
            .collect()
    }

    /// A value for a word of the binding, of a form that is read without an error.
    fn placeholder(&self, word: &str) -> String {
        let is_number = self.problem.terms.iter().any(|(_, term)| match &term.kind {
            TermKind::App(Op::Parse(Sort::Int), args, _) => {
                self.problem.terms.get(args[0]).kind == TermKind::Placeholder(word.to_owned())
            }
            _ => false,
        });
        if is_number {
            "4711".into()
        } else {
            "00000000-0000-4000-8000-0000000000c3".into()
        }
    }

    /// The model that the open case suggests, with these two tenants where it leaves them open.
    pub(super) fn guess(&self, pair: Option<&(Value, Value)>) -> Model {
        let (terms, theory) = (self.problem.terms, &self.problem.leaf.theory);
        let mut known: BTreeMap<TermId, Option<Value>> = BTreeMap::new();
        for (id, _) in terms.iter() {
            if let Some(value) = theory.value(id, terms) {
                known.insert(theory.find(id), Some(value.clone()));
            } else if theory.is_null(id) {
                known.insert(theory.find(id), None);
            }
        }
        let class_of = |kind: &TermKind| {
            terms
                .iter()
                .find(|(_, term)| term.kind == *kind)
                .map(|(id, _)| theory.find(id))
        };
        if let (Some((a, _)), Some(class)) = (pair, class_of(&TermKind::Tenant)) {
            known.entry(class).or_insert_with(|| Some(a.clone()));
        }
        let tenant = class_of(&TermKind::Tenant).and_then(|class| known.get(&class).cloned().flatten());
        let tenant = if self.problem.state == State::Bound {
            tenant.or(pair.map(|(a, _)| a.clone()))
        } else {
            None
        };
        let tenant_text = tenant.as_ref().and_then(print).map(std::borrow::Cow::into_owned);
        let mut settings = self.binding(tenant_text.as_deref());
        for (id, term) in terms.iter() {
            if let TermKind::Placeholder(word) = &term.kind {
                let value = Value::Text(self.placeholder(word));
                known.entry(theory.find(id)).or_insert(Some(value));
            }
        }
        self.derive(&mut known);
        let goal_row = self.problem.goal.unwrap_or(0);
        if let Some((_, b)) = pair {
            for attnum in self.tenancy_columns() {
                let premise = u8::try_from(goal_row).unwrap_or(0);
                if let Some(class) = class_of(&TermKind::Column(RowKey { premise, row: 0 }, *attnum)) {
                    known.entry(class).or_insert_with(|| Some(b.clone()));
                }
            }
            self.derive(&mut known);
        }
        let mut rows: Vec<Row> = vec![Row::new(); self.problem.premises.len()];
        for (row, values) in rows.iter_mut().enumerate() {
            for (n, (attnum, ty)) in self.columns.iter().enumerate() {
                let premise = u8::try_from(row).unwrap_or(0);
                let class = class_of(&TermKind::Column(RowKey { premise, row: 0 }, *attnum));
                let is_tenancy = self.tenancy_columns().contains(attnum);
                if let Some(value) = class.and_then(|class| known.get(&class)) {
                    values.insert(*attnum, value.clone());
                    continue;
                }
                let value = match pair {
                    Some((_, b)) if is_tenancy && self.problem.tenant.sort == ty.sort => Some(b.clone()),
                    _ => {
                        let sample = self
                            .patterns(*attnum)
                            .first()
                            .and_then(|pattern| pattern.sample(1));
                        sample
                            .map(Value::Text)
                            .or_else(|| candidates::nth(self.problem.symbols, *ty, n))
                    }
                };
                // A column whose type has no values here stays open, so that it decides nothing.
                if let Some(value) = value {
                    if let Some(class) = class {
                        known.insert(class, Some(value.clone()));
                    }
                    values.insert(*attnum, Some(value));
                }
            }
            self.derive(&mut known);
        }
        for (name, missing_ok) in &self.settings {
            let class = terms
                .iter()
                .find(|(_, term)| matches!(&term.kind, TermKind::Setting(n, _) if n == name));
            let value = class.map(|(id, _)| (id, known.get(&theory.find(id))));
            let text = match value {
                Some((_, Some(Some(Value::Text(text))))) => Some(text.clone()),
                Some((_, Some(None))) if *missing_ok => None,
                Some((id, _)) => Some(self.json_for(id, &known).unwrap_or_else(|| "x".into())),
                None => None,
            };
            settings.insert(name.clone(), text);
        }
        Model {
            role: role_name(self.problem.session, tenant_text.as_deref()),
            tenant,
            rows,
            settings,
            is_special: false,
            unchecked: BTreeSet::new(),
        }
    }

    /// Carries known values over function terms, both ways.
    pub(super) fn derive(&self, known: &mut BTreeMap<TermId, Option<Value>>) {
        let (terms, theory) = (self.problem.terms, &self.problem.leaf.theory);
        for _ in 0..4 {
            for (id, term) in terms.iter() {
                let TermKind::App(op, args, _) = &term.kind else {
                    continue;
                };
                let class = theory.find(id);
                let values: Option<Vec<Value>> = args
                    .iter()
                    .map(|arg| known.get(&theory.find(*arg)).cloned().flatten())
                    .collect();
                match (values, known.get(&class)) {
                    (Some(values), None) => {
                        let values: Vec<&Value> = values.iter().collect();
                        if let Outcome::Value(value) = values::apply(op, term.ty, &values) {
                            known.insert(class, value);
                        }
                    }
                    (None, Some(Some(value))) if args.len() == 1 => {
                        let arg = theory.find(args[0]);
                        let inverse = match op {
                            Op::Parse(_) => print(value).map(|text| Value::Text(text.into_owned())),
                            Op::Cast(_) | Op::Call(_) => Some(value.clone()),
                            op => match values::invert(op, value) {
                                Inverse::Argument(value) => Some(value),
                                Inverse::Impossible | Inverse::Unknown => None,
                            },
                        };
                        if let (Some(inverse), false) = (inverse, known.contains_key(&arg)) {
                            known.insert(arg, Some(inverse));
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// A JSON text in which what is read from this setting has the values that are known.
    fn json_for(&self, setting: TermId, known: &BTreeMap<TermId, Option<Value>>) -> Option<String> {
        let (terms, theory) = (self.problem.terms, &self.problem.leaf.theory);
        let parsed = |(id, term): (TermId, &crate::proof::logic::Term)| match &term.kind {
            TermKind::App(Op::Parse(Sort::Json), args, _) => theory.same(args[0], setting).then_some(id),
            _ => None,
        };
        let json = terms.iter().find_map(parsed)?;
        Some(self.object_for(json, known, 4).to_string())
    }

    fn object_for(
        &self,
        json: TermId,
        known: &BTreeMap<TermId, Option<Value>>,
        depth: usize,
    ) -> serde_json::Value {
        use crate::proof::builtin::Function;
        let (terms, theory) = (self.problem.terms, &self.problem.leaf.theory);
        let mut members = serde_json::Map::new();
        for (id, term) in terms.iter() {
            let TermKind::App(Op::Call(function), args, _) = &term.kind else {
                continue;
            };
            if args.len() != 2 || !theory.same(args[0], json) {
                continue;
            }
            let path: Vec<String> = match terms.as_const(args[1]) {
                Some(Value::Text(key)) => vec![key.clone()],
                Some(Value::Array(keys)) => keys
                    .iter()
                    .flatten()
                    .filter_map(print)
                    .map(std::borrow::Cow::into_owned)
                    .collect(),
                _ => continue,
            };
            let Some((first, rest)) = path.split_first() else {
                continue;
            };
            let inner = match (function, known.get(&theory.find(id))) {
                (Function::JsonField | Function::JsonPath, _) if depth > 0 => {
                    self.object_for(id, known, depth - 1)
                }
                (_, Some(Some(value))) => {
                    serde_json::Value::String(print(value).unwrap_or_default().into_owned())
                }
                (_, Some(None)) => continue,
                (_, None) => serde_json::Value::String("x".into()),
            };
            let inner = rest
                .iter()
                .rev()
                .fold(inner, |inner, key| serde_json::json!({ key: inner }));
            members.insert(first.clone(), inner);
        }
        serde_json::Value::Object(members)
    }
}
