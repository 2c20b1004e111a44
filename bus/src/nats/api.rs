//! JetStream's API: requests with JSON answers.

use std::time::Duration;

use async_nats::StatusCode;
use async_nats::jetstream::stream::Info;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::link::Link;
use super::names::StreamName;
use crate::Error;

/// How long the server may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The server's error codes that mean something here.
pub(super) mod code {
    pub(in super::super) const SYSTEM_UNAVAILABLE: u64 = 10008;
    pub(in super::super) const STREAM_NOT_FOUND: u64 = 10059;
    pub(in super::super) const STREAM_NAME_IN_USE: u64 = 10058;
    pub(in super::super) const SUBJECTS_OVERLAP: u64 = 10065;
    pub(in super::super) const STORE_FAILED: u64 = 10077;
    pub(in super::super) const NOT_ENABLED: u64 = 10076;
    pub(in super::super) const NOT_ENABLED_FOR_ACCOUNT: u64 = 10039;
    pub(in super::super) const REPLICAS_NOT_SUPPORTED: u64 = 10074;
    pub(in super::super) const NO_PEERS: u64 = 10005;
    pub(in super::super) const INSUFFICIENT_RESOURCES: u64 = 10023;
    pub(in super::super) const STORAGE_EXCEEDED: u64 = 10047;
}

/// Why a call had no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refuses.
    Refused { code: u64, description: String },
    /// Nobody takes the call: JetStream, or what it is about, is not there.
    Nobody,
    /// It is not known whether it was done.
    Unanswered(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { code, description } => {
                Self::Unavailable(format!("JetStream says: {description} ({code})"))
            }
            Failure::Nobody => Self::Unavailable("JetStream is not there".to_owned()),
            Failure::Unanswered(why) => Self::Unavailable(why),
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    error: Option<Refusal>,
}

#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) err_code: u64,
    #[serde(default)]
    pub(super) description: String,
}

/// What is not of interest in an answer.
#[derive(Deserialize)]
pub(super) struct Ignored {}

/// Calls `$JS.API.<call>`.
pub(super) async fn call<T: DeserializeOwned>(
    link: &Link,
    call: &str,
    request: Option<&impl Serialize>,
) -> Result<T, Failure> {
    let payload = match request.map(serde_json::to_vec) {
        None => Bytes::new(),
        Some(Ok(json)) => json.into(),
        Some(Err(error)) => return Err(Failure::Unanswered(error.to_string())),
    };
    let awaited = link
        .ask(format!("$JS.API.{call}"), None, payload)
        .await
        .map_err(|error| Failure::Unanswered(error.to_string()))?;
    let answer = match timeout(TIMEOUT, awaited.answer()).await {
        Ok(Some(answer)) if answer.status == Some(StatusCode::NO_RESPONDERS) => {
            return Err(Failure::Nobody);
        }
        Ok(Some(answer)) => answer.payload,
        Ok(None) => return Err(Failure::Unanswered("the connection was lost".to_owned())),
        Err(_) => {
            return Err(Failure::Unanswered("JetStream does not answer".to_owned()));
        }
    };
    let odd = |error: serde_json::Error| {
        Failure::Unanswered(format!(
            "JetStream's answer to {call} cannot be read: {error}"
        ))
    };
    let envelope: Envelope = serde_json::from_slice(&answer).map_err(odd)?;
    if let Some(refusal) = envelope.error {
        return Err(Failure::Refused {
            code: refusal.err_code,
            description: refusal.description,
        });
    }
    serde_json::from_slice(&answer).map_err(odd)
}

/// No request body.
pub(super) const NOTHING: Option<&()> = None;

/// What a stream is, and what it holds.
pub(super) async fn info(link: &Link, stream: StreamName) -> Result<Info, Failure> {
    let name = link.names.stream(stream);
    call(link, &format!("STREAM.INFO.{name}"), NOTHING).await
}

/// When a stream was made, in nanoseconds since the epoch.
pub(super) fn created(info: &Info) -> i64 {
    i64::try_from(info.created.unix_timestamp_nanos()).unwrap_or(i64::MAX)
}
