//! Holds what deploys Lingxi (docker-compose.yml, the image, the load balancer, deploy/local/cluster) against the binary:
//! what is written there is accepted, complete and consistent, and the same topology works end to end without Docker.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use lingxi_bench::simulator::{Fault, Reply, Script, Simulator};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

type Vars = BTreeMap<String, String>;

const BINARY: &str = env!("CARGO_BIN_EXE_lingxi");
const IMAGE: &str = "lingxi:local";
const ENV_EXAMPLE: &str = ".env.example";
const HA_ENV: &str = "deploy/docker/ha.env";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The variables of an env file.
fn variables(text: &str) -> Vars {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').expect("NAME=VALUE"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn is_placeholder(value: &str) -> bool {
    value.contains("change-me")
}

/// .env.example as somebody fills it in.
fn filled_in() -> Vars {
    let mut vars = variables(&read(ENV_EXAMPLE));
    for (name, value) in &mut vars {
        if is_placeholder(value) {
            *value = format!("{name}: made of more than thirty-two bytes");
        }
    }
    vars
}

/// The same with three NATS servers.
fn highly_available() -> Vars {
    let mut vars = filled_in();
    vars.extend(variables(&read(HA_ENV)));
    vars
}

/// `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$`, as Compose replaces them.
fn interpolate(text: &str, vars: &Vars) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        done += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            done.push('$');
            rest = after;
            continue;
        }
        let inner = rest.strip_prefix('{').expect("${NAME…}");
        let (inner, after) = inner.split_once('}').expect("a closing brace");
        rest = after;
        let end = inner.find(':').unwrap_or(inner.len());
        let (name, otherwise) = inner.split_at(end);
        let value = vars.get(name).filter(|value| !value.is_empty());
        done += match (value, otherwise.get(..2)) {
            (Some(value), _) => value,
            (None, Some(":-")) => &otherwise[2..],
            (None, Some(_)) => panic!("{name} is required, and {ENV_EXAMPLE} does not have it"),
            (None, None) => "",
        };
    }
    done + rest
}

fn interpolated(value: &mut Value, vars: &Vars) {
    match value {
        Value::String(text) => *text = interpolate(text, vars),
        Value::Array(items) => items.iter_mut().for_each(|item| interpolated(item, vars)),
        Value::Object(map) => map.values_mut().for_each(|item| interpolated(item, vars)),
        _ => {}
    }
}

/// docker-compose.yml as Compose sees it with these variables, the services of inactive profiles included.
struct Compose {
    file: Value,
    profile: Option<String>,
}

impl Compose {
    fn with(vars: &Vars) -> Self {
        let mut file = serde_saphyr::from_str(&read("docker-compose.yml")).expect("YAML");
        interpolated(&mut file, vars);
        Self {
            file,
            profile: vars.get("COMPOSE_PROFILES").cloned(),
        }
    }

    fn services(&self) -> impl Iterator<Item = Service<'_>> {
        let services = self.file["services"].as_object().expect("services");
        services.iter().map(|(name, value)| Service { name, value })
    }

    fn service(&self, name: &str) -> Service<'_> {
        let found = self.services().find(|service| service.name == name);
        found.unwrap_or_else(|| panic!("there is no service {name}"))
    }

    /// Those that run.
    fn active(&self) -> impl Iterator<Item = Service<'_>> {
        self.services().filter(|service| {
            let profiles = service.words("profiles");
            let chosen = self.profile.as_ref();
            let on = profiles.is_empty() || chosen.is_some_and(|name| profiles.contains(name));
            on && service.value["deploy"]["replicas"] != "0"
        })
    }

    /// Those that are this binary.
    fn lingxi(&self) -> Vec<Service<'_>> {
        let ours = |service: &Service<'_>| {
            service.value["image"] == IMAGE && service.value["entrypoint"].is_null()
        };
        self.services().filter(ours).collect()
    }

    /// The services that wait for `name` to do its work and end.
    fn one_shot(&self, name: &str) -> bool {
        self.services().any(|service| {
            service.value["depends_on"][name]["condition"] == "service_completed_successfully"
        })
    }
}

#[derive(Clone, Copy)]
struct Service<'a> {
    name: &'a str,
    value: &'a Value,
}

impl Service<'_> {
    fn words(&self, key: &str) -> Vec<String> {
        let list = self.value[key].as_array().map(Vec::as_slice);
        list.unwrap_or_default().iter().map(text).collect()
    }

    /// What follows `flag` in the command.
    fn argument(&self, flag: &str) -> String {
        let words = self.words("command");
        let at = words.iter().position(|word| word == flag);
        at.and_then(|at| words.get(at + 1))
            .unwrap_or_else(|| panic!("{}: no {flag}", self.name))
            .clone()
    }

    /// What a process in this container sees: the image's variables, then the service's.
    fn environment(&self) -> Vars {
        let mut env = image_environment();
        let given = self.value["environment"].as_object().into_iter().flatten();
        env.extend(given.map(|(name, value)| (name.clone(), text(value))));
        env
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The instructions of the Dockerfile's last stage, continued lines joined.
fn image() -> Vec<(String, String)> {
    let text = read("deploy/docker/Dockerfile").replace("\\\n", " ");
    let mut stage = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((word, rest)) = line.split_once(' ') else {
            continue;
        };
        if word == "FROM" {
            stage.clear();
        }
        stage.push((word.to_owned(), rest.trim().to_owned()));
    }
    stage
}

fn instruction(word: &str) -> String {
    let image = image();
    let mut found = image.iter().filter(|(found, _)| found == word);
    let (_, rest) = found.next().unwrap_or_else(|| panic!("no {word}"));
    assert!(found.next().is_none(), "one {word} is enough");
    rest.clone()
}

fn image_environment() -> Vars {
    let pairs = instruction("ENV");
    let pairs = pairs.split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').expect("NAME=VALUE");
        (name.to_owned(), value.to_owned())
    });
    pairs.collect()
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

/// What a service's process would work with, as TOML; panics when it would refuse to start.
fn configuration(service: &Service<'_>) -> toml::Table {
    let command = service.words("command");
    let role = command.first().expect("a command").as_str();
    let arguments: &[&str] = match role {
        "migrate" | "check-config" => &["check-config"],
        role => &["check-config", role],
    };
    let output = lingxi(arguments, &service.environment());
    assert!(
        output.status.success(),
        "{}: {}",
        service.name,
        said(&output)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.parse().expect("TOML")
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

// ---- docker-compose.yml

#[test]
fn every_process_accepts_what_it_is_told() {
    for vars in [filled_in(), highly_available()] {
        let compose = Compose::with(&vars);
        let mut commands = BTreeSet::new();
        for service in compose.lingxi() {
            let config = configuration(&service);
            // What is in the image is what compose builds on, and nothing of it listens on loopback alone.
            for key in ["listen", "internal_listen", "grpc_listen"] {
                let address = config[key].as_str().expect("an address");
                assert!(
                    address.starts_with("0.0.0.0:"),
                    "{}: {address}",
                    service.name
                );
            }
            commands.insert(service.words("command")[0].clone());
        }
        let mut expected = roles();
        expected.extend(["migrate", "check-config"].map(str::to_owned));
        assert_eq!(commands, expected);
    }
}

#[test]
fn one_service_builds_the_image_that_all_use() {
    let compose = Compose::with(&filled_in());
    let building: Vec<&str> = compose
        .services()
        .filter(|service| !service.value["build"].is_null())
        .map(|service| service.name)
        .collect();
    assert_eq!(building, ["check-config"]);
    assert_eq!(compose.service("check-config").value["image"], IMAGE);
}

/// Compose cannot set variables by a profile, so that the profile alone must not look as if it worked.
#[test]
fn three_bus_servers_need_to_be_used() {
    for (vars, fine) in [(filled_in(), false), (highly_available(), true)] {
        let compose = Compose::with(&vars);
        let check = compose.service("check-ha");
        assert_eq!(check.words("profiles"), ["ha"]);
        for name in ["nats-1", "nats-2", "nats-3"] {
            let needs = &compose.service(name).value["depends_on"]["check-ha"];
            assert_eq!(needs["condition"], "service_completed_successfully");
        }
        let entrypoint = check.words("entrypoint");
        let output = Command::new(&entrypoint[0])
            .args(&entrypoint[1..])
            .args(check.words("command"))
            .env_clear()
            .envs(check.environment())
            .output()
            .expect("the check starts");
        assert_eq!(output.status.success(), fine, "{}", said(&output));
        assert_eq!(said(&output).contains(HA_ENV), !fine);
    }
}

#[test]
fn placeholders_are_refused_before_anything_is_made() {
    let example = variables(&read(ENV_EXAMPLE));
    let placeholders = example.iter().filter(|(_, value)| is_placeholder(value));
    let names: Vec<_> = placeholders.map(|(name, _)| name).collect();
    assert!(names.len() >= 3, "{names:?}");
    // One is enough.
    for name in names {
        let mut vars = filled_in();
        vars.insert(name.clone(), example[name].clone());
        let compose = Compose::with(&vars);
        let service = compose.service("check-config");
        let output = lingxi(&["check-config"], &service.environment());
        assert!(!output.status.success(), "{name}: {}", said(&output));
    }
    let compose = Compose::with(&filled_in());
    let database = compose.service("mariadb").value;
    assert_eq!(
        database["depends_on"]["check-config"]["condition"], "service_completed_successfully",
        "a database must not be made with a password that nobody chose"
    );
}

#[test]
fn only_the_balancer_can_be_reached_from_outside() {
    let compose = Compose::with(&filled_in());
    for service in compose.services() {
        let ports = service.words("ports");
        let expected: &[&str] = match service.name {
            "loadbalancer" => &["8080:8080"],
            _ => &[],
        };
        assert_eq!(ports, expected, "{}", service.name);
        assert!(service.value["network_mode"].is_null(), "{}", service.name);
        assert_eq!(service.words("networks"), ["lingxi"], "{}", service.name);
    }
    let subnet = &compose.file["networks"]["lingxi"]["ipam"]["config"][0]["subnet"];
    for service in compose.lingxi() {
        let trusted = service.environment()["LINGXI__TRUSTED_PROXIES"].clone();
        assert_eq!(&Value::String(trusted), subnet, "{}", service.name);
    }
}

#[test]
fn everything_is_watched_limited_and_started_again() {
    let compose = Compose::with(&filled_in());
    for service in compose.services() {
        let (name, value) = (service.name, service.value);
        let limits = &value["deploy"]["resources"]["limits"];
        assert!(
            limits["cpus"].is_string() && limits["memory"].is_string(),
            "{name}: {limits}"
        );
        assert_eq!(value["logging"]["driver"], "json-file", "{name}");
        assert!(
            value["logging"]["options"]["max-size"].is_string(),
            "{name}"
        );
        let grace = text(&value["stop_grace_period"]);
        let seconds: u32 = grace.trim_end_matches('s').parse().expect("seconds");
        assert!(seconds >= 30, "{name}: {grace}");
        if compose.one_shot(name) {
            assert_eq!(value["restart"], "no", "{name} would run for ever");
        } else {
            assert_eq!(value["restart"], "unless-stopped", "{name}");
            assert_eq!(value["healthcheck"]["test"][0], "CMD", "{name}");
        }
    }
    for service in compose.lingxi() {
        assert_eq!(service.value["cap_drop"][0], "ALL", "{}", service.name);
        assert_eq!(service.value["read_only"], true, "{}", service.name);
    }
    for role in ["gateway", "chat-worker", "ai-worker"] {
        let replicas = &compose.service(role).value["deploy"]["replicas"];
        assert_eq!(replicas, 2, "{role}: one may fail");
    }
}

#[test]
fn nothing_starts_before_what_it_needs() {
    let compose = Compose::with(&filled_in());
    let mut all = Vec::new();
    for service in compose.services() {
        for (name, needs) in service.value["depends_on"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let needed = compose.service(name);
            let condition = needs["condition"].as_str().expect("a condition");
            let what = format!("{} needs {name}: {condition}", service.name);
            match condition {
                "service_healthy" => assert!(needed.value["healthcheck"].is_object(), "{what}"),
                "service_completed_successfully" => {
                    assert_eq!(needed.value["restart"], "no", "{what}");
                }
                other => assert_eq!(other, "service_started", "{what}"),
            }
            let optional = needs["required"] == false;
            // What only a profile brings is not waited for without it.
            let profiles = needed.words("profiles");
            let may_be_absent = !profiles.is_empty() && profiles != service.words("profiles");
            assert_eq!(optional, may_be_absent, "{what}");
            all.push(what);
        }
    }
    let roles = roles();
    for role in &roles {
        for need in [
            "migrate: service_completed_successfully",
            "nats: service_healthy",
        ] {
            let need = format!("{role} needs {need}");
            assert!(all.contains(&need), "{need}");
        }
    }
    for need in [
        "migrate needs mariadb: service_healthy",
        "loadbalancer needs gateway: service_started",
    ] {
        assert!(all.contains(&need.to_owned()), "{need}");
    }
}

#[test]
fn high_availability_is_three_servers_that_know_each_other() {
    let members = |compose: &Compose| -> BTreeSet<String> {
        let nats = compose
            .active()
            .filter(|s| text(&s.value["image"]).starts_with("nats:"));
        nats.map(|service| service.name.to_owned()).collect()
    };
    let compose = Compose::with(&filled_in());
    assert_eq!(members(&compose), BTreeSet::from(["nats".to_owned()]));
    let monitored = format!("http://nats:{}", compose.service("nats").argument("-m"));
    let config = configuration(&compose.service("gateway"));
    let monitoring = config["nats"]["monitoring_url"].as_str();
    assert_eq!(monitoring, Some(monitored.as_str()));

    let compose = Compose::with(&highly_available());
    let members = members(&compose);
    assert_eq!(members.len(), 3, "{members:?}");
    assert!(
        !members.contains("nats"),
        "the single one would only be in the way"
    );
    let routes: Vec<String> = members
        .iter()
        .map(|name| format!("nats://{name}:6222"))
        .collect();
    let urls: Vec<String> = members
        .iter()
        .map(|name| format!("nats://{name}:4222"))
        .collect();
    let monitored: Vec<String> = members
        .iter()
        .map(|name| format!("http://{name}:{}", compose.service(name).argument("-m")))
        .collect();
    let mut volumes = BTreeSet::new();
    for name in &members {
        let service = compose.service(name);
        assert_eq!(&service.argument("--server_name"), name);
        assert_eq!(service.argument("--cluster"), "nats://0.0.0.0:6222");
        assert_eq!(service.argument("--cluster_name"), "lingxi");
        assert_eq!(service.argument("--routes"), routes.join(","));
        volumes.extend(service.words("volumes"));
    }
    assert_eq!(volumes.len(), 3, "{volumes:?}");
    for role in &roles() {
        let service = compose.service(role);
        for name in &members {
            assert!(
                service.value["depends_on"][name].is_object(),
                "{role} waits for {name}"
            );
        }
        let config = configuration(&service);
        assert_eq!(config["nats_url"].as_str(), Some(urls.join(",").as_str()));
        assert_eq!(config["nats"]["replicas"].as_integer(), Some(3));
        let monitoring = config["nats"]["monitoring_url"].as_str();
        assert_eq!(monitoring, Some(monitored.join(",").as_str()));
    }
}

#[test]
fn secrets_are_made_once_and_are_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("env");
    let make = || {
        let script = root().join("deploy/docker/make-env");
        Command::new(script)
            .arg(&target)
            .output()
            .expect("make-env starts")
    };
    let output = make();
    assert!(output.status.success(), "{}", said(&output));
    let mode = std::fs::metadata(&target)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let made = std::fs::read_to_string(&target).expect("the file");
    let vars = variables(&made);
    let example = variables(&read(ENV_EXAMPLE));
    assert!(vars.keys().eq(example.keys()));
    let secrets: BTreeSet<_> = vars.values().collect();
    assert_eq!(secrets.len(), vars.len(), "each has one of its own");
    let compose = Compose::with(&vars);
    for service in compose.lingxi() {
        configuration(&service);
    }
    assert!(!make().status.success(), "what is there is not overwritten");
    assert_eq!(std::fs::read_to_string(&target).expect("the file"), made);
}

// ---- the image

#[test]
fn the_image_is_what_the_binary_expects() {
    let defaults: toml::Table = read("runtime/default.toml").parse().expect("TOML");
    let ports = ["listen", "internal_listen", "grpc_listen"].map(|key| port(&defaults, key));
    let exposed = instruction("EXPOSE");
    assert_eq!(exposed.split(' ').collect::<Vec<_>>(), ports);
    let env = image_environment();
    let output = lingxi(&["check-config"], &env);
    assert!(output.status.success(), "{}", said(&output));
    for (key, number) in ["LISTEN", "INTERNAL_LISTEN", "GRPC_LISTEN"]
        .iter()
        .zip(&ports)
    {
        assert_eq!(env[&format!("LINGXI__{key}")], format!("0.0.0.0:{number}"));
    }
    assert_eq!(env["LINGXI__DATA_DIR"], instruction("VOLUME"));
    assert_eq!(instruction("STOPSIGNAL"), "SIGTERM");
    assert_eq!(instruction("ENTRYPOINT"), "[\"/usr/local/bin/lingxi\"]");
    assert_eq!(instruction("CMD"), "[\"all\"]");
    assert!(!instruction("USER").starts_with("0"), "not as root");

    let workspace: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let rust = &workspace["workspace"]["package"]["rust-version"];
    let wanted = format!("FROM rust:{}-", rust.as_str().expect("a version"));
    assert!(
        read("deploy/docker/Dockerfile").contains(&wanted),
        "{wanted}"
    );
    // The builder needs every member, whichever it builds.
    let ignored = read(".dockerignore");
    for member in workspace["workspace"]["members"]
        .as_array()
        .expect("members")
    {
        let member = member.as_str().expect("a folder");
        assert!(!ignored.lines().any(|line| line == member), "{member}");
    }
}

// ---- the load balancer

/// HAProxy's own opinion of the two files.
fn haproxy_accepts(backends: &Path) {
    let folder = root().join("deploy/loadbalancer");
    let output = Command::new("haproxy")
        .env("PATH", path())
        .args(["-c", "-V", "-f"])
        .arg(folder.join("haproxy.cfg"))
        .arg("-f")
        .arg(backends)
        .output()
        .expect("haproxy; ./test installs it");
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("WARNING"), "{}", said(&output));
}

/// Servers are in folders that not everybody searches.
fn path() -> String {
    let given = std::env::var("PATH").unwrap_or_default();
    format!("{given}:/usr/local/sbin:/usr/sbin")
}

#[test]
fn the_balancer_finds_the_services_where_they_listen() {
    let compose = Compose::with(&filled_in());
    let file = read("deploy/loadbalancer/backends.docker.cfg");
    let mut found = BTreeSet::new();
    for line in file
        .lines()
        .filter(|line| line.trim().starts_with("server-template"))
    {
        // server-template PREFIX COUNT HOST:PORT port CHECKED resolvers …
        let words: Vec<_> = line.split_whitespace().collect();
        let (host, public) = words[3].split_once(':').expect("host:port");
        let service = compose.service(host);
        let config = configuration(&service);
        assert_eq!(public, port(&config, "listen"), "{line}");
        assert_eq!(
            words[4..6],
            ["port", &port(&config, "internal_listen")],
            "{line}"
        );
        let places: u64 = words[2].parse().expect("a number");
        assert!(
            places >= service.value["deploy"]["replicas"].as_u64().unwrap_or(1),
            "{line}"
        );
        found.insert(host.to_owned());
    }
    let listening = ["admin-api", "gateway"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(listening));

    let balancer = compose.service("loadbalancer");
    let common = read("deploy/loadbalancer/haproxy.cfg");
    let published = balancer.words("ports").remove(0);
    let inside = published.rsplit_once(':').expect("host:container").1;
    assert!(common.contains(&format!("presetenv LINGXI_BALANCER_BIND :{inside}\n")));
    let asked = balancer.value["healthcheck"]["test"]
        .as_array()
        .expect("a command");
    let asked = text(asked.last().expect("a URL"));
    assert_eq!(asked, "http://127.0.0.1:8404/readyz");
    assert!(common.contains("presetenv LINGXI_BALANCER_INTERNAL_BIND :8404\n"));
    // Each file that it is told to read is in the folder that it is given.
    let mount = balancer.words("volumes").remove(0);
    let (folder, inside) = mount
        .trim_end_matches(":ro")
        .split_once(':')
        .expect("from:to");
    let command = balancer.words("command");
    let files: Vec<_> = command
        .iter()
        .filter_map(|word| word.strip_prefix(inside))
        .collect();
    assert_eq!(files.len(), 2, "{command:?}");
    for file in files {
        let file = format!("{folder}{file}");
        assert!(root().join(&file).is_file(), "{file}");
    }
    haproxy_accepts(&root().join("deploy/loadbalancer/backends.docker.cfg"));
}

// ---- the same topology without Docker

/// What must happen happens within this, on a loaded machine and with a debug build.
const DEADLINE: Duration = Duration::from_secs(20);

/// A cluster that deploy/local/cluster runs; stopped at the end, however the test ends.
struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
    env: Vars,
}

impl Cluster {
    fn new(env: Vars) -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("lingxi-cluster-")
                .tempdir()
                .expect("a folder"),
            port: free_port(),
            env,
        }
    }

    /// Runs the script; the caller's own settings do not reach it.
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(root().join("deploy/local/cluster"))
            .args(arguments)
            .arg("--dir")
            .arg(self.folder.path())
            .env_clear()
            .env("PATH", path())
            .env("HOME", std::env::var_os("HOME").unwrap_or_default())
            .env("LINGXI_BINARY", BINARY)
            .envs(&self.env)
            .output()
            .expect("the script starts")
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What the script remembers: the number of a port, say.
    fn state(&self, key: &str) -> String {
        let state = std::fs::read_to_string(self.folder.path().join("state")).expect("a state");
        let lines = state.lines().filter_map(|line| line.split_once(' '));
        let mut found = lines.filter(|(name, _)| *name == key);
        found
            .next()
            .unwrap_or_else(|| panic!("no {key}"))
            .1
            .to_owned()
    }

    /// Processes of this cluster, whoever started them: by their working folder or their arguments.
    fn processes(&self) -> Vec<String> {
        let folder = self.folder.path().canonicalize().expect("the folder");
        let name = folder.display().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
            let here = std::fs::read_link(entry.path().join("cwd"))
                .is_ok_and(|cwd| cwd.starts_with(&folder));
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if here || line.contains(&name) {
                found.push(format!("{} {line}", entry.file_name().display()));
            }
        }
        found
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

/// One that nobody listens on, above those that the kernel gives to outgoing connections.
fn free_port() -> u16 {
    let first = std::process::id() % 4000;
    let candidates = (0..4000).map(|step| 61_000 + (first + step) % 4000);
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut candidates = candidates.filter_map(|port| u16::try_from(port).ok());
    candidates.find(free).expect("a free port")
}

/// A client that opens a connection for each request, so that each is balanced anew.
struct Client {
    http: reqwest::Client,
    token: String,
}

impl Client {
    async fn post(&self, url: &str, body: Value) -> reqwest::Response {
        let request = self.http.post(url).bearer_auth(&self.token).json(&body);
        request.send().await.expect("an answer")
    }
}

async fn sign_up(cluster: &Cluster) -> Client {
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0);
    let mut client = Client {
        http: http.timeout(DEADLINE).build().expect("a client"),
        token: String::new(),
    };
    let who = json!({"username": "alice", "password": "correct horse"});
    let made = client
        .post(&cluster.url("/api/v1/user/register"), who.clone())
        .await;
    assert_eq!(made.status(), 200);
    let login = client.post(&cluster.url("/api/v1/user/login"), who).await;
    let login: Value = login.json().await.expect("JSON");
    login["token"]
        .as_str()
        .expect("a token")
        .clone_into(&mut client.token);
    client
}

/// Writes to oneself over a WebSocket through the balancer: the ACK and the message itself come back.
async fn talk(cluster: &Cluster, client: &Client, msg_id: &str) {
    let url = cluster.url(&format!("/api/v1/ws?token={}", client.token));
    let (mut socket, _) = tokio_tungstenite::connect_async(url.replacen("http", "ws", 1))
        .await
        .expect("a WebSocket");
    let frame = json!({"type": 2, "msg_id": msg_id, "to": "alice", "content": msg_id});
    socket
        .send(Message::text(frame.to_string()))
        .await
        .expect("sent");
    let (mut acknowledged, mut echoed) = (false, false);
    while !(acknowledged && echoed) {
        let next = tokio::time::timeout(DEADLINE, socket.next())
            .await
            .expect("a frame in time");
        let Message::Text(text) = next.expect("no end").expect("no error") else {
            continue;
        };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        if frame["msg_id"] != msg_id {
            continue;
        }
        match frame["type"].as_u64() {
            Some(3) => acknowledged = frame["status"] == "delivered" || frame["status"] == "stored",
            Some(2) => echoed = frame["content"] == msg_id,
            _ => {}
        }
    }
    socket.close(None).await.expect("closed");
}

/// Reads an answer's events until its text is `wanted`.
async fn read_until(mut answer: reqwest::Response, wanted: &str) {
    assert_eq!(answer.status(), 200);
    let (mut text, mut unparsed) = (String::new(), String::new());
    while text != wanted {
        let more = tokio::time::timeout(DEADLINE, answer.chunk()).await;
        let more = more.unwrap_or_else(|_| panic!("only {text:?} has come through"));
        let more = more.expect("no error").expect("no end");
        unparsed += str::from_utf8(&more).expect("UTF-8");
        while let Some((line, rest)) = unparsed.split_once('\n') {
            let event = line
                .strip_prefix("data:")
                .and_then(|data| serde_json::from_str(data).ok());
            let event: Value = event.unwrap_or_default();
            if event["type"] == "chunk" {
                text += event["content"].as_str().expect("content");
            }
            unparsed = rest.to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_cluster_runs_without_docker() {
    // Eight words and then silence: what the model has said must be with the client, not in the balancer.
    let silent = Reply::text(&"word ".repeat(20)).fault(Fault::Stall {
        after: 10,
        ms: None,
    });
    let model = Simulator::start(Script::always(silent))
        .await
        .expect("a simulator");
    let mut env = Vars::new();
    for (name, value) in [
        ("LINGXI__BCRYPT_COST", "4"),
        ("LINGXI__AI__PROVIDERS__0__NAME", "simulator"),
        ("LINGXI__AI__PROVIDERS__0__BASE_URL", &model.base_url()),
        ("LINGXI__AI__PROVIDERS__0__MODEL", "a model"),
    ] {
        env.insert(name.to_owned(), value.to_owned());
    }
    let cluster = Cluster::new(env);
    let port = cluster.port.to_string();
    let shown = cluster.succeeds(&["up", "--port", &port]);
    assert!(
        shown.contains(&format!("http://127.0.0.1:{port}")),
        "{shown}"
    );
    for role in [
        "gateway-1",
        "gateway-2",
        "chat-worker-2",
        "ai-worker-2",
        "admin-api",
        "balancer",
    ] {
        let ready = |line: &str| line.starts_with(role) && line.trim_end().ends_with(" ready");
        assert!(shown.lines().any(ready), "{role}: {shown}");
    }
    haproxy_accepts(&cluster.folder.path().join("backends.cfg"));
    let secrets = std::fs::metadata(cluster.folder.path().join("secrets")).expect("the secrets");
    assert_eq!(secrets.permissions().mode() & 0o777, 0o600);

    let client = sign_up(&cluster).await;
    let ready = format!(
        "http://127.0.0.1:{}/readyz",
        cluster.state("gateway-1.internal")
    );
    let ready = client.http.get(ready).send().await.expect("an answer");
    let ready: Value = ready.json().await.expect("JSON");
    for (name, fact) in [
        ("store", "innodb_flush_log_at_trx_commit"),
        ("bus", "replicas 1"),
        ("bus", "syncs to the disk every"),
    ] {
        let stated = ready["facts"][name].as_str().unwrap_or_default();
        assert!(stated.contains(fact), "{fact:?} is not in {ready}");
    }
    talk(&cluster, &client, "first").await;
    let question = json!({"message": "go on"});
    let answer = client.post(&cluster.url("/api/v1/ai/chat"), question).await;
    read_until(answer, &"word ".repeat(8)).await;
    assert_eq!(model.open_answers(), 1, "the model still has not finished");
    // Cuts its answers: a worker would wait for the rest when it is told to stop.
    drop(model);
    // Only the operators' API knows this path.
    let who = json!({"username": "alice", "password": "correct horse"});
    let refused = client.post(&cluster.url("/api/admin/login"), who).await;
    assert_eq!(refused.status(), 401);

    // The image's health check, in the place where it can be tried: it reads nothing but the port.
    let healthy = |port: &str| {
        let script = root().join("deploy/docker/lingxi-ready");
        let output = Command::new(script)
            .env("LINGXI__INTERNAL_LISTEN", format!("0.0.0.0:{port}"))
            .output();
        output.expect("the script starts").status.success()
    };
    let internal = cluster.state("gateway-1.internal");
    assert!(healthy(&internal));
    cluster.succeeds(&["status"]);

    // A gateway that is killed takes nothing with it but what it was doing.
    let pid = std::fs::read_to_string(cluster.folder.path().join("gateway-1.pid")).expect("a pid");
    let killed = Command::new("kill").args(["-KILL", pid.trim()]).status();
    assert!(killed.expect("kill").success());
    for _ in 0..40 {
        let asked = client
            .http
            .get(cluster.url("/api/v1/user/me"))
            .bearer_auth(&client.token);
        assert_eq!(asked.send().await.expect("an answer").status(), 200);
    }
    talk(&cluster, &client, "second").await;
    assert!(!healthy(&internal));
    let output = cluster.run(&["status"]);
    assert!(
        !output.status.success() && said(&output).contains("down"),
        "{}",
        said(&output)
    );
    cluster.succeeds(&["up"]);
    cluster.succeeds(&["status"]);

    assert!(
        cluster.processes().len() >= 11,
        "{:#?}",
        cluster.processes()
    );
    cluster.succeeds(&["down"]);
    assert!(cluster.processes().is_empty(), "{:#?}", cluster.processes());
}
