//! The role that commits messages and fans them out.

use anyhow::Context as _;
use lingxi_chat_worker::{Deps, Options};

use super::node::Node;

pub(super) async fn run(node: &Node<'_>) -> anyhow::Result<()> {
    let foundation = node.foundation;
    let options = Options {
        partitions: foundation.partitions,
        sole: foundation.sole,
    };
    let deps = Deps {
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        im: foundation.im.clone(),
    };
    lingxi_chat_worker::run(options, deps, &node.stages.workers)
        .await
        .context("the chat worker cannot start")
}
