//! The image.

use crate::{Vars, lingxi, port, read, said};

/// The instructions of the Dockerfile's last stage, continued lines joined.
pub(crate) fn image() -> Vec<(String, String)> {
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

pub(crate) fn instruction(word: &str) -> String {
    let image = image();
    let mut found = image.iter().filter(|(found, _)| found == word);
    let (_, rest) = found.next().unwrap_or_else(|| panic!("no {word}"));
    assert!(found.next().is_none(), "one {word} is enough");
    rest.clone()
}

pub(crate) fn image_environment() -> Vars {
    let pairs = instruction("ENV");
    let pairs = pairs.split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').expect("NAME=VALUE");
        (name.to_owned(), value.to_owned())
    });
    pairs.collect()
}

#[test]
fn the_image_is_what_the_binary_expects() {
    let defaults: toml::Table = read("lingxi/default.toml").parse().expect("TOML");
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
