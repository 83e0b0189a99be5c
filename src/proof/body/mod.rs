//! Reading the bodies of functions that are text: one expression of the kind that tenant helpers hold.
//!
//! PostgreSQL parses such a text when the function runs, with the names as they are then. This reads
//! `SELECT expression` (language sql) and `BEGIN RETURN expression; END` (language plpgsql) in a small part of SQL's
//! grammar, with the grammar's own precedence, and refuses everything else. What the names mean is the caller's task.

mod ast;
mod lexer;
mod parser;
mod words;

pub(crate) use ast::{Ast, Name, Operator, TypeName};
pub(crate) use parser::{parse_plpgsql, parse_sql};
