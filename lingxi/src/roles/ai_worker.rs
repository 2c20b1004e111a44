//! The role that answers questions, and tells webhooks: what speaks to servers of others.

use anyhow::Context as _;
use lingxi_ai_worker::providers::Choice;
use lingxi_ai_worker::{Deps, Options};

use crate::config::Config;

use super::node::Node;

/// Says whether the providers can be used, as far as that is known without asking them.
pub(super) fn check(config: &Config) -> anyhow::Result<()> {
    Choice::new(&config.ai).context("ai.providers")?;
    Ok(())
}

pub(super) async fn run(node: &Node<'_>) -> anyhow::Result<()> {
    let foundation = node.foundation;
    let options = Options {
        ai: node.config.ai.clone(),
        cluster_token: node.config.cluster_token.clone(),
    };
    let deps = Deps {
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        im: foundation.im.clone(),
    };
    lingxi_ai_worker::run(options, deps, &node.stages.workers)
        .await
        .context("the AI worker cannot start")?;
    webhooks(node).await
}

async fn webhooks(node: &Node<'_>) -> anyhow::Result<()> {
    let foundation = node.foundation;
    let options = lingxi_webhooks::Options {
        webhooks: node.config.webhooks.clone(),
        sole: foundation.sole,
    };
    let deps = lingxi_webhooks::Deps {
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        im: foundation.im.clone(),
    };
    lingxi_webhooks::run(options, deps, &node.stages.workers)
        .await
        .context("webhooks cannot be told")
}
