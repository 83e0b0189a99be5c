//! Words of the grammar.

/// Words that end or shape an expression, so that they are no column names.
#[rustfmt::skip]
pub(super) const RESERVED: &[&str] = &[
    "and", "or", "not", "is", "in", "like", "ilike", "similar", "between", "from", "where", "as", "case",
    "when", "then", "else", "end", "select", "null", "true", "false", "collate", "limit", "offset", "group",
    "order", "having", "union", "intersect", "except", "into", "for", "window", "isnull", "notnull",
    "distinct", "all", "any", "some", "array", "row", "exists", "at", "interval", "date", "time", "timestamp",
    "default", "using", "with",
];
