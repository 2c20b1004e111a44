//! Registers users and logs them in, many at once but not too many.

use std::{net::Ipv4Addr, path::Path};

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Endpoint, Rest};
use crate::output;

/// How many register or login calls are in flight at once, for each gateway.
const CONCURRENCY: usize = 32;
/// Accounts that are made from one address: fewer than are allowed at once.
const AN_ADDRESS: usize = 20;
const PASSWORD: &str = "bench-password";

/// A user that exists and is logged in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Its name, unique to this run.
    pub username: String,
    /// Its token.
    pub token: String,
}

/// Makes accounts on one system, by any of its gateways.
#[derive(Debug, Clone)]
pub struct Accounts {
    rest: Rest,
    run: String,
}

impl Accounts {
    /// Users made by this value are named after one random run id.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(endpoints: &[Endpoint]) -> anyhow::Result<Self> {
        Ok(Self {
            rest: Rest::new(endpoints)?,
            run: format!("b{:08x}", rand::random::<u32>()),
        })
    }

    /// The calls that these accounts are made with.
    #[must_use]
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Takes `count` users of `file`, whose tokens still work, or makes them and writes them there.
    ///
    /// # Errors
    /// As [`Accounts::create`]; and when the file cannot be written.
    pub async fn reuse(&self, file: &Path, count: usize) -> anyhow::Result<Vec<Account>> {
        let kept = std::fs::read_to_string(file).unwrap_or_default();
        let mut kept: Vec<Account> = serde_json::from_str(&kept).unwrap_or_default();
        if let Some(last) = count.checked_sub(1).and_then(|last| kept.get(last))
            && self.rest.knows(&last.token).await?
        {
            kept.truncate(count);
            return Ok(kept);
        }
        let made = self.create(count).await?;
        std::fs::write(file, serde_json::to_string(&made)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(made)
    }

    /// Registers and logs in `count` users.
    ///
    /// # Errors
    /// At the first call that is refused for another reason than load.
    pub async fn create(&self, count: usize) -> anyhow::Result<Vec<Account>> {
        let mut done = 0_usize;
        stream::iter(0..count)
            .map(|number| self.one(format!("{}-{number}", self.run)))
            .buffered(CONCURRENCY * self.rest.gateways())
            .inspect_ok(|_| {
                done += 1;
                if done.is_multiple_of(1000) {
                    output::note(&format!("{done} of {count} users registered and logged in"));
                }
            })
            .try_collect()
            .await
    }

    /// As [`Accounts::create`], on a server whose limits are on: a few from each of many loopback addresses.
    ///
    /// # Errors
    /// As [`Accounts::create`].
    pub async fn from_many_addresses(
        endpoints: &[Endpoint],
        count: usize,
    ) -> anyhow::Result<Vec<Account>> {
        let mut made = Vec::with_capacity(count);
        while made.len() < count {
            let [a, b, ..] = rand::random::<u32>().to_ne_bytes();
            let address = Ipv4Addr::new(127, 20 + a % 100, b, 1).into();
            let accounts = Self {
                rest: Rest::from_address(endpoints, Some(address))?,
                run: format!("b{:08x}", rand::random::<u32>()),
            };
            let some = accounts.create(AN_ADDRESS.min(count - made.len())).await?;
            made.extend(some);
        }
        Ok(made)
    }

    async fn one(&self, username: String) -> anyhow::Result<Account> {
        #[derive(Deserialize)]
        struct Login {
            token: String,
        }
        let body = json!({"username": username, "password": PASSWORD});
        self.rest.post("user/register", None, &body).await?;
        let answer = self.rest.post("user/login", None, &body).await?;
        let login: Login =
            serde_json::from_str(&answer).with_context(|| format!("login answered {answer}"))?;
        Ok(Account {
            username,
            token: login.token,
        })
    }
}
