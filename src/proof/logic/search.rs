//! Going through the cases of a condition.

use std::collections::BTreeSet;

use super::cond::{Cond, Lit};
use super::facts::{Goal, Knowledge};
use super::term::Terms;
use super::theory::Theory;

/// Cases beyond this many are not looked at.
const MAX_STEPS: usize = 4_000;

/// What the search found.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Every case is impossible or has the goal: it holds. The literals that closed the cases, by origin.
    Holds(Closed),
    /// A case in which nothing shows that the goal holds.
    Open(Box<Leaf>),
    /// Too many cases.
    TooMany,
}

/// Why all cases are closed.
#[derive(Debug, Default)]
pub(crate) struct Closed {
    /// Origins of the literals on which the goal followed.
    pub(crate) by_goal: BTreeSet<usize>,
    /// Origins of the literals that could not be.
    pub(crate) by_contradiction: BTreeSet<usize>,
    pub(crate) memberships: BTreeSet<usize>,
}

/// An open case.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) theory: Theory,
    /// Origins of conditions of which nothing is known, where they let the case through.
    pub(crate) unknown: Vec<usize>,
    /// The literals of the case, with their origins.
    pub(crate) literals: Vec<(Lit, usize)>,
}

/// Looks for a case of `cond` in which the goal does not follow.
pub(crate) fn search(cond: &Cond, goal: &Goal, terms: &mut Terms, knowledge: &Knowledge<'_>) -> Outcome {
    let mut search = Search {
        goal,
        terms,
        knowledge,
        steps: 0,
        closed: Closed::default(),
    };
    let case = Case {
        todo: vec![cond],
        choices: Vec::new(),
        leaf: Leaf {
            theory: Theory::default(),
            unknown: Vec::new(),
            literals: Vec::new(),
        },
    };
    match search.explore(case) {
        Found::Closed => Outcome::Holds(search.closed),
        Found::Open(leaf) => Outcome::Open(leaf),
        Found::TooMany => Outcome::TooMany,
    }
}

#[derive(Clone)]
struct Case<'c> {
    todo: Vec<&'c Cond>,
    choices: Vec<&'c [Cond]>,
    leaf: Leaf,
}

enum Found {
    Closed,
    Open(Box<Leaf>),
    TooMany,
}

struct Search<'s, 'k> {
    goal: &'s Goal,
    terms: &'s mut Terms,
    knowledge: &'s Knowledge<'k>,
    steps: usize,
    closed: Closed,
}

impl Search<'_, '_> {
    fn explore(&mut self, mut case: Case<'_>) -> Found {
        loop {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Found::TooMany;
            }
            let before = case.leaf.literals.len();
            if !case.take_in(self.terms) {
                return Found::Closed;
            }
            case.leaf.theory.close(self.terms, self.knowledge);
            let news = case.leaf.literals[before..]
                .iter()
                .map(|(_, origin)| *origin)
                .filter(|origin| *origin > 0);
            if case.leaf.theory.is_contradiction() {
                self.closed.by_contradiction.extend(news);
                self.closed.memberships.extend(&case.leaf.theory.used_memberships);
                return Found::Closed;
            }
            if self.knowledge.holds(self.goal, self.terms, &case.leaf.theory) {
                self.closed.by_goal.extend(news);
                self.closed.memberships.extend(&case.leaf.theory.used_memberships);
                return Found::Closed;
            }
            // Drop choices that are made already; of the others take the one with the fewest ways left.
            let mut best: Option<(usize, Vec<&Cond>)> = None;
            let mut index = 0;
            while index < case.choices.len() {
                let mut open = Vec::new();
                let mut made = None;
                for arm in case.choices[index] {
                    match self.judge(arm, &case.leaf.theory) {
                        Judged::Open => open.push(arm),
                        Judged::False => {}
                        Judged::True => made = Some(arm),
                    }
                }
                if let Some(arm) = made {
                    if let Cond::Unknown(origin) = arm {
                        case.leaf.unknown.push(*origin);
                    }
                    case.choices.swap_remove(index);
                    continue;
                }
                if best.as_ref().is_none_or(|(_, arms)| open.len() < arms.len()) {
                    best = Some((index, open));
                }
                index += 1;
            }
            let Some((index, arms)) = best else {
                return Found::Open(Box::new(case.leaf));
            };
            case.choices.swap_remove(index);
            match arms.as_slice() {
                [] => return Found::Closed,
                [arm] => case.todo.push(arm),
                arms => {
                    for arm in arms {
                        let mut branch = case.clone();
                        branch.todo.push(arm);
                        match self.explore(branch) {
                            Found::Closed => {}
                            found => return found,
                        }
                    }
                    return Found::Closed;
                }
            }
        }
    }

    /// What is known of a condition without looking into it.
    fn judge(&self, cond: &Cond, theory: &Theory) -> Judged {
        match cond {
            Cond::True | Cond::Unknown(_) => Judged::True,
            Cond::False => Judged::False,
            Cond::And(_) | Cond::Or(_) => Judged::Open,
            Cond::Lit(lit, _) => match *lit {
                Lit::Null(id) if theory.is_null(id) => Judged::True,
                Lit::NotNull(id) if theory.is_not_null(id) => Judged::True,
                Lit::Null(id) if theory.is_not_null(id) => Judged::False,
                Lit::NotNull(id) if theory.is_null(id) => Judged::False,
                Lit::Equal(a, b) | Lit::Differ(a, b) if theory.is_null(a) || theory.is_null(b) => {
                    Judged::False
                }
                Lit::Differ(a, b) if theory.same(a, b) => Judged::False,
                Lit::Equal(a, b) => match (theory.value(a, self.terms), theory.value(b, self.terms)) {
                    (Some(a), Some(b)) if a != b => Judged::False,
                    _ => Judged::Open,
                },
                _ => Judged::Open,
            },
        }
    }
}

enum Judged {
    True,
    False,
    Open,
}

impl Case<'_> {
    /// Takes in what is to do, up to choices. Returns whether the case is still possible.
    fn take_in(&mut self, terms: &Terms) -> bool {
        while let Some(cond) = self.todo.pop() {
            match cond {
                Cond::True => {}
                Cond::False => return false,
                Cond::Unknown(origin) => self.leaf.unknown.push(*origin),
                Cond::Lit(lit, origin) => {
                    self.leaf.literals.push((*lit, *origin));
                    self.leaf.theory.add(*lit, terms);
                }
                Cond::And(list) => self.todo.extend(list.iter().rev()),
                Cond::Or(list) => self.choices.push(list),
            }
        }
        true
    }
}
