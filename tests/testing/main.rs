//! `rls_tool::testing`: databases and templates, who is logged in as whom, two tenants, and every assertion, which
//! passes on a good schema and fails on a sabotaged one.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod assertions;
mod children;
mod databases;
mod guide;
mod roles;
mod shop;
mod tenants;
