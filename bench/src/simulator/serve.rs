//! The HTTP side.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{ConnectInfo, State as Shared, connect_info::Connected},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
    serve::IncomingStream,
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::{
    answer::{Asked, Step, steps, whole},
    request::Request,
    script::Fault,
    state::State,
};

/// Serves until `stop`.
pub(super) async fn run(listener: TcpListener, state: Arc<State>) {
    let stop = state.stop.clone();
    let router = Router::new()
        .route("/v1/chat/completions", post(completions))
        .route("/v1/models", get(models))
        .with_state(state)
        .into_make_service_with_connect_info::<Wire>();
    // axum's connection tasks outlive the server, stalled answers with them: each answer watches the token itself.
    let serve = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    drop(serve.await);
}

/// A second handle to the connection's socket, to reset it with.
#[derive(Clone)]
struct Wire(Option<Arc<OwnedFd>>);

impl Connected<IncomingStream<'_, TcpListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        drop(stream.io().set_nodelay(true));
        Self(stream.io().as_fd().try_clone_to_owned().ok().map(Arc::new))
    }
}

impl Wire {
    /// Makes the close that follows a reset (RST) instead of an orderly end.
    fn reset_on_close(&self) {
        let copy = self.0.as_ref().and_then(|wire| wire.try_clone().ok());
        let stream = copy.and_then(|copy| TcpStream::from_std(copy.into()).ok());
        if let Some(stream) = stream {
            drop(stream.set_zero_linger());
        }
    }
}

async fn models(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let mut models = state.script.lock().models.clone();
    if models.is_empty() {
        models.push("simulator".to_owned());
    }
    let data: Vec<Value> = models
        .iter()
        .map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "lingxi-bench"}))
        .collect();
    Json(json!({"object": "list", "data": data}))
}

async fn completions(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let stop = state.stop.clone();
    tokio::select! {
        response = answer(state, wire, &headers, &body) => response,
        () = stop.cancelled() => refusal(StatusCode::SERVICE_UNAVAILABLE, "stopped", "the simulator was stopped"),
    }
}

async fn answer(state: Arc<State>, wire: Wire, headers: &HeaderMap, body: &[u8]) -> Response {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "the body is not JSON",
        );
    };
    let request = Request {
        at: Instant::now(),
        authorization: authorization.to_owned(),
        body,
    };
    state.remember(request.clone());
    let wanted = state
        .script
        .lock()
        .api_key
        .as_ref()
        .map(|key| format!("Bearer {key}"));
    if wanted.is_some_and(|wanted| wanted != authorization) {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_api_key", "wrong API key");
    }
    if request.messages().is_empty() || request.model().is_empty() {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "model and messages are needed",
        );
    }
    let (reply, calls) = match state.reply_to(&request) {
        Ok(reply) => reply,
        Err(violation) => {
            return refusal(StatusCode::BAD_REQUEST, violation.kind, &violation.detail);
        }
    };
    let guard = Open::new(Arc::clone(&state));
    for fault in &reply.faults {
        match fault {
            Fault::StallBeforeHeaders { ms } => stall(ms.map(Duration::from_millis)).await,
            Fault::Status { code, retry_after } => {
                guard.finish();
                let status =
                    StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = refusal(status, "scripted", "a scripted failure");
                if let Some(seconds) = retry_after {
                    response
                        .headers_mut()
                        .insert(header::RETRY_AFTER, (*seconds).into());
                }
                return response;
            }
            _ => {}
        }
    }
    let asked = Asked {
        model: request.model().to_owned(),
        usage: request.body["stream_options"]["include_usage"] == true || reply.usage.is_some(),
        prompt_tokens: request.body["messages"].to_string().len() as u64 / 4,
    };
    let plan = Plan {
        steps: steps(&reply, &calls, &asked),
        due: tokio::time::Instant::now(),
        wire,
        guard,
    };
    if request.is_stream() {
        let body = Body::from_stream(stream::unfold(plan, Plan::next));
        return ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response();
    }
    plan.all_at_once(whole(&reply, &calls, &asked)).await
}

/// An answer that is being written.
struct Plan {
    steps: std::collections::VecDeque<Step>,
    /// When the step before was due, so that a rate holds over timers that are late.
    due: tokio::time::Instant,
    wire: Wire,
    guard: Open,
}

impl Plan {
    async fn next(self) -> Option<(io::Result<Bytes>, Self)> {
        let stop = self.guard.state.stop.clone();
        tokio::select! {
            part = self.part() => part,
            () = stop.cancelled() => None,
        }
    }

    async fn part(mut self) -> Option<(io::Result<Bytes>, Self)> {
        loop {
            match self.steps.pop_front() {
                None => return None,
                Some(Step::Send(bytes)) => {
                    // Whoever has read `[DONE]` may leave without waiting for the end of the body.
                    if self.steps.is_empty() {
                        self.guard.finish();
                    }
                    return Some((Ok(bytes), self));
                }
                Some(Step::Pace(pause)) => {
                    self.due += pause;
                    tokio::time::sleep_until(self.due).await;
                }
                Some(Step::Stall(pause)) => {
                    stall(pause).await;
                    self.due = tokio::time::Instant::now();
                }
                Some(Step::Reset) => {
                    self.guard.finish();
                    // Let what went before reach the client: a reset throws away what the kernel still holds.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    self.wire.reset_on_close();
                    return Some((Err(io::ErrorKind::ConnectionReset.into()), self));
                }
            }
        }
    }

    /// The same timing and faults for an answer in one piece.
    async fn all_at_once(mut self, answer: Value) -> Response {
        for step in std::mem::take(&mut self.steps) {
            match step {
                Step::Send(_) => {}
                Step::Pace(pause) => {
                    self.due += pause;
                    tokio::time::sleep_until(self.due).await;
                }
                Step::Stall(pause) => {
                    stall(pause).await;
                    self.due = tokio::time::Instant::now();
                }
                Step::Reset => {
                    self.steps.push_back(Step::Reset);
                    return Body::from_stream(stream::unfold(self, Self::next)).into_response();
                }
            }
        }
        self.guard.finish();
        Json(answer).into_response()
    }
}

async fn stall(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (
        status,
        Json(json!({"error": {"message": message, "type": "simulator", "code": code}})),
    )
        .into_response()
}

/// Counts an answer as open until it is dropped, and as abandoned when that is before its end.
struct Open {
    state: Arc<State>,
    finished: std::sync::atomic::AtomicBool,
}

impl Open {
    fn new(state: Arc<State>) -> Self {
        state.open.fetch_add(1, Ordering::SeqCst);
        Self {
            state,
            finished: false.into(),
        }
    }

    fn finish(&self) {
        self.finished.store(true, Ordering::SeqCst);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.state.open.fetch_sub(1, Ordering::SeqCst);
        if !self.finished.load(Ordering::SeqCst) {
            self.state.abandoned.fetch_add(1, Ordering::SeqCst);
        }
    }
}
