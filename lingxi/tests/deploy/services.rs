//! The services of docker-compose.yml.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::compose::{
    Compose, ENV_EXAMPLE, HA_ENV, IMAGE, configuration, filled_in, highly_available,
    is_placeholder, text, variables,
};
use crate::{lingxi, read, roles, root, said};

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
    let login = format!("lingxi:{}", highly_available()["LINGXI_NATS_PASSWORD"]);
    let members = members(&compose);
    assert_eq!(members.len(), 3, "{members:?}");
    assert!(
        !members.contains("nats"),
        "the single one would only be in the way"
    );
    let routes: Vec<String> = members
        .iter()
        .map(|name| format!("nats://{login}@{name}:6222"))
        .collect();
    let urls: Vec<String> = members.iter().map(|name| format!("{name}:4222")).collect();
    let urls = format!("nats://lingxi:***@{}", urls.join(","));
    let monitored: Vec<String> = members
        .iter()
        .map(|name| format!("http://{name}:{}", compose.service(name).argument("-m")))
        .collect();
    let mut volumes = BTreeSet::new();
    for name in &members {
        let service = compose.service(name);
        assert_eq!(&service.argument("--server_name"), name);
        assert_eq!(
            service.argument("--cluster"),
            format!("nats://{login}@0.0.0.0:6222")
        );
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
        assert_eq!(config["nats_url"].as_str(), Some(urls.as_str()));
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

/// Nobody who came into the network by another way reads the bus or the cache.
#[test]
fn bus_and_cache_ask_for_a_password() {
    for vars in [filled_in(), highly_available()] {
        let compose = Compose::with(&vars);
        for service in compose.active() {
            let command = service.words("command");
            match text(&service.value["image"]) {
                image if image.starts_with("nats:") => {
                    assert_eq!(service.argument("--user"), "lingxi");
                    assert_eq!(service.argument("--pass"), vars["LINGXI_NATS_PASSWORD"]);
                }
                image if image.starts_with("redis:") => {
                    let password = &vars["LINGXI_REDIS_PASSWORD"];
                    assert_eq!(&service.argument("--requirepass"), password);
                    let probe = &service.value["environment"]["REDISCLI_AUTH"];
                    assert_eq!(&text(probe), password);
                }
                _ => assert!(!command.contains(&"--pass".to_owned()), "{}", service.name),
            }
        }
        for service in compose.lingxi() {
            let env = service.environment();
            let nats = format!("nats://lingxi:{}@nats", vars["LINGXI_NATS_PASSWORD"]);
            assert!(
                env["LINGXI__NATS_URL"].starts_with(&nats),
                "{}",
                service.name
            );
            let redis = format!("redis://:{}@redis:6379", vars["LINGXI_REDIS_PASSWORD"]);
            assert_eq!(env["LINGXI__REDIS_URL"], redis, "{}", service.name);
        }
    }
}

/// The variables of every documented key, as they are written in .env.
fn documented_keys() -> Vec<String> {
    let defaults = said(&lingxi(
        &["check-config", "--defaults"],
        &crate::Vars::new(),
    ));
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in defaults.lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line.strip_prefix("[[").and_then(|l| l.strip_suffix("]]")) {
            section = format!("{name}.0.");
        } else if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((key, _)) = line.split_once(" = ") {
            let name = format!("{section}{key}").replace('.', "__");
            keys.push(format!("LINGXI__{}", name.to_uppercase()));
        }
    }
    assert!(keys.len() > 60, "{keys:?}");
    keys
}

#[test]
fn every_documented_key_of_env_reaches_every_process() {
    let mut vars = filled_in();
    for key in documented_keys() {
        vars.insert(key.clone(), format!("value of {key}"));
    }
    let compose = Compose::with(&vars);
    for service in compose.lingxi() {
        let env = service.environment();
        for key in documented_keys() {
            assert_eq!(env[&key], format!("value of {key}"), "{}", service.name);
        }
    }
}
