//! Publishing to one user's sockets.

use bytes::Bytes;
use lingxi_bus::{SharedBus, Subject};
use lingxi_domain::UserId;

/// Publishes to a user. Returns true if the bus took it.
pub(super) async fn publish(bus: &SharedBus, user: UserId, payload: Bytes) -> bool {
    let published = bus.publish(&Subject::User(user), payload).await;
    if let Err(error) = &published {
        tracing::warn!(%error, "the bus did not take a push");
    }
    published.is_ok()
}
