//! Questions about who may do what: memberships followed as PostgreSQL follows them, grants added up.

use std::collections::BTreeSet;

use super::{
    Acl, Catalog, Column, Function, Membership, Oid, PUBLIC, Privilege, Privileges, Relation, Role, Schema,
};

/// A role together with everything that its grants come from. Made once a role, asked for many objects.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The role.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Whether it is a superuser, who needs no grants.
    pub superuser: bool,
    /// The roles whose privileges it has without SET ROLE, itself included.
    pub has_privileges_of: BTreeSet<Oid>,
    /// The roles that it may SET ROLE to, itself included.
    pub may_become: BTreeSet<Oid>,
    reads_all: bool,
    writes_all: bool,
}

impl Catalog {
    /// The role with this name.
    pub fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The role's name; `PUBLIC` for everybody.
    pub fn role_name(&self, oid: Oid) -> &str {
        match self.roles.get(oid) {
            Some(role) => &role.name,
            None if oid == PUBLIC => "PUBLIC",
            None => "(dropped role)",
        }
    }

    /// The schema with this name.
    pub fn schema_named(&self, name: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| &*schema.name == name)
    }

    /// The relation with this name.
    pub fn relation_named(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.relations
            .binary_search_by(|relation| (&*relation.schema, &*relation.name).cmp(&(schema, name)))
            .ok()
            .map(|index| &self.relations[index])
    }

    /// The role with its memberships followed.
    pub fn actor(&self, role: &Role) -> Actor {
        let has_privileges_of = self.reach(role.oid, |membership| {
            let member_inherits = || {
                self.roles
                    .get(membership.member)
                    .is_some_and(|member| member.inherit)
            };
            membership.inherit.unwrap_or_else(member_inherits)
        });
        let may_become = if role.superuser {
            self.roles.iter().map(|role| role.oid).collect()
        } else {
            self.reach(role.oid, |membership| membership.set)
        };
        let has = |name: &str| {
            self.role_named(name)
                .is_some_and(|predefined| has_privileges_of.contains(&predefined.oid))
        };
        Actor {
            oid: role.oid,
            name: role.name.clone(),
            superuser: role.superuser,
            reads_all: has("pg_read_all_data"),
            writes_all: has("pg_write_all_data"),
            has_privileges_of,
            may_become,
        }
    }

    /// Every role reached from `role` over memberships that satisfy `follow`, itself included.
    pub(crate) fn reach(&self, role: Oid, follow: impl Fn(&Membership) -> bool) -> BTreeSet<Oid> {
        let mut reached = BTreeSet::from([role]);
        let mut open = vec![role];
        while let Some(member) = open.pop() {
            let next = self
                .memberships
                .iter()
                .filter(|m| m.member == member && follow(m));
            for membership in next {
                if reached.insert(membership.role) {
                    open.push(membership.role);
                }
            }
        }
        reached
    }

    /// Whether `actor` may look up names in the schema.
    pub fn may_use_schema(&self, actor: &Actor, schema: &str) -> bool {
        self.schema_named(schema).is_some_and(|schema| {
            actor.reads_all || actor.writes_all || actor.privileges(&schema.acl).has(Privilege::Usage)
        })
    }
}

impl Actor {
    /// Whether it has the privileges of `role`, PUBLIC included.
    pub fn acts_for(&self, role: Oid) -> bool {
        self.superuser || role == PUBLIC || self.has_privileges_of.contains(&role)
    }

    /// What it may do with an object that has these grants.
    pub fn privileges(&self, acl: &Acl) -> Privileges {
        if self.superuser {
            return Privileges::ALL;
        }
        acl.0
            .iter()
            .filter(|item| self.acts_for(item.grantee))
            .fold(Privileges::NONE, |set, item| set.union(item.privileges))
    }

    /// What it may do with the whole relation.
    pub fn on_relation(&self, relation: &Relation) -> Privileges {
        let mut set = self.privileges(&relation.acl);
        if self.reads_all {
            set = set.with(Privilege::Select);
        }
        if self.writes_all {
            set = set
                .with(Privilege::Insert)
                .with(Privilege::Update)
                .with(Privilege::Delete);
        }
        set
    }

    /// What it may do with the column, by grants on the relation or on the column.
    pub fn on_column(&self, relation: &Relation, column: &Column) -> Privileges {
        self.on_relation(relation).union(self.privileges(&column.acl))
    }

    /// What it may do with the relation or with at least one of its columns.
    pub fn on_any_column(&self, relation: &Relation) -> Privileges {
        relation
            .columns
            .iter()
            .filter(|column| !column.acl.0.is_empty())
            .fold(self.on_relation(relation), |set, column| {
                set.union(self.privileges(&column.acl))
            })
    }

    /// Whether it may call the function.
    pub fn may_execute(&self, function: &Function) -> bool {
        self.privileges(&function.acl).has(Privilege::Execute)
    }

    /// Whether row security lets it through as the owner where the table is not FORCEd, and lets it alter the table.
    pub fn acts_as_owner(&self, owner: Oid) -> bool {
        self.acts_for(owner)
    }
}
