//! The Rust blocks of the guides, compiled as doctests.

#[doc = include_str!("../docs/migrations.md")]
struct Migrations;

#[doc = include_str!("../docs/pooling.md")]
struct Pooling;
