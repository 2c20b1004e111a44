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
use serde::Deserialize;
use utoipa::IntoParams;

use super::follow::Follower;
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
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "run_not_found")
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
    let run = state
        .store
        .run(&run_id)
        .await
        .map_err(lingxi_im::Error::from)?;
    let run = run
        .filter(|run| run.user_id == who.user_id)
        .ok_or(ErrorCode::RunNotFound)?;
    let follower = Follower::resuming(state.clone(), run.id, after);
    Ok(stream(&state, follower).into_response())
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

/// The events of a follower as server-sent events. The stream ends with the run, or when the gateway stops.
pub(super) fn stream(state: &AppState, follower: Follower) -> impl IntoResponse + use<> {
    let stop = state.stopping.clone().cancelled_owned();
    let events = stream::unfold(follower, async |mut follower| {
        let told = follower.next().await?;
        let data = String::from_utf8_lossy(&told.json);
        let event = Event::default().id(told.id.to_i64().to_string()).data(data);
        Some((Ok::<_, Infallible>(event), follower))
    });
    let sse = Sse::new(events.take_until(stop)).keep_alive(KeepAlive::new().interval(COMMENT));
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
