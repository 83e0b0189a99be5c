//! A function as the probes see it, and the attempts on it.

use super::arguments::{Argument, Call, Caller, Knowledge};
use super::guesses::HOSTILE_TEXT;
use crate::attack::attempt::{Attempt, Sign, State};
use crate::attack::look::Visitor;
use crate::attack::marks::Known;
use crate::attack::rows::{Literal, Scene, Seed, constant};
use crate::catalog::{Function, FunctionKind, Volatility};
use crate::error::Result;
use crate::sql::{Literal as Quoted, QualifiedName};

/// Rows of a result that are looked at.
const MOST_ROWS: usize = 200;

/// Calls of a session that is bound to nobody.
const MOST_UNBOUND: usize = 24;

/// A function or procedure as a door.
#[derive(Debug, Clone)]
pub(crate) struct Routine<'a> {
    pub(crate) visitor: Visitor<'a>,
    pub(crate) name: QualifiedName,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) kind: FunctionKind,
    /// Whether it can change anything.
    pub(crate) writes: bool,
    pub(crate) variadic: bool,
    /// A result that a FROM clause takes: anything but a record of unknown columns.
    pub(crate) in_from: bool,
    /// What says how the other tenant's rows look, as the connection's own role.
    pub(crate) witness: String,
    pub(crate) calls: Vec<Call>,
    /// Relations that the body names without a schema.
    pub(crate) shadows: Vec<Shadow>,
}

/// A relation that a temporary one of the same name can stand before.
#[derive(Debug, Clone)]
pub(crate) struct Shadow {
    pub(crate) name: QualifiedName,
    /// Every column by its name and type, with a value that the planner cannot know: no condition is decided before the
    /// function in it has run.
    pub(crate) columns: Vec<String>,
    /// What tells the other tenant's rows.
    pub(crate) condition: String,
}

impl<'a> Routine<'a> {
    /// The function with the calls to make.
    pub(crate) fn new(
        visitor: Visitor<'a>,
        function: &Function,
        arguments: Vec<Argument>,
        in_from: bool,
        witness: String,
        (scene, tables): (&Scene, Vec<usize>),
    ) -> Result<Self> {
        let table_names = tables
            .iter()
            .map(|&table| scene.shapes[table].name.plain())
            .collect();
        let calls = Caller {
            scene,
            arguments: &arguments,
            tables,
            tenants: &visitor.tenants,
            table_names,
            seed: Seed::fixed(u64::from(function.oid)),
        }
        .calls();
        Ok(Self {
            name: QualifiedName::new(&*function.schema, &*function.name)?,
            kind: function.kind,
            writes: function.volatility == Volatility::Volatile,
            variadic: function.variadic != 0,
            visitor,
            arguments,
            in_from,
            witness,
            calls,
            shadows: Vec::new(),
        })
    }

    fn statement(&self, values: &[Literal]) -> Result<String> {
        let mut list = Vec::new();
        for (place, (value, argument)) in values.iter().zip(&self.arguments).enumerate() {
            let variadic = if self.variadic && place + 1 == values.len() {
                "VARIADIC "
            } else {
                ""
            };
            list.push(format!("{variadic}{}::{}", constant(value)?, argument.ty.sql));
        }
        let call = format!("{}({})", self.name, list.join(", "));
        Ok(match (self.kind, self.in_from) {
            (FunctionKind::Procedure, _) => format!("CALL {call}"),
            (_, true) => format!("SELECT * FROM {call} LIMIT {MOST_ROWS}"),
            (_, false) => format!("SELECT {call} LIMIT {MOST_ROWS}"),
        })
    }

    fn attempt(&self, state: State, call: &Call, sign: Sign) -> Result<Attempt> {
        self.visitor
            .attempt(state, call.what, self.statement(&call.values)?, sign)
    }

    fn given(call: &Call) -> Vec<String> {
        call.values.iter().flatten().cloned().collect()
    }

    /// Whether the session may make the call in this state without having content of a row.
    fn is_fair(state: State, call: &Call) -> bool {
        state == State::Bound || !matches!(call.knowledge, Knowledge::Content(_))
    }

    /// The calls that are made in this state.
    fn fair_calls(&self, state: State) -> impl Iterator<Item = &Call> {
        let most = if state == State::Bound {
            usize::MAX
        } else {
            MOST_UNBOUND
        };
        let fair = self.calls.iter().filter(move |call| Self::is_fair(state, call));
        fair.take(most)
    }

    /// What comes back.
    pub(crate) fn read(&self, state: State) -> Result<Vec<Attempt>> {
        let mut attempts = Vec::new();
        for call in self.fair_calls(state) {
            let known: Option<Known> = match &call.knowledge {
                Knowledge::Content(known) => Some(known.clone()),
                // Bound to nobody, a tenant that looks up its own row is no more than that.
                Knowledge::Own(known) if state != State::Bound => known.clone(),
                _ => None,
            };
            let sign = Sign::Shows(self.visitor.wanted(state, Self::given(call), known));
            let mut attempt = self.attempt(state, call, sign)?;
            attempt.compared = state == State::Bound && !matches!(call.knowledge, Knowledge::Content(_));
            attempts.push(attempt);
        }
        Ok(attempts)
    }

    /// What becomes of the other tenant's rows.
    pub(crate) fn change(&self, state: State) -> Result<Vec<Attempt>> {
        if !self.writes || self.witness.is_empty() {
            return Ok(Vec::new());
        }
        let mut attempts = Vec::new();
        for call in self.fair_calls(state) {
            let mut attempt = self.attempt(state, call, Sign::Disturbs)?;
            attempt.trial.before.clone_from(&self.witness);
            attempt.trial.witness.clone_from(&self.witness);
            attempts.push(attempt);
        }
        Ok(attempts)
    }

    /// Puts a view of the session's own before a table that the body names, with a function in it that tells what the
    /// function's owner can see.
    pub(crate) fn shadow(&self) -> Result<Vec<Attempt>> {
        let Some(call) = self
            .calls
            .iter()
            .find(|call| !matches!(call.knowledge, Knowledge::Content(_)) && call.what != HOSTILE_TEXT)
        else {
            return Ok(Vec::new());
        };
        let mut attempts = Vec::new();
        for shadow in &self.shadows {
            let body = format!(
                "DECLARE found text; BEGIN SELECT pg_catalog.string_agg(x::text, ' ') INTO found FROM {} AS x WHERE {}; \
                 IF found IS NOT NULL THEN RAISE EXCEPTION '%', found; END IF; RETURN true; END",
                shadow.name, shadow.condition
            );
            let lure = [
                format!(
                    "CREATE FUNCTION pg_temp.rls_tool_steal() RETURNS boolean LANGUAGE plpgsql AS {}",
                    Quoted::new(&body)?
                ),
                format!(
                    "CREATE TEMP VIEW {} AS SELECT {}",
                    shadow.name.name,
                    shadow.columns.join(", ")
                ),
                format!("GRANT SELECT ON pg_temp.{} TO PUBLIC", shadow.name.name),
                // From PostgreSQL 18 on a session remembers what a function's names meant when it called it first.
                "DISCARD PLANS".to_owned(),
            ];
            let wanted = self
                .visitor
                .wanted(State::Bound, vec![self.visitor.tenants[1].clone()], None);
            let mut attempt = self.attempt(State::Bound, call, Sign::Shows(wanted))?;
            attempt.what = "standing a temporary view before a table that it reads";
            attempt.trial.statements.splice(0..0, lure);
            attempts.push(attempt);
        }
        Ok(attempts)
    }

    /// Controls: own values, else plain ones; one that answers is enough.
    pub(crate) fn controls(&self, nothing_returned: bool) -> Result<Vec<Attempt>> {
        let sign = || {
            if nothing_returned {
                Sign::Completes
            } else {
                Sign::Answers(self.visitor.own())
            }
        };
        let fair = |call: &&Call| !matches!(call.knowledge, Knowledge::Content(_));
        self.calls
            .iter()
            .filter(fair)
            .take(MOST_UNBOUND)
            .map(|call| self.attempt(State::Bound, call, sign()))
            .collect()
    }
}
