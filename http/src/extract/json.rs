//! JSON bodies.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::limits::reading;
use crate::{ApiError, mask};

/// A JSON object as the body. Anything else, a missing field or one of the wrong type is 400 `invalid_request`, the
/// message naming the field; a body over the limit is 413 `too_large`, one that is late is 408. Fields that are not
/// known are ignored, and so are the content type and a byte order mark.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        parse(&reading::whole(request.into_body()).await?).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = body.strip_prefix(mask::BOM).unwrap_or(body);
    // A list would fill a struct's fields by their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::invalid("The body must be a JSON object."));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        // A number where a word of a list is expected is reported as if it were no JSON.
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        if !cause.is_data() && !is_json() {
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

#[cfg(test)]
mod tests {
    use lingxi_domain::ErrorCode;
    use serde::Deserialize;

    use super::*;
    use crate::{Position, Positive};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Thing {
        name: String,
        group_id: Positive,
        seq: Option<Position>,
    }

    #[test]
    fn a_body_becomes_the_value() {
        let thing = |seq| Thing {
            name: "a".to_owned(),
            group_id: Positive(7),
            seq,
        };
        let more = br#" {"name":"a","group_id":7,"more":[1]}"#;
        assert_eq!(parse(more), Ok(thing(None)));
        let null = br#"{"name":"a","group_id":7,"seq":null}"#;
        assert_eq!(parse(null), Ok(thing(None)));
        let marked = "\u{feff}{\"name\":\"a\",\"group_id\":7,\"seq\":1}";
        assert_eq!(parse(marked.as_bytes()), Ok(thing(Some(Position(1)))));
        let spaced = "\u{feff} \n{\"name\":\"a\",\"group_id\":7}";
        assert_eq!(parse(spaced.as_bytes()), Ok(thing(None)));
    }

    #[test]
    fn a_wrong_body_is_refused_by_field() {
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
            let error = parse::<Thing>(body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest);
            let text = format!("{error:?}");
            assert!(
                text.contains(field) && !text.contains("column"),
                "{field}: {text}"
            );
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let bodies: [&[u8]; 10] = [
            b"",
            b"{",
            b"nonsense",
            b"null",
            br#"["a",7]"#,
            br#"{"name":"a","group_id":7}x"#,
            b"{\"name\":\"\0",
            b"{\xff}",
            b"\xef\xbb\xbf",
            b"\xef\xbb\xbf\xef\xbb\xbf{\"name\":\"a\",\"group_id\":7}",
        ];
        for body in bodies {
            let error = parse::<Thing>(body).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{body:?}");
        }
    }
}
