//! Merges the sources in order and turns the result into a [`Config`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ::config::builder::DefaultState;
use ::config::{ConfigBuilder, ConfigError, File, FileFormat, Value, ValueKind};
use serde_json::Value as Json;

use super::{Config, Error, known, masked};

/// The documented defaults, as compiled in.
pub const DEFAULT_TOML: &str = include_str!("../../default.toml");

const ENV_PREFIX: &str = "LINGXI__";

/// Where the values come from, later ones win. The default is: the defaults alone.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file that must exist.
    pub file: Option<PathBuf>,
    /// Environment variables; those that do not begin with `LINGXI__`, or are empty, are left alone.
    pub env: Vec<(String, String)>,
    /// From flags: dotted key and value.
    pub overrides: Vec<(String, String)>,
}

impl Sources {
    /// What a process has: `file` or else `lingxi.toml` of the working directory when there is one, its environment,
    /// its flags.
    pub fn of_process(file: Option<&Path>, overrides: &[(String, String)]) -> Self {
        let beside = PathBuf::from("lingxi.toml");
        Self {
            file: file
                .map(Path::to_path_buf)
                .or_else(|| beside.exists().then_some(beside)),
            env: std::env::vars_os()
                .filter_map(|(key, value)| {
                    Some((key.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            overrides: overrides.to_vec(),
        }
    }
}

impl Config {
    /// Loads from exactly these sources, reading nothing else.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_from(sources: Sources) -> Result<Self, Error> {
        let known = known::Keys::of(&typed(merge_defaults()?, &Origins::default())?);
        let mut origins = Origins::default();
        let mut builder =
            ::config::Config::builder().add_source(File::from_str(DEFAULT_TOML, FileFormat::Toml));
        if let Some(path) = &sources.file {
            let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
            origins.file = path.display().to_string();
            check_syntax(&origins.file, &text)?;
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        for (name, value) in &sources.env {
            if let Some(key) = name.strip_prefix(ENV_PREFIX)
                && !value.is_empty()
            {
                let key = key.to_lowercase().replace("__", ".");
                builder = put(builder, &mut origins, &known, name.clone(), &key, value)?;
            }
        }
        for (key, value) in &sources.overrides {
            builder = put(
                builder,
                &mut origins,
                &known,
                format!("flag {key}"),
                key,
                value,
            )?;
        }
        let merged = builder
            .build()
            .map_err(|error| Error::Merge(one_line(&error.to_string())))?;
        known.check(&tree(&merged)?, &origins)?;
        let config = typed(merged, &origins)?;
        config.check()?;
        Ok(config)
    }
}

/// Which source a key was last set by, for messages.
#[derive(Default)]
pub(super) struct Origins {
    file: String,
    by_key: HashMap<String, String>,
}

impl Origins {
    pub(super) fn of(&self, key: &str) -> &str {
        self.by_key.get(key).map_or(&self.file, String::as_str)
    }
}

type Builder = ConfigBuilder<DefaultState>;

/// Sets one key from outside the files. `ai.providers.0.name` becomes the path `ai.providers[0].name`, so that a
/// variable changes one field of a list that a file gave. Unknown keys are refused here, before they are merged.
fn put(
    builder: Builder,
    origins: &mut Origins,
    known: &known::Keys,
    origin: String,
    key: &str,
    value: &str,
) -> Result<Builder, Error> {
    known.check_key(key, &origin)?;
    let mut path = String::new();
    for segment in key.split('.') {
        if !path.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{segment}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(segment);
        }
    }
    let value = Value::new(Some(&origin), ValueKind::String(value.to_owned()));
    origins.by_key.insert(key.to_owned(), origin);
    builder
        .set_override(path, value)
        .map_err(|error| Error::Merge(one_line(&error.to_string())))
}

fn merge_defaults() -> Result<::config::Config, Error> {
    ::config::Config::builder()
        .add_source(File::from_str(DEFAULT_TOML, FileFormat::Toml))
        .build()
        .map_err(|error| Error::Merge(one_line(&error.to_string())))
}

fn check_syntax(origin: &str, text: &str) -> Result<(), Error> {
    text.parse::<toml::Table>().map(|_| ()).map_err(|error| {
        let before = error.span().map_or(0, |span| span.start).min(text.len());
        Error::Syntax {
            origin: origin.to_owned(),
            line: text.as_bytes()[..before]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1,
            problem: one_line(error.message()),
        }
    })
}

fn tree(merged: &::config::Config) -> Result<Json, Error> {
    let tree = merged.clone().try_deserialize();
    tree.map_err(|error| Error::Merge(one_line(&error.to_string())))
}

/// Deserializes, and says what is wrong in the words of the operator's keys.
fn typed(merged: ::config::Config, origins: &Origins) -> Result<Config, Error> {
    let tree = tree(&merged)?;
    serde_path_to_error::deserialize(merged).map_err(|error| {
        let key = error.path().to_string().replace('[', ".").replace(']', "");
        match accepted(error.inner()) {
            Problem::Missing(field) => {
                let key = if key == "." {
                    field
                } else {
                    format!("{key}.{field}")
                };
                Error::Missing {
                    key,
                    problem: "its section needs it".to_owned(),
                }
            }
            Problem::Value(accepted) => {
                let value =
                    known::look_up(&tree, &key).map_or_else(String::new, |value| match value {
                        Json::Null => "(nothing)".to_owned(),
                        Json::Object(_) | Json::Array(_) => "(a section)".to_owned(),
                        plain => masked::value(&key, &plain.to_string()),
                    });
                let origin = match origins.of(&key) {
                    "" => String::new(),
                    origin => format!(" (from {origin})"),
                };
                Error::Value {
                    key,
                    value,
                    accepted: format!("{accepted}{origin}"),
                }
            }
        }
    })
}

enum Problem {
    Missing(String),
    Value(String),
}

/// What would have been accepted. Takes the expectation and leaves out the value, which may be secret.
fn accepted(error: &ConfigError) -> Problem {
    if let ConfigError::Type { expected, .. } = error {
        return Problem::Value(format!("expected {expected}"));
    }
    let text = one_line(&error.to_string());
    if let Some((_, rest)) = text
        .split_once("missing configuration field \"")
        .or(text.split_once("missing field `"))
    {
        let field = rest.split(['"', '`']).next().unwrap_or(rest);
        return Problem::Missing(field.rsplit(['.', ']']).next().unwrap_or(field).to_owned());
    }
    match text.split_once("expected ") {
        Some((_, expected)) => {
            let expected = expected.split(" for key").next().unwrap_or(expected);
            Problem::Value(format!("expected {expected}"))
        }
        None => Problem::Value("it has the wrong type".to_owned()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
