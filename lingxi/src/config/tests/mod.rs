//! What every topic's tests load settings with.

mod modes;
mod secrets;
mod sources;
mod values;

use lingxi_runtime::config::{Sources, load_from};

use super::Config;

fn env(pairs: &[(&str, &str)]) -> Sources {
    let pairs = pairs
        .iter()
        .map(|(key, value)| (format!("LINGXI__{key}"), (*value).to_owned()));
    Sources {
        env: pairs.collect(),
        ..Sources::default()
    }
}

fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lingxi.toml");
    std::fs::write(&path, text).unwrap();
    (
        folder,
        Sources {
            file: Some(path),
            ..Sources::default()
        },
    )
}

fn load_env(pairs: &[(&str, &str)]) -> Config {
    load_from::<Config>(env(pairs)).unwrap()
}

fn refused(sources: Sources) -> String {
    let text = load_from::<Config>(sources).unwrap_err().to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

fn refused_env(key: &str, value: &str) -> String {
    refused(env(&[(key, value)]))
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CLUSTER: &[(&str, &str)] = &[
    ("DATABASE_URL", "mysql://u:p@h:3306/d"),
    ("NATS_URL", "nats://h:4222"),
    ("REDIS_URL", "redis://h:6379"),
    ("JWT_SECRET", SECRET),
    ("CLUSTER_TOKEN", SECRET),
];
