//! The checks, one folder each; this file lists none of them (`src/build.rs` does).
//!
//! A folder holds `mod.rs` with `pub(crate) static CHECK: Check`, the page `README.md`, and the schemas `bad*.sql`,
//! each with `-- expect: <check> <object>` on the line above the statement at fault, and `good*.sql`, which must be
//! clean. The folder's name, with dashes, is the check's name.

use crate::audit::Entry;

pub(crate) mod functions;
pub(crate) mod policies;
pub(crate) mod words;

include!(concat!(env!("OUT_DIR"), "/checks.rs"));
