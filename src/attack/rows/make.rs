//! Fills the tables: two tenants, two rows of each in every tenant-scoped table, one row in every table that those
//! refer to and that belongs to nobody.
//!
//! Rows go in as the connection's own role, a savepoint each, many in flight; after a refusal the row is tried again
//! in a plainer form or in a bound session, and what is refused for good is remembered with PostgreSQL's reason.

use std::collections::BTreeSet;

use super::order::Order;
use super::row::Row;
use super::scene::{Belongs, PLAIN, Place, Scene, Side};
use crate::attack::sandbox::{Answer, Sandbox};
use crate::error::Result;

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
                // A bound session is no remedy for a value that does not fit, and costs the state "never set".
                let hopeless = failure.is_timeout()
                    // A CHECK may well rule such a row out: then no policy lets it through either.
                    || place.2 >= PLAIN
                    || ATTEMPTS
                        .get(attempt)
                        .is_some_and(|next| next.bound && (place.2 > 0 || failure.is_about_values()));
                if attempt == ATTEMPTS.len() || hopeless {
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
                    // One more than A has: what reaches B's rows then reaches more than A's own.
                    [
                        (Side::A, 0),
                        (Side::B, 0),
                        (Side::A, 1),
                        (Side::B, 1),
                        (Side::B, 2),
                    ]
                    .map(|(side, number)| (table, side, number)),
                ),
            }
            if self.belongs[table] != Belongs::ToNobody {
                for number in (0..self.variants[table].len()).map(|number| number + PLAIN) {
                    // Further tenants are not the session's own.
                    let is_tenant = matches!(self.belongs[table], Belongs::IsTenant(_));
                    let sides = [Side::A, Side::B]
                        .into_iter()
                        .filter(|side| !is_tenant || *side == Side::B);
                    queue.extend(sides.map(|side| (table, side, number)));
                }
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
        if let (Belongs::IsTenant(column), 0) = (self.belongs[place.0], place.2) {
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
