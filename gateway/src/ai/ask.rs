//! Asking: `POST /api/v1/ai/chat` and `POST /api/v1/ai/agent`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_bus::Lane;
use lingxi_domain::event_id::EventId;
use lingxi_domain::limits;
use lingxi_domain::run::{RunEvent, RunKind};
use lingxi_domain::{ErrorCode, UserId};
use lingxi_proto::Message as _;
use lingxi_proto::bus::RunRequest;
use lingxi_store::{CreatedRun, NewRun};
use serde::Deserialize;
use utoipa::ToSchema;

use super::events::stream;
use super::follow::Follower;
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
        (status = 413, body = ErrorBody)
    )
)]
pub(super) async fn chat(
    State(state): State<AppState>,
    Auth(who): Auth,
    Json(question): Json<Question>,
) -> Result<Response, ApiError> {
    ask(state, who.user_id, RunKind::Chat, question).await
}

/// Asks the assistant to do something; the answer is a stream of events. Tools act as the caller.
#[utoipa::path(
    post, path = "/api/v1/ai/agent", tag = "ai", request_body = Question, security(("bearer" = [])),
    responses(
        (status = 200, content_type = "text/event-stream", body = String,
            description = "events: run, tool_call, tool_result, chunk, reasoning, reset, done, error"),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "idempotency_conflict"),
        (status = 413, body = ErrorBody)
    )
)]
pub(super) async fn agent(
    State(state): State<AppState>,
    Auth(who): Auth,
    Json(question): Json<Question>,
) -> Result<Response, ApiError> {
    ask(state, who.user_id, RunKind::Agent, question).await
}

fn check(question: &Question) -> Result<(), ApiError> {
    if question.message.is_empty() {
        return Err(ApiError::invalid("message: say something."));
    }
    if question.message.len() > limits::MAX_CONTENT_BYTES {
        let message = format!("message: send at most {} bytes.", limits::MAX_CONTENT_BYTES);
        return Err(ApiError::new(ErrorCode::TooLarge, message));
    }
    let key = question.idempotency_key.as_ref().map(String::len);
    if key.is_some_and(|length| length == 0 || length > limits::MAX_IDEMPOTENCY_KEY_BYTES) {
        let message = format!(
            "idempotency_key: use 1 to {} bytes.",
            limits::MAX_IDEMPOTENCY_KEY_BYTES
        );
        return Err(ApiError::invalid(message));
    }
    Ok(())
}

/// The run is committed before anything is answered, and it is in the queue or will be: the sweeper publishes what is
/// not taken.
async fn ask(
    state: AppState,
    user_id: UserId,
    kind: RunKind,
    question: Question,
) -> Result<Response, ApiError> {
    check(&question)?;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let lane = Lane::Interactive;
    let new = NewRun {
        id: &id,
        user_id,
        kind,
        lane: lane.as_str(),
        conversation: None,
        input: &question.message,
        idempotency_key: question.idempotency_key.as_deref(),
        deadline_ms: state.options.run_deadline_ms,
    };
    let created = state
        .store
        .create_run(&new)
        .await
        .map_err(lingxi_im::Error::from)?;
    let follower = match created {
        CreatedRun::Conflict => return Err(ErrorCode::IdempotencyConflict.into()),
        CreatedRun::Existing(run) => Follower::resuming(state.clone(), run.id, EventId::START),
        CreatedRun::New(run) => {
            // Its first event is committed with it: no need to wait for a worker to say it.
            let named = RunEvent::Run {
                run_id: run.id.clone(),
            };
            let first = EventId {
                generation: run.generation,
                position: named.units(),
            };
            let (follower, watcher) =
                Follower::asking(state.clone(), run.id.clone(), first, &named);
            let request = RunRequest {
                run_id: run.id,
                watcher: Some(watcher),
            };
            if let Err(error) = state
                .bus
                .enqueue(lane, request.encode_to_vec().into())
                .await
            {
                tracing::warn!(%error, run = request.run_id, "a run waits for the sweeper to be queued");
            }
            follower
        }
    };
    Ok(stream(&state, follower).into_response())
}
