//! Who may depend on whom, and who may name which engine. Development dependencies are free.

use std::collections::{BTreeMap, BTreeSet};

use crate::members::{product, shipped, short, workspace};

/// Every member and the members that it uses: no more, and no less. An arrow that is not here is a change of the
/// architecture: write a record (docs/adr) before adding it. One that is used no longer goes from here too.
///
/// Processes never depend on each other: they meet on the bus, in the store, or over gRPC.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("runtime", &[]),
    ("proto", &[]),
    ("cache", &["domain"]),
    ("files", &["runtime"]),
    ("store", &["domain", "runtime"]),
    ("bus", &["domain", "runtime"]),
    (
        "im",
        &[
            "domain", "proto", "store", "bus", "cache", "files", "runtime",
        ],
    ),
    ("http", &["domain", "im", "runtime"]),
    (
        "gateway",
        &[
            "domain", "proto", "store", "bus", "cache", "im", "runtime", "http",
        ],
    ),
    (
        "chat-worker",
        &["domain", "proto", "store", "bus", "im", "runtime"],
    ),
    (
        "ai-worker",
        &["domain", "proto", "store", "bus", "im", "runtime"],
    ),
    (
        "webhooks",
        &["domain", "proto", "store", "bus", "im", "runtime"],
    ),
    ("admin-api", &["domain", "http", "im", "runtime"]),
    (
        "lingxi",
        &[
            "domain",
            "store",
            "bus",
            "cache",
            "files",
            "im",
            "runtime",
            "http",
            "gateway",
            "chat-worker",
            "ai-worker",
            "webhooks",
            "admin-api",
        ],
    ),
    ("bench", &[]),
    ("testing", &[]),
];

/// Engines, and the one member that may name each.
const ENGINES: &[(&str, &str)] = &[
    ("sqlx", "store"),
    ("async-nats", "bus"),
    ("fred", "cache"),
    ("object_store", "files"),
];

/// What members must not touch: `domain` does no I/O, and `im` does not know how it is served.
const BANNED: &[(&str, &[&str])] = &[
    ("domain", &["tokio", "axum", "tonic", "reqwest"]),
    ("im", &["axum", "tonic", "reqwest"]),
];

#[test]
fn dependencies_point_down() {
    let metadata = workspace();
    let members: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let mut table: BTreeMap<&str, BTreeSet<&str>> = ALLOWED
        .iter()
        .map(|(member, may)| (*member, may.iter().copied().collect()))
        .collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = short(&package.name);
        let Some(may) = table.remove(name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        let shipped = shipped(package).into_iter();
        let uses: BTreeSet<&str> = shipped
            .filter(|used| members.contains(used))
            .map(short)
            .collect();
        for used in uses.difference(&may) {
            wrong.push(format!("{name} -> {used} is not allowed"));
        }
        for gone in may.difference(&uses) {
            wrong.push(format!("{name} -> {gone} is allowed, and does not exist"));
        }
    }
    for gone in table.keys() {
        wrong.push(format!("{gone} is in the table, and no member"));
    }
    assert!(wrong.is_empty(), "by the table in {}: {wrong:#?}", file!());
}

#[test]
fn an_arrow_of_a_manifest_is_one_of_the_code() {
    let mut wrong = Vec::new();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for (name, source) in product() {
        for used in allowed.get(name.as_str()).copied().unwrap_or_default() {
            if !source.names_crate(&format!("lingxi_{}", used.replace('-', "_"))) {
                wrong.push(format!("{name} -> {used}: its code names nothing of it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
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
