//! REST calls and what they answer.

use reqwest::Method;
use serde_json::Value;

/// An HTTP client of one gateway, with or without a token.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) token: Option<String>,
}

/// A status and a JSON body, with what was asked, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    asked: String,
}

impl Rest {
    pub(crate) fn new(http: reqwest::Client, base: String) -> Self {
        Self {
            http,
            base,
            token: None,
        }
    }

    /// The same client with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// A request to `path` (below `/api/v1/`, or absolute with a leading slash) with the token on it.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            format!("{}/api/v1/{path}", self.base)
        };
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends, and expects JSON back.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let request = request.build().expect("a request");
        let asked = format!("{} {}", request.method(), request.url());
        let answer = self
            .http
            .execute(request)
            .await
            .unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        let body = serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{asked}: {status} and no JSON: {text:?}"));
        Reply {
            status,
            body,
            asked,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Registers `name`.
    pub(crate) async fn register(&self, name: &str, password: &str) -> Reply {
        let body = serde_json::json!({"username": name, "password": password});
        self.post("user/register", body).await
    }

    pub(crate) async fn login(&self, name: &str, password: &str) -> Reply {
        let body = serde_json::json!({"username": name, "password": password});
        self.post("user/login", body).await
    }
}

impl Reply {
    /// The body of a 200.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.asked, self.body);
        self.body
    }

    /// Asserts the status and the stable error code, and that there is a sentence for people.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, code: &str) -> &str {
        assert_eq!(
            (self.status, self.body["error"].as_str()),
            (status, Some(code)),
            "{}: {}",
            self.asked,
            self.body
        );
        let message = self.body["message"].as_str().unwrap_or_default();
        assert!(
            !message.is_empty(),
            "{}: no message: {}",
            self.asked,
            self.body
        );
        message
    }

    /// Asserts 400 `invalid_request` whose message names the field.
    #[track_caller]
    pub(crate) fn blames(&self, field: &str) {
        let message = self.fails(400, "invalid_request");
        assert!(
            message.contains(field),
            "{}: the message does not name {field}: {message}",
            self.asked
        );
    }
}
