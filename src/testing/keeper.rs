//! A thread with a connection of its own that creates and drops databases: it outlives the runtimes of the tests, so
//! that a database is dropped also when its test panicked.

use std::sync::mpsc as blocking;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Client;

use crate::connect::ConnectOptions;
use crate::error::{Error, ErrorKind, Result};

/// Far more than creating or dropping a database takes.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Keeper {
    jobs: mpsc::UnboundedSender<Job>,
}

struct Job {
    step: String,
    sql: String,
    done: Box<dyn FnOnce(Result<()>) + Send>,
}

impl Keeper {
    /// Starts the thread; every connection that it opens runs `greeting` first.
    pub(super) fn start(options: ConnectOptions, greeting: Option<String>) -> Result<Self> {
        let failed = |cause| Error::new(ErrorKind::Server, "failed to start a thread").caused_by(cause);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (jobs, received) = mpsc::unbounded_channel();
        std::thread::Builder::new()
            .name("rls-tool testing".to_owned())
            .spawn(move || runtime.block_on(work(received, &options, greeting.as_deref())))
            .map_err(failed)?;
        Ok(Self { jobs })
    }

    /// Runs statements, each of which is a transaction of its own, on the maintenance database.
    pub(super) async fn run(&self, step: &str, statements: &[String]) -> Result<()> {
        for sql in statements {
            let (reply, answer) = oneshot::channel();
            self.send(step.to_owned(), sql, |result| drop(reply.send(result)))?;
            answer.await.map_err(|_| gone())??;
        }
        Ok(())
    }

    /// The same for one statement, without a runtime: it blocks.
    pub(super) fn run_blocking(&self, step: &str, sql: &str) -> Result<()> {
        let (reply, answer) = blocking::channel();
        self.send(step.to_owned(), sql, move |result| drop(reply.send(result)))?;
        answer.recv_timeout(PATIENCE).map_err(|_| {
            Error::new(
                ErrorKind::Timeout,
                format!("no answer for long while trying to {step}"),
            )
        })?
    }

    fn send(&self, step: String, sql: &str, done: impl FnOnce(Result<()>) + Send + 'static) -> Result<()> {
        let job = Job {
            step,
            sql: sql.to_owned(),
            done: Box::new(done),
        };
        self.jobs.send(job).map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "the thread that creates databases ended")
}

async fn work(mut jobs: mpsc::UnboundedReceiver<Job>, options: &ConnectOptions, greeting: Option<&str>) {
    let mut client: Option<Client> = None;
    while let Some(job) = jobs.recv().await {
        let result = one(&mut client, options, greeting, &job).await;
        (job.done)(result);
    }
}

async fn one(
    client: &mut Option<Client>,
    options: &ConnectOptions,
    greeting: Option<&str>,
    job: &Job,
) -> Result<()> {
    let failed = |cause| Error::postgres(&job.step, cause);
    let open = if let Some(open) = client.take().filter(|client| !client.is_closed()) {
        open
    } else {
        let new = options.connect().await?;
        if let Some(greeting) = greeting {
            new.batch_execute(greeting).await.map_err(failed)?;
        }
        new
    };
    let open = client.insert(open);
    open.batch_execute(&job.sql).await.map_err(failed)
}
