//! One attempt to tell a webhook of a message.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use lingxi_domain::now_ms;
use lingxi_store::{Entry, EntryKind, FailedAttempt, Next};
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::deps::{Hook, Shared};
use crate::outcome::{Failure, Outcome};
use crate::signature::signature;

/// Deliveries of one bot that may wait by themselves; beyond, conversations wait.
const PARKED: i64 = 1_000;

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: &'a RawValue,
}

/// Whether a bot is told of an entry: a message of somebody else that was not recalled.
pub(crate) fn is_told(hook: &Hook, entry: &Entry) -> bool {
    entry.kind == EntryKind::Message && entry.sender_id != hook.bot() && entry.recalled_at.is_none()
}

/// Posts a message as its frame shows it.
pub(crate) async fn attempt(shared: &Shared, hook: &Hook, entry: &Entry, frame: &Bytes) -> Outcome {
    let Some(body) = body(entry, frame) else {
        return Outcome::Failed(Failure::new("the message cannot be shown"));
    };
    // The same for every attempt, so that a server can tell a repeat.
    let id = format!("msg_{}_{}", entry.id, hook.bot());
    // Fails only when the semaphore is closed, which nobody does.
    let _turn = shared.attempts.acquire().await;
    let timestamp = now_ms() / 1000;
    let signed = signature(&hook.secret, &id, timestamp, &body);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signed),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    let outcome = shared.client.post(&hook.url, headers, body).await;
    let failed = matches!(outcome, Outcome::Failed(_));
    hook.failing.store(failed, Ordering::Relaxed);
    metrics::counter!("lingxi_webhook_attempts_total", "outcome" => outcome.label()).increment(1);
    outcome
}

fn body(entry: &Entry, frame: &Bytes) -> Option<Bytes> {
    let frame = std::str::from_utf8(frame).ok()?;
    let data = RawValue::from_string(frame.to_owned()).ok()?;
    let nanos = i128::from(entry.created_at) * 1_000_000;
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    let payload = Payload {
        kind: "message",
        timestamp: at.format(&Rfc3339).ok()?,
        data: &data,
    };
    serde_json::to_vec(&payload).ok().map(Bytes::from)
}

/// Records that an attempt failed, `failed` having failed before; answers what becomes of the delivery.
pub(crate) async fn record(
    shared: &Shared,
    hook: &Hook,
    entry: &Entry,
    (failed, in_order): (i64, bool),
    failure: &Failure,
) -> lingxi_store::Result<Next> {
    let next = shared.schedule.after(failed + 1, failure.retry_after);
    let next = match (next, in_order) {
        (Next::Hold(wait), false) => Next::Pass(wait),
        (next, _) => next,
    };
    let attempt = FailedAttempt {
        message_id: entry.id,
        conversation: &entry.conversation,
        seq: entry.seq,
        in_order,
        status: failure.status,
        error: &failure.error,
    };
    let (store, owner) = (&shared.store, &shared.owner);
    let next = store
        .fail_delivery(&hook.held, owner, &attempt, next, PARKED)
        .await?;
    let (bot, message, error) = (hook.bot(), entry.id, &failure.error);
    if next == Next::Dead {
        metrics::counter!("lingxi_webhook_dead_total").increment(1);
        tracing::warn!(bot, message, error, "a delivery to a webhook was given up");
    } else {
        tracing::debug!(bot, message, error, "a delivery to a webhook failed");
    }
    Ok(next)
}
