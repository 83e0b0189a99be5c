//! Look-ups in policies' expressions.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use super::Place;
use super::bodies::{self, Named};
use crate::catalog::{Catalog, Oid};
use crate::model::expression::{Expr, computed, lower_body};
use crate::model::source::{Source, column_of, source_of};

/// One look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup {
    /// The column that who is asking is compared with.
    pub(super) member: Place,
    /// Who is asking.
    pub(super) source: Source,
    /// The column that the look-up gives, where that can be seen.
    pub(super) tenant: Option<Place>,
    /// Whether that is what a policy compares; else it is what a function's body suggests.
    pub(super) certain: bool,
    /// The column of the policy's own table that it is compared with.
    pub(super) own: Option<i16>,
}

impl Lookup {
    /// The look-up, of which a policy shows that it gives this column.
    fn giving(self, tenant: Option<Place>) -> Self {
        match tenant {
            None => self,
            tenant => Self {
                tenant,
                certain: true,
                ..self
            },
        }
    }
}

/// Finds look-ups; functions' bodies are read once.
pub(super) struct Lookups<'a> {
    catalog: &'a Catalog,
    helpers: RefCell<BTreeMap<Oid, Option<Lookup>>>,
    sources: OnceCell<Named<Source>>,
}

impl<'a> Lookups<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            helpers: RefCell::default(),
            sources: OnceCell::new(),
        }
    }

    /// Every look-up in the expression.
    pub(super) fn of(&self, expression: &Expr) -> Vec<Lookup> {
        let mut list = Vec::new();
        expression.walk(&mut |part| self.part(part, &mut list));
        list
    }

    fn part(&self, part: &Expr, list: &mut Vec<Lookup>) {
        match part {
            // … IN (SELECT tenant FROM members WHERE …), EXISTS (SELECT FROM members WHERE tenant = … AND …)
            Expr::Sub { test, target, rest } => {
                let Some(found) = self.asked(target.iter().chain(rest)) else {
                    return;
                };
                let tenant = target
                    .first()
                    .and_then(foreign_of)
                    .filter(|place| *place != found.member);
                let mut pairs = Vec::new();
                for part in test {
                    each_equality(part, &mut |one, _| {
                        pairs.extend(column_of(one).map(|own| (own, tenant)));
                    });
                }
                for part in rest {
                    each_equality(part, &mut |one, other| {
                        pairs.extend(
                            column_of(one)
                                .zip(foreign_of(other))
                                .map(|(own, place)| (own, Some(place))),
                        );
                    });
                }
                if pairs.is_empty() {
                    list.push(found.giving(tenant));
                    return;
                }
                list.extend(pairs.into_iter().map(|(own, tenant)| Lookup {
                    own: Some(own),
                    ..found.clone().giving(tenant)
                }));
            }
            // tenant = (SELECT tenant FROM users WHERE …), tenant = current_tenant()
            Expr::Equal { left, right, .. } => {
                for (one, other) in [(left, right), (right, left)] {
                    self.compared(one, other, list);
                }
            }
            Expr::Call { function, args, .. } => {
                // tenant = ANY (tenants_of_user())
                if let ([one, other], true) = (args.as_slice(), *function < FIRST_USER_OID) {
                    self.compared(one, other, list);
                }
                // is_member(tenant)
                if let Some(found) = self.helper(*function) {
                    let own = args.iter().filter_map(column_of);
                    list.extend(own.map(|own| Lookup {
                        own: Some(own),
                        ..found.clone()
                    }));
                }
            }
            _ => {}
        }
    }

    fn compared(&self, one: &Expr, other: &Expr, list: &mut Vec<Lookup>) {
        if let Some(own) = column_of(one)
            && let Some(found) = self.asked([other])
        {
            let tenant = match other {
                Expr::Sub { target, .. } => target.first().and_then(foreign_of),
                _ => None,
            };
            let tenant = tenant.filter(|place| *place != found.member);
            list.push(Lookup {
                own: Some(own),
                ..found.giving(tenant)
            });
        }
    }

    /// The first look-up anywhere in these parts.
    fn asked<'e>(&self, parts: impl IntoIterator<Item = &'e Expr>) -> Option<Lookup> {
        let mut found = None;
        for part in parts {
            part.walk(&mut |part| {
                if found.is_some() {
                    return;
                }
                found = match part {
                    Expr::Equal { left, right, .. } => [(left, right), (right, left)]
                        .into_iter()
                        .find_map(|(one, other)| Some((foreign_of(one)?, source_of(other)?)))
                        .map(|(member, source)| Lookup {
                            member,
                            source,
                            tenant: None,
                            certain: false,
                            own: None,
                        }),
                    Expr::Call { function, .. } => self.helper(*function),
                    _ => None,
                };
            });
        }
        found
    }

    /// The look-up that a function makes.
    fn helper(&self, oid: Oid) -> Option<Lookup> {
        if oid < FIRST_USER_OID {
            return None;
        }
        if let Some(known) = self.helpers.borrow().get(&oid) {
            return known.clone();
        }
        // One that calls itself finds nothing in itself.
        self.helpers.borrow_mut().insert(oid, None);
        let found = self.read(oid);
        self.helpers.borrow_mut().insert(oid, found.clone());
        found
    }

    fn read(&self, oid: Oid) -> Option<Lookup> {
        let function = self.catalog.functions.get(oid)?;
        let (found, seen) = match (&function.body_tree, &function.body) {
            (Some(tree), _) => {
                let body = lower_body(self.catalog, tree);
                let mut seen = Vec::new();
                body.walk(&mut |part| seen.extend(foreign_of(part)));
                (self.asked([&body])?, seen)
            }
            (None, Some(text)) => {
                let sources = self.sources.get_or_init(|| self.sources());
                let (member, source, seen) = bodies::look_up(self.catalog, text, sources)?;
                let found = Lookup {
                    member,
                    source,
                    tenant: None,
                    certain: false,
                    own: None,
                };
                (found, seen)
            }
            (None, None) => return None,
        };
        let tenant = found.tenant.or_else(|| self.other_key(found.member, &seen));
        Some(Lookup {
            tenant,
            certain: false,
            ..found
        })
    }

    /// The column of a membership table that is not the member: the only other one that the body names, or the only
    /// one of those that refers to another table.
    fn other_key(&self, member: Place, seen: &[Place]) -> Option<Place> {
        let relation = self.catalog.relations.get(member.0)?;
        let mut others: Vec<_> = seen
            .iter()
            .copied()
            .filter(|place| place.0 == member.0 && *place != member)
            .collect();
        others.sort_unstable();
        others.dedup();
        let refers = |place: &Place| {
            relation
                .foreign_keys()
                .any(|(constraint, _)| constraint.columns == [place.1])
        };
        let mut referring = others.iter().filter(|place| refers(place));
        match (others.as_slice(), referring.next(), referring.next()) {
            ([one], _, _) | (_, Some(one), None) => Some(*one),
            _ => None,
        }
    }

    /// Functions that say who is asking, by name.
    fn sources(&self) -> Named<Source> {
        let mut named = Named::default();
        for function in self
            .catalog
            .functions
            .iter()
            .filter(|function| function.arguments.is_empty())
        {
            if let Some(source) = computed(self.catalog, function).as_ref().and_then(source_of) {
                named.add(&function.schema, &function.name, source);
            }
        }
        named
    }
}

/// What is not PostgreSQL's own has an OID from here on (`FirstNormalObjectId`).
const FIRST_USER_OID: Oid = 16384;

/// The column of another relation, through conversions.
fn foreign_of(expression: &Expr) -> Option<Place> {
    match expression {
        Expr::Foreign { relation, number } if *number > 0 => Some((*relation, *number)),
        Expr::Cast { arg, .. } => foreign_of(arg),
        _ => None,
    }
}

/// Both ways of every equality within.
fn each_equality<'e>(expression: &'e Expr, visit: &mut dyn FnMut(&'e Expr, &'e Expr)) {
    expression.walk(&mut |part| {
        if let Expr::Equal {
            left,
            right,
            negated: false,
            ..
        } = part
        {
            visit(left, right);
            visit(right, left);
        }
    });
}
