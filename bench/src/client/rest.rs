//! REST calls to any of several gateways, repeated when a server says that it is busy.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};
use reqwest::StatusCode;
use serde_json::Value;

use super::Endpoint;

/// How often a call that was answered 429 or 503 is tried again.
const ATTEMPTS: u32 = 8;

/// Calls that go to each gateway in turn.
#[derive(Debug, Clone)]
pub struct Rest {
    http: reqwest::Client,
    urls: Arc<[String]>,
    next: Arc<AtomicUsize>,
}

impl Rest {
    /// Calls to these gateways, of which there must be one.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(endpoints: &[Endpoint]) -> anyhow::Result<Self> {
        Self::from_address(endpoints, None)
    }

    /// As [`Rest::new`], by connections from this address of the machine.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn from_address(endpoints: &[Endpoint], address: Option<IpAddr>) -> anyhow::Result<Self> {
        anyhow::ensure!(!endpoints.is_empty(), "--url is empty");
        let http = reqwest::Client::builder()
            .no_proxy()
            .local_address(address)
            .timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .build()?;
        Ok(Self {
            http,
            urls: endpoints.iter().map(|e| e.url.clone()).collect(),
            next: Arc::default(),
        })
    }

    /// How many gateways there are.
    #[must_use]
    pub fn gateways(&self) -> usize {
        self.urls.len()
    }

    /// POSTs `body` to `/api/v1/{path}` and returns the body of the answer 200.
    ///
    /// # Errors
    /// At any other answer, of 429 and 503 the eighth.
    pub async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<String> {
        let mut pause = Duration::from_millis(50);
        for _ in 0..ATTEMPTS {
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.urls.len();
            let mut request = self
                .http
                .post(format!("{}/api/v1/{path}", self.urls[turn]))
                .json(body);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let response = request.send().await?;
            let status = response.status();
            let text = response.text().await?;
            match status {
                StatusCode::OK => return Ok(text),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    tokio::time::sleep(pause).await;
                }
                _ => bail!("{path} was answered {status}: {text}"),
            }
            pause *= 2;
        }
        bail!(
            "{path} was refused {ATTEMPTS} times for load: start the server with LINGXI__RATE_LIMITS=off"
        )
    }

    /// Whether a token still works: `GET user/me` answers 200.
    ///
    /// # Errors
    /// When no server answers.
    pub async fn knows(&self, token: &str) -> anyhow::Result<bool> {
        let url = format!("{}/api/v1/user/me", self.urls[0]);
        let answer = self.http.get(url).bearer_auth(token).send().await?;
        Ok(answer.status() == StatusCode::OK)
    }

    /// POSTs once, whatever the answer, and reads it to its end. An empty token is none.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn status(&self, path: &str, token: &str, body: &Value) -> anyhow::Result<u16> {
        let url = format!("{}/api/v1/{path}", self.urls[0]);
        answered(self.http.post(url).json(body), token).await
    }

    /// As [`Rest::status`], by GET.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get_status(&self, path: &str, token: &str) -> anyhow::Result<u16> {
        let url = format!("{}/api/v1/{path}", self.urls[0]);
        answered(self.http.get(url), token).await
    }

    /// The key of the newest of a user's conversations.
    ///
    /// # Errors
    /// When the list has none, or at any other answer than 200.
    pub async fn newest_conversation(&self, token: &str) -> anyhow::Result<String> {
        let url = format!("{}/api/v1/message/conversations", self.urls[0]);
        let answer = self.http.get(url).bearer_auth(token).send().await?;
        let list: Value = answer.error_for_status()?.json().await?;
        let key = list["conversations"][0]["conversation"].as_str();
        Ok(key.context("there is no conversation")?.to_owned())
    }

    /// POSTs once and returns the first piece of the answer: of a stream of events, what it begins with.
    ///
    /// # Errors
    /// At any other answer than 200.
    pub async fn begin(&self, path: &str, token: &str, body: &Value) -> anyhow::Result<String> {
        let url = format!("{}/api/v1/{path}", self.urls[0]);
        let request = self.http.post(url).json(body).bearer_auth(token);
        let mut answer = request.send().await?.error_for_status()?;
        let first = answer.chunk().await?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&first).into_owned())
    }
}

async fn answered(request: reqwest::RequestBuilder, token: &str) -> anyhow::Result<u16> {
    let request = match token {
        "" => request,
        token => request.bearer_auth(token),
    };
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    Ok(status)
}
