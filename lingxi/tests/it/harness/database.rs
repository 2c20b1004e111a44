//! A look into the cluster's database from outside, by the database's own client.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use lingxi_store::MySqlOptions;

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
    let output = client(url).args(["--execute", sql]).output();
    let output = output.expect("mariadb; ./test installs it");
    assert!(output.status.success(), "{sql}: {output:?}");
    rows(&String::from_utf8(output.stdout).expect("UTF-8"))
}

/// How many transactions on this database wait for a lock that another one holds.
pub(crate) fn lock_waits(url: &str) -> usize {
    let waiting = "SELECT trx_id FROM information_schema.innodb_trx \
                   JOIN information_schema.processlist ON id = trx_mysql_thread_id \
                   WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'";
    query(url, waiting).len()
}

/// The rows of a query, of a database that may be away or paused: `None` then.
pub(crate) async fn try_query(url: &str, sql: &str) -> Option<Vec<Vec<String>>> {
    let mut command = tokio::process::Command::from(client(url));
    command
        .args(["--execute", sql])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.ok()?.ok()?;
    output
        .status
        .success()
        .then(|| rows(&String::from_utf8_lossy(&output.stdout)))
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
