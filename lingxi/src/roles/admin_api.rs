//! The role that is the operators' API. In a process with a gateway its routes are on the gateway's public port.

use super::Role;
use super::gateway::trusted_proxies;
use super::listeners::Listeners;
use super::node::Node;

pub(super) async fn run(node: &Node<'_>, listeners: &mut Listeners) -> anyhow::Result<()> {
    if node.has(Role::Gateway) {
        return Ok(());
    }
    lingxi_admin_api::start(
        node.foundation.im.clone(),
        listeners.take_public()?,
        trusted_proxies(node.config)?,
        &node.stages.edge,
    );
    Ok(())
}
