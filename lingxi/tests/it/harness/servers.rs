//! Database, message bus and cache servers of a test's own: real ones, on free loopback ports, that it may kill, pause,
//! empty and start again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::port::Port;
use super::process::{Process, wrapped};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    MariaDb,
    Nats,
    Redis,
}

/// A server with its port and folder, which stay the same over restarts.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    port: Port,
    folder: PathBuf,
    wrapper: Vec<String>,
    arguments: Vec<String>,
    pub(crate) process: Process,
}

impl Server {
    /// Starts one with empty data in a folder below `parent`, and waits until it answers.
    pub(crate) fn start(kind: Kind, parent: &Path, wrapper: &[String]) -> Self {
        let arguments: &[&str] = match kind {
            Kind::Nats => &["--jetstream"],
            Kind::MariaDb | Kind::Redis => &[],
        };
        Self::begin(kind, parent, wrapper, arguments)
    }

    /// Starts one with these arguments instead of the usual ones.
    pub(crate) fn start_with(kind: Kind, parent: &Path, arguments: &[&str]) -> Self {
        Self::begin(kind, parent, &[], arguments)
    }

    fn begin(kind: Kind, parent: &Path, wrapper: &[String], arguments: &[&str]) -> Self {
        let folder = parent.join(format!("{kind:?}").to_lowercase());
        std::fs::create_dir_all(&folder).expect("a folder");
        let port = Port::reserve();
        if kind == Kind::MariaDb {
            install_mariadb(&folder);
        }
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let process = spawn(kind, &port, &folder, wrapper, &arguments);
        let server = Self {
            kind,
            port,
            folder,
            wrapper: wrapper.to_vec(),
            arguments,
            process,
        };
        server.answers();
        server
    }

    /// Starts it again after its end, with its data, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        self.process = spawn(
            self.kind,
            &self.port,
            &self.folder,
            &self.wrapper,
            &self.arguments,
        );
        self.answers();
    }

    /// Throws its data away; it must not run.
    pub(crate) fn empty(&self) {
        let data = self.folder.join("data");
        std::fs::remove_dir_all(&data).expect("the data folder");
        std::fs::create_dir(&data).expect("the data folder");
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port.number)
    }

    fn answers(&self) {
        let start = Instant::now();
        loop {
            let asked = match self.kind {
                Kind::MariaDb => quiet(
                    Command::new("mariadb-admin")
                        .args(["--no-defaults", "--host=127.0.0.1", "--user=root"])
                        .arg(format!("--port={}", self.port.number))
                        .arg("ping"),
                ),
                Kind::Nats | Kind::Redis => std::net::TcpStream::connect(self.address()).is_ok(),
            };
            if asked {
                return;
            }
            let log = self.folder.join("log");
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(
                self.process.ended().is_none() && start.elapsed() < Duration::from_secs(30),
                "{:?} does not answer; it said:\n{}",
                self.kind,
                said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn quiet(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn install_mariadb(folder: &Path) {
    let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    let output = Command::new("mariadb-install-db")
        .args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ])
        .arg(format!("--user={user}"))
        .arg(format!("--datadir={}", folder.join("data").display()))
        .output()
        .expect("mariadb-install-db; ./test installs it");
    assert!(output.status.success(), "mariadb-install-db: {output:?}");
}

/// Where nats-server is: `LINGXI_TEST_NATS_SERVER`, the search path, or where ./test puts it.
fn nats_server() -> PathBuf {
    if let Some(given) = std::env::var_os("LINGXI_TEST_NATS_SERVER") {
        return given.into();
    }
    let installed = std::env::var_os("HOME")
        .map(|home| PathBuf::from(home).join(".cache/lingxi-nats/bin/nats-server"));
    match installed {
        Some(path) if path.exists() => path,
        _ => "nats-server".into(),
    }
}

fn spawn(
    kind: Kind,
    port: &Port,
    folder: &Path,
    wrapper: &[String],
    arguments: &[String],
) -> Process {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).expect("a data folder");
    let port = port.number.to_string();
    let mut command = match kind {
        Kind::MariaDb => {
            let mut command = wrapped(wrapper, Path::new("mariadbd"));
            let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
            command
                .arg("--no-defaults")
                .arg(format!("--user={user}"))
                .arg(format!("--datadir={}", data.display()))
                .arg(format!("--socket={}", folder.join("socket").display()))
                .arg(format!("--port={port}"))
                .args([
                    "--bind-address=127.0.0.1",
                    "--skip-name-resolve",
                    "--innodb-flush-log-at-trx-commit=1",
                    "--innodb-buffer-pool-size=128M",
                    "--max-connections=500",
                ]);
            command
        }
        Kind::Nats => {
            let mut command = wrapped(wrapper, &nats_server());
            command
                .args(["--addr", "127.0.0.1", "--port", &port])
                .arg("--store_dir")
                .arg(&data);
            command
        }
        Kind::Redis => {
            let mut command = wrapped(wrapper, Path::new("redis-server"));
            command
                .args(["--bind", "127.0.0.1", "--port", &port, "--save", ""])
                .arg("--dir")
                .arg(&data);
            command
        }
    };
    // What a wrapper writes is looked for in the test's own folder.
    let parent = folder.parent().filter(|_| !wrapper.is_empty());
    command
        .args(arguments)
        .current_dir(parent.unwrap_or(folder));
    Process::spawn(command, &folder.join("log"))
}
