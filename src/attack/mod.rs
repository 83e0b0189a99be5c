//! Attacks: two tenants' rows in every table, and then everything that a malicious tenant would try.
//!
//! All of it happens in one transaction that cannot be committed (`sandbox`), over rows made for the purpose (`rows`).

mod rows;
mod sandbox;
