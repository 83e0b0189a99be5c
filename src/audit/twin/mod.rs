//! A twin: the schema of a database on a throwaway server, without its rows, so that attacks need not touch the original.
//!
//! What is read of the original: its catalog, its roles and their settings (no passwords), and what `pg_dump --schema-only`
//! prints, all in READ ONLY transactions.

mod dump;
mod roles;

use std::time::Instant;

use tokio_postgres::{Client, IsolationLevel};

use super::{AttackMode, Audit, Door, DoorVerdict, Report, SelfTest};
use crate::attack::{self, Outcome};
use crate::catalog::Server as Facts;
use crate::connect::ConnectOptions;
use crate::ephemeral::Server;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Model, ModelDoor};
use crate::sql::Ident;

/// A running twin; dropping it stops and deletes the server.
#[derive(Debug)]
pub(super) struct Twin {
    server: Server,
    database: ConnectOptions,
    /// What could not be copied, in words.
    pub(super) notes: Vec<String>,
}

/// The database that every server has.
const MAINTENANCE: &str = "postgres";

impl Twin {
    /// Copies the schema that `options` leads to; `client` is connected to it.
    pub(super) async fn of(client: &mut Client, options: &ConnectOptions, facts: &Facts) -> Result<Self> {
        let version = facts.version / 10_000;
        let major = u32::try_from(version)
            .map_err(|cause| Error::new(ErrorKind::Internal, "the server has no version").caused_by(cause))?;
        let roles = {
            let failed = |cause| Error::postgres("read the roles for the twin", cause);
            let transaction = client
                .build_transaction()
                .isolation_level(IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()
                .await
                .map_err(failed)?;
            let roles = roles::read(&transaction).await?;
            transaction.rollback().await.map_err(failed)?;
            roles
        };
        let server = Server::builder().version(Some(major)).start().await?;
        let text = dump::schema(options, &facts.database, major, server.origin()).await?;
        let admin = server.options().connect().await?;
        let mut notes = roles.make(&admin).await?;
        let database = server.options().with_database(&facts.database);
        if facts.database != MAINTENANCE {
            let create = format!(
                "CREATE DATABASE {} TEMPLATE template0",
                Ident::new(&*facts.database)?
            );
            admin
                .batch_execute(&create)
                .await
                .map_err(|cause| Error::postgres("create the twin's database", cause))?;
        }
        restore(&database, &text).await?;
        // Last: a search_path or a READ ONLY default would be in the way.
        notes.extend(roles.set(&database.connect().await?).await?);
        Ok(Self {
            server,
            database,
            notes,
        })
    }

    /// A fresh session of its superuser.
    pub(super) async fn connect(&self) -> Result<Client> {
        self.database.connect().await
    }

    /// Stops the server and deletes its data.
    pub(super) async fn stop(self) {
        self.server.stop().await;
    }
}

/// Runs the dump in a session of its own: it changes settings.
async fn restore(database: &ConnectOptions, text: &str) -> Result<()> {
    let client = database.connect().await?;
    client.batch_execute(text).await.map_err(|cause| {
        Error::postgres("build the twin from pg_dump's output", cause).with_help(
            "the throwaway server must have what the schema needs: install the missing extension beside it, or attack \
             in place, on a copy of the database",
        )
    })?;
    // Passwords of foreign servers are nothing that the twin should hold.
    let forget = "DO $$ DECLARE m record; BEGIN
        FOR m IN SELECT srvname, usename FROM pg_catalog.pg_user_mappings LOOP
            IF m.usename = 'public' THEN
                EXECUTE pg_catalog.format('DROP USER MAPPING FOR PUBLIC SERVER %I', m.srvname);
            ELSE
                EXECUTE pg_catalog.format('DROP USER MAPPING FOR %I SERVER %I', m.usename, m.srvname);
            END IF;
        END LOOP; END $$";
    client
        .batch_execute(forget)
        .await
        .map_err(|cause| Error::postgres("drop the twin's user mappings", cause))
}

impl Audit {
    /// As [`run`](Self::run), with the attacks on a twin: a throwaway server of the same major version with the same
    /// schema, roles and settings, and no rows. The database itself is only read, in READ ONLY transactions.
    ///
    /// `client` is connected to the database that `options` lead to.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); where there is no `pg_dump` that fits, or no server of that version; and where the twin
    /// cannot be built because the server lacks an extension, say.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops and deletes the twin.
    pub async fn run_with_twin(&self, client: &mut Client, options: &ConnectOptions) -> Result<Report> {
        let start = Instant::now();
        let catalog = self.read_catalog(client).await?;
        let mut state = self.judge(&catalog)?;
        let twin = Box::pin(Twin::of(client, options, &catalog.server)).await?;
        state.notes.extend(twin.notes.iter().cloned());
        let outcome = Box::pin(self.attack_twin(&twin, &state.model)).await;
        twin.stop().await;
        state.take(outcome)?;
        Ok(self.report(start, &catalog, state, AttackMode::Twin))
    }

    /// As [`self_test`](Self::self_test), on a twin: the database itself is not altered and not locked.
    ///
    /// # Errors
    ///
    /// As [`run_with_twin`](Self::run_with_twin).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops and deletes the twin.
    pub async fn self_test_with_twin(
        &self,
        client: &mut Client,
        options: &ConnectOptions,
    ) -> Result<SelfTest> {
        let catalog = self.read_catalog(client).await?;
        let twin = Box::pin(Twin::of(client, options, &catalog.server)).await?;
        let result = Box::pin(self.self_test(&mut twin.connect().await?)).await;
        twin.stop().await;
        result
    }

    /// Attacks the twin; the doors are the original's.
    async fn attack_twin(&self, twin: &Twin, original: &Model) -> Result<Outcome> {
        let mut client = twin.connect().await?;
        let mut audit = self.clone();
        audit.config.roles = original.roles.iter().map(|role| role.name.clone()).collect();
        let catalog = audit.read_catalog(&mut client).await?;
        let model = audit.model(&catalog)?;
        let mut outcome = attack::run(&mut client, &catalog, &model, &self.attack_options()).await?;
        let doors = std::mem::take(&mut outcome.doors);
        outcome.doors = original.doors.iter().map(|door| of_twin(&doors, door)).collect();
        Ok(outcome)
    }
}

/// What was found at the same door of the twin.
fn of_twin(doors: &[Door], door: &ModelDoor) -> Door {
    let same = |other: &&Door| {
        (&other.object, other.kind, &other.role, other.command)
            == (&door.object, door.kind, &door.role_name, door.command)
    };
    doors.iter().find(same).cloned().unwrap_or_else(|| Door {
        object: door.object.clone(),
        kind: door.kind,
        role: door.role_name.clone(),
        command: door.command,
        verdict: DoorVerdict::Undecided,
        reason: "the twin has no such door".to_owned(),
    })
}
