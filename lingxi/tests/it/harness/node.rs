//! One process of a deployment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lingxi_testing::{Port, Process};

use super::process::{answers, lingxi};

/// One process with its addresses, which stay the same over restarts.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) role: &'static str,
    pub(super) public: Port,
    pub(super) internal: Port,
    _grpc: Port,
    pub(super) env: Vec<(String, String)>,
    wrapper: Vec<String>,
    pub(super) log: PathBuf,
    pub(super) process: Process,
    pub(super) ready_after: Duration,
}

impl Node {
    pub(super) fn spawn(
        role: &'static str,
        env: &[(String, String)],
        wrapper: &[String],
        folder: &Path,
        log: PathBuf,
    ) -> Self {
        let (public, internal, grpc) = (Port::reserve(), Port::reserve(), Port::reserve());
        let env = with_defaults(env, (&public, &internal, &grpc), folder);
        let process = lingxi(&[role], &env, wrapper, folder, &log);
        Self {
            role,
            public,
            internal,
            _grpc: grpc,
            env,
            wrapper: wrapper.to_vec(),
            log,
            process,
            ready_after: Duration::ZERO,
        }
    }

    /// Waits until it is. A port may have been taken between the reservation and the bind, by something that is no test of
    /// ours: then it gets others.
    pub(super) async fn is_ready(&mut self, http: &reqwest::Client, folder: &Path) {
        for _ in 0..5 {
            let ready = self.internal_url("/readyz");
            if let Ok(ready_after) = answers(&self.process, http, &ready).await {
                self.ready_after = ready_after;
                return;
            }
            let said = std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(
                said.contains("in use"),
                "{} ended; it said:\n{said}",
                self.role
            );
            *self = Self::spawn(
                self.role,
                &self.env,
                &self.wrapper,
                folder,
                self.log.clone(),
            );
        }
        panic!("no port stayed free five times");
    }

    pub(super) fn respawn(&mut self, folder: &Path) {
        self.process = lingxi(&[self.role], &self.env, &self.wrapper, folder, &self.log);
    }

    pub(super) fn is_gateway(&self) -> bool {
        matches!(self.role, "all" | "gateway")
    }

    pub(super) fn internal_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.internal.number)
    }
}

/// The environment of a node: the tests' defaults, then what is given, then its addresses.
fn with_defaults(
    given: &[(String, String)],
    (public, internal, grpc): (&Port, &Port, &Port),
    folder: &Path,
) -> Vec<(String, String)> {
    let address = |port: &Port| format!("127.0.0.1:{}", port.number);
    let defaults = [
        (
            "LINGXI__DATA_DIR",
            folder.join("data").display().to_string(),
        ),
        ("LINGXI__BCRYPT_COST", "4".to_owned()),
        ("LINGXI__RATE_LIMITS", "off".to_owned()),
        ("LINGXI__AI__DETECT_OLLAMA", "false".to_owned()),
        ("LINGXI__LOG", "warn".to_owned()),
    ];
    let addresses = [
        ("LINGXI__LISTEN", address(public)),
        ("LINGXI__INTERNAL_LISTEN", address(internal)),
        ("LINGXI__GRPC_LISTEN", address(grpc)),
    ];
    let owned = |(key, value): (&str, String)| (key.to_owned(), value);
    let mut env: Vec<_> = defaults.into_iter().map(owned).collect();
    // Which planted fault a sabotaged build is to have.
    env.extend(std::env::var("LINGXI_SABOTAGE").map(|fault| ("LINGXI_SABOTAGE".to_owned(), fault)));
    env.extend(given.iter().cloned());
    env.extend(addresses.into_iter().map(owned));
    env
}
