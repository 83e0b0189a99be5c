//! How long the attacks may take, in whole and each.

use std::time::Duration;

/// Time limits of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One statement.
    pub statement: Duration,
    /// Waiting for another session's lock. Short: in a live database somebody else may wait behind us.
    pub lock: Duration,
    /// The whole run. What was not reached by then is undecided.
    pub budget: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            statement: Duration::from_secs(5),
            lock: Duration::from_millis(500),
            budget: Duration::from_mins(5),
        }
    }
}
