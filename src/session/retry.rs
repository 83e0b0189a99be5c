//! A transaction that is tried again, and how long to wait before.

use std::time::Duration;

use futures_util::future::BoxFuture;
use rand::TryRng;
use rand::rngs::SysRng;
use tokio_postgres::error::SqlState;

use super::config::Retry;
use super::scope::TenantScope;
use super::transaction::TenantTransaction;
use crate::error::Error;

impl<'a, S> TenantScope<'a, S> {
    /// Runs the closure in a transaction and commits, all of it again where PostgreSQL reports a serialization failure
    /// (40001) or a deadlock (40P01), as often as [`Retry`](super::Retry) allows. So the closure may run several times;
    /// what it does outside of the database is not undone.
    ///
    /// ```no_run
    /// # async fn example(pool: rls_tool::TenantPool, tenant: rls_tool::TenantId) -> rls_tool::Result<()> {
    /// let name: String = pool
    ///     .tenant(&tenant)
    ///     .run(|tx| {
    ///         Box::pin(async move {
    ///             let row = tx.query_one("select name from app.tenants", &[]).await?;
    ///             Ok::<_, rls_tool::Error>(row.get(0))
    ///         })
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An error of the closure, or a panic, rolls back.
    pub async fn run<T, E, F>(&self, mut work: F) -> std::result::Result<T, E>
    where
        F: for<'t> FnMut(&'t mut TenantTransaction<'a, S>) -> BoxFuture<'t, std::result::Result<T, E>>,
        E: From<Error>,
    {
        let mut attempt = 1;
        loop {
            let mut tx = self.begin().await?;
            let result = work(&mut tx).await;
            let retryable;
            let error = match result {
                Ok(value) => {
                    let (committed, code) = tx.commit_for_retry().await;
                    match committed {
                        Ok(()) => return Ok(value),
                        Err(error) => {
                            retryable = code;
                            E::from(error)
                        }
                    }
                }
                Err(error) => {
                    retryable = tx.core().retryable();
                    drop(tx);
                    error
                }
            };
            if !self.wait_before_another(&mut attempt, retryable).await {
                return Err(error);
            }
        }
    }

    /// Waits before another attempt, where there is to be one.
    async fn wait_before_another(&self, attempt: &mut u32, cause: Option<SqlState>) -> bool {
        let retry = &self.shared.config.retry;
        let Some(cause) = cause else { return false };
        if *attempt >= retry.attempts {
            return false;
        }
        tokio::time::sleep(pause(retry, *attempt)).await;
        *attempt += 1;
        if let Some(observer) = &self.shared.config.observer {
            observer.retried(*attempt, &cause);
        }
        true
    }
}

/// A random time up to a limit that doubles with each attempt, so that transactions that met once do not meet again.
fn pause(retry: &Retry, attempt: u32) -> Duration {
    let doubled = retry
        .first_pause
        .saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let limit = doubled.min(retry.longest_pause);
    // Without random bits everybody waits the whole time, which is only slower.
    let share = SysRng
        .try_next_u32()
        .map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX));
    limit.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_stay_within_their_limit() {
        let retry = Retry::attempts(40).pauses(Duration::from_millis(1), Duration::from_millis(100));
        for attempt in 1..40 {
            let limit = Duration::from_millis(1 << attempt.min(20)).min(Duration::from_millis(100));
            assert!(pause(&retry, attempt) <= limit);
        }
    }
}
