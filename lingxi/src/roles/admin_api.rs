//! The role that is the operators' API. In a process with a gateway its routes are on the gateway's public port.

use lingxi_admin_api::{Deps, Options};

use super::Role;
use super::listeners::Listeners;
use super::node::Node;

pub(super) async fn run(node: &Node<'_>, listeners: &mut Listeners) -> anyhow::Result<()> {
    if node.has(Role::Gateway) {
        return Ok(());
    }
    let options = Options {
        http: node.http_options()?,
    };
    let deps = Deps {
        im: node.foundation.im.clone(),
        budget: node.budget.clone(),
    };
    let listeners = lingxi_admin_api::Listeners {
        public: listeners.take_public()?,
    };
    lingxi_admin_api::run(options, deps, listeners, &node.stages.edge).await?;
    Ok(())
}
