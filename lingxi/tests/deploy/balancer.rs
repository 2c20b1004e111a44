//! The load balancer.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::compose::{Compose, configuration, filled_in, text};
use crate::{path, port, read, root, said};

/// HAProxy's own opinion of the two files.
pub(crate) fn haproxy_accepts(backends: &Path) {
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
