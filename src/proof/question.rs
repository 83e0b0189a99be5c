//! What is asked: which session, which table, which rows belong to whom.

use std::collections::{BTreeMap, BTreeSet};

use super::symbols::Tree;

/// One table's row security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePolicies {
    /// `pg_class.oid`; the table is in [`Symbols::relations`](super::Symbols::relations).
    pub relation: u32,
    /// `relrowsecurity`
    pub row_security: bool,
    /// `relforcerowsecurity`
    pub force: bool,
    /// All its policies, whomever they are for.
    pub policies: Vec<Policy>,
}

/// A policy (`pg_policy`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `polname`
    pub name: String,
    /// `polcmd`: `None` for ALL.
    pub command: Option<Command>,
    /// `polpermissive`
    pub permissive: bool,
    /// `polroles`: 0 is PUBLIC.
    pub roles: Vec<u32>,
    /// `polqual`
    pub using: Option<Tree>,
    /// `polwithcheck`
    pub check: Option<Tree>,
}

/// What a session does with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    /// Reading rows.
    Select,
    /// Writing new rows.
    Insert,
    /// Changing rows.
    Update,
    /// Deleting rows.
    Delete,
}

impl Command {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Select, Self::Insert, Self::Update, Self::Delete];

    /// The SQL keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// A command, and whether the statement also reads what it changes.
///
/// `UPDATE t SET x = 1` and `DELETE FROM t` obey the policies for UPDATE and DELETE alone. With WHERE, RETURNING, or ON
/// CONFLICT the statement reads the table, and the SELECT policies must let the rows through as well. An attacker
/// chooses the statement: what does not read obeys less, so that is what isolation rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// The command.
    pub command: Command,
    /// Whether it reads the table besides (WHERE, RETURNING, ON CONFLICT).
    pub reads: bool,
}

impl From<Command> for Statement {
    fn from(command: Command) -> Self {
        Self {
            command,
            reads: false,
        }
    }
}

/// The session that is reasoned about: one audited role and how it is bound to a tenant.
///
/// Grants are not looked at: ask only about commands that the role was granted. Nor are the roles that it may become:
/// ask about each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The role's name.
    pub role: String,
    /// Object ids of the roles whose privileges it has without SET ROLE: itself, and those it inherits from.
    pub privileges_of: BTreeSet<u32>,
    /// Object ids of the roles that it may become with SET ROLE: what they own it may change.
    pub may_become: BTreeSet<u32>,
    /// Whether it is a superuser or has BYPASSRLS.
    pub bypasses_row_security: bool,
    /// The tenant setting, such as `app.current_tenant`.
    pub setting: String,
    /// Further settings that only the binding sets, with what it sets them to: `{tenant}` stands for the tenant's
    /// value, any other `{word}` for a value that belongs to the bound tenant's session alone, such as `{user}`.
    pub binding: BTreeMap<String, String>,
    /// The length of the longest tenant value that is a text, if there is a limit.
    pub longest_tenant: Option<u32>,
    /// The role's name by tenant (such as `tenant_{tenant}`), where every tenant has a role of its own.
    pub role_template: Option<String>,
    /// Tables that say which tenant a placeholder of the binding belongs to.
    pub memberships: Vec<Membership>,
    /// Tables whose rows the session may insert, update or delete: they prove nothing about who is a member of what.
    pub writable: BTreeSet<u32>,
    /// Whose the rows of other tables are, as far as that is known: parents that policies look up.
    pub tenancies: BTreeMap<u32, Tenancy>,
    /// Those of them that are proven for SELECT by this role: bound, only the tenant's own rows are visible; unbound,
    /// none. To start from none and add what was proven is sound; to assume two tables proven by each other is not.
    pub proven: BTreeSet<u32>,
    /// Whether it may create functions or operators in some schema, so that an unqualified name can be shadowed.
    pub may_create: bool,
    /// Whether it may create temporary objects, so that an unqualified type name can be shadowed.
    pub may_create_temporary: bool,
}

impl Session {
    /// A session of a role that may do nothing besides reading and writing tables, bound by one setting.
    pub fn new(role: impl Into<String>, role_id: u32, setting: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            privileges_of: BTreeSet::from([role_id]),
            may_become: BTreeSet::new(),
            bypasses_row_security: false,
            setting: setting.into(),
            binding: BTreeMap::new(),
            longest_tenant: None,
            role_template: None,
            memberships: Vec::new(),
            writable: BTreeSet::new(),
            tenancies: BTreeMap::new(),
            proven: BTreeSet::new(),
            may_create: false,
            may_create_temporary: true,
        }
    }

    /// Whether this setting takes part in binding the session.
    pub(crate) fn is_binding(&self, name: &str) -> bool {
        let mut names = self.binding.keys().chain(std::iter::once(&self.setting));
        names.any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// A table that says which tenant an identity belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The table.
    pub relation: u32,
    /// The column that holds the identity.
    pub key: i16,
    /// The placeholder of the binding that it is compared with, without braces: `user`.
    pub placeholder: String,
    /// The column that holds the tenant.
    pub tenant: i16,
}

/// How a table's rows belong to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenancy {
    /// Each of these columns holds a tenant's value; a row belongs to every tenant that one of them names.
    Columns(Vec<i16>),
    /// The row belongs to whom its parent belongs to, which a foreign key names.
    Parent {
        /// The referencing columns.
        columns: Vec<i16>,
        /// The referenced table.
        parent: u32,
        /// The referenced columns, in the same order. They are unique.
        parent_columns: Vec<i16>,
    },
}

/// Rows that are meant to be seen by every tenant. They excuse reading, never writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// Rows whose tenant column is NULL.
    NoTenant,
    /// Rows in which this boolean column is true.
    Flag(i16),
}

/// One table as it is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Whose its rows are.
    pub tenancy: Tenancy,
    /// Rows that every tenant may see.
    pub shared: Vec<Shared>,
    /// Columns that the role cannot change with UPDATE (no grant): the new row has the old row's value.
    pub fixed_columns: BTreeSet<i16>,
}

impl Scope {
    /// A table with one tenant column.
    pub fn column(attnum: i16) -> Self {
        Tenancy::Columns(vec![attnum]).into()
    }
}

impl From<Tenancy> for Scope {
    fn from(tenancy: Tenancy) -> Self {
        Self {
            tenancy,
            shared: Vec::new(),
            fixed_columns: BTreeSet::new(),
        }
    }
}
