//! Database, message bus and cache servers of a test's own: real ones, on free loopback ports, that it may kill, pause,
//! empty and start again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::port::Port;
use crate::process::{Process, wrapped};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `mariadbd`, whose user root has no password.
    MariaDb,
    /// `nats-server`.
    Nats,
    /// `redis-server`, which keeps nothing on disk.
    Redis,
}

/// A server with its port and folder, which stay the same over restarts.
#[derive(Debug)]
pub struct Server {
    /// Which one.
    pub kind: Kind,
    /// Of loopback. Redis has the one above it for its cluster's own traffic.
    pub port: Port,
    folder: PathBuf,
    wrapper: Vec<String>,
    arguments: Vec<String>,
    /// To kill or pause it.
    pub process: Process,
}

impl Server {
    /// Starts one with empty data in a folder below `parent`, and waits until it answers. NATS has JetStream.
    ///
    /// # Panics
    /// When it does not answer within half a minute.
    #[must_use]
    pub fn start(kind: Kind, parent: &Path, wrapper: &[String]) -> Self {
        let arguments: &[&str] = match kind {
            Kind::Nats => &["--jetstream"],
            Kind::MariaDb | Kind::Redis => &[],
        };
        Self::begin(kind, parent, wrapper, "", arguments)
    }

    /// Starts a database server behind a `wrapper`, with these arguments beside the usual ones.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_mariadb(parent: &Path, wrapper: &[String], arguments: &[&str]) -> Self {
        Self::begin(Kind::MariaDb, parent, wrapper, "", arguments)
    }

    /// Starts one with this file of configuration (NATS and Redis) and these arguments instead of the usual ones.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_with(kind: Kind, parent: &Path, file: &str, arguments: &[&str]) -> Self {
        Self::begin(kind, parent, &[], file, arguments)
    }

    fn begin(
        kind: Kind,
        parent: &Path,
        wrapper: &[String],
        file: &str,
        arguments: &[&str],
    ) -> Self {
        let port = Port::reserve();
        let folder = parent.join(format!("{kind:?}-{}", port.number).to_lowercase());
        std::fs::create_dir_all(folder.join("data")).expect("a data folder");
        let conf = folder.join("conf");
        std::fs::write(&conf, file).expect("a file of configuration");
        let conf = conf.to_str().expect("a path of Unicode");
        if kind == Kind::MariaDb {
            install_mariadb(&folder);
        }
        let before: &[&str] = match kind {
            Kind::Redis => &[conf],
            Kind::Nats if !file.is_empty() => &["--config", conf],
            Kind::Nats | Kind::MariaDb => &[],
        };
        let arguments: Vec<String> = before
            .iter()
            .chain(arguments)
            .map(|&word| word.to_owned())
            .collect();
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
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn restart(&mut self) {
        self.respawn();
        self.answers();
    }

    /// Starts it again after its end, with its data, without waiting: whatever it needs may be away.
    pub fn respawn(&mut self) {
        self.process = spawn(
            self.kind,
            &self.port,
            &self.folder,
            &self.wrapper,
            &self.arguments,
        );
    }

    /// Whether it takes connections.
    #[must_use]
    pub fn listens(&self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port.number));
        let connected = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(500));
        connected.is_ok()
    }

    /// What it has said, for the reader of a failure.
    #[must_use]
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Throws its data away; it must not run.
    ///
    /// # Panics
    /// When the folder cannot be made anew.
    pub fn empty(&self) {
        let data = self.folder.join("data");
        std::fs::remove_dir_all(&data).expect("the data folder");
        std::fs::create_dir(&data).expect("the data folder");
    }

    /// `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
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
                Kind::Nats | Kind::Redis => self.listens(),
            };
            if asked {
                return;
            }
            assert!(
                self.process.ended().is_none() && start.elapsed() < Duration::from_secs(30),
                "{:?} does not answer; it said:\n{}",
                self.kind,
                self.said()
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
    let (port, port_above) = (port.number.to_string(), (port.number + 1).to_string());
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
                ])
                .args(arguments);
            command
        }
        Kind::Nats => {
            let mut command = wrapped(wrapper, &nats_server());
            command
                .args(arguments)
                .args(["--addr", "127.0.0.1", "--port", &port])
                .arg("--store_dir")
                .arg(&data);
            command
        }
        Kind::Redis => {
            let mut command = wrapped(wrapper, Path::new("redis-server"));
            command
                .args(arguments)
                .args(["--bind", "127.0.0.1", "--port", &port, "--save", ""])
                // By default 10 000 higher, which nobody has reserved.
                .args(["--cluster-port", &port_above, "--dir"])
                .arg(&data);
            command
        }
    };
    // What a wrapper writes is looked for in the test's own folder.
    let parent = folder.parent().filter(|_| !wrapper.is_empty());
    command.current_dir(parent.unwrap_or(folder));
    Process::spawn(command, &folder.join("log"))
}
