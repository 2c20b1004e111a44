//! What can go wrong with attachments.

use std::io;

/// Why a file was not kept, found or read. Causes are for logs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is kept under that key.
    #[error("there is no such object")]
    NotThere,
    /// The disk has no room left, or less than is to stay free.
    #[error("the disk is full")]
    Full,
    /// No place for files is configured.
    #[error("no place for files is configured")]
    NoStore,
    /// A picture that cannot be read, or is larger than anybody could look at.
    #[error("the picture cannot be used: {0}")]
    BadPicture(&'static str),
    /// The place cannot be used as it is configured; the text says what to do.
    #[error("{0}")]
    Setup(String),
    /// Any other failure of the disk or the store.
    #[error("{0}")]
    Failed(String),
}

/// Results of what is done with files.
pub type Result<T> = std::result::Result<T, Error>;

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::NotFound => Self::NotThere,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotThere,
            error => Self::Failed(error.to_string()),
        }
    }
}

/// A task of the blocking pool ended without an answer: the process stops, or it panicked.
impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Failed(error.to_string())
    }
}
