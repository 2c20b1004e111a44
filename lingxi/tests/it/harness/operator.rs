//! Operators: made by the command line, as whoever runs the system does.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;

use super::database;
use super::deployment::Deployment;
use super::mode::Mode;
use super::process::binary;
use super::rest::Rest;

/// Runs a statement on a file that no process has open.
const WRITE: &str = "import sqlite3, sys\n\
    file = sqlite3.connect(sys.argv[1])\n\
    file.execute(sys.argv[2])\n\
    file.commit()";

const PASSWORD: &str = "correct horse of an operator";

impl Deployment {
    /// Where the operators' API is; without a token.
    pub(crate) fn admin(&self) -> Rest {
        let alone = self.nodes.iter().position(|node| node.role == "admin-api");
        Rest::new(self.http.clone(), self.public_url(alone.unwrap_or(0)))
    }

    /// Makes accounts with `lingxi user add`; answers what it printed of each. One process alone is stopped meanwhile.
    pub(crate) async fn add_accounts(&mut self, accounts: &[(&str, &str)]) -> Vec<String> {
        if self.mode == Mode::Embedded {
            self.sigterm();
            self.exit().await;
        }
        let mut printed = Vec::new();
        for (name, role) in accounts {
            let mut command = std::process::Command::new(binary());
            command
                .args(["user", "add", name, "--role", role])
                .env_clear()
                .envs(self.nodes[0].env.iter().map(|(key, value)| (key, value)))
                .env("HOME", self.folder())
                .current_dir(self.folder())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = command.spawn().expect("the binary");
            let mut input = child.stdin.take().expect("its input");
            // A bot has no password, and the command may end without reading one.
            let _ = writeln!(input, "{PASSWORD}");
            drop(input);
            let output = child.wait_with_output().expect("its end");
            assert!(output.status.success(), "{output:?}");
            printed.push(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        if self.mode == Mode::Embedded {
            self.restart().await;
        }
        printed
    }

    /// As if so many bots had been made. One process alone is stopped meanwhile.
    pub(crate) async fn fill_bots(&mut self, count: usize) {
        let digits = (1..10).fold("SELECT 0 AS i".to_owned(), |all, digit| {
            format!("{all} UNION ALL SELECT {digit}")
        });
        let sql = format!(
            "INSERT INTO bots (user_id, created_at) WITH d AS ({digits}) \
             SELECT 1000000 + a.i + 10 * b.i + 100 * c.i + 1000 * e.i, 0 FROM d a, d b, d c, d e LIMIT {count}"
        );
        if let Some(backends) = &self.backends {
            database::query(&backends.database_url, &sql);
            return;
        }
        self.sigterm();
        self.exit().await;
        let mut python = std::process::Command::new("python3");
        python.args(["-c", WRITE]).arg(self.sqlite()).arg(&sql);
        let output = python.output().expect("python3");
        assert!(output.status.success(), "{output:?}");
        self.restart().await;
    }

    /// Operators of these names and roles, each with a session.
    pub(crate) async fn operators(&mut self, accounts: &[(&str, &str)]) -> Vec<Rest> {
        self.add_accounts(accounts).await;
        let mut sessions = Vec::new();
        for (name, _) in accounts {
            let body = json!({"username": name, "password": PASSWORD});
            let login = self.admin().post("/api/admin/login", body).await.ok();
            let token = login["token"].as_str().expect("a token");
            sessions.push(self.admin().with_token(token));
        }
        sessions
    }

    /// One operator of the role `admin`.
    pub(crate) async fn root(&mut self) -> Rest {
        self.operators(&[("root", "admin")]).await.remove(0)
    }
}
