//! Keeps the directions of the house: who may depend on whom, who may name which engine, and that every version stands
//! once, in the workspace's manifest. Development dependencies are free.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Every member and the members it may use. An arrow that is not here is a change of the architecture: write an ADR
/// (docs/adr) before adding it.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("proto", &["domain"]),
    ("store", &["domain", "runtime"]),
    ("cache", &["domain", "runtime"]),
    ("bus", &["domain", "proto", "runtime"]),
    (
        "im",
        &["domain", "proto", "store", "bus", "cache", "runtime"],
    ),
    ("runtime", &["domain"]),
    ("http", &["domain", "im", "runtime"]),
    ("gateway", EDGE),
    ("chat-worker", PROCESS),
    ("ai-worker", PROCESS),
    ("admin-api", EDGE),
    ("lingxi", EVERYTHING),
    ("bench", &[]),
    ("testing", &[]),
];

/// Processes never depend on each other: they meet on the bus, in the store, or over gRPC.
const PROCESS: &[&str] = &["domain", "proto", "store", "bus", "cache", "im", "runtime"];

/// Processes that serve HTTP to clients.
const EDGE: &[&str] = &[
    "domain", "proto", "store", "bus", "cache", "im", "runtime", "http",
];

const EVERYTHING: &[&str] = &[
    "domain",
    "proto",
    "store",
    "bus",
    "cache",
    "im",
    "runtime",
    "http",
    "gateway",
    "chat-worker",
    "ai-worker",
    "admin-api",
];

/// Engines, and the one member that may name each.
const ENGINES: &[(&str, &str)] = &[("sqlx", "store"), ("async-nats", "bus"), ("fred", "cache")];

/// What members must not touch: `domain` does no I/O, and `im` does not know how it is served.
const BANNED: &[(&str, &[&str])] = &[
    ("domain", &["tokio", "axum", "tonic", "reqwest"]),
    ("im", &["axum", "tonic", "reqwest"]),
];

fn workspace() -> Metadata {
    match MetadataCommand::new().no_deps().exec() {
        Ok(metadata) => metadata,
        Err(error) => panic!("cargo metadata: {error}"),
    }
}

/// A member's folder is its name without the prefix.
fn short(name: &str) -> &str {
    name.strip_prefix("lingxi-").unwrap_or(name)
}

/// The names of a package's dependencies that end up in the product.
fn shipped(package: &Package) -> BTreeSet<&str> {
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(|d| d.kind != DependencyKind::Development)
        .map(|d| d.name.as_str())
        .collect()
}

#[test]
fn dependencies_point_down() {
    let metadata = workspace();
    let members: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = short(&package.name);
        let Some(may) = allowed.get(name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for used in shipped(package)
            .into_iter()
            .filter(|d| members.contains(d))
            .map(short)
        {
            if !may.contains(&used) {
                wrong.push(format!("{name} -> {used}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "not allowed by the table in {}: {wrong:#?}",
        file!()
    );
    assert_eq!(
        members.len(),
        ALLOWED.len(),
        "the table names a member that is gone"
    );
}

#[test]
fn only_its_owner_names_an_engine() {
    let mut wrong = Vec::new();
    for package in &workspace().packages {
        let name = short(&package.name);
        let shipped = shipped(package);
        for (engine, owner) in ENGINES {
            if shipped.contains(engine) && name != *owner {
                wrong.push(format!("{name} -> {engine}: only {owner} may"));
            }
        }
        for (_, banned) in BANNED.iter().filter(|(member, _)| *member == name) {
            let found = banned.iter().filter(|b| shipped.contains(**b));
            wrong.extend(found.map(|b| format!("{name} -> {b}: banned there")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn versions_stand_in_the_workspace_alone() {
    let mut wrong = Vec::new();
    for package in &workspace().packages {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        look_for_versions(&manifest, short(&package.name), &mut wrong);
    }
    assert!(wrong.is_empty(), "say `X.workspace = true`: {wrong:#?}");
}

/// Walks every dependency table of a manifest, those under `target` too.
fn look_for_versions(table: &toml::Table, place: &str, wrong: &mut Vec<String>) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else {
            continue;
        };
        if !key.ends_with("dependencies") {
            look_for_versions(inner, place, wrong);
            continue;
        }
        for (name, wanted) in inner {
            let from_workspace =
                wanted.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            if !from_workspace {
                wrong.push(format!("{place}: {name}"));
            }
        }
    }
}

#[test]
fn every_member_obeys_the_workspaces_lints() {
    for package in &workspace().packages {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        assert_eq!(
            lints.and_then(toml::Value::as_bool),
            Some(true),
            "{}",
            package.name
        );
    }
}
