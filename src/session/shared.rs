//! What all transactions of a pool share: the configuration, and what was found out about the server.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::binding::{Form, SettingName};
use super::config::{Engine, SessionConfig, Statements};
use crate::error::Result;
use crate::sql::Literal;

/// What was found out about the server, and the configuration: one a pool.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: SessionConfig,
    pub(super) setting: SettingName,
    pub(super) engine: Engine,
    pub(super) form: Form,
    pub(super) statements: Statements,
    /// Whether nothing stands before the server.
    pub(super) direct: bool,
    /// Asks which tenant is bound.
    pub(super) verify: String,
    types: Option<String>,
    types_gone: AtomicBool,
    /// Connections whose driver knows the types, where statements travel unnamed.
    knowing: Mutex<HashSet<i32>>,
}

impl Shared {
    pub(super) fn new(
        config: SessionConfig,
        engine: Engine,
        form: Form,
        statements: Statements,
        direct: bool,
        types: Option<String>,
    ) -> Result<Self> {
        let setting = config.setting()?;
        let verify = format!(
            "SELECT pg_catalog.current_setting({},true)",
            Literal::new(setting.as_str())?
        );
        Ok(Self {
            config,
            setting,
            engine,
            form,
            statements,
            direct,
            verify,
            types,
            types_gone: AtomicBool::new(false),
            knowing: Mutex::default(),
        })
    }

    /// The query by which a connection learns the types of results.
    pub(super) fn types(&self) -> Option<&str> {
        if self.types_gone.load(Ordering::Relaxed) {
            return None;
        }
        self.types.as_deref()
    }

    /// That query no longer works.
    pub(super) fn forget_types(&self) {
        self.types_gone.store(true, Ordering::Relaxed);
    }

    /// Whether the connection was not seen before.
    pub(super) fn is_new(&self, connection: i32) -> bool {
        // More than any pool has connections; connections come and go.
        const MOST: usize = 10_000;
        let mut knowing = self.knowing.lock().unwrap_or_else(PoisonError::into_inner);
        if knowing.len() >= MOST {
            knowing.clear();
        }
        knowing.insert(connection)
    }
}
