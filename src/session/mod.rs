//! Tenant sessions: no statement without a tenant.

pub mod guard;
