//! One process or a cluster, and where its processes are.

use std::path::PathBuf;

use super::{CLUSTER, load_env};
use crate::config::Mode;

#[test]
fn a_cluster_needs_all_its_parts() {
    assert_eq!(load_env(CLUSTER).mode().unwrap(), Mode::Cluster);
    for missing in [
        "DATABASE_URL",
        "NATS_URL",
        "REDIS_URL",
        "JWT_SECRET",
        "CLUSTER_TOKEN",
    ] {
        let rest: Vec<_> = CLUSTER
            .iter()
            .filter(|(key, _)| *key != missing)
            .copied()
            .collect();
        let text = load_env(&rest).mode().unwrap_err().to_string();
        let key = missing.to_lowercase();
        assert!(text.contains(&format!("needs {key}")), "{text}");
    }
    let mut parts = CLUSTER.to_vec();
    parts[0] = ("DATABASE__HOST", "db");
    assert_eq!(load_env(&parts).mode().unwrap(), Mode::Cluster);
}

#[test]
fn a_cluster_refuses_the_placeholder_in_a_url() {
    for (at, key, url) in [
        (0, "database_url", "mysql://u:change-me@h:3306/d"),
        (1, "nats_url", "nats://u:Change-Me-1@h"),
        (2, "redis_url", "redis://:changeme@h"),
    ] {
        let mut parts = CLUSTER.to_vec();
        parts[at].1 = url;
        let text = load_env(&parts).mode().unwrap_err().to_string();
        assert!(text.contains(key) && text.contains("placeholder"), "{text}");
    }
}

#[test]
fn a_cluster_refuses_the_examples_password() {
    let mut parts = CLUSTER.to_vec();
    parts.push(("DATABASE__HOST", "db"));
    parts.push(("DATABASE__PASSWORD", "change-me"));
    let text = load_env(&parts).mode().unwrap_err().to_string();
    assert!(text.contains("database.password"), "{text}");
}

#[test]
fn a_role_alone_needs_a_cluster() {
    let text = load_env(&[])
        .require_cluster("gateway")
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("`lingxi gateway`") && text.contains("nats_url"),
        "{text}"
    );
    load_env(CLUSTER).require_cluster("gateway").unwrap();
}

#[test]
fn a_sqlite_url_is_embedded() {
    let config = load_env(&[("DATABASE_URL", "sqlite:/tmp/a.db")]);
    assert_eq!(
        (config.mode().unwrap(), config.sqlite_path()),
        (Mode::Embedded, "/tmp/a.db".into())
    );
    assert_eq!(
        load_env(&[("DATABASE_URL", "sqlite:///tmp/a.db")]).sqlite_path(),
        PathBuf::from("/tmp/a.db")
    );
}

#[test]
fn the_advertised_address_is_the_bound_one_unless_set() {
    let config = load_env(&[]);
    assert_eq!(
        config.grpc_advertise("10.1.2.3:99".parse().unwrap(), None),
        "10.1.2.3:99"
    );
    assert_eq!(
        config.grpc_advertise("0.0.0.0:99".parse().unwrap(), None),
        "127.0.0.1:99"
    );
    assert_eq!(
        config.grpc_advertise("[::]:99".parse().unwrap(), None),
        "[::1]:99"
    );
    assert_eq!(
        config.grpc_advertise(
            "0.0.0.0:99".parse().unwrap(),
            Some("10.1.2.3".parse().unwrap())
        ),
        "10.1.2.3:99"
    );
    let config = load_env(&[("GRPC_ADVERTISE", "node-3:9090")]);
    assert_eq!(
        config.grpc_advertise("0.0.0.0:99".parse().unwrap(), None),
        "node-3:9090"
    );
}
