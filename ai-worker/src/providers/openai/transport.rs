//! How requests go out and what their failures mean.

use std::time::Duration;

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};

use super::body;
use crate::providers::{Error, Failure};
use crate::settings::Provider;

/// An HTTP error as the server gave it.
#[derive(Debug, thiserror::Error)]
#[error("{code} {body}")]
struct Refused {
    code: u16,
    retry_after: Option<u64>,
    body: String,
}

/// A client without the library's retries: a request goes out once, and failures keep their particulars. Nothing is
/// taken from OPENAI_* variables of the environment.
pub(super) fn client(
    provider: &Provider,
    connect: Duration,
    read: Duration,
) -> Result<async_openai::Client<OpenAIConfig>, Error> {
    let unusable =
        |what: &str| Error::new(Failure::Connection, format!("{}: {what}", provider.name));
    let key = provider
        .api_key
        .as_ref()
        .map(|key| key.expose())
        .filter(|key| !key.is_empty());
    // The library would panic on it later.
    let valid = key.is_none_or(|key| HeaderValue::from_str(&format!("Bearer {key}")).is_ok());
    if !valid {
        return Err(unusable("the API key is no header value"));
    }
    let endpoint = OpenAIConfig::new()
        .with_api_base(provider.base_url.trim_end_matches('/'))
        .with_api_key(key.unwrap_or_default())
        .with_org_id("")
        .with_project_id("");
    let http = reqwest::Client::builder()
        .connect_timeout(connect)
        .read_timeout(read);
    let http = http.build().map_err(|error| unusable(&error.to_string()))?;
    let has_key = key.is_some();
    let service = tower::service_fn(move |request: HttpRequestFactory| {
        let http = http.clone();
        async move {
            let mut request = request.build().await?;
            if !has_key {
                request.headers_mut().remove(AUTHORIZATION);
            }
            let response = http.execute(request).await?;
            let status = response.status();
            if status.is_success() {
                return Ok::<_, OpenAIError>(body::in_lines(response));
            }
            let header = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok());
            let retry_after = header.and_then(|text| text.trim().parse().ok());
            let body = body::first_bytes(response, body::ERROR_BYTES).await;
            Err(OpenAIError::Boxed(Box::new(Refused {
                code: status.as_u16(),
                retry_after,
                body,
            })))
        }
    });
    Ok(async_openai::Client::with_config(endpoint).with_http_service(service))
}

/// Whether one event was not what it should be, and the stream goes on behind it.
pub(super) fn is_malformed(error: &OpenAIError) -> bool {
    matches!(error, OpenAIError::JSONDeserialize(..))
}

pub(super) fn classify(error: &OpenAIError) -> Error {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast_ref::<Refused>() {
            Some(refused) => {
                let failure = Failure::Status {
                    code: refused.code,
                    retry_after: refused.retry_after,
                };
                Error::new(failure, refused)
            }
            None => Error::new(Failure::Connection, inner),
        },
        OpenAIError::Reqwest(error) if error.is_timeout() && !error.is_connect() => {
            Error::new(Failure::FirstToken, error)
        }
        OpenAIError::JSONDeserialize(..) => {
            Error::new(Failure::InBand, "too many events that are not JSON")
        }
        other => Error::new(Failure::Connection, other),
    }
}
