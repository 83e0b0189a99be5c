//! Functions and procedures.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::objects::Named;
use super::relation::Reference;
use super::{Acl, Oid, Text};
use crate::audit::Object;
use crate::error::Result;

/// What sort of routine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionKind {
    /// An ordinary function.
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// A window function.
    Window,
}

/// How often the result may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Volatility {
    /// Never: it may be computed once, when a plan is made.
    Immutable,
    /// Not within a statement.
    Stable,
    /// At any time.
    Volatile,
}

/// A function or procedure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags as PostgreSQL has them"
)]
pub struct Function {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub schema: Text,
    /// Its name.
    pub name: Text,
    /// Its owner.
    pub owner: Oid,
    /// What sort of routine it is.
    pub kind: FunctionKind,
    /// Its language.
    pub language: Text,
    /// Whether the language is trusted: it cannot reach outside the database.
    pub trusted_language: bool,
    /// SECURITY DEFINER.
    pub security_definer: bool,
    /// LEAKPROOF.
    pub leakproof: bool,
    /// IMMUTABLE, STABLE or VOLATILE.
    pub volatility: Volatility,
    /// STRICT.
    pub strict: bool,
    /// Whether it returns a set.
    pub returns_set: bool,
    /// The result's type.
    pub result: Oid,
    /// Types of the input arguments.
    pub arguments: Vec<Oid>,
    /// Types of all arguments, where some are OUT, INOUT or TABLE.
    pub all_arguments: Option<Vec<Oid>>,
    /// Their modes: `i`, `o`, `b`, `v`, `t`.
    pub modes: Option<Vec<String>>,
    /// Their names; empty where there is none.
    pub names: Option<Vec<String>>,
    /// How many of the last input arguments have a default.
    pub defaults: i16,
    /// The element type of a VARIADIC argument, or 0.
    pub variadic: Oid,
    /// Its arguments as SQL, as ALTER FUNCTION wants them.
    pub signature: Text,
    /// Settings that it runs with, as name=value.
    pub settings: Vec<String>,
    /// Grants on it.
    pub acl: Acl,
    /// Its body as text (empty for SQL-standard bodies); `None` for an extension's.
    pub body: Option<Text>,
    /// A SQL-standard body, as PostgreSQL stores it.
    pub body_tree: Option<Text>,
    /// The extension that it belongs to.
    pub extension: Option<Oid>,
    /// Relations that a SQL-standard body reads.
    pub reads: Vec<Reference>,
    /// Functions, not PostgreSQL's own, that a SQL-standard body calls.
    pub calls: Vec<Oid>,
}

impl Function {
    pub(super) fn read(fields: &mut Fields<'_, '_>, acl: impl Fn(&[&str]) -> Result<Acl>) -> Result<Self> {
        Ok(Self {
            oid: fields.take()?,
            schema: fields.text()?,
            name: fields.text()?,
            owner: fields.take()?,
            kind: match fields.letter()? {
                'p' => FunctionKind::Procedure,
                'a' => FunctionKind::Aggregate,
                'w' => FunctionKind::Window,
                _ => FunctionKind::Function,
            },
            language: fields.text()?,
            trusted_language: fields.take()?,
            security_definer: fields.take()?,
            leakproof: fields.take()?,
            volatility: match fields.letter()? {
                'i' => Volatility::Immutable,
                's' => Volatility::Stable,
                _ => Volatility::Volatile,
            },
            strict: fields.take()?,
            returns_set: fields.take()?,
            result: fields.take()?,
            arguments: fields.take()?,
            all_arguments: fields.take()?,
            modes: fields.take()?,
            names: fields.take()?,
            defaults: fields.take()?,
            variadic: fields.take()?,
            signature: fields.text()?,
            settings: fields.take::<Option<Vec<String>>>()?.unwrap_or_default(),
            acl: acl(&fields.take::<Vec<&str>>()?)?,
            body: fields.optional_text()?,
            body_tree: fields.optional_text()?,
            extension: fields.take()?,
            reads: Vec::new(),
            calls: Vec::new(),
        })
    }

    /// The function as reports name it: `schema.name(arguments)`.
    pub fn object(&self) -> Object {
        Object::in_schema(&*self.schema, format!("{}({})", self.name, self.signature))
    }

    /// Whether it can only be called by a trigger (returns `trigger` or `event_trigger`).
    pub fn is_trigger_function(&self) -> bool {
        matches!(self.result, 2279 | 3838)
    }

    /// The value that the function pins a setting to, if it does.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find_map(|setting| {
            let (known, value) = setting.split_once('=')?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Named for Function {
    fn oid(&self) -> Oid {
        self.oid
    }
}
