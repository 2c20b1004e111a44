//! Names of servers: looked up for each connection, and what they mean is judged there, so that the address that is connected
//! to is the one that was judged.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use lingxi_domain::reach::Reach;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How names are looked up.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// The addresses that a name means now.
    ///
    /// # Errors
    /// When it means none, or that cannot be found out.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// As the machine looks names up.
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Hands out addresses that may be connected to, and no others.
pub(crate) struct Guarded {
    pub(crate) reach: Reach,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, lookup) = (self.reach.clone(), self.lookup.clone());
        Box::pin(async move {
            let mut found = lookup.lookup(name.as_str()).await?;
            let known = !found.is_empty();
            found.retain(|address| reach.admits(*address));
            if found.is_empty() && known {
                let private = io::Error::other("the name means a private address");
                return Err(private.into());
            }
            let addresses: Addrs =
                Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
