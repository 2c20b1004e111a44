//! What every manifest leaves to the workspace's.

use crate::members::{short, workspace};

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
