//! Tells whoever delivers to webhooks that something was said where a bot is. A message costs a look into a small set, and
//! where no bot is, nothing more.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{SharedBus, Subject};
use lingxi_domain::UserId;
use lingxi_proto::Message as _;
use lingxi_proto::bus::WebhookHint;
use lingxi_runtime::outage::Outage;
use lingxi_runtime::shutdown::Shutdown;
use parking_lot::RwLock;
use tokio::time::Instant;

use crate::Deps;
use crate::members::Members;

/// How often the set is read: a hint that is not sent yet is made up for by those who deliver.
const EVERY: Duration = Duration::from_secs(1);

/// The bots whose webhooks are in use, as of a moment ago.
#[derive(Clone, Default)]
pub(super) struct Webhooks(Arc<RwLock<Arc<HashSet<UserId>>>>);

impl Webhooks {
    /// The task ends with `shutdown`.
    pub(super) fn start(deps: &Deps, shutdown: &Shutdown) -> Self {
        let webhooks = Self::default();
        let (kept, store, stop) = (webhooks.clone(), deps.store.clone(), shutdown.token());
        shutdown.spawn("chat webhooks", async move {
            let mut outage = Outage::of("reading which bots have webhooks");
            loop {
                match store.webhook_bots().await {
                    Ok(bots) => {
                        *kept.0.write() = Arc::new(bots.into_iter().collect());
                        outage.over(Instant::now());
                    }
                    Err(error) => outage.failed(Instant::now(), &error),
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
        });
        webhooks
    }

    /// A message of this user to a group.
    pub(super) async fn said_to(
        &self,
        bus: &SharedBus,
        conversation: &str,
        sender: UserId,
        members: &Members,
    ) {
        let known = self.0.read().clone();
        if known.is_empty() {
            return;
        }
        let bots: Vec<UserId> = match known.len() < members.users.len() {
            true => {
                let members = known
                    .iter()
                    .filter(|bot| members.muted_until(**bot).is_some());
                members.copied().filter(|bot| *bot != sender).collect()
            }
            false => {
                let bots = members.ids().filter(|user| known.contains(user));
                bots.filter(|bot| *bot != sender).collect()
            }
        };
        hint(bus, conversation, bots).await;
    }

    /// A private message to this user.
    pub(super) async fn said_to_one(&self, bus: &SharedBus, conversation: &str, to: UserId) {
        let is_bot = self.0.read().contains(&to);
        if is_bot {
            hint(bus, conversation, vec![to]).await;
        }
    }
}

async fn hint(bus: &SharedBus, conversation: &str, bots: Vec<UserId>) {
    if bots.is_empty() {
        return;
    }
    let hint = WebhookHint {
        conversation: conversation.to_owned(),
        bots,
    };
    let payload = hint.encode_to_vec().into();
    if let Err(error) = bus.publish(&Subject::Webhooks, payload).await {
        tracing::debug!(%error, "a webhook is told a little later");
    }
}
