//! What can go wrong.

/// What can go wrong with the bus.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The log holds as much as it may; what was offered was refused, surely not stored.
    #[error("the message log is full")]
    Full,
    /// Not confirmed: it may or may not have arrived.
    #[error("the bus did not confirm: {0}")]
    Unconfirmed(String),
    /// The bus is closed or away; it may come back.
    #[error("the bus is not available: {0}")]
    Unavailable(String),
    /// The bus cannot be used as it is set up; waiting does not help. Says in one line what to do.
    #[error("{0}")]
    Setup(String),
}

/// Results of bus operations.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReply {
    /// Nobody listens on the subject: known at once.
    #[error("nobody listens")]
    NoResponders,
    /// Somebody listens but did not answer in time, or gave up on it.
    #[error("no answer")]
    Timeout,
}
