//! Relations: tables, partitioned tables, views, materialized views, foreign tables, and what belongs to one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::objects::Named;
use super::{Acl, Column, Constraint, ForeignKey, Index, Oid, Policy, Text};
use crate::audit::Object;
use crate::error::{Error, Result};
use crate::sql::QualifiedName;

/// What sort of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// An ordinary table.
    Table,
    /// A partitioned table.
    PartitionedTable,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
}

impl RelationKind {
    /// Whether PostgreSQL can apply row security to it.
    pub fn has_row_security(self) -> bool {
        matches!(self, Self::Table | Self::PartitionedTable)
    }

    /// Whether it holds rows of its own (or its partitions' or a foreign server's), and is no query's result.
    pub fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::PartitionedTable | Self::ForeignTable)
    }
}

impl fmt::Display for RelationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table | Self::PartitionedTable => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::ForeignTable => "foreign table",
        })
    }
}

/// A relation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags as PostgreSQL has them"
)]
pub struct Relation {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub schema: Text,
    /// Its name.
    pub name: Text,
    /// What sort of relation it is.
    pub kind: RelationKind,
    /// Its owner.
    pub owner: Oid,
    /// Its row type.
    pub row_type: Oid,
    /// ENABLE ROW LEVEL SECURITY.
    pub row_security: bool,
    /// FORCE ROW LEVEL SECURITY.
    pub force_row_security: bool,
    /// Whether it is a partition.
    pub is_partition: bool,
    /// Whether a materialized view holds rows; true for everything else.
    pub populated: bool,
    /// PostgreSQL's estimate of its rows; negative when it has none.
    pub estimated_rows: f32,
    /// Storage parameters and view options, as name=value.
    pub options: Vec<String>,
    /// Grants on it.
    pub acl: Acl,
    /// The partitioned table or the tables that it inherits from.
    pub parents: Vec<Oid>,
    /// The bound of a partition: `FOR VALUES FROM … TO …`.
    pub partition_bound: Option<Text>,
    /// Columns of the partition key; 0 is an expression.
    pub partition_columns: Vec<i16>,
    /// The partition key as SQL: `RANGE (created_at)`.
    pub partition_key: Option<Text>,
    /// The query of a view or materialized view.
    pub definition: Option<Text>,
    /// What can be written through it: bits 4 for UPDATE, 8 for INSERT, 16 for DELETE.
    pub updatable: i32,
    /// The server of a foreign table.
    pub foreign_server: Option<Oid>,
    /// The extension that it belongs to.
    pub extension: Option<Oid>,
    /// Its columns by number.
    pub columns: Vec<Column>,
    /// Its constraints by name.
    pub constraints: Vec<Constraint>,
    /// Its indexes by name.
    pub indexes: Vec<Index>,
    /// Its policies by name.
    pub policies: Vec<Policy>,
    /// Its triggers by name, in the order in which they fire.
    pub triggers: Vec<Trigger>,
    /// Its rules by name.
    pub rules: Vec<Rule>,
    /// The relations that a view or materialized view reads.
    pub reads: Vec<Reference>,
    /// The functions, not PostgreSQL's own, that it calls.
    pub calls: Vec<Oid>,
}

/// A relation that an expression or a query refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The relation.
    pub relation: Oid,
    /// The columns that it names, as far as PostgreSQL recorded them; 0 is the whole row.
    pub columns: Vec<i16>,
}

/// A trigger.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trigger {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// Its function.
    pub function: Oid,
    /// When and for what it fires: PostgreSQL's `tgtype` bits.
    pub bits: i16,
    /// `O` origin, `D` disabled, `R` replica, `A` always.
    pub enabled: char,
    /// The trigger of the partitioned table that it was cloned from, or 0.
    pub parent: Oid,
    /// The columns of UPDATE OF.
    pub columns: Vec<i16>,
    /// Whether it has a WHEN condition.
    pub conditional: bool,
}

impl Trigger {
    /// The relation's OID and the trigger.
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<(Oid, Self)> {
        let oid = fields.take()?;
        let relation = fields.take()?;
        let trigger = Self {
            oid,
            name: fields.text()?,
            function: fields.take()?,
            bits: fields.take()?,
            enabled: fields.letter()?,
            parent: fields.take()?,
            columns: fields.take()?,
            conditional: fields.take()?,
        };
        Ok((relation, trigger))
    }

    /// Whether it fires in ordinary sessions.
    pub fn fires(&self) -> bool {
        matches!(self.enabled, 'O' | 'A')
    }
    /// FOR EACH ROW.
    pub fn for_each_row(&self) -> bool {
        self.bits & 1 != 0
    }
    /// BEFORE.
    pub fn before(&self) -> bool {
        self.bits & 2 != 0
    }
    /// ON INSERT.
    pub fn on_insert(&self) -> bool {
        self.bits & 4 != 0
    }
    /// ON DELETE.
    pub fn on_delete(&self) -> bool {
        self.bits & 8 != 0
    }
    /// ON UPDATE.
    pub fn on_update(&self) -> bool {
        self.bits & 16 != 0
    }
    /// ON TRUNCATE.
    pub fn on_truncate(&self) -> bool {
        self.bits & 32 != 0
    }
    /// INSTEAD OF.
    pub fn instead_of(&self) -> bool {
        self.bits & 64 != 0
    }
}

/// A rewrite rule, other than the one that makes a view a view.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: Text,
    /// The command that it rewrites: `1` SELECT, `2` UPDATE, `3` INSERT, `4` DELETE.
    pub event: char,
    /// DO INSTEAD.
    pub instead: bool,
    /// `O` origin, `D` disabled, `R` replica, `A` always.
    pub enabled: char,
    /// Its definition as SQL.
    pub definition: Text,
    /// The relations that its actions refer to.
    pub reads: Vec<Reference>,
}

impl Rule {
    /// The relation's OID and the rule.
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<(Oid, Self)> {
        let oid = fields.take()?;
        let relation = fields.take()?;
        let rule = Self {
            oid,
            name: fields.text()?,
            event: fields.letter()?,
            instead: fields.take()?,
            enabled: fields.letter()?,
            definition: fields.text()?,
            reads: Vec::new(),
        };
        Ok((relation, rule))
    }
}

impl Relation {
    pub(super) fn read(fields: &mut Fields<'_, '_>, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<Self> {
        Ok(Self {
            oid: fields.take()?,
            schema: fields.text()?,
            name: fields.text()?,
            kind: match fields.letter()? {
                'r' => RelationKind::Table,
                'p' => RelationKind::PartitionedTable,
                'v' => RelationKind::View,
                'm' => RelationKind::MaterializedView,
                'f' => RelationKind::ForeignTable,
                other => {
                    return Err(Error::new(
                        crate::ErrorKind::Internal,
                        format!("unknown kind of relation {other:?}"),
                    ));
                }
            },
            owner: fields.take()?,
            row_type: fields.take()?,
            row_security: fields.take()?,
            force_row_security: fields.take()?,
            is_partition: fields.take()?,
            populated: fields.take()?,
            estimated_rows: fields.take()?,
            options: fields.take::<Option<Vec<String>>>()?.unwrap_or_default(),
            acl: acl(&fields.take::<Vec<&str>>()?)?,
            parents: fields.take()?,
            partition_bound: fields.optional_text()?,
            partition_columns: fields.take::<Option<Vec<i16>>>()?.unwrap_or_default(),
            partition_key: fields.optional_text()?,
            definition: fields.optional_text()?,
            updatable: fields.take()?,
            foreign_server: fields.take()?,
            extension: fields.take()?,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            policies: Vec::new(),
            triggers: Vec::new(),
            rules: Vec::new(),
            reads: Vec::new(),
            calls: Vec::new(),
        })
    }

    /// The relation as reports name it.
    pub fn object(&self) -> Object {
        Object::in_schema(&*self.schema, &*self.name)
    }

    /// The relation as SQL names it.
    ///
    /// # Panics
    ///
    /// Never for a relation that PostgreSQL has: a name there is neither empty nor holds a NUL.
    pub fn qualified_name(&self) -> QualifiedName {
        QualifiedName::new(&*self.schema, &*self.name).expect("PostgreSQL's names are valid names")
    }

    /// `schema.name`, for people.
    pub fn plain_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// The column with this number.
    pub fn column(&self, number: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.number == number)
    }

    /// The column with this name.
    pub fn column_named(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name)
    }

    /// The names of these columns, in the order given.
    pub fn column_names(&self, numbers: &[i16]) -> Vec<Text> {
        numbers
            .iter()
            .filter_map(|&number| self.column(number).map(|column| Text::clone(&column.name)))
            .collect()
    }

    /// Its foreign keys.
    pub fn foreign_keys(&self) -> impl Iterator<Item = (&Constraint, &ForeignKey)> {
        self.constraints
            .iter()
            .filter_map(|constraint| Some((constraint, constraint.foreign_key()?)))
    }

    /// The value of an option: of a view's `security_invoker`, say.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find_map(|option| {
            let (known, value) = option.split_once('=')?;
            (known == name).then_some(value)
        })
    }

    /// Whether a boolean option is on. PostgreSQL keeps the spelling that was given.
    pub fn option_is_on(&self, name: &str) -> bool {
        // Any unambiguous beginning of true, yes or on counts for PostgreSQL's parse_bool.
        self.option(name).is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value == "1"
                || value == "on"
                || !value.is_empty() && ("true".starts_with(&value) || "yes".starts_with(&value))
        })
    }
}

impl Named for Relation {
    fn oid(&self) -> Oid {
        self.oid
    }
}
