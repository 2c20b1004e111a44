//! The query string.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::ApiError;

/// The query string. A missing or malformed parameter is 400 `invalid_request`, the message naming it.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(value) = axum::extract::Query::try_from_uri(&parts.uri)?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{Position, Positive};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Thing {
        name: String,
        group_id: Positive,
        seq: Option<Position>,
    }

    async fn read(query: &str) -> Result<Thing, ApiError> {
        let request = axum::http::Request::get(format!("/query{query}")).body(());
        let (mut parts, ()) = request.unwrap().into_parts();
        let Query(thing) = Query::from_request_parts(&mut parts, &()).await?;
        Ok(thing)
    }

    #[tokio::test]
    async fn a_wrong_query_is_refused_by_field() {
        let expected = Thing {
            name: "a".to_owned(),
            group_id: Positive(7),
            seq: Some(Position(0)),
        };
        assert_eq!(read("?name=a&group_id=7&seq=0&x=y").await, Ok(expected));
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
            let error = read(query).await.unwrap_err();
            assert_eq!(error.code(), lingxi_domain::ErrorCode::InvalidRequest);
            let text = format!("{error:?}");
            assert!(text.contains(field), "{field} is not in {text}");
        }
    }
}
