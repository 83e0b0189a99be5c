//! A process of its own that owns a server, so that tests can end it in every way: this test binary, started again.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rls_tool::Result;
use rls_tool::connect::ConnectOptions;
use rls_tool::ephemeral::{Builder, Server, Source};

const MODE: &str = "RLS_TEST_OWNER";

/// The other process's whole program.
#[tokio::test]
#[ignore = "the program of the processes that other tests start"]
async fn owner_process() {
    let mode = env::var(MODE).expect("only started by other tests");
    let version = env::var("RLS_TEST_PG_VERSION")
        .ok()
        .map(|text| text.parse().unwrap());
    let builder = Server::builder().version(version);
    let started = match env::var("RLS_TEST_SOURCE").as_deref() {
        Ok("auto") => builder.start().await,
        Ok("fetched") => builder.source(Source::Fetched).start().await,
        Ok("docker") => builder.source(Source::Docker).start().await,
        _ => start_here(builder).await,
    };
    let server = match started {
        Ok(server) => server,
        Err(error) => {
            println!(
                "error {:?}",
                format!("{}\nhelp: {}", error.chain(), error.help().unwrap_or_default())
            );
            return;
        }
    };
    let client = server.options().connect().await.unwrap();
    let row = client.query_one("show data_directory", &[]).await.unwrap();
    println!("ready {} {}", server.url(), row.get::<_, &str>(0));
    match mode.as_str() {
        "panic" => panic!("as the test wants it"),
        // As a static: never dropped.
        "forget" => std::mem::forget(server),
        "drop" => drop(server),
        "stop" => server.stop().await,
        "wait" => drop(std::io::stdin().read(&mut [0])),
        "keep" => println!("kept {:?}", server.keep().await.unwrap().stop),
        other => panic!("{other}"),
    }
}

/// Starts a server whose processes and files are on this machine, also where a Docker daemon would come first.
pub(crate) async fn start_here(builder: Builder) -> Result<Server> {
    match builder.clone().source(Source::Installed).start().await {
        Err(error) if error.chain().contains("could be had") => builder.source(Source::Fetched).start().await,
        done => done,
    }
}

/// A started process and what it said.
pub(crate) struct Owner {
    pub(crate) child: Child,
    pub(crate) options: ConnectOptions,
    /// The server's directory, above PostgreSQL's data directory.
    pub(crate) directory: PathBuf,
    output: BufReader<std::process::ChildStdout>,
}

/// The command that starts the process; more can be set on it.
pub(crate) fn command(mode: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "owner::owner_process",
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(MODE, mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

impl Owner {
    /// Starts the process and waits until its server answers.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let line = line_with(&mut output, "ready ").expect("the owner's server starts");
        let (url, data) = line.split_once(' ').unwrap();
        let directory = PathBuf::from(data).parent().unwrap().to_owned();
        Self {
            child,
            options: url.parse().unwrap(),
            directory,
            output,
        }
    }

    /// The rest of a later line that starts with `word`.
    pub(crate) fn line(&mut self, word: &str) -> Option<String> {
        line_with(&mut self.output, word)
    }

    pub(crate) async fn answers(&self) -> bool {
        self.options.connect().await.is_ok()
    }

    /// Whether server and directory are gone within a few seconds.
    pub(crate) async fn vanishes(&self) -> bool {
        for _ in 0..150 {
            if !self.directory.exists() && !self.answers().await {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        false
    }
}

/// Runs the process to its end and gives the error that it met.
pub(crate) fn error_of(command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    let line = line_with(&mut BufReader::new(child.stdout.take().unwrap()), "error ");
    child.wait().unwrap();
    line.expect("no server can start").replace("\\n", "\n")
}

fn line_with(output: &mut BufReader<std::process::ChildStdout>, word: &str) -> Option<String> {
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // libtest writes "test … ... " in front of the first line.
        if let Some((_, rest)) = line.split_once(word) {
            return Some(rest.trim_end().to_owned());
        }
        line.clear();
    }
    None
}
