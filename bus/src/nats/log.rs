//! The chat log: what is appended to it, what is forgotten.

use std::time::Duration;

use async_nats::StatusCode;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::api::{self, Ignored, Refusal, code};
use super::headers;
use super::link::Link;
use super::names::StreamName;
use crate::{Error, LogInfo, Result};

/// How long the server may take to confirm what it was given to keep.
const CONFIRMATION: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Confirmation {
    error: Option<Refusal>,
    #[serde(default)]
    seq: u64,
}

/// Gives a stream something to keep; answers its position. Sent once: whoever is told that it is not confirmed decides.
pub(super) async fn keep(link: &Link, subject: String, payload: Bytes) -> Result<u64> {
    let awaited = link
        .ask(subject, Some(headers::outgoing()), payload)
        .await?;
    let answer = match timeout(CONFIRMATION, awaited.answer()).await {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            return Err(Error::Unconfirmed("the connection was lost".to_owned()));
        }
        Err(_) => {
            return Err(Error::Unconfirmed(format!(
                "no answer within {CONFIRMATION:?}"
            )));
        }
    };
    if answer.status == Some(StatusCode::NO_RESPONDERS) {
        link.suspect();
        return Err(Error::Unavailable("its stream is not there".to_owned()));
    }
    let confirmation: Confirmation = serde_json::from_slice(&answer.payload)
        .map_err(|error| Error::Unconfirmed(format!("the answer cannot be read: {error}")))?;
    match confirmation.error {
        None => Ok(confirmation.seq),
        Some(refusal) if is_full(&refusal) => Err(Error::Full),
        Some(refusal) => Err(Error::Unconfirmed(format!(
            "JetStream says: {} ({})",
            refusal.description, refusal.err_code
        ))),
    }
}

/// "maximum messages exceeded", "maximum bytes exceeded": the code alone also stands for a failing disk.
fn is_full(refusal: &Refusal) -> bool {
    refusal.err_code == code::STORE_FAILED && refusal.description.contains("maximum")
}

pub(super) fn require_partition(link: &Link, partition: u16) -> Result<()> {
    if partition < link.options.partitions {
        Ok(())
    } else {
        Err(Error::Unavailable(format!(
            "there is no partition {partition}"
        )))
    }
}

pub(super) async fn append(link: &Link, partition: u16, payload: Bytes) -> Result<u64> {
    require_partition(link, partition)?;
    keep(link, link.names.log(partition), payload).await
}

pub(super) async fn info(link: &Link) -> Result<LogInfo> {
    let info = api::info(link, StreamName::Chat).await.inspect_err(|_| {
        link.suspect();
    })?;
    Ok(LogInfo {
        created: api::created(&info),
        last: info.state.last_sequence,
    })
}

pub(super) async fn purge(link: &Link, partition: u16, upto: u64) -> Result<()> {
    require_partition(link, partition)?;
    let call = format!("STREAM.PURGE.{}", link.names.stream(StreamName::Chat));
    // `seq` is the first one that stays.
    let request = json!({ "filter": link.names.log(partition), "seq": upto.saturating_add(1) });
    let _: Ignored = api::call(link, &call, Some(&request)).await?;
    Ok(())
}
