//! The prover: one session, many tables.
//!
//! Trees are lowered once for all tables that share their text, and questions are answered once for all tables that
//! are alike in everything that the policies look at.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::answer::{Answer, Question, answer};
use super::cache::Lowerings;
use super::combine::{Effective, Filter, combine};
use super::ir::Expr;
use super::logic::State;
use super::lower::{Context, Lowered, Quiet};
use super::question::{Command, Scope, Session, Statement, TablePolicies, Tenancy};
use super::report;
use super::symbols::{Relation, Symbols};
use super::verdict::{Aspect, CommandVerdict, Undecided, Verdict};

/// Decides about tables for one session.
#[derive(Debug)]
pub struct Prover<'s> {
    symbols: &'s Symbols,
    session: Session,
    quiet: Quiet<'s>,
    lowerings: RefCell<Lowerings>,
    /// Filters, put together: by the lowerings they are made of.
    filters: RefCell<HashMap<Vec<usize>, Arc<Lowered>>>,
    answers: RefCell<HashMap<Key, Arc<Answer>>>,
    /// What applies where row security does not.
    unrestricted: Arc<Lowered>,
}

/// What an answer depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    /// The numbers of the lowered premises and constraints.
    premises: Vec<usize>,
    checks: Vec<usize>,
    /// `(attnum, type, typmod, not null, generated)` of the columns that matter.
    columns: Vec<(i16, u32, i32, bool, bool)>,
    scope: String,
    shared: bool,
    aspect: Aspect,
    /// The table, where it matters which it is.
    relation: u32,
    /// How many tables were proven before, where others' rows are looked up.
    learned: usize,
}

impl<'s> Prover<'s> {
    /// A prover for one session on one catalog.
    pub fn new(symbols: &'s Symbols, session: Session) -> Self {
        Self {
            symbols,
            session,
            quiet: Quiet::new(symbols),
            lowerings: RefCell::default(),
            filters: RefCell::default(),
            answers: RefCell::default(),
            unrestricted: Arc::new(Lowered {
                id: 0,
                expr: Expr::TRUE,
                hazards: BTreeSet::new(),
                reads: false,
                lasts: true,
            }),
        }
    }

    /// The session that is reasoned about.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Notes that a table was proven for SELECT (every aspect), for policies of other tables that look rows up in it.
    pub fn learn(&mut self, relation: u32, tenancy: Tenancy) {
        self.session.tenancies.insert(relation, tenancy);
        self.session.proven.insert(relation);
    }

    /// What holds for one statement on one table.
    pub fn prove(
        &self,
        table: &TablePolicies,
        scope: &Scope,
        statement: impl Into<Statement>,
    ) -> CommandVerdict {
        let statement = statement.into();
        let aspects = Aspect::of(statement.command);
        let Some(relation) = self.symbols.relations.get(&table.relation) else {
            let missing = Verdict::Undecided(Undecided {
                reason: "the table is not in the catalog".into(),
                expression: format!("relation {}", table.relation),
            });
            return CommandVerdict {
                command: statement.command,
                policies: Vec::new(),
                aspects: aspects.iter().map(|aspect| (*aspect, missing.clone())).collect(),
            };
        };
        let effective = combine(&self.session, relation, table, statement);
        let (premises, policies) = match &effective {
            Effective::Unrestricted(_) => {
                let all = Arc::clone(&self.unrestricted);
                let rows = if statement.command == Command::Update {
                    2
                } else {
                    1
                };
                (vec![all; rows], Vec::new())
            }
            Effective::Filtered {
                rows,
                written,
                policies,
            } => {
                let filters = [rows, written].into_iter().filter(|filters| !filters.is_empty());
                let premises = filters.map(|filters| self.premise(filters)).collect();
                let mut names: Vec<String> = policies.iter().map(|policy| policy.name.clone()).collect();
                names.sort();
                names.dedup();
                (premises, names)
            }
        };
        let unrestricted = match effective {
            Effective::Unrestricted(reason) => Some(reason),
            Effective::Filtered { .. } => None,
        };
        let aspects = aspects
            .iter()
            .filter(|aspect| self.is_applicable(**aspect, relation, scope))
            .map(|aspect| {
                let answer = self.answer(
                    table.relation,
                    relation,
                    scope,
                    &premises,
                    (statement.command, *aspect),
                );
                let context = report::Context {
                    symbols: self.symbols,
                    session: &self.session,
                    relation_id: table.relation,
                    relation,
                    scope,
                    statement,
                    unrestricted,
                };
                (*aspect, report::verdict(&context, &answer, &premises, *aspect))
            });
        CommandVerdict {
            command: statement.command,
            policies,
            aspects: aspects.collect(),
        }
    }

    /// Whether there is a text that is no tenant's value.
    fn is_applicable(&self, aspect: Aspect, relation: &Relation, scope: &Scope) -> bool {
        use super::value::Sort;
        let sort = super::answer::tenant_type(self.symbols, &self.session, relation, &scope.tenancy).sort;
        aspect != Aspect::Garbage || matches!(sort, Sort::Uuid | Sort::Int)
    }

    fn lower(&self, tree: &super::Tree) -> Arc<Lowered> {
        let context = Context {
            symbols: self.symbols,
            session: &self.session,
            quiet: &self.quiet,
        };
        self.lowerings.borrow_mut().get(context, tree)
    }

    /// One expression that is true of the rows which pass all filters.
    fn premise(&self, filters: &[Filter<'_>]) -> Arc<Lowered> {
        let mut key = Vec::new();
        let mut lowered = Vec::new();
        for filter in filters {
            let of = |trees: &[&super::Tree]| -> Vec<Arc<Lowered>> {
                let mut list: Vec<Arc<Lowered>> = trees.iter().map(|tree| self.lower(tree)).collect();
                list.sort_by_key(|lowered| lowered.id);
                list.dedup_by_key(|lowered| lowered.id);
                list
            };
            let (permissive, restrictive) = (of(&filter.permissive), of(&filter.restrictive));
            key.extend(permissive.iter().map(|lowered| lowered.id));
            key.push(usize::MAX);
            key.extend(restrictive.iter().map(|lowered| lowered.id));
            key.push(usize::MAX);
            lowered.push((permissive, restrictive));
        }
        if let [(permissive, restrictive)] = lowered.as_slice()
            && let ([only], []) = (permissive.as_slice(), restrictive.as_slice())
        {
            return Arc::clone(only);
        }
        let id = || self.lowerings.borrow_mut().next_id();
        let mut filters = self.filters.borrow_mut();
        Arc::clone(
            filters
                .entry(key)
                .or_insert_with(|| Arc::new(join(&lowered, id()))),
        )
    }

    fn answer(
        &self,
        id: u32,
        relation: &Relation,
        scope: &Scope,
        premises: &[Arc<Lowered>],
        (command, aspect): (Command, Aspect),
    ) -> Arc<Answer> {
        let mut attnums: BTreeSet<i16> = match &scope.tenancy {
            Tenancy::Columns(columns) | Tenancy::Parent { columns, .. } => columns.iter().copied().collect(),
        };
        for shared in &scope.shared {
            if let super::Shared::Flag(attnum) = shared {
                attnums.insert(*attnum);
            }
        }
        for premise in premises {
            columns_of(&premise.expr, &mut attnums);
        }
        // Constraints on these columns; those that are about other columns alone do not matter.
        let checks: Vec<(&str, Arc<Lowered>)> = relation
            .checks
            .iter()
            .filter(|check| mentions(check.tree.as_str(), &attnums))
            .map(|check| (&*check.name, self.lower(&check.tree)))
            .collect();
        for (_, check) in &checks {
            columns_of(&check.expr, &mut attnums);
        }
        let columns = attnums
            .iter()
            .filter_map(|attnum| relation.column(*attnum))
            .map(|column| {
                (
                    column.attnum,
                    column.type_id,
                    column.typmod,
                    column.not_null,
                    column.generated,
                )
            });
        let is_itself_looked_up = self
            .session
            .memberships
            .iter()
            .any(|membership| membership.relation == id)
            || matches!(&scope.tenancy, Tenancy::Parent { .. });
        // What every tenant may see, every tenant may not write.
        let shared = if command == Command::Select {
            scope.shared.as_slice()
        } else {
            &[]
        };
        let key = Key {
            shared: !shared.is_empty(),
            premises: premises.iter().map(|premise| premise.id).collect(),
            checks: checks.iter().map(|(_, check)| check.id).collect(),
            columns: columns.collect(),
            scope: format!("{scope:?}"),
            aspect,
            relation: if is_itself_looked_up { id } else { 0 },
            learned: if premises.iter().any(|premise| premise.reads) {
                self.session.proven.len()
            } else {
                0
            },
        };
        if let Some(known) = self.answers.borrow().get(&key) {
            return Arc::clone(known);
        }
        let checks: Vec<(&str, &Lowered)> = checks
            .iter()
            .map(|(name, check)| (*name, check.as_ref()))
            .collect();
        let premises: Vec<&Lowered> = premises.iter().map(AsRef::as_ref).collect();
        let (state, goal) = match (aspect, premises.len()) {
            (Aspect::Row, _) => (State::Bound, Some(0)),
            (Aspect::WrittenRow, rows) => (State::Bound, Some(rows - 1)),
            (Aspect::NeverSet, _) => (State::NeverSet, None),
            (Aspect::EmptyString, _) => (State::EmptyString, None),
            (Aspect::Garbage, _) => (State::Garbage, None),
        };
        let question = Question {
            symbols: self.symbols,
            session: &self.session,
            relation_id: id,
            relation,
            scope,
            state,
            goal,
            shared,
            premises: &premises,
            checks: &checks,
        };
        let found = Arc::new(answer(&question));
        self.answers.borrow_mut().insert(key, Arc::clone(&found));
        found
    }
}

/// Whether a tree has a variable with one of these numbers, which is where columns are.
fn mentions(tree: &str, attnums: &BTreeSet<i16>) -> bool {
    let numbers = tree
        .split(":varattno ")
        .skip(1)
        .filter_map(|rest| rest.split(' ').next()?.parse().ok());
    numbers.into_iter().any(|number| attnums.contains(&number))
}

/// Adds the columns of the table that an expression looks at.
fn columns_of(expr: &Expr, columns: &mut BTreeSet<i16>) {
    expr.walk(&mut |expr| {
        if let Expr::Column { row: 0, attnum, .. } = expr {
            columns.insert(*attnum);
        }
        true
    });
}

/// The permissive expressions of a filter, and the restrictive ones.
type Kinds = (Vec<Arc<Lowered>>, Vec<Arc<Lowered>>);

/// Permissive expressions joined by OR, the restrictive ones by AND on top, and filters by AND.
fn join(filters: &[Kinds], id: usize) -> Lowered {
    let mut all = Vec::new();
    let mut hazards = BTreeSet::new();
    // Rows of sub-selects are numbered in each expression from 1; put together they must not be taken for each other.
    let mut next = 1;
    let mut take = |lowered: &Lowered, hazards: &mut BTreeSet<_>| {
        hazards.extend(lowered.hazards.iter().cloned());
        let (expr, highest) = super::ir::shift_rows(&lowered.expr, next - 1);
        next = highest + 1;
        expr
    };
    for (permissive, restrictive) in filters {
        let any: Vec<Expr> = permissive
            .iter()
            .map(|lowered| take(lowered, &mut hazards))
            .collect();
        let any = match any.len() {
            0 => Expr::FALSE,
            1 => any.into_iter().next().unwrap_or(Expr::FALSE),
            _ => Expr::Or(any),
        };
        all.extend(restrictive.iter().map(|lowered| take(lowered, &mut hazards)));
        all.push(any);
    }
    let expr = match all.len() {
        1 => all.remove(0),
        _ => Expr::And(all),
    };
    let reads = expr.has_query();
    Lowered {
        id,
        expr,
        hazards,
        reads,
        lasts: false,
    }
}
