//! What a run of the attacks may do and how long.

use super::sandbox::Limits;

/// Options of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Time limits.
    pub limits: Limits,
    /// A statement that would touch rows which the run did not make is not run on a table with more rows than this,
    /// not even in a transaction that is rolled back: it would keep them locked.
    pub rows_at_risk: u64,
    /// Makes the rows' values repeat.
    pub seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            rows_at_risk: 10_000,
            seed: None,
        }
    }
}
