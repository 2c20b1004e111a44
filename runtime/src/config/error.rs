//! What can be wrong with a configuration, each in one line.

use std::path::PathBuf;

/// Why the configuration was refused. The text is for the operator and shows no secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{origin} line {line}: {problem}")]
    Syntax {
        /// The file.
        origin: String,
        /// Counted from 1.
        line: usize,
        /// What the parser said, without the line's text.
        problem: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`; the nearest known key is `{nearest}`")]
    UnknownKey {
        /// File, variable or flag.
        origin: String,
        /// The dotted key.
        key: String,
        /// The known key most like it.
        nearest: String,
    },
    /// A key without which its section makes no sense.
    #[error("{key} is missing: {problem}")]
    Missing {
        /// The dotted key.
        key: String,
        /// What is needed.
        problem: String,
    },
    /// A value outside what is accepted.
    #[error("{key} = {value} is not accepted: {accepted}")]
    Value {
        /// The dotted key.
        key: String,
        /// The value, masked when secret.
        value: String,
        /// What would be.
        accepted: String,
    },
    /// Some keys ask for a cluster, but it lacks something.
    #[error("{asked} asks for a cluster, which needs {missing}: {advice}")]
    Cluster {
        /// The key that asks for it.
        asked: &'static str,
        /// The key that is missing or too weak.
        missing: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A role of a cluster was started without one.
    #[error(
        "`lingxi {role}` is one part of a cluster: set database_url (or [database]), nats_url and redis_url, \
         or run `lingxi` alone for everything in one process"
    )]
    NotACluster {
        /// The role.
        role: &'static str,
    },
    /// The crate that merges the sources refused; does not happen with keys that parse.
    #[error("the configuration could not be merged: {0}")]
    Merge(String),
}
