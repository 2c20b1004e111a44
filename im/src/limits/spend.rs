//! Paying for what is done.

use lingxi_cache::Decision;
use lingxi_domain::UserId;

use super::{Payer, Spending};
use crate::{Error, Inner, Result};

/// How often somebody may do something. Made by [`crate::Im::limits`].
///
/// One count holds over all nodes and all connections; while the shared cache is away each node counts by itself. With
/// `rate_limits` off everything is granted.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    pub(crate) im: &'a Inner,
}

impl Limits<'_> {
    /// Pays `cost` for something that is about to be done, or refuses it and takes nothing. A cost above the burst, which
    /// would never be granted, counts as a full burst.
    ///
    /// # Errors
    /// `rate_limited`, with [`Error::retry_after`].
    pub async fn spend(&self, who: Payer, what: Spending, cost: u32) -> Result<()> {
        if !self.im.config.rate_limits {
            return Ok(());
        }
        let rate = self.im.config.rates.of(what);
        let key = format!("{}:{who}", what.name());
        match self.im.cache.take(&key, rate, cost.min(rate.burst)).await {
            Ok(Decision::Allowed) => Ok(()),
            Ok(Decision::RetryAfter(wait)) => Err(Error::limited(what.too_many(), wait)),
            Err(error) => {
                tracing::warn!(%error, "limits are not counted");
                Ok(())
            }
        }
    }

    /// Takes as many as there are of `what`, at most `want`, and returns how many: for this node to hand out by itself, or
    /// for what was done before its cost was known. What is not handed out is lost to the user until the bucket refills:
    /// ask for little.
    pub async fn slice(&self, user: UserId, what: Spending, want: u32) -> u32 {
        if !self.im.config.rate_limits {
            return want;
        }
        let rate = self.im.config.rates.of(what);
        let key = format!("{}:{}", what.name(), Payer::User(user));
        match self.im.cache.take_upto(&key, rate, want).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "limits are not counted");
                want
            }
        }
    }
}
