//! Requests and their answers.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use super::explain::explain;
use super::{Refused, Server};

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(15);
/// The longest wait for an answer that is read whole.
const ANSWER: Duration = Duration::from_secs(60);
/// No answer of a server is larger; what claims to be is not read to its end.
const LARGEST: usize = 8 * 1024 * 1024;

/// A server as somebody sees it.
#[derive(Clone, Debug)]
pub(in super::super) struct Rest {
    http: reqwest::Client,
    pub(in super::super) server: Server,
    token: Option<String>,
}

impl Rest {
    /// Without a token.
    ///
    /// # Errors
    /// When this machine cannot make connections.
    pub(in super::super) fn new(server: Server) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured((*server.tls).clone())
            .connect_timeout(CONNECT)
            // A token goes to the server that was named, and to no other.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("lingxi-chat/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("cannot set up HTTP")?;
        Ok(Self {
            http,
            server,
            token: None,
        })
    }

    /// The same server with that token.
    pub(in super::super) fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The token that goes with every request.
    pub(in super::super) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// A request to a path below `/api/v1/`.
    pub(in super::super) fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        let request = self.http.request(method, self.server.at(path, query));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends, and returns what was answered with a 200, its body unread.
    pub(in super::super) async fn open(
        &self,
        request: RequestBuilder,
    ) -> Result<Response, Refused> {
        let named = &self.server.named;
        let answer = request.send().await;
        let answer = answer.map_err(|error| explain(named, &error))?;
        if answer.status() == 200 {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let body = self.json(answer).await.unwrap_or_default();
        Err(Refused::answered(named, status, &body))
    }

    /// Sends, and returns the JSON that was answered.
    pub(in super::super) async fn ask(&self, request: RequestBuilder) -> Result<Value, Refused> {
        let answer = self.open(request.timeout(ANSWER)).await?;
        self.json(answer).await
    }

    pub(in super::super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, Refused> {
        self.ask(self.request(Method::GET, path, query)).await
    }

    pub(in super::super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        self.ask(self.request(Method::POST, path, &[]).json(body))
            .await
    }

    pub(in super::super) async fn put(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        self.ask(self.request(Method::PUT, path, &[]).json(body))
            .await
    }

    /// The JSON of an answer.
    pub(in super::super) async fn json(&self, mut answer: Response) -> Result<Value, Refused> {
        let named = &self.server.named;
        let mut body = Vec::new();
        while let Some(part) = answer
            .chunk()
            .await
            .map_err(|error| explain(named, &error))?
        {
            if body.len() + part.len() > LARGEST {
                break;
            }
            body.extend_from_slice(&part);
        }
        serde_json::from_slice(&body).map_err(|_| {
            let message = format!("{named} did not answer JSON: is it a Lingxi server?");
            Refused::new("not_lingxi", message)
        })
    }
}
