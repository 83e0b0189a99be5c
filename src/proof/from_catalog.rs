//! The proof's input from a catalog: what object ids mean, each table's policies, and what a role's sessions may do.

use std::collections::{BTreeMap, BTreeSet};

use super::builtin;
use super::question::{Command, Policy, Session, TablePolicies};
use super::symbols::{
    Check, Column, FIRST_NORMAL_OID, Function, Operator, Relation, Symbols, Tree, Type, TypeKind,
};
use crate::catalog::{
    self, Actor, Catalog, ConstraintKind, Oid, PolicyCommand, Privilege, Privileges, RelationKind, Role, Text,
};

impl Symbols {
    /// Everything that this catalog's expressions can refer to.
    pub fn of(catalog: &Catalog) -> Self {
        let functions = catalog
            .functions
            .iter()
            .filter(|function| function.oid >= FIRST_NORMAL_OID);
        let types = catalog.types.iter().filter(|named| named.oid >= FIRST_NORMAL_OID);
        let loose_below = loose_below(catalog);
        let has_children: BTreeSet<Oid> = catalog
            .relations
            .iter()
            .flat_map(|relation| relation.parents.iter().copied())
            .collect();
        let relations = catalog.relations.iter().map(|relation| {
            let loose = loose_below.get(&relation.oid);
            let is_foreign = loose.is_some_and(|loose| loose.is_foreign);
            let checks = relation.constraints.iter().filter(|constraint| {
                !is_foreign
                    && constraint.validated
                    && constraint.enforced
                    && !(constraint.not_inherited && has_children.contains(&relation.oid))
            });
            let columns = relation.columns.iter().map(|column| Column {
                attnum: column.number,
                name: Text::clone(&column.name),
                type_id: column.type_oid,
                typmod: column.type_modifier,
                not_null: column.not_null
                    && !loose.is_some_and(|loose| loose.is_foreign || loose.nullable.contains(&column.name)),
                generated: column.generated.is_some(),
            });
            let symbol = Relation {
                schema: Text::clone(&relation.schema),
                name: Text::clone(&relation.name),
                owner: relation.owner,
                columns: columns.collect(),
                checks: checks.filter_map(check).collect(),
                view: relation
                    .definition
                    .clone()
                    .filter(|_| relation.kind == RelationKind::View),
            };
            (relation.oid, symbol)
        });
        Self {
            little_endian: catalog.builtins.little_endian,
            functions: functions.map(|f| (f.oid, function(f))).collect(),
            operators: catalog.operators.iter().map(|o| (o.oid, operator(o))).collect(),
            types: types.map(|named| (named.oid, named_type(named))).collect(),
            relations: relations.collect(),
            nondeterministic_collations: catalog.collations.iter().map(|collation| collation.oid).collect(),
            parameters: catalog.builtins.settings.clone(),
            redefined: redefined(catalog),
            cast_functions: catalog.builtins.cast_functions.clone(),
            names: catalog
                .builtins
                .functions
                .iter()
                .map(|(oid, f)| (*oid, Text::clone(&f.name)))
                .collect(),
        }
    }
}

/// The understood functions that are not PostgreSQL's own any more.
fn redefined(catalog: &Catalog) -> BTreeSet<u32> {
    builtin::expected()
        .filter(|(oid, source)| {
            let function = catalog.builtins.functions.get(oid);
            function.and_then(|function| function.source.as_deref()) != Some(source)
        })
        .map(|(oid, _)| oid)
        .collect()
}

/// What the rows below a table, which reading it gives as well, need not satisfy.
#[derive(Default)]
struct Loose {
    /// Columns, by name, that may be NULL in an inheritance child.
    nullable: BTreeSet<Text>,
    /// Some rows are another server's, where nobody checks what this one declares.
    is_foreign: bool,
}

/// By table: what its own rows and those of its descendants need not satisfy.
fn loose_below(catalog: &Catalog) -> BTreeMap<Oid, Loose> {
    let mut found = BTreeMap::<Oid, Loose>::new();
    for relation in &catalog.relations {
        let is_foreign = relation.kind == RelationKind::ForeignTable;
        if is_foreign {
            found.entry(relation.oid).or_default().is_foreign = true;
        }
        let nullable = relation.columns.iter().filter(|column| !column.not_null);
        let nullable: Vec<Text> = nullable.map(|column| Text::clone(&column.name)).collect();
        let (mut open, mut seen) = (relation.parents.clone(), BTreeSet::new());
        while let Some(ancestor) = open.pop() {
            if seen.insert(ancestor) {
                let loose = found.entry(ancestor).or_default();
                loose.nullable.extend(nullable.iter().cloned());
                loose.is_foreign |= is_foreign;
                let above = catalog.relations.get(ancestor);
                open.extend(above.into_iter().flat_map(|relation| &relation.parents));
            }
        }
    }
    found
}

fn check(constraint: &catalog::Constraint) -> Option<Check> {
    match (&constraint.kind, &constraint.tree) {
        (ConstraintKind::Check(_), Some(tree)) => Some(Check {
            name: Text::clone(&constraint.name),
            tree: Tree::from(Text::clone(tree)),
        }),
        _ => None,
    }
}

fn function(function: &catalog::Function) -> Function {
    // Names of output columns are no names of arguments.
    let is_input = |at: usize| {
        let mode = function.modes.as_ref().and_then(|modes| modes.get(at));
        mode.is_none_or(|mode| matches!(mode.as_str(), "i" | "b" | "v"))
    };
    let names = function.names.iter().flatten().enumerate();
    Function {
        schema: Text::clone(&function.schema),
        name: Text::clone(&function.name),
        owner: function.owner,
        language: Text::clone(&function.language),
        volatility: function.volatility,
        strict: function.strict,
        security_definer: function.security_definer,
        returns_set: function.returns_set,
        return_type: function.result,
        argument_types: function.arguments.clone(),
        argument_names: names
            .filter(|(at, _)| is_input(*at))
            .map(|(_, name)| name.clone())
            .collect(),
        settings: function.settings.clone(),
        source: function.body.clone(),
        body: function.body_tree.clone().map(Tree::from),
    }
}

fn operator(operator: &catalog::Operator) -> Operator {
    Operator {
        schema: Text::clone(&operator.schema),
        name: Text::clone(&operator.name),
        function: operator.function,
    }
}

fn named_type(named: &catalog::Type) -> Type {
    let kind = match &named.kind {
        catalog::TypeKind::Domain { base, modifier } => TypeKind::Domain {
            base: *base,
            typmod: *modifier,
            constrained: named.not_null || !named.checks.is_empty(),
        },
        catalog::TypeKind::Enum(labels) => TypeKind::Enum(
            named
                .label_oids
                .iter()
                .copied()
                .zip(labels.iter().cloned())
                .collect(),
        ),
        catalog::TypeKind::Base if named.category == 'A' && named.element != 0 => {
            TypeKind::Array(named.element)
        }
        _ => TypeKind::Other,
    };
    Type {
        schema: Text::clone(&named.schema),
        name: Text::clone(&named.name),
        kind,
    }
}

impl TablePolicies {
    /// The table's row security.
    pub fn of(relation: &catalog::Relation) -> Self {
        let policies = relation.policies.iter().map(|policy| Policy {
            name: policy.name.to_string(),
            command: match policy.command {
                PolicyCommand::All => None,
                PolicyCommand::Select => Some(Command::Select),
                PolicyCommand::Insert => Some(Command::Insert),
                PolicyCommand::Update => Some(Command::Update),
                PolicyCommand::Delete => Some(Command::Delete),
            },
            permissive: policy.permissive,
            roles: policy.roles.clone(),
            using: policy.using_tree.clone().map(Tree::from),
            check: policy.check_tree.clone().map(Tree::from),
        });
        Self {
            relation: relation.oid,
            row_security: relation.row_security,
            force: relation.force_row_security,
            policies: policies.collect(),
        }
    }
}

impl Session {
    /// A session of this role, bound by the setting. The binding's other parts are left to the caller.
    pub fn of(catalog: &Catalog, role: &Role, setting: &str) -> Self {
        // What it may do after SET ROLE counts where it prepares the ground for what it does as itself.
        let may_become = catalog.actor(role).may_become;
        let actors: Vec<Actor> = std::iter::once(role)
            .chain(may_become.iter().filter_map(|oid| catalog.roles.get(*oid)))
            .map(|role| catalog.actor(role))
            .collect();
        let may = |allows: &dyn Fn(&Actor) -> bool| actors.iter().any(allows);
        let writes = |set: Privileges| {
            [Privilege::Insert, Privilege::Update, Privilege::Delete]
                .into_iter()
                .any(|p| set.has(p))
        };
        let writable = catalog.relations.iter().filter(|relation| {
            may(&|actor| actor.acts_as_owner(relation.owner) || writes(actor.on_any_column(relation)))
        });
        let database = &catalog.server;
        let on_database = |privilege| {
            may(&|actor| {
                actor.acts_as_owner(database.owner) || actor.privileges(&database.acl).has(privilege)
            })
        };
        let creates_in = |schema: &catalog::Schema| {
            may(&|actor| {
                actor.acts_as_owner(schema.owner) || actor.privileges(&schema.acl).has(Privilege::Create)
            })
        };
        let schemas = catalog.schemas.iter().filter(|schema| {
            &*schema.name != "pg_catalog"
                && !schema.name.starts_with("pg_toast")
                && !schema.name.starts_with("pg_temp")
        });
        Self {
            privileges_of: catalog.actor(role).has_privileges_of,
            may_become,
            bypasses_row_security: role.superuser || role.bypass_rls,
            writable: writable.map(|relation| relation.oid).collect(),
            may_create: on_database(Privilege::Create) || schemas.into_iter().any(creates_in),
            may_create_temporary: on_database(Privilege::Temporary),
            ..Self::new(role.name.clone(), role.oid, setting)
        }
    }
}
