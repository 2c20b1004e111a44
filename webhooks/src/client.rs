//! Requests to servers that others name.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lingxi_domain::reach::Reach;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;

use crate::outcome::{Failure, Outcome};
use crate::resolver::{Guarded, Lookup};

/// The most of an answer that is read, so that its connection can be used again; nothing of it is kept.
const ANSWER_BYTES: usize = 64 * 1024;
/// Connections to one server that are kept, and for how long.
const IDLE: usize = 2;
const IDLE_FOR: Duration = Duration::from_secs(30);

const AGENT: &str = concat!("Lingxi-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Posts to servers within reach: a host that is an address is judged before, a name when it is looked up for the
/// connection. Follows no redirect, and uses no proxy of the environment, which would look names up by itself.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    reach: Reach,
    timeout: Duration,
}

impl Client {
    /// A client that takes `timeout` for a whole request.
    ///
    /// # Errors
    /// When the machine's certificates cannot be used.
    pub fn new(
        reach: Reach,
        lookup: Arc<dyn Lookup>,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let guarded = Guarded {
            reach: reach.clone(),
            lookup,
        };
        let http = reqwest::Client::builder()
            .dns_resolver(Arc::new(guarded))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(AGENT)
            .connect_timeout(timeout)
            .pool_max_idle_per_host(IDLE)
            .pool_idle_timeout(IDLE_FOR)
            .build()?;
        Ok(Self {
            http,
            reach,
            timeout,
        })
    }

    /// Posts JSON with these headers.
    pub async fn post(&self, url: &Url, mut headers: HeaderMap, body: Bytes) -> Outcome {
        if let Err(refused) = self.reach.check(url) {
            return Outcome::Failed(Failure::new(refused.0));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = self.http.post(url.clone()).headers(headers).body(body);
        // Until the answer's head: what follows is nobody's business, and takes no more than the rest of the time.
        let answered = async {
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) => return Outcome::of_error(error),
            };
            let outcome = Outcome::of(answer.status(), answer.headers());
            let _ = tokio::time::timeout(self.timeout / 4, read(answer)).await;
            outcome
        };
        match tokio::time::timeout(self.timeout, answered).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Failed(Failure::new("the server did not answer in time")),
        }
    }
}

async fn read(mut answer: reqwest::Response) {
    let mut bytes = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes += chunk.len();
        if bytes > ANSWER_BYTES {
            return;
        }
    }
}
