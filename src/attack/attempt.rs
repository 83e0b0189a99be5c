//! One attempt on a door, and how its outcome is judged.
//!
//! Fail closed: an outcome is a leak or a refusal only where it shows one; everything else stays open, and a door
//! with an open attempt is undecided.

use tokio_postgres::error::SqlState;

use super::marks::Wanted;
use super::rows::{Literal, Place};
use super::sandbox::{Answer, Failure, Trace, Trial};

/// How the session is bound while the attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    /// The setting has never been set in this session: NULL.
    NeverSet,
    /// The setting is '': what an ended transaction leaves behind.
    Empty,
    /// The setting is something that is no tenant.
    Garbage(&'static str),
    /// Bound to tenant A.
    Bound,
}

impl State {
    /// In words, behind "a session".
    pub(crate) fn words(self) -> String {
        match self {
            Self::NeverSet => "that never set the tenant".to_owned(),
            Self::Empty => "whose tenant is ''".to_owned(),
            Self::Garbage(value) => format!("whose tenant is the nonsense {value:?}"),
            Self::Bound => "bound to one tenant".to_owned(),
        }
    }
}

/// What in the outcome shows that the border was crossed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The statement returns a row: it asked for another tenant's rows only.
    Returns,
    /// The statement divides by zero as soon as a policy lets it reach more rows than the session's own.
    Reaches,
    /// The statement is aimed at one row of another tenant; the witness selects that row and does not show these values
    /// any more.
    Changes(Vec<Literal>),
    /// The same for a statement that is aimed at every row.
    ChangesAmongOthers(Vec<Literal>),
    /// The witness finds a row that must not be there. A constraint that stopped it shows as much: PostgreSQL looks at
    /// constraints only when row security has let the row through.
    Stores,
    /// A control: the statement must return or affect a row of the session's own. A constraint shows as much.
    Works,
    /// Something that marks another tenant's rows comes back, in a row or in an error.
    Shows(Wanted),
    /// The witness does not say the same behind the statement as before it.
    Disturbs,
    /// A control for a query or a function that somebody else wrote: it answers with something.
    Answers(Wanted),
    /// The same, and what prepares it is done by a session of the other tenant: where that is refused, there is nothing
    /// to attack.
    ChangesReferring(Vec<Literal>),
    /// The last statement returns a row; whatever fails before that is a refusal.
    Sees,
    /// Nothing by itself: what comes back is compared with what comes back when the other tenant's rows are not there.
    Tells,
    /// A control for a function that returns nothing: it comes to its end.
    Completes,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) state: State,
    /// What is tried, in words: "by its key", "without WHERE".
    pub(crate) what: &'static str,
    pub(crate) trial: Trial,
    pub(crate) sign: Sign,
    /// Rows that have to be there, for a script that repeats the attempt.
    pub(crate) rows: Vec<Place>,
    /// What a person would run instead of the trial's statements, where those are built for measuring.
    pub(crate) plain: Option<String>,
    /// Aimed at every row that the door reaches: made only once it is known to reach none but the session's own.
    pub(crate) unbounded: bool,
    /// What comes back must be the same when the other tenant's rows are not there.
    pub(crate) compared: bool,
}

/// What an attempt showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The border was crossed, or for a control: the door is alive.
    Through(String),
    /// PostgreSQL kept the border.
    Refused(String),
    /// It shows neither, for this reason.
    Open(String),
    /// Whoever knows the content of a row is told whose it is, and no more: refused as far as the border goes.
    LookedUp(String),
}

impl Attempt {
    /// What the session runs, without what the tool asks for itself.
    pub(crate) fn statement(&self) -> String {
        let own = usize::from(self.state == State::NeverSet);
        let statements = self.trial.statements.get(own..).unwrap_or_default();
        statements.join(";\n")
    }

    /// Judges what came back. `None` is an attempt that the budget did not reach.
    pub(crate) fn judge(&self, trace: Option<&Trace>) -> Judgement {
        let Some(trace) = trace else {
            return Judgement::Open("the time for all attacks was up".to_owned());
        };
        for (reply, step) in [
            (&trace.before, "preparing it"),
            (&trace.enter, "becoming the role"),
        ] {
            if let (Err(failure), Sign::ChangesReferring(_), false) =
                (reply, &self.sign, step == "becoming the role")
                && !failure.is_timeout()
            {
                return Judgement::Refused(format!("the other tenant's row cannot refer to it: {failure}"));
            }
            if let Err(failure) = reply {
                return Judgement::Open(format!("{step} failed: {failure}"));
            }
        }
        let mut statements = trace.statements.iter();
        if self.state == State::NeverSet {
            // The first statement asks whether the setting really has never been set.
            let unset = statements
                .next()
                .and_then(|reply| reply.as_ref().ok())
                .and_then(|a| a.first()?.scalar());
            if unset != Some("t") {
                return Judgement::Open("the setting had been set before in this session".to_owned());
            }
        }
        let mut last = None;
        for reply in statements {
            match reply {
                Ok(answers) => last = answers.last(),
                Err(failure) => return self.judge_failure(failure),
            }
        }
        let Some(answer) = last else {
            return Judgement::Open("there was nothing to run".to_owned());
        };
        self.judge_answer(answer, trace)
    }

    fn judge_answer(&self, answer: &Answer, trace: &Trace) -> Judgement {
        let witness = match &trace.witness {
            Ok(answers) => answers.last().map(|answer| answer.rows.as_slice()),
            Err(failure) => return Judgement::Open(format!("looking at the result failed: {failure}")),
        };
        match &self.sign {
            Sign::Returns | Sign::Sees if answer.rows.is_empty() => Judgement::Refused("no row".to_owned()),
            Sign::Returns | Sign::Sees => Judgement::Through(count(answer.rows.len() as u64, "returned")),
            Sign::Reaches => Judgement::Refused("no row reached beyond its own".to_owned()),
            Sign::Changes(was) | Sign::ChangesAmongOthers(was) | Sign::ChangesReferring(was) => match witness
            {
                Some([row]) if row == was => match &self.sign {
                    // Something happened to it all the same: a trigger that undoes the change, perhaps.
                    Sign::Changes(_) if answer.affected > 0 => {
                        Judgement::Open("the row was affected, but looks unchanged".to_owned())
                    }
                    _ => Judgement::Refused("the row is unchanged".to_owned()),
                },
                Some([]) => Judgement::Through("the row is gone".to_owned()),
                Some(_) => Judgement::Through("the row was changed".to_owned()),
                None => Judgement::Open("there was no way to look at the row".to_owned()),
            },
            Sign::Stores => match witness {
                Some([]) => Judgement::Refused("no such row was stored".to_owned()),
                Some(_) => Judgement::Through("the row was stored".to_owned()),
                None if answer.affected == 0 => Judgement::Refused("no row was stored".to_owned()),
                None => Judgement::Through(count(answer.affected, "stored")),
            },
            Sign::Works if answer.rows.is_empty() && answer.affected == 0 => {
                Judgement::Refused("its own row is out of its reach".to_owned())
            }
            Sign::Works => Judgement::Through("works on its own row".to_owned()),
            Sign::Shows(wanted) => wanted.judge(answer),
            Sign::Answers(wanted) => wanted.judge_control(answer),
            Sign::Tells => Judgement::Refused("it tells nothing by itself".to_owned()),
            Sign::Completes => Judgement::Through("it comes to its end".to_owned()),
            Sign::Disturbs => match (trace.before.as_ref().ok().and_then(|all| all.last()), witness) {
                (Some(before), Some(after)) if before.rows == after => {
                    Judgement::Refused("the other tenant's rows are unchanged".to_owned())
                }
                (Some(_), Some(_)) => Judgement::Through("the other tenant's rows were changed".to_owned()),
                _ => Judgement::Open("there was no way to look at the other tenant's rows".to_owned()),
            },
        }
    }

    fn judge_failure(&self, failure: &Failure) -> Judgement {
        match &self.sign {
            Sign::Shows(wanted) => return wanted.judge_failure(failure),
            // A failed call changes nothing.
            // What fails changes nothing and shows nothing.
            Sign::Tells | Sign::Sees | Sign::Disturbs if !failure.is_timeout() => {
                return Judgement::Refused(format!("fails: {failure}"));
            }
            _ => {}
        }
        if self.sign == Sign::Reaches && failure.state == SqlState::DIVISION_BY_ZERO {
            return Judgement::Through("it reaches rows that are not its own".to_owned());
        }
        if failure.is_row_security() {
            return Judgement::Refused("refused by row security".to_owned());
        }
        if failure.is_privilege() {
            return Judgement::Refused(format!("refused for want of a privilege: {}", failure.message));
        }
        if failure.is_constraint() && failure.constraint.is_some() {
            let constraint = failure.constraint.as_deref().unwrap_or_default();
            return match self.sign {
                Sign::Stores | Sign::Changes(_) => Judgement::Through(format!(
                    "row security let it through: only the constraint {constraint} of this row stopped it"
                )),
                Sign::Works => Judgement::Through("works on its own row, up to a constraint".to_owned()),
                // Other rows than the one in question may have been stopped.
                _ => Judgement::Open(failure.to_string()),
            };
        }
        // With no tenant or a nonsensical one, a policy may raise an error (a cast of '' to uuid, say): nothing
        // is returned or changed.
        if self.state != State::Bound && !failure.is_timeout() && raised_by_expression(failure) {
            return Judgement::Refused(format!("fails: {failure}"));
        }
        Judgement::Open(failure.to_string())
    }
}

/// Errors that come of evaluating an expression over a setting: data exceptions (class 22) and an unknown setting.
fn raised_by_expression(failure: &Failure) -> bool {
    failure.state.code().starts_with("22") || failure.state == SqlState::UNDEFINED_OBJECT
}

fn count(number: u64, verb: &str) -> String {
    format!("{number} row{} {verb}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(state: State, sign: Sign) -> Attempt {
        Attempt {
            state,
            what: "",
            trial: Trial::default(),
            sign,
            rows: Vec::new(),
            plain: None,
            unbounded: false,
            compared: false,
        }
    }

    fn failure(state: &SqlState, routine: &str, constraint: Option<&str>) -> Failure {
        Failure {
            state: state.clone(),
            message: "m".to_owned(),
            detail: None,
            routine: Some(routine.to_owned()),
            schema: None,
            table: None,
            column: None,
            constraint: constraint.map(str::to_owned),
        }
    }

    fn trace(statement: Result<Answer, Failure>, witness: &[&[&str]]) -> Trace {
        let rows = witness
            .iter()
            .map(|row| row.iter().map(|text| Some((*text).to_owned())).collect())
            .collect();
        Trace {
            before: Ok(Vec::new()),
            enter: Ok(Vec::new()),
            statements: vec![statement.map(|answer| vec![answer]).map_err(Box::new)],
            witness: Ok(vec![Answer { rows, affected: 0 }]),
        }
    }

    #[test]
    fn a_constraint_means_that_row_security_let_the_row_through() {
        let unique = failure(&SqlState::UNIQUE_VIOLATION, "_bt_check_unique", Some("t_pkey"));
        let judged = attempt(State::Bound, Sign::Stores).judge(Some(&trace(Err(unique), &[])));
        assert!(matches!(judged, Judgement::Through(_)), "{judged:?}");
    }

    #[test]
    fn an_unrelated_error_decides_nothing() {
        let not_null = failure(&SqlState::NOT_NULL_VIOLATION, "ExecConstraints", None);
        let judged = attempt(State::Bound, Sign::Stores).judge(Some(&trace(Err(not_null), &[])));
        assert!(matches!(judged, Judgement::Open(_)), "{judged:?}");
        assert!(matches!(
            attempt(State::Bound, Sign::Returns).judge(None),
            Judgement::Open(_)
        ));
    }

    #[test]
    fn a_policy_violation_is_told_from_a_missing_privilege() {
        for (routine, said) in [
            ("ExecWithCheckOptions", "row security"),
            ("aclcheck_error", "privilege"),
        ] {
            let error = failure(&SqlState::INSUFFICIENT_PRIVILEGE, routine, None);
            let judged = attempt(State::Bound, Sign::Stores).judge(Some(&trace(Err(error), &[])));
            assert!(
                matches!(&judged, Judgement::Refused(text) if text.contains(said)),
                "{judged:?}"
            );
        }
    }

    #[test]
    fn a_failing_cast_holds_only_where_no_tenant_is_bound() {
        let cast = || {
            trace(
                Err(failure(
                    &SqlState::INVALID_TEXT_REPRESENTATION,
                    "string_to_uuid",
                    None,
                )),
                &[],
            )
        };
        let judge = |state| attempt(state, Sign::Returns).judge(Some(&cast()));
        assert!(matches!(judge(State::Empty), Judgement::Refused(_)));
        assert!(matches!(judge(State::Bound), Judgement::Open(_)));
    }

    #[test]
    fn the_witness_decides_about_changes_whatever_the_command_tag_says() {
        let was = vec![Some("1".to_owned())];
        let judge = |sign: fn(Vec<Literal>) -> Sign, affected, witness: &[&[&str]]| {
            let answer = Answer {
                rows: Vec::new(),
                affected,
            };
            attempt(State::Bound, sign(was.clone())).judge(Some(&trace(Ok(answer), witness)))
        };
        assert!(matches!(
            judge(Sign::Changes, 0, &[&["1"]]),
            Judgement::Refused(_)
        ));
        assert!(matches!(judge(Sign::Changes, 1, &[&["1"]]), Judgement::Open(_)));
        assert!(matches!(
            judge(Sign::ChangesAmongOthers, 2, &[&["1"]]),
            Judgement::Refused(_)
        ));
        assert!(matches!(
            judge(Sign::Changes, 0, &[&["2"]]),
            Judgement::Through(_)
        ));
        assert!(matches!(judge(Sign::Changes, 0, &[]), Judgement::Through(_)));
    }
}
