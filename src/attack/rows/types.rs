//! What a column's type is made of, as far as making a value of it needs to know.

/// A type: how SQL names it, and its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeShape {
    /// For casts: what `format_type` prints, such as `character varying(20)` or `app.environment`.
    pub(crate) sql: String,
    pub(crate) form: Form,
}

/// The form of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// A type that PostgreSQL or an extension brings, by its own name (`int4`, `citext`).
    Base(String),
    /// An enum with its labels in order.
    Enum(Vec<String>),
    /// A domain: what it stands on, and its CHECK expressions about `VALUE`.
    Domain {
        base: Box<TypeShape>,
        checks: Vec<String>,
    },
    /// An array.
    Array(Box<TypeShape>),
    /// A row type.
    Composite(Vec<TypeShape>),
    /// A range over a type.
    Range(Box<TypeShape>),
    /// A multirange over a type.
    Multirange(Box<TypeShape>),
}

impl TypeShape {
    /// A type without parts.
    pub(crate) fn base(name: &str, sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            form: Form::Base(name.to_owned()),
        }
    }

    /// What is below all domains.
    pub(crate) fn bottom(&self) -> &Self {
        match &self.form {
            Form::Domain { base, .. } => base.bottom(),
            _ => self,
        }
    }

    /// Whether values are free text, into which a canary fits.
    pub(crate) fn is_text(&self) -> bool {
        matches!(&self.bottom().form, Form::Base(name)
            if ["text", "varchar", "bpchar", "citext", "name"].contains(&name.as_str()))
    }

    /// Whether values are numbers.
    pub(crate) fn is_number(&self) -> bool {
        matches!(&self.bottom().form, Form::Base(name)
            if ["int2", "int4", "int8", "numeric", "float4", "float8", "money"].contains(&name.as_str()))
    }

    /// Whether values are points in time.
    pub(crate) fn is_time(&self) -> bool {
        matches!(&self.bottom().form, Form::Base(name)
            if ["date", "timestamp", "timestamptz"].contains(&name.as_str()))
    }

    /// The numbers in parentheses: a length, or precision and scale.
    pub(crate) fn modifiers(&self) -> Vec<usize> {
        let sql = &self.bottom().sql;
        let inside = sql.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        inside
            .map(|(list, _)| list.split(',').filter_map(|n| n.trim().parse().ok()).collect())
            .unwrap_or_default()
    }

    /// The longest text that fits, where the type says so.
    pub(crate) fn max_length(&self) -> Option<usize> {
        match &self.bottom().form {
            Form::Base(name) if name == "name" => Some(63),
            Form::Base(name) if name == "bpchar" => Some(self.modifiers().first().copied().unwrap_or(1)),
            Form::Base(name) if name == "varchar" => self.modifiers().first().copied(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_through_domains() {
        let base = TypeShape::base("varchar", "character varying(20)");
        let domain = TypeShape {
            sql: "app.code".to_owned(),
            form: Form::Domain {
                base: Box::new(base),
                checks: Vec::new(),
            },
        };
        assert_eq!(domain.max_length(), Some(20));
        assert!(domain.is_text() && !domain.is_number());
        assert_eq!(TypeShape::base("numeric", "numeric(10,2)").modifiers(), [10, 2]);
        assert_eq!(TypeShape::base("text", "text").max_length(), None);
    }
}
