//! Type shapes from the catalog.

use super::types::{Form, TypeShape};
use crate::catalog::{Catalog, Column, Constraint, ConstraintKind, Oid, Type, TypeKind};
use crate::sql::QualifiedName;

/// Types nest; one that nests deeper than this is not looked into further.
const DEEPEST: usize = 8;

/// Looks types up.
#[derive(Debug)]
pub(crate) struct TypeShapes<'a> {
    catalog: &'a Catalog,
}

impl<'a> TypeShapes<'a> {
    pub(crate) fn new(catalog: &'a Catalog) -> Self {
        Self { catalog }
    }

    /// The type of a column, with its modifier.
    pub(crate) fn of_column(&self, column: &Column) -> TypeShape {
        let mut shape = self.of(column.type_oid, -1, 0);
        // What format_type prints is right for casts, modifier included.
        shape.sql = column.type_name.to_string();
        shape
    }

    /// The type with this OID, without a modifier.
    pub(crate) fn of_type(&self, oid: Oid) -> TypeShape {
        self.of(oid, -1, 0)
    }

    /// Whether a domain, at any level, is NOT NULL.
    pub(crate) fn is_not_null(&self, oid: Oid) -> bool {
        self.domains(oid).any(|ty| ty.not_null)
    }

    /// The default of a domain.
    pub(crate) fn default_of(&self, oid: Oid) -> Option<&'a str> {
        self.domains(oid).find_map(|ty| ty.default.as_deref())
    }

    /// The domain with this OID and those that it stands on.
    fn domains(&self, oid: Oid) -> impl Iterator<Item = &'a Type> {
        let catalog = self.catalog;
        let domain = move |oid| {
            catalog
                .types
                .get(oid)
                .filter(|ty| matches!(ty.kind, TypeKind::Domain { .. }))
        };
        std::iter::successors(domain(oid), move |ty| match ty.kind {
            TypeKind::Domain { base, .. } => domain(base),
            _ => None,
        })
        .take(DEEPEST)
    }

    fn of(&self, oid: Oid, modifier: i32, depth: usize) -> TypeShape {
        let Some(ty) = self.catalog.types.get(oid).filter(|_| depth < DEEPEST) else {
            return TypeShape::base("text", "pg_catalog.text");
        };
        let sql = name(ty).map_or_else(|| "pg_catalog.text".to_owned(), |name| name.to_string());
        let form = match &ty.kind {
            TypeKind::Enum(labels) => Form::Enum(labels.clone()),
            TypeKind::Domain { base, modifier } => Form::Domain {
                base: Box::new(self.of(*base, *modifier, depth + 1)),
                checks: ty.checks.iter().filter_map(check).collect(),
            },
            TypeKind::Composite(attributes) => Form::Composite(
                attributes
                    .iter()
                    .map(|(_, oid)| self.of(*oid, -1, depth + 1))
                    .collect(),
            ),
            TypeKind::Range(subtype) => Form::Range(Box::new(self.of(*subtype, -1, depth + 1))),
            TypeKind::Multirange => match self.range_of(ty) {
                Some(range) => Form::Multirange(Box::new(self.of(range, -1, depth + 1))),
                None => Form::Base("anymultirange".to_owned()),
            },
            // A real array, and not a type of fixed length that can be subscripted, such as point.
            _ if ty.category == 'A' && ty.element != 0 => {
                Form::Array(Box::new(self.of(ty.element, modifier, depth + 1)))
            }
            _ => Form::Base(ty.name.to_string()),
        };
        let sql = match &form {
            Form::Base(base) => with_modifier(base, sql, modifier),
            _ => sql,
        };
        TypeShape { sql, form }
    }

    /// PostgreSQL names a multirange after its range, unless told otherwise.
    fn range_of(&self, multirange: &Type) -> Option<Oid> {
        let name = multirange.name.replacen("multirange", "range", 1);
        let same = |ty: &&Type| {
            *ty.name == *name && ty.schema == multirange.schema && matches!(ty.kind, TypeKind::Range(_))
        };
        self.catalog.types.iter().find(same).map(|ty| ty.oid)
    }
}

/// The expression of a CHECK.
fn check(constraint: &Constraint) -> Option<String> {
    match &constraint.kind {
        ConstraintKind::Check(expression) if constraint.enforced => Some(expression.to_string()),
        _ => None,
    }
}

fn name(ty: &Type) -> Option<QualifiedName> {
    QualifiedName::new(&*ty.schema, &*ty.name).ok()
}

/// The type with its length or precision, which `pg_type.typtypmod` holds encoded.
fn with_modifier(base: &str, sql: String, modifier: i32) -> String {
    match base {
        _ if modifier < 0 => sql,
        "varchar" | "bpchar" => format!("{sql}({})", modifier - 4),
        "bit" | "varbit" => format!("{sql}({modifier})"),
        "numeric" => {
            let packed = modifier - 4;
            // Eleven bits of scale, two's complement since PostgreSQL 15.
            let scale = ((packed & 0x7ff) ^ 0x400) - 0x400;
            format!("{sql}({}, {scale})", (packed >> 16) & 0xffff)
        }
        _ => sql,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_decoded() {
        assert_eq!(with_modifier("varchar", "v".to_owned(), 24), "v(20)");
        assert_eq!(
            with_modifier("numeric", "n".to_owned(), (10 << 16 | 2) + 4),
            "n(10, 2)"
        );
        assert_eq!(with_modifier("bit", "b".to_owned(), 3), "b(3)");
        assert_eq!(with_modifier("text", "t".to_owned(), -1), "t");
    }
}
