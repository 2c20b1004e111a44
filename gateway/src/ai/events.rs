//! Following a run again: `GET /api/v1/ai/runs/{run_id}/events`; and how events look on the wire.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use lingxi_domain::ErrorCode;
use lingxi_domain::event_id::EventId;
use lingxi_im::Identity;
use serde::Deserialize;
use utoipa::IntoParams;

use super::subscriber::Subscriber;
use super::subscribers::Subscription;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Auth, Position, Query};
use crate::state::AppState;

/// How often a silent stream shows that it is alive.
const COMMENT: Duration = Duration::from_secs(15);
/// The header by which clients say what they have.
const LAST_EVENT_ID: &str = "last-event-id";

/// What the client has.
#[derive(Deserialize, IntoParams)]
pub(super) struct Seen {
    /// The last event id, for clients that cannot send the header `Last-Event-ID`, which goes first.
    #[param(value_type = Option<i64>)]
    last_event_id: Option<Position>,
}

/// The events of one of the caller's runs, from behind `Last-Event-ID` on, wherever the run executes; all of them
/// without it.
#[utoipa::path(
    get, path = "/api/v1/ai/runs/{run_id}/events", tag = "ai", security(("bearer" = [])),
    params(
        ("run_id" = String, Path, description = "from the event `run`"),
        ("Last-Event-ID" = Option<i64>, Header, description = "the last event id that was seen"),
        Seen
    ),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 400, body = ErrorBody, description = "also for an event id that the run never gave out"),
        (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "run_not_found"),
        (status = 429, body = ErrorBody, description = "rate_limited: too many streams at once")
    )
)]
pub(super) async fn events(
    State(state): State<AppState>,
    Auth(who): Auth,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    Query(seen): Query<Seen>,
) -> Result<Response, ApiError> {
    let after = match headers.get(LAST_EVENT_ID) {
        Some(value) => parse(value)?,
        None => seen
            .last_event_id
            .map_or(Ok(EventId::START), |Position(id)| event_id(id))?,
    };
    // A path that is no text names no run.
    let Path(run_id) = path.map_err(|_| ErrorCode::RunNotFound)?;
    let place = place(&state, &who)?;
    let run = state.im.runs().follow(who.user_id, &run_id, after).await?;
    let subscriber = Subscriber::resuming(state.clone(), run.id, place, after);
    Ok(stream(&state, subscriber).into_response())
}

/// A place for one more stream of this user.
pub(super) fn place(state: &AppState, who: &Identity) -> Result<Subscription, ApiError> {
    let may = |open| state.im.runs().may_follow(open);
    Ok(state.subscribers.register(who, may)?)
}

fn parse(value: &HeaderValue) -> Result<EventId, ApiError> {
    let text = value.to_str().unwrap_or_default().trim();
    // An EventSource that has seen no id sends none or an empty one.
    if text.is_empty() {
        return Ok(EventId::START);
    }
    event_id(text.parse().unwrap_or(-1))
}

fn event_id(id: i64) -> Result<EventId, ApiError> {
    EventId::from_i64(id)
        .ok_or_else(|| ApiError::invalid("last_event_id: send an id that an event came with."))
}

/// The events of a subscriber as server-sent events. The stream ends with the run, with the token that opened it, or when
/// the gateway stops.
pub(super) fn stream(state: &AppState, subscriber: Subscriber) -> impl IntoResponse + use<> {
    let (stopping, ended) = (state.stopping.clone(), subscriber.ended());
    let stop = async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = ended.cancelled() => {}
        }
    };
    let events = stream::unfold(subscriber, async |mut subscriber| {
        let told = subscriber.next().await?;
        let data = String::from_utf8_lossy(&told.json);
        let event = Event::default().id(told.id.to_i64().to_string()).data(data);
        Some((Ok::<_, Infallible>(event), subscriber))
    });
    let sse =
        Sse::new(events.take_until(Box::pin(stop))).keep_alive(KeepAlive::new().interval(COMMENT));
    (
        [(
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        )],
        sse,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_as_clients_send_them() {
        let read = |text: &str| parse(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read(""), Ok(EventId::START));
        assert_eq!(
            read(" 4294967297 "),
            Ok(EventId {
                generation: 1,
                position: 1
            })
        );
        for wrong in ["x", "-1", "1.5", "99999999999999999999"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
