//! What the name of a webhook's server means now. What it means later is checked at each delivery.

use std::time::Duration;

use lingxi_domain::reach::{PRIVATE, Reach};
use url::{Host, Url};

use crate::{Error, Result};

/// How long a name may take to be looked up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Refuses a name that means a private address. One that means nothing, or not yet, is taken: deliveries to it fail until it
/// does.
///
/// # Errors
/// `invalid_request`.
pub(super) async fn check(reach: &Reach, url: &Url) -> Result<()> {
    let Some(Host::Domain(name)) = url.host() else {
        return Ok(());
    };
    let port = url.port_or_known_default().unwrap_or(0);
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name, port))).await;
    let Ok(Ok(mut addresses)) = found else {
        return Ok(());
    };
    match addresses.all(|address| reach.admits(address.ip())) {
        true => Ok(()),
        false => Err(Error::invalid(PRIVATE)),
    }
}
