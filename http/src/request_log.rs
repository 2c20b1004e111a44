//! One line a request, without secrets: ERROR for 5xx, WARN for 4xx, INFO for the rest.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::labels;
use crate::mask;
use remembering::{REMEMBERED, Remembering, Seen};

mod remembering;

/// The header that carries the request's id, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How much of a path or query is logged, in characters.
const SHOWN: usize = 200;
/// How much of a method is logged, in characters.
const SHOWN_METHOD: usize = 16;

/// The id of a request, in its extensions: from a usable `x-request-id`, else made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Why a response is a 5xx. Put it into the response's extensions: it is logged, and never sent.
#[derive(Debug, Clone)]
pub struct Cause(pub String);

/// Logs a request and answers with its `x-request-id`, as `axum::middleware::from_fn` wants it.
///
/// Bodies are neither read nor held back: of a JSON body, what the handler reads first is remembered while it passes.
/// A 5xx answer that is not JSON is replaced by the contract's error, so that a cause cannot get out in its text.
pub(crate) async fn log(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = incoming_id(request.headers()).unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let header = HeaderValue::from_str(&id).ok();
    let line = Line {
        method: labels::method(request.method()),
        named: cut(request.method().as_str(), SHOWN_METHOD),
        path: cut(request.uri().path(), SHOWN),
        route: request.extensions().get::<MatchedPath>().cloned(),
        query: shown_query(request.uri()),
        seen: Arc::default(),
        id,
    };
    if is_json(request.headers()) {
        let seen = line.seen.clone();
        request = request.map(|inner| Body::new(Remembering { inner, seen }));
    }
    if let Some(header) = &header {
        request.headers_mut().insert(REQUEST_ID, header.clone());
    }
    request.extensions_mut().insert(RequestId(line.id.clone()));
    let span = tracing::info_span!("request", request_id = %line.id, method = line.method, path = ?line.path);

    let mut response = next.run(request).instrument(span).await;
    line.write(&response, begun);
    if response.status().is_server_error() && !is_json(response.headers()) {
        response = without_cause(response);
    }
    if let Some(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    response
}

struct Line {
    id: String,
    /// The method, or `other`.
    method: &'static str,
    /// The method as it was sent.
    named: String,
    path: String,
    route: Option<MatchedPath>,
    query: String,
    seen: Seen,
}

impl Line {
    fn write(&self, response: &Response, begun: Instant) {
        let elapsed = begun.elapsed();
        let status = response.status().as_u16();
        let route = self.route.as_ref().map_or("other", MatchedPath::as_str);
        // Each from a closed set: a label's value is a series for ever.
        let labels = [
            ("route", route.to_owned()),
            ("method", self.method.to_owned()),
            ("status", labels::status(response.status()).to_owned()),
        ];
        metrics::histogram!("http_request_seconds", &labels).record(elapsed);

        let latency_ms = elapsed.as_secs_f64() * 1000.0;
        let cause = response
            .extensions()
            .get::<Cause>()
            .map_or("", |cause| cause.0.as_str());
        macro_rules! write_at {
            ($level:ident) => {
                tracing::$level!(
                    request_id = %self.id, method = %self.named, path = ?self.path, query = ?self.query, status,
                    latency_ms, body = ?self.body(), cause, "request"
                )
            };
        }
        match status {
            500.. => write_at!(error),
            400.. => write_at!(warn),
            _ => write_at!(info),
        }
    }

    fn body(&self) -> String {
        mask::body(&self.seen.lock())
    }
}

/// The beginning of a text from outside; it is escaped where it is written.
fn cut(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// A query without its secrets. They are masked before it is cut, in as much of it as could be shown.
fn shown_query(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let end = query.floor_char_boundary(REMEMBERED);
    cut(&mask::query(&query[..end]), SHOWN)
}

/// An id from outside is used when it is short and cannot disturb a log or a header.
fn incoming_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(&REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!id.is_empty() && id.len() <= 64 && id.bytes().all(plain)).then(|| id.to_owned())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

fn without_cause(response: Response) -> Response {
    let status = response.status();
    let (error, message) = match status.as_u16() {
        502..=504 => (
            "unavailable",
            "The service is not available right now; try again in a moment.",
        ),
        _ => (
            "internal",
            "Something went wrong on our side; try again, and report the x-request-id if it stays.",
        ),
    };
    (
        status,
        Json(serde_json::json!({ "error": error, "message": message })),
    )
        .into_response()
}

#[cfg(test)]
mod tests;
