//! Merges the sources in order and turns the result into a [`Root`].

use std::path::{Path, PathBuf};

use ::config::builder::DefaultState;
use ::config::{ConfigBuilder, ConfigError, File, FileFormat, Value, ValueKind};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::known::Keys;
use super::origins::Origins;
use super::{Error, Root, dotted, files, masked, text};

const ENV_PREFIX: &str = "LINGXI__";
/// Behind the name of a variable for a secret: the value is the name of a file that holds it.
const FILE_SUFFIX: &str = "_FILE";

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
            // What is not UTF-8 is refused by name when it is one of ours.
            env: std::env::vars_os()
                .map(|(key, value)| {
                    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
                    (text(key), text(value))
                })
                .collect(),
            overrides: overrides.to_vec(),
        }
    }
}

/// Loads the defaults, then `file` (else `lingxi.toml` of the working directory, when there is one), then the process
/// environment, then `overrides` (dotted key, value).
///
/// # Errors
/// The first thing that is wrong, in one line that says where it came from and what is accepted.
pub fn load<C: Root>(file: Option<&Path>, overrides: &[(String, String)]) -> Result<C, Error> {
    load_from(Sources::of_process(file, overrides))
}

/// Loads from exactly these sources, and the files that they name.
///
/// # Errors
/// As [`load`].
pub fn load_from<C: Root>(sources: Sources) -> Result<C, Error> {
    let known = Keys::of(defaults::<C>()?);
    let mut origins = Origins::default();
    let mut builder = documented::<C>();
    if let Some(path) = &sources.file {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        origins.file = path.display().to_string();
        check_syntax(&origins.file, &text)?;
        builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
    }
    for (name, value) in variables(&sources.env) {
        let key = key_of(name);
        let (key, value) = match secret_file(&known, &key) {
            None => (key, text::trimmed(value).to_owned()),
            Some(secret) => {
                let plain = name.strip_suffix(FILE_SUFFIX).unwrap_or(name);
                if variables(&sources.env).any(|(other, _)| other == plain) {
                    let name = plain.to_owned();
                    return Err(Error::Twice { name });
                }
                (secret, files::secret(name, text::trimmed(value))?)
            }
        };
        builder = put(builder, &mut origins, &known, name.to_owned(), &key, &value)?;
    }
    for (key, value) in &sources.overrides {
        let (origin, value) = (format!("flag {key}"), text::trimmed(value));
        builder = put(builder, &mut origins, &known, origin, key, value)?;
    }
    let merged = build(builder)?;
    let tree = tree(&merged)?;
    known.check(&tree, &origins)?;
    if let Some(found) = text::stranger(&tree, String::new(), C::PROSE) {
        return Err(Error::Character {
            origin: origins.of(&found.key).to_owned(),
            key: found.key,
            what: found.what,
        });
    }
    let config: C = typed(merged, &origins)?;
    config.check().map_err(|error| origins.named(error))?;
    Ok(config)
}

/// The section `name` of documented defaults, for a component by itself.
///
/// # Errors
/// When the text has no such section; a test of the component loads it.
pub fn section<T: DeserializeOwned>(documented: &str, name: &str) -> Result<T, Error> {
    let builder = ::config::Config::builder();
    let merged = build(builder.add_source(File::from_str(documented, FileFormat::Toml)))?;
    merged
        .get(name)
        .map_err(|error| Error::Merge(one_line(&error.to_string())))
}

/// Every dotted key of `C`, with `0` for the number of a list's element.
///
/// # Errors
/// When the defaults do not load.
pub fn keys<C: Root>() -> Result<Vec<String>, Error> {
    Ok(Keys::of(defaults::<C>()?).leaves())
}

/// The defaults alone.
fn defaults<C: Root>() -> Result<C, Error> {
    typed(build(documented::<C>())?, &Origins::default())
}

fn documented<C: Root>() -> Builder {
    C::defaults()
        .into_iter()
        .fold(::config::Config::builder(), |builder, text| {
            builder.add_source(File::from_str(text, FileFormat::Toml))
        })
}

/// The variables that are ours and say something.
fn variables(env: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    env.iter()
        .filter(|(name, value)| name.starts_with(ENV_PREFIX) && !value.is_empty())
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The dotted key that a variable sets.
fn key_of(name: &str) -> String {
    let key = name.strip_prefix(ENV_PREFIX).unwrap_or(name);
    key.to_lowercase().replace("__", ".")
}

/// The key of the secret whose file `key` names, if it does: secrets, and URLs, which may hold a password.
fn secret_file(known: &Keys, key: &str) -> Option<String> {
    let secret = key.strip_suffix(&FILE_SUFFIX.to_lowercase())?;
    let may = masked::is_secret(secret) || secret.ends_with("_url");
    (may && known.has(secret) && !known.has(key)).then(|| secret.to_owned())
}

type Builder = ConfigBuilder<DefaultState>;

/// Sets one key from outside the files. `ai.providers.0.name` becomes the path `ai.providers[0].name`, so that a
/// variable changes one field of a list that a file gave. Unknown keys are refused here, before they are merged.
fn put(
    builder: Builder,
    origins: &mut Origins,
    known: &Keys,
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

fn build(builder: Builder) -> Result<::config::Config, Error> {
    builder
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
fn typed<C: Root>(merged: ::config::Config, origins: &Origins) -> Result<C, Error> {
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
                    dotted::look_up(&tree, &key).map_or_else(String::new, |value| match value {
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
