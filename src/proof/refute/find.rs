//! The search: guesses from an open case, then single and double changes of them.

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::{self, Mentioned};
use super::model::Model;
use crate::proof::eval::{Outcome, Pattern};
use crate::proof::ir::Expr;
use crate::proof::logic::{Leaf, State, Terms};
use crate::proof::question::{Scope, Session, Shared, Tenancy};
use crate::proof::symbols::{Relation, Symbols, TypeKind};
use crate::proof::value::{Type, Value};

/// Models beyond this many are not tried.
const MAX_TRIALS: usize = 2_000;

/// What a counterexample is wanted for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) symbols: &'a Symbols,
    pub(crate) session: &'a Session,
    pub(crate) relation: &'a Relation,
    pub(crate) scope: &'a Scope,
    /// Rows that are no counterexample.
    pub(crate) shared: &'a [Shared],
    pub(crate) state: State,
    /// The type of the tenants' values.
    pub(crate) tenant: Type,
    /// One expression a row, in order: the old row's, the new row's.
    pub(crate) premises: &'a [&'a Expr],
    /// The row that must not be another tenant's; `None` where the premises must not hold at all.
    pub(crate) goal: Option<usize>,
    /// CHECK constraints of the table.
    pub(crate) checks: &'a [(&'a str, &'a Expr)],
    pub(crate) terms: &'a Terms,
    pub(crate) leaf: &'a Leaf,
}

/// What a model chooses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Variable {
    Column(usize, i16),
    Setting(String),
}

pub(super) struct Finder<'a> {
    pub(super) problem: Problem<'a>,
    /// The columns that matter, with their types.
    pub(super) columns: BTreeMap<i16, Type>,
    /// The settings that the session may choose, and whether "never set" is no error.
    pub(super) settings: BTreeMap<String, bool>,
    /// CHECK constraints that say something about those columns.
    pub(super) checks: Vec<(&'a str, &'a Expr)>,
    pub(super) mentioned: Mentioned,
    pub(super) trials: usize,
    /// Tenants like any others, and special ones.
    plain: Vec<Value>,
    special: Vec<Value>,
}

/// A counterexample, if one is found.
pub(crate) fn find(problem: Problem<'_>) -> Option<Model> {
    let mut finder = Finder::new(problem)?;
    let pairs = match problem.state {
        State::Bound => {
            let tenancy_column = finder.tenancy_columns().first().copied().unwrap_or(0);
            let patterns = finder.patterns(tenancy_column);
            let (pairs, plain) =
                candidates::tenants(problem.symbols, problem.tenant, &patterns, &finder.mentioned);
            finder.plain = pairs
                .iter()
                .take(plain)
                .flat_map(|(a, b)| [a.clone(), b.clone()])
                .collect();
            finder.special = pairs
                .iter()
                .skip(plain)
                .flat_map(|(a, b)| [a.clone(), b.clone()])
                .collect();
            if pairs.is_empty() {
                vec![None]
            } else {
                pairs.into_iter().map(Some).collect()
            }
        }
        _ => vec![None],
    };
    // One that holds for any two tenants says more than one that takes special ones.
    let first = pairs.first().and_then(|pair| {
        let guess = finder.guess(pair.as_ref());
        let found = finder.accept(guess.clone());
        found.or_else(|| finder.vary(&guess, pair.as_ref(), MAX_TRIALS / 2))
    });
    if first.is_some() {
        return first;
    }
    let guesses: Vec<Model> = pairs.iter().map(|pair| finder.guess(pair.as_ref())).collect();
    if let Some(found) = guesses.iter().find_map(|guess| finder.accept(guess.clone())) {
        return Some(found);
    }
    for (guess, pair) in guesses.iter().zip(&pairs) {
        if let Some(found) = finder.vary(guess, pair.as_ref(), MAX_TRIALS) {
            return Some(found);
        }
    }
    None
}

impl<'a> Finder<'a> {
    /// `None` where no counterexample could be certain.
    fn new(problem: Problem<'a>) -> Option<Self> {
        let mut columns = BTreeMap::new();
        let mut settings: BTreeMap<String, bool> = BTreeMap::new();
        let note = |expr: &Expr, columns: &mut BTreeMap<i16, Type>| {
            expr.walk(&mut |expr| {
                if let Expr::Column { row: 0, attnum, ty } = expr {
                    columns.insert(*attnum, *ty);
                }
                true
            });
        };
        for premise in problem.premises {
            note(premise, &mut columns);
            premise.walk(&mut |expr| {
                if let Expr::Setting(setting) = expr {
                    let missing_ok = settings.entry(setting.name.clone()).or_insert(true);
                    *missing_ok &= setting.missing_ok;
                }
                true
            });
        }
        let mut add = |attnum: i16| {
            if let Some(column) = problem.relation.column(attnum) {
                let ty = crate::proof::lower::resolve(problem.symbols, column.type_id, column.typmod);
                columns.entry(attnum).or_insert(ty);
            }
        };
        match &problem.scope.tenancy {
            Tenancy::Columns(list) => list.iter().for_each(|attnum| add(*attnum)),
            Tenancy::Parent { columns: list, .. } => list.iter().for_each(|attnum| add(*attnum)),
        }
        for shared in problem.shared {
            if let Shared::Flag(attnum) = shared {
                add(*attnum);
            }
        }
        // Constraints on these columns, and once more on the columns that those mention.
        let touches = |expr: &Expr, columns: &BTreeMap<i16, Type>| {
            let mut own = BTreeMap::new();
            note(expr, &mut own);
            own.keys().any(|attnum| columns.contains_key(attnum))
        };
        let mut checks: Vec<(&str, &Expr)> = Vec::new();
        for _ in 0..2 {
            checks = problem
                .checks
                .iter()
                .copied()
                .filter(|(_, check)| touches(check, &columns))
                .collect();
            for (_, check) in &checks {
                note(check, &mut columns);
            }
        }
        if problem.state == State::Bound
            && let Tenancy::Columns(list) = &problem.scope.tenancy
            && list.iter().any(|attnum| {
                columns
                    .get(attnum)
                    .is_none_or(|ty| ty.sort != problem.tenant.sort)
            })
        {
            // Values of different types do not compare.
            return None;
        }
        let exprs: Vec<&Expr> = problem
            .premises
            .iter()
            .copied()
            .chain(checks.iter().map(|(_, check)| *check))
            .collect();
        settings.retain(|name, _| can_be_set(problem.symbols, problem.session, name));
        Some(Self {
            problem,
            columns,
            settings,
            checks,
            mentioned: Mentioned::new(&exprs),
            trials: 0,
            plain: Vec::new(),
            special: Vec::new(),
        })
    }

    pub(super) fn tenancy_columns(&self) -> &'a [i16] {
        match &self.problem.scope.tenancy {
            Tenancy::Columns(columns) | Tenancy::Parent { columns, .. } => columns,
        }
    }

    pub(super) fn patterns(&self, attnum: i16) -> Vec<Pattern> {
        let checks: Vec<&Expr> = self.checks.iter().map(|(_, check)| *check).collect();
        candidates::patterns(&checks, attnum)
    }

    /// Whether a row takes this column's value from the row before it.
    fn is_fixed(&self, row: usize, attnum: i16) -> bool {
        row > 0 && self.problem.scope.fixed_columns.contains(&attnum)
    }

    /// Tries a model with one of its choices changed, then with two.
    fn vary(&mut self, guess: &Model, pair: Option<&(Value, Value)>, limit: usize) -> Option<Model> {
        let fallback = (Value::Text("ten_1".into()), Value::Text("ten_2".into()));
        let mut options: Vec<(Variable, Vec<Option<Value>>)> = Vec::new();
        for row in 0..self.problem.premises.len() {
            for (attnum, ty) in &self.columns {
                if self.is_fixed(row, *attnum) {
                    continue;
                }
                let patterns = self.patterns(*attnum);
                let pair = pair.unwrap_or(&fallback);
                let list = candidates::column(self.problem.symbols, *ty, &patterns, &self.mentioned, pair);
                options.push((Variable::Column(row, *attnum), list));
            }
        }
        for name in self.settings.keys() {
            let list = candidates::setting(&self.mentioned, pair)
                .into_iter()
                .map(|text| text.map(Value::Text));
            options.push((Variable::Setting(name.clone()), list.collect()));
        }
        for (index, (first, first_options)) in options.iter().enumerate() {
            for value in first_options {
                let changed = change(guess.clone(), first, value.as_ref());
                if let Some(found) = self.accept(changed) {
                    return Some(found);
                }
            }
            for (second, second_options) in &options[..index] {
                for value in first_options {
                    let changed = change(guess.clone(), first, value.as_ref());
                    for other in second_options {
                        if self.trials > limit {
                            return None;
                        }
                        if let Some(found) = self.accept(change(changed.clone(), second, other.as_ref())) {
                            return Some(found);
                        }
                    }
                }
            }
        }
        None
    }

    /// The model, if it is a counterexample.
    fn accept(&mut self, mut model: Model) -> Option<Model> {
        self.trials += 1;
        if self.trials > MAX_TRIALS {
            return None;
        }
        for row in 1..model.rows.len() {
            for attnum in &self.problem.scope.fixed_columns {
                match model.rows[0].get(attnum).cloned() {
                    Some(value) => model.rows[row].insert(*attnum, value),
                    None => model.rows[row].remove(attnum),
                };
            }
        }
        for row in &model.rows {
            for (attnum, value) in row {
                let column = self.problem.relation.column(*attnum)?;
                let is_nobodys =
                    *value == Some(Value::Text(String::new())) && self.tenancy_columns().contains(attnum);
                if is_nobodys || value.is_none() && column.not_null {
                    return None;
                }
            }
        }
        let (scope, goal) = (self.problem.scope, self.problem.goal);
        let wanted = goal.is_none_or(|row| model.is_foreign(row, scope))
            && !model.may_be_shared(goal.unwrap_or(0), scope, self.problem.shared);
        if !wanted || !model.satisfies(self.problem.symbols, self.problem.premises) {
            return None;
        }
        if self.problem.state == State::Bound && model.tenant.is_none() && self.problem.goal.is_some() {
            // A tenant whose value cannot be written down: only where nothing depends on it.
            let reads_tenant = self
                .problem
                .premises
                .iter()
                .any(|premise| self.reads_binding(premise));
            if reads_tenant {
                return None;
            }
        }
        self.check_constraints(model)
    }

    fn reads_binding(&self, premise: &Expr) -> bool {
        let session = self.problem.session;
        let mut found = false;
        premise.walk(&mut |expr| {
            if let Expr::Setting(setting) = expr {
                found |= setting.name.eq_ignore_ascii_case(&session.setting)
                    || session
                        .binding
                        .keys()
                        .any(|name| name.eq_ignore_ascii_case(&setting.name));
            }
            found |= *expr == Expr::CurrentUser && session.role_template.is_some();
            !found
        });
        found
    }

    /// Whether its tenants are special: named by the expressions, or such as only certain tenants are.
    fn is_special(&self, model: &Model) -> bool {
        let row = self.problem.goal.unwrap_or(0);
        let tenants = self
            .tenancy_columns()
            .iter()
            .filter_map(|attnum| model.rows[row].get(attnum)?.as_ref());
        tenants.chain(&model.tenant).any(|value| {
            let is_named = self.mentioned.values.iter().any(|(_, named)| named == value);
            is_named || self.special.contains(value) && !self.plain.contains(value)
        })
    }

    /// The model, unless a constraint forbids one of its rows; with the constraints that could not be evaluated.
    fn check_constraints(&self, mut model: Model) -> Option<Model> {
        let mut unchecked = BTreeSet::new();
        for row in 0..model.rows.len() {
            let world = model.world(self.problem.symbols, row);
            for (name, check) in &self.checks {
                match world.eval(check) {
                    Outcome::Value(Some(Value::Bool(false))) | Outcome::Error => return None,
                    Outcome::Value(_) => {}
                    Outcome::Unknown => {
                        unchecked.insert(format!("constraint {name}"));
                    }
                }
            }
            for (attnum, ty) in &self.columns {
                let value = model.rows[row].get(attnum).and_then(Option::as_ref);
                if value.is_some_and(|value| !value.is_storable(*ty)) {
                    return None;
                }
                let column = self.problem.relation.column(*attnum)?;
                if column.generated {
                    unchecked.insert(format!("generated column {}", column.name));
                }
                let types = &self.problem.symbols.types;
                let named = types.get(&column.type_id).map(|named| &named.kind);
                let is_constrained =
                    |kind: &TypeKind| matches!(kind, TypeKind::Domain { constrained, .. } if *constrained);
                if named.is_some_and(is_constrained) {
                    unchecked.insert(format!("domain of column {}", column.name));
                }
            }
        }
        model.unchecked = unchecked;
        model.is_special = self.is_special(&model);
        Some(model)
    }
}

fn change(mut model: Model, variable: &Variable, value: Option<&Value>) -> Model {
    match variable {
        Variable::Column(row, attnum) => {
            model.rows[*row].insert(*attnum, value.cloned());
        }
        Variable::Setting(name) => {
            let text = match value {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            };
            model.settings.insert(name.clone(), text);
        }
    }
    model
}

/// Whether any session may set this to any text: a placeholder, which has a dot in its name, and is not the binding's.
fn can_be_set(symbols: &Symbols, session: &Session, name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
    };
    let is_binding = name.eq_ignore_ascii_case(&session.setting)
        || session
            .binding
            .keys()
            .any(|binding| binding.eq_ignore_ascii_case(name));
    name.contains('.') && name.split('.').all(is_part) && !is_binding && !symbols.parameters.contains(name)
}
