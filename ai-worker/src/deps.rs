//! What a worker is put together from.

use lingxi_bus::SharedBus;
use lingxi_im::Im;
use lingxi_runtime::config::Secret;
use lingxi_store::Store;

use crate::{providers, settings};

/// What a worker works with.
#[derive(Clone)]
pub struct Deps {
    /// The truth.
    pub store: Store,
    /// Runs come from here; subscribers ask here.
    pub bus: SharedBus,
    /// What users can do: tools act through it.
    pub im: Im,
}

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// The assistant's settings.
    pub ai: settings::Ai,
    /// Shown to gateways.
    pub cluster_token: Option<Secret>,
}

/// A worker cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A provider's settings cannot be used.
    #[error(transparent)]
    Provider(#[from] providers::Error),
}
