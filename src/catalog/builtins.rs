//! PostgreSQL's own functions and settings: what a stored expression means rests on them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Oid, Text};
use crate::error::Result;

/// One of PostgreSQL's own functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltinFunction {
    /// Its name.
    pub name: Text,
    /// The C function behind it; none where it has another language, or runs with other rights or settings.
    pub source: Option<Text>,
}

/// What the server brings along.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Builtins {
    /// Whether it stores numbers in little-endian order.
    pub little_endian: bool,
    /// Its settings, in lower case. A setting with a dot in its name that is not here can be made by any session.
    pub settings: BTreeSet<String>,
    /// Functions made by initdb.
    pub functions: BTreeMap<Oid, BuiltinFunction>,
    /// The functions behind casts that users made. A cast in a function's text does not name them.
    #[serde(default)]
    pub cast_functions: BTreeSet<Oid>,
}

impl Builtins {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        let version: &str = fields.take()?;
        let settings: Vec<String> = fields.take()?;
        let oids: Vec<Oid> = fields.take()?;
        let names: Vec<&str> = fields.take()?;
        let sources: Vec<Option<&str>> = fields.take()?;
        let cast_functions: Vec<Oid> = fields.take()?;
        let functions = oids.into_iter().zip(names.into_iter().zip(sources));
        Ok(Self {
            little_endian: is_little_endian(version),
            settings: settings.into_iter().collect(),
            functions: functions
                .map(|(oid, (name, source))| {
                    let name = fields.share(name);
                    let source = source.map(|source| fields.share(source));
                    (oid, BuiltinFunction { name, source })
                })
                .collect(),
            cast_functions: cast_functions.into_iter().collect(),
        })
    }
}

/// By the platform's name in `version()`: none of the big-endian ones that PostgreSQL runs on is missing.
fn is_little_endian(version: &str) -> bool {
    let platform = version.split(" on ").nth(1).unwrap_or_default();
    let big = [
        "s390",
        "sparc",
        "powerpc-",
        "powerpc64-",
        "ppc-",
        "ppc64-",
        "hppa",
        "mips-",
        "mips64-",
        "m68k",
        "aix",
    ];
    !big.iter().any(|name| platform.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_order_is_that_of_the_platform() {
        for (version, little) in [
            (
                "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc",
                true,
            ),
            (
                "PostgreSQL 17.2 on powerpc64le-unknown-linux-gnu, compiled by gcc",
                true,
            ),
            ("PostgreSQL 16.1 on aarch64-apple-darwin, compiled by clang", true),
            ("PostgreSQL 16.1 on s390x-ibm-linux-gnu, compiled by gcc", false),
            (
                "PostgreSQL 14.1 on powerpc-ibm-aix7.2.0.0, compiled by gcc",
                false,
            ),
        ] {
            assert_eq!(is_little_endian(version), little, "{version}");
        }
    }
}
