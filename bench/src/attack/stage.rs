//! The accounts and addresses of an attack.

use anyhow::ensure;

use crate::client::{Account, Accounts, Endpoint, Rest};

/// Where attacks take place.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) endpoint: Endpoint,
    rest: Rest,
}

impl Stage {
    /// A server on this machine.
    pub(super) async fn set(url: &str) -> anyhow::Result<Self> {
        let endpoint = Endpoint::resolve(url).await?;
        ensure!(
            endpoint.is_loopback(),
            "{url} is not on this machine: nobody else's server is attacked"
        );
        let rest = Rest::new(std::slice::from_ref(&endpoint))?;
        Ok(Self { endpoint, rest })
    }

    /// An account of its own.
    pub(super) async fn account(&self) -> anyhow::Result<Account> {
        Ok(self.several(1).await?.remove(0))
    }

    pub(super) async fn several(&self, count: usize) -> anyhow::Result<Vec<Account>> {
        Accounts::from_many_addresses(std::slice::from_ref(&self.endpoint), count).await
    }

    pub(super) fn rest(&self) -> &Rest {
        &self.rest
    }
}
