//! A look into the database from outside: the cluster's by its own client, the one process's by Python's.

use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use lingxi_store::MySqlOptions;

use super::deployment::Deployment;

/// How long an answer may take; a paused server gives none.
const PATIENCE: Duration = Duration::from_secs(8);

/// The client's command line for a database.
fn client(url: &str) -> Command {
    let options = MySqlOptions::from_url(url).expect("a database URL");
    let mut command = Command::new("mariadb");
    command
        .args([
            "--no-defaults",
            "--batch",
            "--skip-column-names",
            "--unbuffered",
            "--default-character-set=utf8mb4",
        ])
        .arg(format!("--host={}", options.host))
        .arg(format!("--port={}", options.port))
        .arg(format!("--user={}", options.username))
        .arg(format!("--database={}", options.dbname))
        .env("MYSQL_PWD", options.password);
    command
}

/// Runs a query; answers its rows.
pub(crate) fn query(url: &str, sql: &str) -> Vec<Vec<String>> {
    Source::MySql(url.to_owned()).query(sql)
}

/// As [`query`], of a database that may be away: `None` then.
pub(crate) async fn try_query(url: &str, sql: &str) -> Option<Vec<Vec<String>>> {
    Source::MySql(url.to_owned()).try_query(sql).await
}

/// How many transactions on this database wait for a lock that another one holds.
pub(crate) fn lock_waits(url: &str) -> usize {
    let waiting = "SELECT trx_id FROM information_schema.innodb_trx \
                   JOIN information_schema.processlist ON id = trx_mysql_thread_id \
                   WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'";
    query(url, waiting).len()
}

/// Prints the rows of a query as the other client does.
const SQLITE: &str = "import sqlite3, sys\n\
    file = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True, timeout=5)\n\
    for row in file.execute(sys.argv[2]):\n\
    \x20   print(*('NULL' if value is None else value for value in row), sep='\\t')";

/// A database that is asked from outside.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    MySql(String),
    Sqlite(PathBuf),
}

impl Source {
    /// The database of a deployment, past all proxies.
    pub(crate) fn of(lx: &Deployment) -> Self {
        match &lx.backends {
            Some(backends) => Self::MySql(backends.database_url.clone()),
            None => Self::Sqlite(lx.sqlite()),
        }
    }

    fn command(&self, sql: &str) -> Command {
        match self {
            Self::MySql(url) => {
                let mut command = client(url);
                command.args(["--execute", sql]);
                command
            }
            Self::Sqlite(path) => {
                let mut command = Command::new("python3");
                command.args(["-c", SQLITE]).arg(path).arg(sql);
                command
            }
        }
    }

    /// Runs a query; answers its rows.
    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<String>> {
        let output = self.command(sql).output().expect("./test installs it");
        assert!(output.status.success(), "{sql}: {output:?}");
        rows(&String::from_utf8(output.stdout).expect("UTF-8"))
    }

    /// The rows of a query, of a database that may be away or paused: `None` then.
    pub(crate) async fn try_query(&self, sql: &str) -> Option<Vec<Vec<String>>> {
        let mut command = tokio::process::Command::from(self.command(sql));
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.ok()?.ok()?;
        output
            .status
            .success()
            .then(|| rows(&String::from_utf8_lossy(&output.stdout)))
    }
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let row = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().map(row).collect()
}

/// A session that stays open, to hold locks with; they go when it is dropped.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub(crate) fn open(url: &str) -> Self {
        let mut child = client(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("mariadb");
        Self {
            input: child.stdin.take().expect("its input"),
            output: BufReader::new(child.stdout.take().expect("its output")),
            child,
        }
    }

    /// Runs statements, and waits until they are done.
    pub(crate) fn run(&mut self, sql: &str) {
        writeln!(self.input, "{sql}; SELECT 'done';").expect("a client that reads");
        self.input.flush().expect("a client that reads");
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            let read = self
                .output
                .read_line(&mut line)
                .expect("a client that writes");
            assert!(read > 0, "the client ended at: {sql}");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
