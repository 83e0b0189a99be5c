//! Who logs in to a test's database: the application's role, bound or not, the owner, and the superuser for setting up.

use std::fmt::Write as _;

use tokio_postgres::Client;

use super::postgres::Postgres;
use super::role_session::RoleSession;
use super::{roles, tenants};
use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::session::AsTenant;

impl Postgres {
    /// Makes a login role that row security holds, unless it is there. Call it before migrations that grant to it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnsafeRole`] where it is there and is a superuser or has BYPASSRLS.
    pub async fn create_role(&self, name: &str) -> Result<()> {
        roles::create(self.server, &self.server.admin.connect().await?, name, "").await
    }

    /// Logs in as a role, bound to no tenant.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnsafeRole`] for a superuser and for a role with BYPASSRLS, [`ErrorKind::Input`] where there is no
    /// such role.
    pub async fn as_role(&self, role: &str) -> Result<RoleSession<'_>> {
        let client = self.options_as(role).await?.connect().await?;
        Ok(RoleSession::new(self, client, role.to_owned(), None))
    }

    /// Logs in as the application's role and binds the tenant for the whole session, as the policies want it.
    ///
    /// # Errors
    ///
    /// Where it is not clear which role that is; what [`as_role`](Self::as_role) refuses.
    pub async fn as_tenant<T: AsTenant + ?Sized>(&self, tenant: &T) -> Result<RoleSession<'_>> {
        let (_, model) = self.model(&[]).await?;
        let role = match model.roles.as_slice() {
            [role] => role.name.clone(),
            roles => {
                let list: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
                return Err(Error::input(format!(
                    "it is not clear which role the application logs in as: {}",
                    if list.is_empty() {
                        "none was found".to_owned()
                    } else {
                        list.join(" or ")
                    }
                ))
                .with_help("name it: Postgres::builder().role(\"app\"), or roles = [\"app\"] in rls.toml"));
            }
        };
        let tenant = tenant.as_tenant()?;
        let session = self.as_role(&role).await?;
        tenants::bind(&session, &model, tenant.as_str()).await?;
        Ok(session.bound_to(tenant.as_str()))
    }

    /// Logs in as the role that owns the database and applied the migrations: no superuser unless migrations were to be
    /// applied by one. Tables without FORCE ROW LEVEL SECURITY show it every row.
    ///
    /// # Errors
    ///
    /// Connection.
    pub async fn owner(&self) -> Result<Client> {
        self.make()?;
        self.owner_options().connect().await
    }

    /// Logs in as the superuser that created the database: for setting up. Never test row security with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Permission`] where `RLS_TEST_DATABASE_URL` names a role that is none.
    pub async fn superuser(&self) -> Result<Client> {
        if !self.server.superuser {
            return Err(Error::new(
                ErrorKind::Permission,
                "the test server's role is no superuser",
            ));
        }
        self.make()?;
        self.superuser_options().connect().await
    }

    /// Where the superuser connects: for `rls-tool` itself, say.
    pub fn superuser_options(&self) -> ConnectOptions {
        // Where that fails, connecting does too.
        drop(self.make());
        self.server.options().with_database(self.name())
    }

    /// Where a role connects: for a pool, or for the application under test.
    ///
    /// # Errors
    ///
    /// As [`as_role`](Self::as_role).
    pub async fn options_as(&self, role: &str) -> Result<ConnectOptions> {
        roles::check(&self.server.admin.connect().await?, role).await?;
        self.make()?;
        Ok(self.server.options_as(role).with_database(self.name()))
    }

    /// The same as a URL, with the password where one is needed.
    ///
    /// # Errors
    ///
    /// As [`as_role`](Self::as_role), and for a server that is reached through a socket only.
    pub async fn url_as(&self, role: &str) -> Result<String> {
        let options = self.options_as(role).await?;
        url(&options, role, self.server.password_of(role).as_deref())
            .ok_or_else(|| Error::input("the test server has no TCP address to make a URL of"))
    }
}

fn url(options: &ConnectOptions, role: &str, password: Option<&str>) -> Option<String> {
    let config = options.config();
    let tokio_postgres::config::Host::Tcp(host) = config.get_hosts().first()? else {
        return None;
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let password = password
        .map(|password| format!(":{password}"))
        .unwrap_or_default();
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.clone()
    };
    Some(format!(
        "postgres://{}{password}@{host}:{port}/{}",
        percent_encoded(role),
        percent_encoded(config.get_dbname()?)
    ))
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
