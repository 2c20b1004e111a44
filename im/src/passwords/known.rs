//! Whether a login comes from where its user has logged in before.

use std::net::IpAddr;

use lingxi_domain::{UserId, now_ms};

use crate::limits::network;
use crate::{Inner, Result};

const DAY: i64 = 24 * 60 * 60 * 1000;
/// A network from which nobody logged in for so long is no longer known, in milliseconds.
const KNOWN_FOR: i64 = 90 * DAY;
/// Networks known of one user.
const KEPT: usize = 16;

/// Where a login comes from.
pub(crate) struct Origin {
    network: Option<String>,
    seen_at: Option<i64>,
}

impl Origin {
    /// `user` is `None` where there is no such account: that takes as long.
    pub(crate) async fn of(
        im: &Inner,
        user: Option<UserId>,
        client: Option<IpAddr>,
    ) -> Result<Self> {
        let unknown = Self {
            network: None,
            seen_at: None,
        };
        let Some(client) = client.filter(|_| im.config.rate_limits) else {
            return Ok(unknown);
        };
        let user = user.unwrap_or_default();
        let text = format!("known network {user} {}", network(client));
        let Some(network) = im.tokens.keyed_hash(&text) else {
            return Ok(unknown);
        };
        let seen_at = im.store.known_network(user, &network).await?;
        Ok(Self {
            network: Some(network),
            seen_at: seen_at.filter(|&seen| seen >= now_ms() - KNOWN_FOR),
        })
    }

    /// Returns true if the user has logged in from there before.
    pub(crate) fn is_known(&self) -> bool {
        self.seen_at.is_some()
    }

    /// The user has just proved who they are. What cannot be written is logged: the next login tries again.
    pub(crate) async fn remember(&self, im: &Inner, user: UserId) {
        let Some(network) = &self.network else {
            return;
        };
        let now = now_ms();
        if self.seen_at.is_some_and(|seen| seen > now - DAY) {
            return;
        }
        let times = (now, now - KNOWN_FOR);
        let remembered = im.store.remember_network(user, network, times, KEPT);
        if let Err(error) = remembered.await {
            tracing::warn!(%error, user, "where a user logged in from is not remembered");
        }
    }
}
