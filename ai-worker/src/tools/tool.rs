//! What a tool is, and what it is given.

use std::time::Duration;

use async_trait::async_trait;
use lingxi_im::{Actor, Im};
use serde_json::Value;
use tokio::time::Instant;

use super::Refusal;
use crate::providers::ToolSpec;

/// What a call may change: whether it can be made again when nobody knows what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing: made again at will.
    Reads,
    /// Rows of ours, under the asker's effect key: made again, it finds out what the first one did.
    OwnEffect,
    /// Something elsewhere: never made again.
    ForeignEffect,
}

/// One tool.
#[async_trait]
pub(crate) trait Tool: Send + Sync {
    /// As the model is told about it.
    fn spec(&self) -> ToolSpec;

    /// What a call may change.
    fn class(&self) -> Class;

    /// Does it, as the asker. Dropped at the deadline, wherever it stands.
    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal>;
}

/// What a call is made with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// What users can do.
    pub(crate) im: &'a Im,
    /// Who asked; what is done in their name is done once, by the effect key in here.
    pub(crate) asker: &'a Actor,
    /// When the run ends.
    pub(crate) deadline: Instant,
}

impl Context<'_> {
    /// How long the call may still take.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
