//! What a worker is put together from.

use lingxi_bus::SharedBus;
use lingxi_im::Im;
use lingxi_store::Store;

/// What a chat worker works with.
#[derive(Clone)]
pub struct Deps {
    /// Where messages are committed.
    pub store: Store,
    /// Where they come from and go to.
    pub bus: SharedBus,
    /// Names and the encoding of log entries.
    pub im: Im,
}

/// How a chat worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Partitions of the incoming messages, fixed when the system is installed.
    pub partitions: u16,
    /// Whether no other worker can be using this database, as in one process on a locked data folder: then all leases
    /// are taken at once instead of waited for.
    pub sole: bool,
}

/// A chat worker cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] lingxi_store::Error),
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] lingxi_bus::Error),
}
