//! The bodies of committed steps: what a worker that takes a run over reads back.

use lingxi_domain::run::{ModelTurn, ToolOutcome, Usage};
use serde::{Deserialize, Serialize};

/// A model's step.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ModelBody {
    pub(crate) turn: ModelTurn,
    pub(crate) usage: Usage,
}

/// A tool's step.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ToolBody {
    pub(crate) call_id: String,
    pub(crate) outcome: ToolOutcome,
}
