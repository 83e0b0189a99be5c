//! Queries that somebody else wrote, views and materialized views, as a door: what comes back when a session reads one.

use std::sync::Arc;

use super::attempt::{Attempt, Sign, State};
use super::marks::{BOTH, Known, Marks, OTHER, OWN, Wanted};
use super::rows::{Place, Side};
use super::session::Session;
use crate::error::Result;
use crate::sql::{Ident, Literal, QualifiedName};

/// Rows that are looked at. Those with a tenant's marks come first.
const MOST_ROWS: usize = 100;

/// Columns that are searched for marks: `concat_ws` takes no more than a hundred arguments.
const MOST_COLUMNS: usize = 90;

/// Columns that a function of the session's own looks at: all of them together must cost next to nothing.
const MOST_PEEKS: usize = 24;

/// A session at a door, and what it knows tenants' rows by.
#[derive(Debug, Clone)]
pub(crate) struct Visitor<'a> {
    pub(crate) session: &'a Session,
    pub(crate) tenants: [String; 2],
    pub(crate) canaries: [String; 2],
    pub(crate) marks: Arc<Marks>,
    /// Rows that the door may lead to.
    pub(crate) places: Vec<Place>,
}

impl Visitor<'_> {
    /// What must not come back in this state.
    pub(crate) fn wanted(&self, state: State, given: Vec<String>, known: Option<Known>) -> Wanted {
        Wanted {
            marks: Arc::clone(&self.marks),
            sides: if state == State::Bound { OTHER } else { BOTH },
            given,
            known,
        }
    }

    /// What should come back.
    pub(crate) fn own(&self) -> Wanted {
        Wanted {
            marks: Arc::clone(&self.marks),
            sides: OWN,
            given: Vec::new(),
            known: None,
        }
    }

    /// An attempt of one statement.
    pub(crate) fn attempt(
        &self,
        state: State,
        what: &'static str,
        statement: String,
        sign: Sign,
    ) -> Result<Attempt> {
        let mut attempt = self
            .session
            .attempt(state, &self.tenants[0], what, statement, sign)?;
        attempt.rows.clone_from(&self.places);
        Ok(attempt)
    }

    /// An expression that is true for a row whose text holds a tenant's marks.
    pub(crate) fn marked(&self, text: &str, side: Side) -> Result<String> {
        let side = usize::from(side == Side::B);
        let holds = |what: &String| -> Result<String> {
            Ok(format!("pg_catalog.strpos({text}, {}) > 0", Literal::new(what)?))
        };
        Ok(format!(
            "{} OR {}",
            holds(&self.canaries[side])?,
            holds(&self.tenants[side])?
        ))
    }
}

/// A view or materialized view.
#[derive(Debug, Clone)]
pub(crate) struct Look<'a> {
    pub(crate) visitor: Visitor<'a>,
    pub(crate) name: QualifiedName,
    /// Those that the role may read.
    pub(crate) columns: Vec<Ident>,
    /// What brings its rows up to date, as the connection's own role: REFRESH.
    pub(crate) refresh: String,
}

impl Look<'_> {
    fn columns(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    /// A row as one text.
    fn text(&self) -> String {
        let names: Vec<_> = self
            .columns
            .iter()
            .take(MOST_COLUMNS)
            .map(ToString::to_string)
            .collect();
        format!("pg_catalog.concat_ws(' ', {})", names.join(", "))
    }

    /// Rows of the view, those with marks of a side first.
    fn statement(&self, side: Side) -> Result<String> {
        let text = self.text();
        Ok(format!(
            "SELECT {} FROM {} ORDER BY ({}) DESC LIMIT {MOST_ROWS}",
            self.columns(),
            self.name,
            self.visitor.marked(&text, side)?
        ))
    }

    /// Reading it in `state`.
    pub(crate) fn read(&self, state: State) -> Result<Vec<Attempt>> {
        if self.columns.is_empty() {
            return Ok(Vec::new());
        }
        let sign = Sign::Shows(self.visitor.wanted(state, Vec::new(), None));
        let statement = self.statement(Side::B)?;
        let mut attempt = self.visitor.attempt(state, "reading it", statement, sign)?;
        attempt.trial.before.clone_from(&self.refresh);
        attempt.compared = state == State::Bound;
        let mut attempts = vec![attempt];
        if state == State::Bound && self.refresh.is_empty() {
            // A condition of the session's own must not be asked before the view's.
            let wanted = format!(
                "{{\"{}\",\"{}\"}}",
                self.visitor.tenants[1], self.visitor.canaries[1]
            );
            let wanted = Literal::new(&wanted)?;
            let peeks: Vec<_> = self
                .columns
                .iter()
                .take(MOST_PEEKS)
                .map(|column| format!("pg_temp.rls_tool_peek({column}, {wanted})"))
                .collect();
            let statement = format!(
                "SELECT {} FROM {} WHERE {}",
                self.columns(),
                self.name,
                peeks.join(" OR ")
            );
            attempts.push(
                self.visitor
                    .attempt(state, "with a leaky function", statement, Sign::Reaches)?,
            );
        }
        Ok(attempts)
    }

    /// The control: the session's own rows show.
    pub(crate) fn control(&self) -> Result<std::result::Result<Attempt, &'static str>> {
        if self.columns.is_empty() {
            return Ok(Err("the role may read no column"));
        }
        let sign = Sign::Answers(self.visitor.own());
        let mut attempt =
            self.visitor
                .attempt(State::Bound, "its own rows", self.statement(Side::A)?, sign)?;
        attempt.trial.before.clone_from(&self.refresh);
        Ok(Ok(attempt))
    }
}
