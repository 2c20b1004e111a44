//! Registers users and logs them in, many at once but not too many.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Endpoint;
use crate::output;

/// How many register or login calls are in flight at once.
const CONCURRENCY: usize = 32;
/// How often a call that was answered 429 or 503 is tried again.
const ATTEMPTS: u32 = 8;
const PASSWORD: &str = "bench-password";

/// A user that exists and is logged in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name, unique to this run.
    pub username: String,
    /// Its token.
    pub token: String,
}

/// Makes accounts on one server.
#[derive(Debug, Clone)]
pub struct Accounts {
    http: reqwest::Client,
    url: String,
    run: String,
}

impl Accounts {
    /// Users made by this value are named after one random run id.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(endpoint: &Endpoint) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .build()?;
        Ok(Self {
            http,
            url: endpoint.url.clone(),
            run: format!("b{:08x}", rand::random::<u32>()),
        })
    }

    /// Registers and logs in `count` users.
    ///
    /// # Errors
    /// At the first call that is refused for another reason than load.
    pub async fn create(&self, count: usize) -> anyhow::Result<Vec<Account>> {
        let mut done = 0_usize;
        stream::iter(0..count)
            .map(|number| self.one(format!("{}-{number}", self.run)))
            .buffered(CONCURRENCY)
            .inspect_ok(|_| {
                done += 1;
                if done.is_multiple_of(1000) {
                    output::note(&format!("{done} of {count} users registered and logged in"));
                }
            })
            .try_collect()
            .await
    }

    async fn one(&self, username: String) -> anyhow::Result<Account> {
        #[derive(Deserialize)]
        struct Login {
            token: String,
        }
        let body = json!({"username": username, "password": PASSWORD});
        self.call("register", &body).await?;
        let answer = self.call("login", &body).await?;
        let login: Login =
            serde_json::from_str(&answer).with_context(|| format!("login answered {answer}"))?;
        Ok(Account {
            username,
            token: login.token,
        })
    }

    async fn call(&self, what: &str, body: &Value) -> anyhow::Result<String> {
        let mut pause = Duration::from_millis(50);
        for _ in 0..ATTEMPTS {
            let response = self
                .http
                .post(format!("{}/api/v1/user/{what}", self.url))
                .json(body)
                .send()
                .await?;
            let status = response.status();
            let text = response.text().await?;
            match status {
                StatusCode::OK => return Ok(text),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    tokio::time::sleep(pause).await
                }
                _ => bail!("{what} was answered {status}: {text}"),
            }
            pause *= 2;
        }
        bail!(
            "{what} was refused {ATTEMPTS} times for load: start the server with LINGXI__RATE_LIMITS=off"
        )
    }
}
