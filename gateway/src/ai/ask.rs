//! Asking: `POST /api/v1/ai/chat` and `POST /api/v1/ai/agent`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_domain::event_id::EventId;
use lingxi_domain::run::RunKind;
use lingxi_im::{Asked, Identity};
use serde::Deserialize;
use utoipa::ToSchema;

use super::events::{place, stream};
use super::subscriber::Subscriber;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Auth, Json};
use crate::state::AppState;

/// A question to the assistant.
#[derive(Deserialize, ToSchema)]
pub(super) struct Question {
    /// 1 byte to 16 KiB.
    #[schema(example = "create a group called Rustaceans and invite bob")]
    message: String,
    /// 1–128 bytes: the same key and message again is the same run, its events from the start.
    idempotency_key: Option<String>,
}

/// Asks the assistant; the answer is a stream of events. Plain conversation, without tools.
#[utoipa::path(
    post, path = "/api/v1/ai/chat", tag = "ai", request_body = Question, security(("bearer" = [])),
    responses(
        (status = 200, content_type = "text/event-stream", body = String,
            description = "events: run, chunk, reasoning, reset, done, error"),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "idempotency_conflict"),
        (status = 413, body = ErrorBody),
        (status = 429, body = ErrorBody, description = "rate_limited: questions a minute, answers at once, streams at once")
    )
)]
pub(super) async fn chat(
    State(state): State<AppState>,
    Auth(who): Auth,
    Json(question): Json<Question>,
) -> Result<Response, ApiError> {
    ask(state, who, RunKind::Chat, question).await
}

/// Asks the assistant to do something; the answer is a stream of events. Tools act as the caller.
#[utoipa::path(
    post, path = "/api/v1/ai/agent", tag = "ai", request_body = Question, security(("bearer" = [])),
    responses(
        (status = 200, content_type = "text/event-stream", body = String,
            description = "events: run, tool_call, tool_result, chunk, reasoning, reset, done, error"),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "idempotency_conflict"),
        (status = 413, body = ErrorBody),
        (status = 429, body = ErrorBody, description = "rate_limited: questions a minute, answers at once, streams at once")
    )
)]
pub(super) async fn agent(
    State(state): State<AppState>,
    Auth(who): Auth,
    Json(question): Json<Question>,
) -> Result<Response, ApiError> {
    ask(state, who, RunKind::Agent, question).await
}

/// The run is committed before anything is answered, and it is in the queue or will be: the sweeper publishes what is
/// not taken.
async fn ask(
    state: AppState,
    who: Identity,
    kind: RunKind,
    question: Question,
) -> Result<Response, ApiError> {
    let place = place(&state, &who)?;
    let question = lingxi_im::Question {
        kind,
        message: &question.message,
        idempotency_key: question.idempotency_key.as_deref(),
        deadline_ms: state.options.run_deadline_ms,
    };
    let runs = state.im.runs();
    let subscriber = match runs.ask(who.user_id, &question).await? {
        Asked::Before(run) => Subscriber::resuming(state.clone(), run.id, place, EventId::START),
        Asked::New(run) => {
            let (subscriber, watcher) = Subscriber::asking(state.clone(), &run, place);
            runs.queue(&run, Some(watcher)).await;
            subscriber
        }
    };
    Ok(stream(&state, subscriber).into_response())
}
