//! Ways to break a database's isolation on purpose, for the self-test: one protection taken away or one door opened at a
//! time, as SQL.

use super::Object;
use crate::catalog::{Catalog, Policy, PolicyCommand, Privilege, Privileges, Relation, RelationKind};
use crate::error::Result;
use crate::model::{AuditedRole, Model, TenantTable};
use crate::sql::{Ident, Literal, QualifiedName};

/// One defect.
#[derive(Debug, Clone)]
pub(super) struct Mutation {
    /// What is done, in words: "row security is switched off".
    pub(super) what: String,
    /// The object that is broken.
    pub(super) object: Object,
    /// Objects by which the audit may notice: the same, or the door that was opened.
    pub(super) shows_at: Vec<Object>,
    pub(super) sql: String,
    /// Why it may be no defect at all.
    pub(super) equivalent: Option<&'static str>,
}

/// A permissive policy for these commands opens the table for those that the role may run.
const COMMANDS: [(&str, Privilege); 4] = [
    ("SELECT", Privilege::Select),
    ("INSERT", Privilege::Insert),
    ("UPDATE", Privilege::Update),
    ("DELETE", Privilege::Delete),
];

struct Maker<'a> {
    catalog: &'a Catalog,
    model: &'a Model,
    table: &'a Relation,
    role: &'a AuditedRole,
    may: Privileges,
    place: usize,
    list: Vec<Mutation>,
}

/// All defects, in rounds: those of one round break different objects and can be tried together.
pub(super) fn mutations(catalog: &Catalog, model: &Model) -> Result<Vec<Vec<Mutation>>> {
    let mut rounds: Vec<Vec<Mutation>> = Vec::new();
    for (place, table) in model.tables.iter().enumerate() {
        for (round, mutation) in of_table(catalog, model, table, place)?.into_iter().enumerate() {
            if rounds.len() <= round {
                rounds.push(Vec::new());
            }
            rounds[round].push(mutation);
        }
    }
    for role in &model.roles {
        rounds.extend(
            of_role(catalog, model, role)?
                .into_iter()
                .map(|mutation| vec![mutation]),
        );
    }
    Ok(rounds)
}

fn of_table(catalog: &Catalog, model: &Model, table: &TenantTable, place: usize) -> Result<Vec<Mutation>> {
    let relation = catalog.relations.get(table.relation);
    let Some(relation) =
        relation.filter(|relation| relation.kind.has_row_security() && relation.row_security)
    else {
        return Ok(Vec::new());
    };
    let reaches = |role: &&AuditedRole| {
        role.total_escape(&model.tables).is_none()
            && catalog.may_use_schema(&role.actor, &relation.schema)
            && COMMANDS
                .iter()
                .any(|(_, privilege)| role.actor.on_any_column(relation).has(*privilege))
    };
    let Some(role) = model.roles.iter().find(reaches) else {
        return Ok(Vec::new());
    };
    let mut maker = Maker {
        catalog,
        model,
        table: relation,
        role,
        may: role.actor.on_any_column(relation),
        place,
        list: Vec::new(),
    };
    maker.switches()?;
    maker.policies()?;
    maker.opened_policies()?;
    maker.doors()?;
    Ok(maker.list)
}

impl Maker<'_> {
    fn push(&mut self, what: impl Into<String>, sql: String) {
        self.list.push(Mutation {
            what: what.into(),
            object: self.table.object(),
            shows_at: vec![self.table.object()],
            sql,
            equivalent: None,
        });
    }

    fn name(&self) -> QualifiedName {
        self.table.qualified_name()
    }

    fn switches(&mut self) -> Result<()> {
        let name = self.name();
        self.push(
            "row security is switched off",
            format!("ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"),
        );
        if self.table.force_row_security {
            self.push(
                "FORCE is dropped",
                format!("ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY"),
            );
            if let Some(last) = self.list.last_mut() {
                last.equivalent = Some("no audited role acts as the owner");
            }
        }
        let role = Ident::new(&*self.role.name)?;
        self.push(
            "the role owns the table, without FORCE",
            format!("ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {name} OWNER TO {role}"),
        );
        if let Some(last) = self.list.last_mut() {
            last.shows_at.push(Object::Role(self.role.name.clone()));
        }
        Ok(())
    }

    /// Policies that hold the role, each weakened and dropped.
    fn policies(&mut self) -> Result<()> {
        let applies = |policy: &&Policy| policy.roles.iter().any(|&role| self.role.actor.acts_for(role));
        for policy in self.table.policies.iter().filter(applies) {
            let (table, name) = (self.name(), Ident::new(&*policy.name)?);
            let about = |privilege| self.may.has(privilege);
            let (reads, writes) = match policy.command {
                PolicyCommand::All => (
                    COMMANDS
                        .iter()
                        .any(|(_, privilege)| *privilege != Privilege::Insert && about(*privilege)),
                    about(Privilege::Insert) || about(Privilege::Update),
                ),
                PolicyCommand::Select => (about(Privilege::Select), false),
                PolicyCommand::Insert => (false, about(Privilege::Insert)),
                PolicyCommand::Update => (about(Privilege::Update), about(Privilege::Update)),
                PolicyCommand::Delete => (about(Privilege::Delete), false),
            };
            let alone =
                (!policy.permissive).then_some("the permissive policies keep the border by themselves");
            let text = &policy.name;
            if reads && policy.using.is_some() {
                self.push(
                    format!("USING of the policy {text} is true"),
                    format!("ALTER POLICY {name} ON {table} USING (true)"),
                );
                self.equivalent(alone);
            }
            if writes && (policy.check.is_some() || policy.using.is_some()) {
                self.push(
                    format!("WITH CHECK of the policy {text} is true"),
                    format!("ALTER POLICY {name} ON {table} WITH CHECK (true)"),
                );
                let fixed = !self.may.has(Privilege::Insert) && !self.sets_owner();
                self.equivalent(alone.or(fixed.then_some("the role may write no tenant")));
            }
            if reads || writes {
                self.push(
                    format!("the policy {text} is dropped"),
                    format!("DROP POLICY {name} ON {table}"),
                );
                self.equivalent(alone.or(Some("other policies let the same rows through")));
            }
        }
        Ok(())
    }

    fn equivalent(&mut self, reason: Option<&'static str>) {
        if let Some(last) = self.list.last_mut() {
            last.equivalent = reason;
        }
    }

    /// Whether the role may set what says whose row it is.
    fn sets_owner(&self) -> bool {
        let column = self.model.tenant_column_of(self.table.oid);
        match column.and_then(|number| self.table.column(number)) {
            Some(column) => self
                .role
                .actor
                .on_column(self.table, column)
                .has(Privilege::Update),
            None => self.may.has(Privilege::Update),
        }
    }

    /// A permissive policy beside the others.
    fn opened_policies(&mut self) -> Result<()> {
        let (table, role) = (self.name(), Ident::new(&*self.role.name)?);
        for (command, privilege) in COMMANDS {
            if self.may.has(privilege) {
                let clause = if command == "INSERT" {
                    "WITH CHECK"
                } else {
                    "USING"
                };
                self.push(
                    format!("a permissive policy for {command} is true"),
                    format!(
                        "CREATE POLICY rls_tool_mutant ON {table} FOR {command} TO {role} {clause} (true)"
                    ),
                );
            }
        }
        let setting = Literal::new(&self.model.tenant_setting)?;
        self.push(
            "a permissive policy is true while no tenant is set",
            format!(
                "CREATE POLICY rls_tool_mutant ON {table} TO {role} \
                 USING (nullif(pg_catalog.current_setting({setting}, true), '') IS NULL)"
            ),
        );
        self.push(
            "a permissive policy is true while a custom setting is on",
            format!(
                "CREATE POLICY rls_tool_mutant ON {table} TO {role} \
                 USING (pg_catalog.current_setting('rls_tool.mutant', true) = 'on')"
            ),
        );
        Ok(())
    }

    /// Further doors that run as somebody else.
    fn doors(&mut self) -> Result<()> {
        let (table, role) = (self.name(), Ident::new(&*self.role.name)?);
        let own = format!("rls_tool_mutant_{}", self.place);
        let door = QualifiedName::new(&*self.table.schema, own.as_str())?;
        let mut open = |what: &str, object: String, sql: String| {
            self.list.push(Mutation {
                what: what.to_owned(),
                object: self.table.object(),
                shows_at: vec![Object::in_schema(&*self.table.schema, object)],
                sql,
                equivalent: None,
            });
        };
        open(
            "a view reads it as its owner",
            own.clone(),
            format!("CREATE VIEW {door} AS SELECT * FROM {table}; GRANT SELECT ON {door} TO {role}"),
        );
        open(
            "a materialized view of it is granted",
            own.clone(),
            format!(
                "CREATE MATERIALIZED VIEW {door} AS SELECT * FROM {table}; GRANT SELECT ON {door} TO {role}"
            ),
        );
        open(
            "a SECURITY DEFINER function returns its rows",
            format!("{own}()"),
            format!(
                "CREATE FUNCTION {door}() RETURNS SETOF {table} LANGUAGE sql STABLE SECURITY DEFINER \
                 AS {}; GRANT EXECUTE ON FUNCTION {door}() TO {role}",
                Literal::new(&format!("SELECT * FROM {table}"))?
            ),
        );
        self.push(
            "TRUNCATE is granted",
            format!("GRANT TRUNCATE ON {table} TO {role}"),
        );
        let is_part = |part: &&Relation| {
            part.is_partition && part.parents.contains(&self.table.oid) && part.kind == RelationKind::Table
        };
        // One stands for all.
        if let Some(part) = self.catalog.relations.iter().find(is_part) {
            let name = part.qualified_name();
            self.list.push(Mutation {
                what: "a partition without row security is granted".to_owned(),
                object: part.object(),
                shows_at: vec![part.object()],
                sql: format!(
                    "ALTER TABLE {name} DISABLE ROW LEVEL SECURITY; GRANT SELECT ON {name} TO {role}"
                ),
                equivalent: None,
            });
        }
        Ok(())
    }
}

fn of_role(catalog: &Catalog, model: &Model, role: &AuditedRole) -> Result<Vec<Mutation>> {
    if role.total_escape(&model.tables).is_some() {
        return Ok(Vec::new());
    }
    let name = Ident::new(&*role.name)?;
    let object = Object::Role(role.name.clone());
    let mutation = |what: String, sql: String| Mutation {
        what,
        object: object.clone(),
        shows_at: vec![object.clone()],
        sql,
        equivalent: None,
    };
    let mut list = vec![
        mutation(
            "the role is BYPASSRLS".to_owned(),
            format!("ALTER ROLE {name} BYPASSRLS"),
        ),
        mutation(
            "the role is a superuser".to_owned(),
            format!("ALTER ROLE {name} SUPERUSER"),
        ),
        mutation(
            "the role may read all data".to_owned(),
            format!("GRANT pg_read_all_data TO {name}; ALTER ROLE {name} BYPASSRLS"),
        ),
    ];
    let owner = model.tables.iter().find_map(|table| {
        let owner = catalog.roles.get(catalog.relations.get(table.relation)?.owner)?;
        (owner.oid != role.oid && !owner.superuser).then_some(owner)
    });
    if let Some(owner) = owner {
        let owner_name = Ident::new(&*owner.name)?;
        list.push(mutation(
            format!("the role is a member of the owner {}", owner.name),
            format!("GRANT {owner_name} TO {name}"),
        ));
    }
    Ok(list)
}
