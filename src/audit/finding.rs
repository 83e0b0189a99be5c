//! A finding: one defect of isolation, with evidence and a way to mend it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// How bad a finding is (DESIGN, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Style and speed.
    Info,
    /// Only the existence or the volume of foreign rows can be learned, or a risk that is no leak today.
    Warning,
    /// Rows of another tenant are read or changed, by demonstration or with certainty.
    Error,
}

/// What the session does at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Command {
    /// Reading rows.
    Select,
    /// Adding rows.
    Insert,
    /// Changing rows.
    Update,
    /// Removing rows.
    Delete,
    /// Emptying the table.
    Truncate,
    /// Calling a function.
    Execute,
}

impl Command {
    /// The command as SQL spells it.
    pub fn as_sql(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Truncate => "TRUNCATE",
            Self::Execute => "EXECUTE",
        }
    }
}

/// What a finding is about. In JSON and text: `schema.name`, `role:name`, `setting:name`, `database:name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Object {
    /// A relation, or another object that lives in a schema.
    InSchema {
        /// The schema.
        schema: String,
        /// The name; for a function with its argument types: `name(text, integer)`.
        name: String,
    },
    /// A role.
    Role(String),
    /// A setting (custom parameter).
    Setting(String),
    /// The database.
    Database(String),
}

impl Object {
    /// The object `name` in `schema`.
    pub fn in_schema(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self::InSchema {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InSchema { schema, name } => write!(f, "{schema}.{name}"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Setting(name) => write!(f, "setting:{name}"),
            Self::Database(name) => write!(f, "database:{name}"),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As [`Display`](fmt::Display) writes it; the first dot ends the schema. An object so read is written the same again.
impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let named = |prefix: &str| text.strip_prefix(prefix).map(str::to_owned);
        Ok(if let Some(name) = named("role:") {
            Self::Role(name)
        } else if let Some(name) = named("setting:") {
            Self::Setting(name)
        } else if let Some(name) = named("database:") {
            Self::Database(name)
        } else if let Some((schema, name)) = text.split_once('.') {
            Self::in_schema(schema, name)
        } else {
            return Err(serde::de::Error::custom(format!(
                "{text:?} is no object: it is neither schema.name nor role:name, setting:name or database:name"
            )));
        })
    }
}

/// Where the knowledge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EvidenceKind {
    /// The policy's own expression.
    Proof,
    /// An attack that was run.
    Attack,
    /// What the catalog says.
    Catalog,
}

/// Why a finding is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where the knowledge comes from.
    pub kind: EvidenceKind,
    /// A row and settings that show it, or what the attack got.
    pub counterexample: Option<serde_json::Value>,
    /// A script that a person can paste into psql.
    pub exploit_sql: Option<String>,
}

impl Evidence {
    /// The catalog says so.
    pub fn catalog() -> Self {
        Self {
            kind: EvidenceKind::Catalog,
            counterexample: None,
            exploit_sql: None,
        }
    }
}

/// A place in a file: the statement that made the object what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file, relative to where the command ran, with `/` between folders.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// One defect of isolation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of the check or probe, in kebab case.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// The object whose rows leak, or the role or setting that is at fault.
    pub object: Object,
    /// The door, where it is not the object itself: the view, say, through which a table's rows leak.
    #[serde(default)]
    pub door: Option<Object>,
    /// The audited role that it concerns, if it concerns one.
    pub role: Option<String>,
    /// The command that it concerns, if it concerns one.
    pub command: Option<Command>,
    /// What is wrong: a lowercase sentence fragment without final period.
    pub message: String,
    /// What to do about it, with the SQL where there is one.
    pub help: String,
    /// Why it is true.
    pub evidence: Evidence,
    /// The SQL that mends it, where a machine can tell: one statement a line, to be run by the objects' owner.
    #[serde(default)]
    pub fix_sql: Option<String>,
    /// Where the policy or table was written, if that is known.
    #[serde(default)]
    pub location: Option<Location>,
    /// Stable over runs and databases: made of names only, never of OIDs or wording.
    pub fingerprint: String,
}

impl Finding {
    /// A finding about `object`; `part` tells findings of one check on one object apart (a policy's or a constraint's
    /// name), and is empty where there is just one. The fingerprint is made of all that is passed here.
    pub fn new(
        check: &str,
        severity: Severity,
        object: Object,
        role: Option<&str>,
        command: Option<Command>,
        part: &str,
    ) -> Self {
        let command_name = command.map(|command| format!("{command:?}")).unwrap_or_default();
        let object_name = object.to_string();
        let mut hash = Sha256::new();
        for piece in [check, &object_name, role.unwrap_or_default(), &command_name, part] {
            // Length first, so that no two lists of pieces run together.
            hash.update((piece.len() as u64).to_le_bytes());
            hash.update(piece);
        }
        let digest = hash.finalize();
        let fingerprint = u64::from_be_bytes(std::array::from_fn(|place| digest[place]));
        Self {
            check: check.to_owned(),
            severity,
            object,
            door: None,
            role: role.map(str::to_owned),
            command,
            message: String::new(),
            help: String::new(),
            evidence: Evidence::catalog(),
            fix_sql: None,
            location: None,
            fingerprint: format!("{fingerprint:016x}"),
        }
    }

    /// Sets the message and the help.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>, help: impl Into<String>) -> Self {
        self.message = message.into();
        self.help = help.into();
        self
    }

    /// Names the door, where it is not the object itself.
    #[must_use]
    pub fn through(mut self, door: Object) -> Self {
        self.door = Some(door);
        self
    }

    /// Sets the SQL that mends it.
    #[must_use]
    pub fn mended_by(mut self, sql: impl Into<String>) -> Self {
        self.fix_sql = Some(sql.into());
        self
    }

    /// Sets the evidence.
    #[must_use]
    pub fn shown_by(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }
}

#[cfg(test)]
impl Finding {
    /// Findings of one check on objects of the schema app, by name: for tests of what is done with findings.
    pub(super) fn samples(list: &[(&str, Severity)]) -> Vec<Self> {
        list.iter()
            .map(|(name, severity)| {
                let object = Object::in_schema("app", *name);
                Self::new("some-check", *severity, object, None, None, "")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_again_as_it_was_read() {
        for text in [
            "app.t",
            "app.f(text, app.t)",
            "a.b.c",
            "role:x.y",
            "setting:app.current_tenant",
            "database:d",
        ] {
            let json = serde_json::to_string(text).unwrap();
            let object: Object = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&object).unwrap(), json);
        }
        assert!(serde_json::from_str::<Object>("\"nothing\"").is_err());
    }
}
