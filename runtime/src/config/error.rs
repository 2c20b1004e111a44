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
    /// The file that a secret is to be read from is of no use.
    #[error("{name}: the secret cannot be read from {}: {problem}", path.display())]
    SecretFile {
        /// The variable.
        name: String,
        /// The file it names.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A secret is given as itself and as a file.
    #[error("{name} and {name}_FILE are both set; leave one of them out")]
    Twice {
        /// The variable that holds the secret itself.
        name: String,
    },
    /// A value holds a character that is there by mistake.
    #[error("{origin}: {key} holds {what}; a value is one line of text")]
    Character {
        /// File, variable or flag.
        origin: String,
        /// The dotted key.
        key: String,
        /// Which character.
        what: String,
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
    /// The crate that merges the sources refused; does not happen with keys that parse.
    #[error("the configuration could not be merged: {0}")]
    Merge(String),
}
