//! Puts together what the queries brought: columns, policies and the rest go to their relation.

use super::constraint::{Loaded, Owner};
use super::fields::Fields;
use super::{
    Builtins, Catalog, Collation, Column, DefaultPrivileges, EventTrigger, Extension, ForeignServer,
    Function, Index, LargeObjects, Membership, Objects, Oid, Operator, PinnedSetting, Policy, Publication,
    Reference, Relation, Role, Rule, Schema, Sequence, Server, SystemGrant, Trigger, Type,
};
use crate::error::{Error, Result};

/// The predefined role that the database's owner belongs to.
const DATABASE_OWNER: &str = "pg_database_owner";

/// What the queries brought.
pub(super) struct Parts {
    pub(super) server: Vec<Server>,
    pub(super) builtins: Vec<Builtins>,
    pub(super) schemas: Vec<Schema>,
    pub(super) roles: Vec<Role>,
    pub(super) memberships: Vec<Membership>,
    pub(super) settings: Vec<PinnedSetting>,
    pub(super) relations: Vec<Relation>,
    pub(super) columns: Vec<(Oid, Column)>,
    pub(super) constraints: Vec<Loaded>,
    pub(super) indexes: Vec<(Oid, Index)>,
    pub(super) policies: Vec<(Oid, Policy)>,
    pub(super) triggers: Vec<(Oid, Trigger)>,
    pub(super) rules: Vec<(Oid, Rule)>,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) functions: Vec<Function>,
    pub(super) types: Vec<Type>,
    pub(super) operators: Vec<Operator>,
    pub(super) collations: Vec<Collation>,
    pub(super) sequences: Vec<Sequence>,
    pub(super) extensions: Vec<Extension>,
    pub(super) foreign_servers: Vec<ForeignServer>,
    pub(super) publications: Vec<Publication>,
    pub(super) event_triggers: Vec<EventTrigger>,
    pub(super) default_privileges: Vec<DefaultPrivileges>,
    pub(super) large_objects: Vec<LargeObjects>,
    pub(super) system_grants: Vec<SystemGrant>,
}

/// The object of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Subject {
    View(Oid),
    Rule(Oid),
    Policy(Oid),
    Function(Oid),
}

/// One object refers to another.
pub(super) struct Dependency {
    subject: Subject,
    on_function: bool,
    target: Oid,
    columns: Vec<i16>,
}

impl Dependency {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        let class: &str = fields.take()?;
        let oid = fields.take()?;
        let is_view: bool = fields.take()?;
        // The class is printed with its schema, because search_path is empty, or without, where a person runs it.
        let subject = match class.trim_start_matches("pg_catalog.") {
            "pg_rewrite" if is_view => Subject::View(oid),
            "pg_rewrite" => Subject::Rule(oid),
            "pg_policy" => Subject::Policy(oid),
            _ => Subject::Function(oid),
        };
        Ok(Self {
            subject,
            on_function: fields.take()?,
            target: fields.take()?,
            columns: fields.take()?,
        })
    }
}

/// The references of one object.
#[derive(Default)]
struct Refers {
    reads: Vec<Reference>,
    calls: Vec<Oid>,
}

impl Parts {
    pub(super) fn assemble(self) -> Result<Catalog> {
        let server =
            self.server.into_iter().next().ok_or_else(|| {
                Error::new(crate::ErrorKind::Internal, "the catalog query server gave no row")
            })?;
        let mut memberships = self.memberships;
        // PostgreSQL keeps this membership in no catalog.
        memberships.extend(
            self.roles
                .iter()
                .filter(|role| role.name == DATABASE_OWNER)
                .map(|role| Membership {
                    role: role.oid,
                    member: server.owner,
                    admin: false,
                    inherit: (server.major() >= 16).then_some(true),
                    set: true,
                }),
        );
        let mut relations = Objects::new(self.relations);
        let mut types = Objects::new(self.types);
        let mut functions = Objects::new(self.functions);
        attach(&mut relations, self.columns, |relation, column| {
            relation.columns.push(column);
        });
        attach(&mut relations, self.indexes, |relation, index| {
            relation.indexes.push(index);
        });
        attach(&mut relations, self.triggers, |relation, trigger| {
            relation.triggers.push(trigger);
        });
        for constraint in self.constraints {
            match constraint {
                Loaded::Constraint(Owner::Relation(oid), constraint) => {
                    if let Some(relation) = relations.get_mut(oid) {
                        relation.constraints.push(constraint);
                    }
                }
                Loaded::Constraint(Owner::Domain(oid), constraint) => {
                    if let Some(domain) = types.get_mut(oid) {
                        domain.checks.push(constraint);
                    }
                }
                Loaded::UnvalidatedNotNull(oid, number) => {
                    let relation = relations.get_mut(oid);
                    let columns = relation.into_iter().flat_map(|relation| &mut relation.columns);
                    for column in columns.filter(|column| column.number == number) {
                        column.not_null = false;
                    }
                }
            }
        }
        let mut references = collect(self.dependencies);
        let mut refers = |subject| references.remove(&subject).unwrap_or_default();
        attach(&mut relations, self.policies, |relation, mut policy| {
            Refers {
                reads: policy.reads,
                calls: policy.calls,
            } = refers(Subject::Policy(policy.oid));
            relation.policies.push(policy);
        });
        attach(&mut relations, self.rules, |relation, mut rule| {
            rule.reads = refers(Subject::Rule(rule.oid)).reads;
            relation.rules.push(rule);
        });
        relations.for_each_mut(|relation| {
            Refers {
                reads: relation.reads,
                calls: relation.calls,
            } = refers(Subject::View(relation.oid));
        });
        functions.for_each_mut(|function| {
            Refers {
                reads: function.reads,
                calls: function.calls,
            } = refers(Subject::Function(function.oid));
        });
        Ok(Catalog {
            format: Catalog::FORMAT,
            unseen: unseen(&server),
            server,
            builtins: self.builtins.into_iter().next().unwrap_or_default(),
            schemas: Objects::new(self.schemas),
            roles: Objects::new(self.roles),
            memberships,
            settings: self.settings,
            relations,
            functions,
            types,
            operators: Objects::new(self.operators),
            collations: Objects::new(self.collations),
            sequences: Objects::new(self.sequences),
            extensions: Objects::new(self.extensions),
            foreign_servers: Objects::new(self.foreign_servers),
            publications: self.publications,
            event_triggers: self.event_triggers,
            default_privileges: self.default_privileges,
            large_objects: self.large_objects,
            system_grants: self.system_grants,
        })
    }
}

/// Hands each part to the relation that it belongs to.
fn attach<T>(relations: &mut Objects<Relation>, parts: Vec<(Oid, T)>, mut add: impl FnMut(&mut Relation, T)) {
    for (oid, part) in parts {
        if let Some(relation) = relations.get_mut(oid) {
            add(relation, part);
        }
    }
}

fn collect(dependencies: Vec<Dependency>) -> std::collections::BTreeMap<Subject, Refers> {
    let mut map = std::collections::BTreeMap::<Subject, Refers>::new();
    for dependency in dependencies {
        let refers = map.entry(dependency.subject).or_default();
        if dependency.on_function {
            refers.calls.push(dependency.target);
        } else {
            refers.reads.push(Reference {
                relation: dependency.target,
                columns: dependency.columns,
            });
        }
    }
    map
}

/// What no query could show.
fn unseen(server: &Server) -> Vec<String> {
    let mut list = Vec::new();
    if !server.reader_is_superuser {
        list.push(format!(
            "role {} is no superuser: settings in postgresql.conf that only superusers see, and pg_hba.conf, were not read",
            server.reader
        ));
    }
    list
}
