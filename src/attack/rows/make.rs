//! Fills the tables: two tenants, two rows of each in every tenant-scoped table, one row in every table that those
//! refer to and that belongs to nobody.
//!
//! Rows go in as the connection's own role, a savepoint each, many in flight; after a refusal the row is tried again
//! in a plainer form or in a bound session, and what is refused for good is remembered with PostgreSQL's reason.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Order;
use super::plan::{Plan, Source};
use super::recipe::Recipe;
use super::row::Row;
use super::seed::Seed;
use super::shape::Shape;
use super::value::{self, Wish};
use crate::attack::sandbox::{Answer, Sandbox};
use crate::error::Result;

/// Whose row it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    /// The tenant that attacks.
    A,
    /// The tenant that is attacked.
    B,
    /// Nobody: a row of a global table.
    Nobody,
}

/// What a table is to the tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// The rows are the tenants themselves; the column is the tenant's value.
    IsTenant(usize),
    /// By its own column.
    ByColumn(usize),
    /// By its parents alone.
    ByParent,
    /// To nobody.
    ToNobody,
}

impl Belongs {
    /// The column that holds the tenant's value.
    pub(crate) fn column(self) -> Option<usize> {
        match self {
            Self::IsTenant(column) | Self::ByColumn(column) => Some(column),
            Self::ByParent | Self::ToNobody => None,
        }
    }
}

/// A row's place: table, whose, and 0 for the one that others refer to, 1 for one that nothing refers to.
pub(crate) type Place = (usize, Side, usize);

/// The tables and the rows made in them.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) shapes: Vec<Shape>,
    pub(crate) belongs: Vec<Belongs>,
    pub(crate) plans: Vec<Plan>,
    pub(crate) seed: Seed,
    /// The mark in each side's text.
    pub(crate) canaries: [String; 2],
    /// How a tenant's value is made where no table holds the tenants.
    pub(crate) tenant_recipe: (super::types::TypeShape, Recipe),
    /// The tenants' values; known once the tenants' own rows are, or from the start.
    pub(crate) tenants: [Option<String>; 2],
    pub(crate) rows: BTreeMap<Place, Row>,
    /// Rows of global tables that were there already.
    pub(crate) found: BTreeMap<Place, Row>,
    /// The order in which rows were made.
    pub(crate) made: Vec<Place>,
    /// Why a table has no rows.
    pub(crate) refused: BTreeMap<usize, String>,
    /// Whether a session had to be bound to make rows: the setting is then never "never set" again.
    pub(crate) bound: bool,
}

/// How a row is tried, one after the other.
const ATTEMPTS: [Attempt; 5] = [
    Attempt {
        bare: false,
        bound: false,
    },
    // Once more with other random values: a short key may collide.
    Attempt {
        bare: false,
        bound: false,
    },
    Attempt {
        bare: true,
        bound: false,
    },
    Attempt {
        bare: false,
        bound: true,
    },
    Attempt {
        bare: true,
        bound: true,
    },
];

#[derive(Debug, Clone, Copy)]
struct Attempt {
    bare: bool,
    bound: bool,
}

/// How a session is bound to a tenant.
pub(crate) trait Binder: Sync {
    /// Statements that bind the session, until the savepoint ends, to the tenant with this value.
    fn bind(&self, tenant: &str) -> Result<Vec<String>>;
    /// Statements that undo that: the settings become ''.
    fn unbind(&self) -> Result<Vec<String>>;
}

/// One INSERT in flight.
#[derive(Debug)]
struct Entry {
    text: String,
    /// Statements in `text` behind the INSERT.
    after: usize,
}

/// Rows whose INSERTs are in flight together.
const WINDOW: usize = 48;

const SAVEPOINT: &str = "rls_tool_row";

impl Scene {
    /// The mark of a side's text.
    pub(crate) fn canary(&self, side: Side) -> &str {
        match side {
            Side::A => &self.canaries[0],
            Side::B => &self.canaries[1],
            Side::Nobody => "rlstool",
        }
    }

    /// The place of the row of a table that a row of `side` refers to.
    pub(crate) fn row_for(&self, table: usize, side: Side) -> Option<Place> {
        [(table, side, 0), (table, Side::Nobody, 0)]
            .into_iter()
            .find(|place| self.rows.contains_key(place))
    }

    /// A tenant's value.
    pub(crate) fn tenant(&mut self, side: Side) -> Option<&str> {
        let index = match side {
            Side::A => 0,
            Side::B => 1,
            Side::Nobody => return None,
        };
        if self.tenants[index].is_none() && !self.belongs.iter().any(|b| matches!(b, Belongs::IsTenant(_))) {
            let (ty, recipe) = &self.tenant_recipe;
            self.tenants[index] = recipe.make(ty, &self.canaries[index], &mut self.seed).flatten();
        }
        self.tenants[index].as_deref()
    }

    /// A row with fresh values, not made yet; an error is the reason in words.
    pub(crate) fn fresh(&mut self, (table, side, _): Place, bare: bool) -> std::result::Result<Row, String> {
        let plan = &self.plans[table];
        let plan = if bare {
            plan.bare(&self.shapes[table])
        } else {
            plan.clone()
        };
        let mut values = Vec::with_capacity(plan.sources.len());
        for (column, source) in plan.sources.iter().enumerate() {
            values.push(match source {
                Source::Tenant => match self.tenant(side) {
                    Some(value) => Some(Some(value.to_owned())),
                    None => return Err("the table that holds the tenants could not be filled".to_owned()),
                },
                Source::Parent { key, position } => Some(self.from_parent(table, side, *key, *position)?),
                Source::Make(recipe) => {
                    let canary = self.canary(side).to_owned();
                    recipe.make(&self.shapes[table].columns[column].ty, &canary, &mut self.seed)
                }
            });
        }
        Ok(Row { values })
    }

    fn from_parent(
        &mut self,
        table: usize,
        side: Side,
        key: usize,
        position: usize,
    ) -> std::result::Result<Option<String>, String> {
        let foreign = &self.shapes[table].foreign_keys[key];
        let parent = foreign.parent;
        let column = foreign.parent_columns[position];
        let own = foreign.columns[position];
        let nobody = (parent, Side::Nobody, 0);
        let row = self
            .rows
            .get(&(parent, side, 0))
            .or_else(|| self.rows.get(&nobody))
            .or_else(|| self.found.get(&nobody));
        if let Some(value) = row.and_then(|row| row.values.get(column).cloned().flatten()) {
            return Ok(value);
        }
        if self.shapes[table].is_nullable(own) {
            return Ok(None);
        }
        if let Some(reason) = self.refused.get(&parent) {
            let name = self.shapes[parent].name.plain();
            return Err(format!(
                "it refers to {name}, which could not be filled: {reason}"
            ));
        }
        // A parent that comes later (a deferred circle), or a value that only PostgreSQL knows: anything will do, and
        // the constraint says so if it does not.
        let canary = self.canary(side).to_owned();
        Ok(Some(value::sample(
            &self.shapes[table].columns[own].ty,
            Wish::Distinct,
            &canary,
            &mut self.seed,
        )))
    }

    /// Fills the tables in `order`.
    pub(crate) async fn fill(
        &mut self,
        sandbox: &Sandbox<'_>,
        order: &Order,
        binder: &dyn Binder,
    ) -> Result<()> {
        let queue = self.queue(order);
        let mut next = 0;
        let mut attempt = 0;
        while next < queue.len() {
            if sandbox.is_exhausted() {
                for &(table, _, _) in &queue[next..] {
                    self.refused
                        .entry(table)
                        .or_insert_with(|| "the time for all attacks was up".to_owned());
                }
                break;
            }
            let window = self.window(&queue[next..], attempt, binder)?;
            let texts: Vec<_> = window
                .iter()
                .filter_map(|entry| entry.as_ref().ok())
                .map(|e| e.text.clone())
                .collect();
            let mut replies = sandbox.send(&texts).await?.into_iter();
            for entry in window {
                let place = queue[next];
                let failure = match entry {
                    Err(reason) => {
                        self.refuse(sandbox, place, reason).await?;
                        None
                    }
                    Ok(entry) => match replies.next() {
                        Some(Ok(answers)) => {
                            if let Err(reason) = self.accept(place, &entry, answers) {
                                self.refuse(sandbox, place, reason).await?;
                            }
                            None
                        }
                        Some(Err(failure)) => Some(failure),
                        None => break,
                    },
                };
                let Some(failure) = failure else {
                    (next, attempt) = (next + 1, 0);
                    continue;
                };
                let undo = format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}");
                sandbox.must("undo a refused row", &undo).await?;
                attempt += 1;
                if attempt == ATTEMPTS.len() || failure.is_timeout() {
                    self.refuse(sandbox, place, failure.to_string()).await?;
                    (next, attempt) = (next + 1, 0);
                }
                // What was sent after it was never run.
                break;
            }
        }
        let made: BTreeSet<Place> = self.made.iter().copied().collect();
        self.rows.retain(|place, _| made.contains(place));
        Ok(())
    }

    fn queue(&self, order: &Order) -> Vec<Place> {
        let mut queue = Vec::new();
        for &table in &order.tables {
            match self.belongs[table] {
                Belongs::ToNobody => queue.push((table, Side::Nobody, 0)),
                // One row is the tenant itself.
                Belongs::IsTenant(_) => queue.extend([(table, Side::A, 0), (table, Side::B, 0)]),
                _ => queue.extend(
                    [(Side::A, 0), (Side::B, 0), (Side::A, 1), (Side::B, 1)]
                        .map(|(side, number)| (table, side, number)),
                ),
            }
        }
        queue
    }

    /// The next rows and their INSERTs. A row whose parents are missing has a reason instead.
    fn window(
        &mut self,
        places: &[Place],
        attempt: usize,
        binder: &dyn Binder,
    ) -> Result<Vec<std::result::Result<Entry, String>>> {
        let mut window = Vec::new();
        for (index, &place) in places.iter().take(WINDOW).enumerate() {
            let (table, side, number) = place;
            let attempt = ATTEMPTS[if index == 0 { attempt } else { 0 }];
            if let Some(reason) = self.refused.get(&table) {
                window.push(Err(reason.clone()));
                continue;
            }
            let row = match self.fresh(place, attempt.bare) {
                Ok(row) => row,
                Err(reason) => {
                    window.push(Err(reason));
                    // Whatever refers to it has to wait until this is on record.
                    break;
                }
            };
            let shape = &self.shapes[table];
            let mut statements = vec![format!("SAVEPOINT {SAVEPOINT}")];
            let tenant = self.tenants[usize::from(side == Side::B)].as_deref();
            let unbind = match tenant {
                Some(tenant) if attempt.bound && side != Side::Nobody => {
                    self.bound = true;
                    statements.extend(binder.bind(tenant)?);
                    binder.unbind()?
                }
                _ => Vec::new(),
            };
            statements.push(format!(
                "{}{}",
                row.insert(shape, |_| true)?,
                Row::returning(shape)
            ));
            let after = unbind.len() + 1;
            statements.extend(unbind);
            statements.push(format!("RELEASE SAVEPOINT {SAVEPOINT}"));
            if number == 0 {
                // Later rows of this window build on it; it is dropped again if PostgreSQL refuses it.
                if let Belongs::IsTenant(column) = self.belongs[table] {
                    self.tenants[usize::from(side == Side::B)] = row.get(column).map(str::to_owned);
                }
                self.rows.insert(place, row);
            }
            window.push(Ok(Entry {
                text: statements.join("; "),
                after,
            }));
        }
        Ok(window)
    }

    /// Takes over what PostgreSQL stored; an error is the reason why there is nothing.
    fn accept(
        &mut self,
        place: Place,
        entry: &Entry,
        answers: Vec<Answer>,
    ) -> std::result::Result<(), String> {
        let at = answers.len().saturating_sub(entry.after + 1);
        let stored = answers
            .into_iter()
            .nth(at)
            .and_then(|answer| answer.rows.into_iter().next());
        let values = stored.ok_or("a trigger or a rule kept the row out")?;
        let row = Row {
            values: values.into_iter().map(Some).collect(),
        };
        if let Belongs::IsTenant(column) = self.belongs[place.0] {
            self.tenants[usize::from(place.1 == Side::B)] = row.get(column).map(str::to_owned);
        }
        self.rows.insert(place, row);
        self.made.push(place);
        Ok(())
    }

    async fn refuse(&mut self, sandbox: &Sandbox<'_>, place: Place, reason: String) -> Result<()> {
        let (table, side, number) = place;
        self.rows.remove(&place);
        // Without the second row the first has to do.
        if number != 0 {
            return Ok(());
        }
        match self.belongs[table] {
            // A table of given things (countries, plans) may take no more: one that is there serves as well.
            Belongs::ToNobody => {
                let shape = &self.shapes[table];
                let query = format!(
                    "SELECT {} FROM {} LIMIT 1",
                    super::solve::names(shape.columns.iter().map(|column| &column.name)),
                    shape.name
                );
                let found = sandbox.ask(&[query]).await?.pop().flatten();
                if let Some(values) = found.and_then(|answer| answer.rows.into_iter().next()) {
                    let row = Row {
                        values: values.into_iter().map(Some).collect(),
                    };
                    self.found.insert(place, row);
                    return Ok(());
                }
            }
            Belongs::IsTenant(_) => self.tenants[usize::from(side == Side::B)] = None,
            _ => {}
        }
        // Without the first there is nothing to attack.
        self.refused.entry(table).or_insert(reason);
        Ok(())
    }
}
