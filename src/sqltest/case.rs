//! One test: who runs what, and what must come of it.

/// Who runs the statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// Bound to the first tenant.
    A,
    /// Bound to the second.
    B,
    /// Bound to nobody.
    Nobody,
    /// Bound to this value, whatever it is.
    Value(String),
}

/// What must come of the last statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// So many rows are returned or changed.
    Count(u64),
    /// At least so many.
    AtLeast(u64),
    /// These rows, as values separated by ` | `.
    Rows {
        /// A row each.
        rows: Vec<String>,
        /// In this order.
        ordered: bool,
    },
    /// An error with this SQLSTATE, whose message holds the text.
    Error {
        /// Five characters.
        state: String,
        /// Empty: any message.
        text: String,
    },
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) who: Who,
    pub(super) expected: Expected,
    /// The statements; all but the last must succeed.
    pub(super) statements: Vec<String>,
}
