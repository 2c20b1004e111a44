//! Holds what deploys Lingxi (docker-compose.yml, the image, the load balancer, deploy/local/cluster) against the binary:
//! what is written there is accepted, complete and consistent, and the same topology works end to end without Docker.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod balancer;
mod compose;
mod image;
mod local_cluster;
mod services;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Vars = BTreeMap<String, String>;

const BINARY: &str = env!("CARGO_BIN_EXE_lingxi");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs the binary in an empty folder with exactly this environment.
fn lingxi(arguments: &[&str], env: &Vars) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    Command::new(BINARY)
        .args(arguments)
        .env_clear()
        .envs(env)
        .current_dir(&folder)
        .output()
        .expect("the binary starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Servers are in folders that not everybody searches.
fn path() -> String {
    let given = std::env::var("PATH").unwrap_or_default();
    format!("{given}:/usr/local/sbin:/usr/sbin")
}

/// The port that a process listens on for a key such as `listen`.
fn port(configuration: &toml::Table, key: &str) -> String {
    let address = configuration[key].as_str().expect("host:port");
    address.rsplit_once(':').expect("host:port").1.to_owned()
}

/// The roles that the binary knows.
fn roles() -> BTreeSet<String> {
    let help = said(&lingxi(&["check-config", "-h"], &Vars::new()));
    let (_, list) = help
        .split_once("[possible values: ")
        .expect("roles in the help");
    let (list, _) = list.split_once(']').expect("the end of the list");
    list.split(", ").map(str::to_owned).collect()
}
