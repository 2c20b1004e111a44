//! docker-compose.yml as Compose reads it, and what its processes are told.

use serde_json::Value;

use crate::image::image_environment;
use crate::{Vars, lingxi, read, said};

pub(crate) const IMAGE: &str = "lingxi:local";
pub(crate) const ENV_EXAMPLE: &str = ".env.example";
pub(crate) const HA_ENV: &str = "deploy/docker/ha.env";

/// The variables of an env file.
pub(crate) fn variables(text: &str) -> Vars {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').expect("NAME=VALUE"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

pub(crate) fn is_placeholder(value: &str) -> bool {
    value.contains("change-me")
}

/// .env.example as somebody fills it in.
pub(crate) fn filled_in() -> Vars {
    let mut vars = variables(&read(ENV_EXAMPLE));
    for (name, value) in &mut vars {
        if is_placeholder(value) {
            *value = format!("{name}-made_of-more-than-thirty-two-bytes");
        }
    }
    vars
}

/// The same with three NATS servers.
pub(crate) fn highly_available() -> Vars {
    let mut vars = filled_in();
    vars.extend(variables(&read(HA_ENV)));
    vars
}

/// `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$`, as Compose replaces them; a default may hold more of them.
pub(crate) fn interpolate(text: &str, vars: &Vars) -> String {
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
        let close = closing_brace(inner);
        let inner = &inner[..close];
        rest = &rest[close + 2..];
        let end = inner.find(':').unwrap_or(inner.len());
        let (name, otherwise) = inner.split_at(end);
        let value = vars.get(name).filter(|value| !value.is_empty());
        done += &match (value, otherwise.get(..2)) {
            (Some(value), _) => value.clone(),
            (None, Some(":-")) => interpolate(&otherwise[2..], vars),
            (None, Some(_)) => panic!("{name} is required, and {ENV_EXAMPLE} does not have it"),
            (None, None) => String::new(),
        };
    }
    done + rest
}

/// Where the brace is closed that stands before `text`.
fn closing_brace(text: &str) -> usize {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    panic!("no closing brace: {text}");
}

pub(crate) fn interpolated(value: &mut Value, vars: &Vars) {
    match value {
        Value::String(text) => *text = interpolate(text, vars),
        Value::Array(items) => items.iter_mut().for_each(|item| interpolated(item, vars)),
        Value::Object(map) => map.values_mut().for_each(|item| interpolated(item, vars)),
        _ => {}
    }
}

/// docker-compose.yml as Compose sees it with these variables, the services of inactive profiles included.
pub(crate) struct Compose {
    pub(crate) file: Value,
    vars: Vars,
}

impl Compose {
    pub(crate) fn with(vars: &Vars) -> Self {
        let mut file = serde_saphyr::from_str(&read("docker-compose.yml")).expect("YAML");
        interpolated(&mut file, vars);
        Self {
            file,
            vars: vars.clone(),
        }
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = Service<'_>> {
        let services = self.file["services"].as_object().expect("services");
        let vars = &self.vars;
        services
            .iter()
            .map(move |(name, value)| Service { name, value, vars })
    }

    pub(crate) fn service(&self, name: &str) -> Service<'_> {
        let found = self.services().find(|service| service.name == name);
        found.unwrap_or_else(|| panic!("there is no service {name}"))
    }

    /// Those that run.
    pub(crate) fn active(&self) -> impl Iterator<Item = Service<'_>> {
        self.services().filter(|service| {
            let profiles = service.words("profiles");
            let chosen = self.vars.get("COMPOSE_PROFILES");
            let on = profiles.is_empty() || chosen.is_some_and(|name| profiles.contains(name));
            on && service.value["deploy"]["replicas"] != "0"
        })
    }

    /// Those that are this binary.
    pub(crate) fn lingxi(&self) -> Vec<Service<'_>> {
        let ours = |service: &Service<'_>| {
            service.value["image"] == IMAGE && service.value["entrypoint"].is_null()
        };
        self.services().filter(ours).collect()
    }

    /// The services that wait for `name` to do its work and end.
    pub(crate) fn one_shot(&self, name: &str) -> bool {
        self.services().any(|service| {
            service.value["depends_on"][name]["condition"] == "service_completed_successfully"
        })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Service<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a Value,
    /// Those of .env.
    vars: &'a Vars,
}

impl Service<'_> {
    pub(crate) fn words(&self, key: &str) -> Vec<String> {
        let list = self.value[key].as_array().map(Vec::as_slice);
        list.unwrap_or_default().iter().map(text).collect()
    }

    /// What follows `flag` in the command.
    pub(crate) fn argument(&self, flag: &str) -> String {
        let words = self.words("command");
        let at = words.iter().position(|word| word == flag);
        at.and_then(|at| words.get(at + 1))
            .unwrap_or_else(|| panic!("{}: no {flag}", self.name))
            .clone()
    }

    /// What a process in this container sees: the image's variables, then those of .env, then the service's own.
    pub(crate) fn environment(&self) -> Vars {
        let mut env = image_environment();
        if self.words("env_file") == [".env"] {
            env.extend(self.vars.clone());
        }
        let given = self.value["environment"].as_object().into_iter().flatten();
        env.extend(given.map(|(name, value)| (name.clone(), text(value))));
        env
    }
}

pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a service's process would work with, as TOML; panics when it would refuse to start.
pub(crate) fn configuration(service: &Service<'_>) -> toml::Table {
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
