//! What handlers take from a request, each refused with the contract's error: bodies, queries, who is asking.

use std::net::{IpAddr, SocketAddr};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use lingxi_domain::ErrorCode;
use lingxi_im::{Identity, Im};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::error::ApiError;
use crate::state::AppState;

/// State that knows what users can do.
pub(crate) trait HasIm {
    /// What users can do.
    fn im(&self) -> &Im;
}

impl HasIm for Im {
    fn im(&self) -> &Im {
        self
    }
}

impl HasIm for AppState {
    fn im(&self) -> &Im {
        &self.im
    }
}

/// A JSON object as the body. Anything else, a missing field or one of the wrong type is 400 `invalid_request`, the
/// message naming the field; a body over the limit is 413 `too_large`. Fields that are not known are ignored, and so is
/// the content type.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        parse(&Bytes::from_request(request, state).await?).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // A list would fill a struct's fields by their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::invalid("The body must be a JSON object."));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if !cause.is_data() {
            return ApiError::invalid(format!("The body is not valid JSON: {cause}."));
        }
        let said = cause.to_string();
        // Where in the text it is helps nobody who made it with a library.
        let said = said
            .rsplit_once(" at line ")
            .map_or(said.as_str(), |(said, _)| said);
        match path.as_str() {
            "." => ApiError::invalid(format!("{said}.")),
            path => ApiError::invalid(format!("{path}: {said}.")),
        }
    })?;
    json.end().map_err(|_| {
        ApiError::invalid("The body must be one JSON object and nothing behind it.")
    })?;
    Ok(value)
}

/// The query string. A missing or malformed parameter is 400 `invalid_request`, the message naming it.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(value) = axum::extract::Query::try_from_uri(&parts.uri)?;
        Ok(Self(value))
    }
}

/// Whose valid token came with the request; without one it is 401 `unauthorized`. Name it before the body, so that
/// nothing of a stranger's body is read.
pub(crate) struct Auth(pub(crate) Identity);

impl<S: HasIm + Send + Sync> FromRequestParts<S> for Auth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ErrorCode::Unauthorized)?;
        Ok(Self(state.im().accounts().authenticate(token).await?))
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The address that the request came from, where the server knows it.
pub(crate) struct Client(pub(crate) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(address.map(|ConnectInfo(address)| address.ip())))
    }
}

/// An id, or how many of something: a positive integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Positive(pub(crate) i64);

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            value if value > 0 => Ok(Self(value)),
            value => Err(D::Error::custom(format!(
                "a positive integer is expected, not {value}"
            ))),
        }
    }
}

/// A place in a log or in time: an integer that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position(pub(crate) i64);

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            value if value >= 0 => Ok(Self(value)),
            value => Err(D::Error::custom(format!(
                "an integer from 0 on is expected, not {value}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::DefaultBodyLimit;
    use axum::http::{Method, StatusCode};
    use axum::routing::{get, post};
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;

    #[derive(Deserialize)]
    struct Thing {
        name: String,
        group_id: Positive,
        seq: Option<Position>,
    }

    fn app() -> Router {
        let show = |t: Thing| {
            format!(
                "{} {} {}",
                t.name,
                t.group_id.0,
                t.seq.map_or(-1, |Position(seq)| seq)
            )
        };
        Router::new()
            .route(
                "/body",
                post(async move |Json(thing): Json<Thing>| show(thing)),
            )
            .route(
                "/query",
                get(async move |Query(thing): Query<Thing>| show(thing)),
            )
            .layer(DefaultBodyLimit::max(1024))
    }

    async fn ask(method: Method, uri: &str, body: impl Into<Body>) -> (StatusCode, String) {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(body.into())
            .unwrap();
        let response = app().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[track_caller]
    fn refused((status, body): (StatusCode, String), code: ErrorCode, about: &str) {
        assert_eq!(status.as_u16(), code.status(), "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"], code.as_str());
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(about), "{about:?} is not in {message:?}");
        assert!(
            message.ends_with('.') && !message.contains("column"),
            "{message:?}"
        );
    }

    #[tokio::test]
    async fn a_body_becomes_the_value() {
        let (status, text) = ask(
            Method::POST,
            "/body",
            r#" {"name":"a","group_id":7,"more":[1]}"#,
        )
        .await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "a 7 -1"));
        let (_, text) = ask(
            Method::POST,
            "/body",
            r#"{"name":"a","group_id":7,"seq":null}"#,
        )
        .await;
        assert_eq!(text, "a 7 -1");
    }

    #[tokio::test]
    async fn a_wrong_body_is_refused_by_field() {
        let cases = [
            (r#"{"group_id":7}"#, "name"),
            (r#"{"name":5,"group_id":7}"#, "name"),
            (r#"{"name":null,"group_id":7}"#, "name"),
            (r#"{"name":"a"}"#, "group_id"),
            (r#"{"name":"a","group_id":0}"#, "group_id"),
            (r#"{"name":"a","group_id":-1}"#, "group_id"),
            (r#"{"name":"a","group_id":1.5}"#, "group_id"),
            (r#"{"name":"a","group_id":"7"}"#, "group_id"),
            (
                r#"{"name":"a","group_id":99999999999999999999}"#,
                "group_id",
            ),
            (r#"{"name":"a","group_id":7,"seq":-1}"#, "seq"),
        ];
        for (body, field) in cases {
            let answer = ask(Method::POST, "/body", body).await;
            refused(answer, ErrorCode::InvalidRequest, field);
        }
    }

    #[tokio::test]
    async fn a_body_that_is_no_object_is_refused() {
        for body in [
            "",
            "{",
            "nonsense",
            "null",
            r#"["a",7]"#,
            r#"{"name":"a","group_id":7}x"#,
            "{\"name\":\"\0",
        ] {
            let answer = ask(Method::POST, "/body", body).await;
            assert_eq!(answer.0, StatusCode::BAD_REQUEST, "{body}");
            assert!(answer.1.contains("invalid_request"), "{body}: {}", answer.1);
        }
        let answer = ask(Method::POST, "/body", vec![b'{', 0xff, b'}']).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST);
        let answer = ask(Method::POST, "/body", "{".repeat(2000)).await;
        refused(answer, ErrorCode::TooLarge, "1 MiB");
    }

    #[tokio::test]
    async fn a_wrong_query_is_refused_by_field() {
        let (status, text) = ask(Method::GET, "/query?name=a&group_id=7&seq=0&x=y", "").await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "a 7 0"));
        let cases = [
            ("", "name"),
            ("?name=a", "group_id"),
            ("?name=a&group_id=", "group_id"),
            ("?name=a&group_id=0", "group_id"),
            ("?name=a&group_id=-1", "group_id"),
            ("?name=a&group_id=1.5", "group_id"),
            ("?name=a&group_id=x", "group_id"),
            ("?name=a&group_id=99999999999999999999", "group_id"),
            ("?name=a&group_id=1%20OR%201=1", "group_id"),
            ("?name=a&group_id=7&seq=-1", "seq"),
        ];
        for (query, field) in cases {
            let answer = ask(Method::GET, &format!("/query{query}"), "").await;
            refused(answer, ErrorCode::InvalidRequest, field);
        }
    }

    #[test]
    fn the_bearer_token_is_found() {
        let token = |value: &str| {
            let (parts, ()) = Request::builder()
                .header(AUTHORIZATION, value)
                .body(())
                .unwrap()
                .into_parts();
            bearer(&parts).map(str::to_owned)
        };
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("Basic abc"), None);
        assert_eq!(token("abc"), None);
    }
}
