//! Which web pages may read answers: those of the server's own origin, and of the origins that are configured.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember what it was allowed.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The layer that tells browsers. No cookie is ever read, so credentials are not allowed either.
pub(crate) fn layer(origins: &[String]) -> CorsLayer {
    let origins: Vec<String> = origins
        .iter()
        .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
        .collect();
    let allowed = move |origin: &HeaderValue, parts: &Parts| {
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        origins.contains(&origin) || is_own(&origin, parts)
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("x-request-id"),
        ])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(REMEMBERED)
}

/// Whether a page of `origin` was served under the very name that the request is for.
fn is_own(origin: &str, parts: &Parts) -> bool {
    let host = parts.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let authority = origin.authority().map(|authority| authority.as_str());
    !host.is_empty() && authority.is_some_and(|own| own.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn allowed(configured: &[&str], origin: &str, method: Method) -> Option<String> {
        let configured: Vec<String> = configured.iter().map(|&o| o.to_owned()).collect();
        let router = Router::new()
            .route("/", get(async || "hello"))
            .layer(layer(&configured));
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", "localhost:8080")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .body(Body::empty())
            .unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let header = answer.headers().get("access-control-allow-origin");
        header.map(|value| value.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn no_page_but_ones_own_and_those_configured() {
        for method in [Method::GET, Method::OPTIONS] {
            let ask = async |configured: &[&str], origin: &str| {
                allowed(configured, origin, method.clone()).await
            };
            for origin in ["https://evil.example", "null", "http://localhost:8081"] {
                assert_eq!(ask(&[], origin).await, None, "{origin}");
                assert_eq!(ask(&["https://chat.example"], origin).await, None);
            }
            let own = "http://localhost:8080";
            assert_eq!(ask(&[], own).await.as_deref(), Some(own));
            let configured = "https://chat.example";
            for written in ["https://chat.example", "https://Chat.example/"] {
                let answer = ask(&[written], configured).await;
                assert_eq!(answer.as_deref(), Some(configured));
            }
        }
    }
}
